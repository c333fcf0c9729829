"""What a protocol state machine needs from outside: time, timers, and channels to its peers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rsim.network import Event, Principal

Address = tuple[tuple[str, ...], int]
"""Addresses of a host, the primary one first, and a port."""


class TimerPort(Protocol):
    """A named time-out."""

    @property
    def running(self) -> bool:
        """Whether it will expire if nobody stops it."""

    def start(self, delay: float) -> None:
        """Expires `delay` seconds from now."""

    def stop(self) -> None:
        """Does not expire."""


class ClockPort(Protocol):
    """The time in s, and timers."""

    @property
    def now(self) -> float:
        """Present time in s."""

    def timer(self, function: Callable[[], object]) -> TimerPort:
        """A timer that calls `function` when it expires."""


class Channel(Protocol):
    """An association with one peer, as an endpoint uses it."""

    remote_address: str
    remote_port: int
    tcp: bool

    @property
    def ready(self) -> bool:
        """True once established; no UP event follows."""

    @property
    def remote_addresses(self) -> tuple[str, ...]:
        """All addresses of the peer, the primary one first."""

    @property
    def principal(self) -> Principal | None:
        """Who the peer has shown to be, if it had to show it."""

    @property
    def protected(self) -> bool:
        """Whether TLS protects it."""

    @property
    def undelivered(self) -> int:
        """Number of trailing messages the peer did not acknowledge, once the channel has ended."""

    def send(self, ppid: int, data: bytes) -> None:
        """Sends one message.

        Parameters: `ppid` payload protocol identifier; `data` the octets of the message.
        """

    def when_sent(self, sent: Callable[[], None]) -> None:
        """Calls `sent` when the message that was sent last leaves; never if it comes to nothing."""

    def close(self) -> None:
        """Ends the association in order."""

    def discard(self) -> None:
        """Drops the association silently, as when the process dies."""


class ChannelReceiver(Protocol):
    """Receives messages and events of a channel."""

    def receive(self, channel: Channel, ppid: int, data: bytes) -> None:
        """Takes one message.

        Parameters: `channel` it came on; `ppid` its payload protocol identifier; `data` its bytes.
        """

    def notify(self, channel: Channel, event: Event) -> None:
        """Called when the channel is up or has ended.

        Parameters: `channel` that has changed; `event` what has happened to it.
        """


def count_sent(channel: Channel, count: Callable[[], None]) -> None:
    """Counts the message that was sent last on a channel, when it leaves.

    Parameters: `channel` on which the message was sent; `count` is called once.
    """
    if channel.ready:
        count()
    else:
        channel.when_sent(count)


class Uniform(Protocol):
    """Random draws."""

    def uniform(self) -> float:
        """A draw on [0, 1)."""
