"""Associations: ordered, message-preserving channels between two endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rsim.network.network import Host


class Receiver(Protocol):
    """Who gets what arrives on an association."""

    def receive(self, association: Association, ppid: int, data: bytes) -> None:
        """Takes one message, with its payload protocol identifier."""


class Association:
    """One end of an association, as the endpoint on that side sees it.

    `local_address` and `remote_address` with their ports name the two sides. The other end comes
    to life when the first message reaches the listening host.
    """

    __slots__ = (
        "_delay",
        "_peer",
        "host",
        "local_address",
        "local_port",
        "receiver",
        "remote_address",
        "remote_port",
    )

    def __init__(
        self,
        host: Host,
        local: tuple[str, int],
        remote: tuple[str, int],
        delay: float,
        receiver: Receiver | None,
    ) -> None:
        self.host = host
        self.local_address, self.local_port = local
        self.remote_address, self.remote_port = remote
        self.receiver = receiver
        self._delay = delay
        self._peer: Association | None = None

    def send(self, ppid: int, data: bytes) -> None:
        """Sends one message; what the network does with it is not told."""
        host = self.host
        if not host.up:
            return
        network = host.network
        network.traffic.count(ppid, data)
        peer = self._peer
        if peer is not None:
            clock = network.clock
            clock.call_at(clock._now + self._delay, peer._arrive, ppid, data)

    def close(self) -> None:
        """Ends the association for both sides; what is still under way is lost."""
        if self._peer is not None:
            self._peer._peer = None
            self._peer.receiver = None
            self._peer = None
        self.receiver = None

    def _arrive(self, ppid: int, data: bytes) -> None:
        host = self.host
        if not host.up:
            return
        receiver = self.receiver
        if receiver is None:
            receiver = self.receiver = host.accept(self)
            if receiver is None:
                return
        receiver.receive(self, ppid, data)
