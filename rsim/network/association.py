"""Associations: ordered, message-preserving channels between two endpoints."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rsim.network.credentials import Principal, Refusal
    from rsim.network.host import Host


class State(Enum):
    """States of an association (RFC 9260 4)."""

    COOKIE_WAIT = auto()
    COOKIE_ECHOED = auto()
    ESTABLISHED = auto()
    SHUTDOWN_PENDING = auto()
    SHUTDOWN_SENT = auto()
    SHUTDOWN_ACK_SENT = auto()
    CLOSED = auto()


class Event(Enum):
    """What the network tells about an association; all but UP end it."""

    UP = "set up, and protected where it is to be"
    SHUT_DOWN = "the peer has shut it down in order"
    ABORTED = "the peer does not know it or has aborted it"
    LOST = "the peer does not answer any more"
    REFUSED = "TLS has refused the peer, or the peer has refused"
    RESTARTED = "the peer has started anew and forgotten it"


class Receiver(Protocol):
    """Who gets what arrives on an association."""

    def receive(self, association: Association, ppid: int, data: bytes) -> None:
        """Takes one message, with its payload protocol identifier."""

    def notify(self, association: Association, event: Event) -> None:
        """Takes what the network tells about the association."""


class Association:
    """One end of an association, as the endpoint on that side sees it.

    `local_address` and `remote_address` with their ports name the two sides. `principal` is who the
    peer has shown to be; `refusal` why TLS has failed.
    """

    __slots__ = (
        "host",
        "local_address",
        "local_port",
        "network",
        "receiver",
        "remote_address",
        "remote_port",
    )

    def __init__(
        self,
        host: Host,
        local: tuple[str, int],
        remote: tuple[str, int],
        receiver: Receiver | None,
    ) -> None:
        # Attributes lie in memory in this order: what each message reads comes first.
        self.network = host.network
        self.receiver = receiver
        self.local_address, self.local_port = local
        self.remote_address, self.remote_port = remote
        self.host = host

    tcp: bool = False
    """Whether it is a TCP connection."""

    @property
    def principal(self) -> Principal | None:
        """Who the peer has shown to be, if it had to show it."""
        return None

    @property
    def refusal(self) -> Refusal | None:
        """Why TLS has failed, if it has."""
        return None

    @property
    def protected(self) -> bool:
        """Whether TLS protects it."""
        return False

    @property
    def ready(self) -> bool:
        """Whether it is up, so that no news of that will come."""
        return True

    @property
    def remote_addresses(self) -> tuple[str, ...]:
        """All addresses of the peer, the primary one first."""
        return (self.remote_address,)

    @property
    def undelivered(self) -> int:
        """Of an association that has ended: how many of the last messages may not have arrived."""
        return 0

    @property
    def backlog(self) -> int:
        """Messages that wait to be sent, or to be acknowledged where that is in doubt."""
        return 0

    def send(self, ppid: int, data: bytes) -> None:
        """Sends one message; the network tells by `notify` if it can't deliver any more."""
        raise AssertionError("abstract")

    def when_sent(self, sent: Callable[[], None]) -> None:
        """Calls `sent` when the message that was sent last leaves; never if it comes to nothing."""
        raise AssertionError("abstract")

    def close(self) -> None:
        """Ends the association in order: what has been sent still arrives."""
        raise AssertionError("abstract")

    def discard(self) -> None:
        """Forgets the association without a word, as when the process dies."""
        raise AssertionError("abstract")


class InstantAssociation(Association):
    """An association without set-up, loss or news: RSPSIM's transport.

    The other end comes to life when the first message reaches the listening host.
    """

    __slots__ = ("_delay", "_peer")

    def __init__(
        self,
        host: Host,
        local: tuple[str, int],
        remote: tuple[str, int],
        delay: float,
        receiver: Receiver | None,
    ) -> None:
        super().__init__(host, local, remote, receiver)
        self._delay = delay
        self._peer: InstantAssociation | None = None

    def join(self, peer: InstantAssociation) -> None:
        """Makes these the two ends of one association."""
        self._peer = peer
        peer._peer = self

    def send(self, ppid: int, data: bytes) -> None:
        """Sends one message; what the network does with it is not told."""
        network = self.network
        if network.hosts_down and not self.host.up:
            return
        network.traffic.count(ppid, data)
        peer = self._peer
        clock = network.clock
        if peer is not None:
            clock.call_method_at(clock._now + self._delay, "_arrive", peer, ppid, data)
        if network.capture is not None:
            now = clock.now
            network.capture.message(
                now,
                (self.local_address, self.local_port),
                (self.remote_address, self.remote_port),
                ppid,
                data,
                now + self._delay if peer is not None else None,
            )

    def when_sent(self, sent: Callable[[], None]) -> None:
        """At once, unless the host is down."""
        if not self.network.hosts_down or self.host.up:
            sent()

    def close(self) -> None:
        """Ends the association for both sides; what is still under way is lost."""
        if self._peer is not None:
            self._peer._peer = None
            self._peer.receiver = None
            self._peer = None
        self.receiver = None

    def discard(self) -> None:
        """The same: RSPSIM's transport knows no other end."""
        self.close()

    def _arrive(self, ppid: int, data: bytes) -> None:
        if self.network.hosts_down and not self.host.up:
            return
        receiver = self.receiver
        if receiver is None:
            receiver = self.receiver = self.host.accept(self)
            if receiver is None:
                return
        receiver.receive(self, ppid, data)
