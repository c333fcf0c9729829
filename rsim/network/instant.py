"""RSPSIM's transport: associations without set-up, loss or news."""

from __future__ import annotations

from collections.abc import Callable

from rsim.network.association import Association, Receiver, Station


class InstantAssociation(Association):
    """An association without set-up, loss or news: RSPSIM's transport.

    The other end comes to life when the first message reaches the listening host.

    Parameters: `host` that it ends on; `local` and `remote` address and port of the two sides;
    `receiver` of what arrives, None until the listener has named one; `delay` in s of each message.
    """

    __slots__ = ("_delay", "_peer")

    def __init__(
        self,
        host: Station,
        local: tuple[str, int],
        remote: tuple[str, int],
        delay: float,
        receiver: Receiver | None,
    ) -> None:
        super().__init__(host, local, remote, receiver)
        self._delay = delay
        self._peer: InstantAssociation | None = None

    def join(self, peer: InstantAssociation) -> None:
        """Makes these the two ends of one association.

        Parameters: `peer` the other end.
        """
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
            clock.call_method_at(clock.now + self._delay, "_arrive", peer, ppid, data)
        if network.capture is not None:
            now = clock.now
            network.capture.message(
                now,
                (self.local_address, self.local_port),
                destination=(self.remote_address, self.remote_port),
                ppid=ppid,
                data=data,
                arrival=now + self._delay if peer is not None else None,
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
