"""SCTP associations (RFC 9260), and TCP connections: transmission, reception, TLS, and the CPU.

The transmission and the reception are native (`AssociationCore`); TLS lies between them and the
endpoint where it is used (`tls_layer.py`).
"""

from __future__ import annotations

from collections.abc import Callable

from rsim._native import AssociationCore, Record
from rsim.network.association import Event, Receiver, Station
from rsim.network.credentials import Principal, Refusal
from rsim.network.profiles import Profile
from rsim.network.records import Flight
from rsim.network.tls_layer import SecurableAssociation, TlsLayer

_EVENTS = (Event.UP, Event.SHUT_DOWN, Event.ABORTED, Event.LOST, Event.RESTARTED, None)
"""What the native half tells, by its number."""


class SctpAssociation(SecurableAssociation):
    """One end of an SCTP association.

    Parameters: `host` that it ends on; `core` the native half, as the host's stack has made it;
    `local` and `remote` address and port of the two sides; `receiver` of what arrives, None until
    the listener has named one; `tcp` for a TCP connection.
    """

    __slots__ = ("_layer", "core", "tcp")

    def __init__(
        self,
        host: Station,
        core: AssociationCore,
        local: tuple[str, int],
        remote: tuple[str, int],
        receiver: Receiver | None,
        *,
        tcp: bool,
    ) -> None:
        super().__init__(host, local, remote, receiver)
        self.tcp = tcp
        self._layer: TlsLayer | None = None
        self.core = core
        core.owner = self

    # What the endpoint sees -----------------------------------------------------------------------

    @property
    def principal(self) -> Principal | None:
        """Who the peer has shown to be, if it had to show it."""
        return self._layer.session.principal if self._layer is not None else None

    @property
    def refusal(self) -> Refusal | None:
        """Why TLS has failed, if it has."""
        return self._layer.session.refusal if self._layer is not None else None

    @property
    def protected(self) -> bool:
        """Whether TLS protects it."""
        return self._layer is not None and self._layer.open

    @property
    def ready(self) -> bool:
        """Always False: the event UP always follows."""
        return False

    @property
    def remote_addresses(self) -> tuple[str, ...]:
        """All addresses of the peer, the primary one first."""
        return self.core.addresses

    @property
    def undelivered(self) -> int:
        """Number of trailing messages the peer did not acknowledge, once it has ended."""
        waiting = self._layer.waiting if self._layer is not None else 0
        return self.core.undelivered + waiting

    @property
    def backlog(self) -> int:
        """Messages that wait to be sent, or to be acknowledged where that is in doubt."""
        waiting = self._layer.waiting if self._layer is not None else 0
        return self.core.unacknowledged + waiting

    def send(self, ppid: int, data: bytes, stream: int = 0, unordered: bool = False) -> None:
        """Sends one message on a stream; unordered ones don't wait for those before them."""
        layer = self._layer
        if layer is not None and not layer.open:
            layer.hold(ppid, data, stream, unordered)
        elif stream == 0 and not unordered:
            self.core.send(ppid, data)
        else:
            self.core.send_as(ppid, data, stream=stream, unordered=unordered)

    def when_sent(self, sent: Callable[[], None]) -> None:
        """Tells when the message that was sent last leaves: at once, or when its turn comes."""
        if self._layer is None or not self._layer.when_sent(sent):
            self.core.when_sent(sent)

    def close(self) -> None:
        """Ends the association in order: what has been sent still arrives (RFC 9260 9.2)."""
        self.receiver = None
        if self._layer is not None and self._layer.waiting:
            self.core.abort()
        else:
            self.core.close()
        # What is left of it needs no endpoint.
        self._forget()

    def discard(self) -> None:
        """Drops the association silently, as when the process dies."""
        self.receiver = None
        self.core.discard()

    # Set-up ---------------------------------------------------------------------------------------

    def open(self, profile: Profile | None, peer_name: str | None) -> None:
        """Sends INIT; with a profile TLS follows, with the server of that name.

        Parameters: `profile` of TLS, None without; `peer_name` that the server's certificate must
        show.
        """
        if profile is not None:
            self._layer = TlsLayer(self)
            self.core.layered = True
            self._layer.begin_as_client(self.core.tags[0], profile, peer_name)
            self.core.tells_init_ack = True
        self.core.open()

    def expect(self, offers: tuple[Profile, ...], optional: bool) -> None:
        """TLS follows, as the listener wants it.

        Parameters: `offers` its TLS profiles; `optional` whether the peer may do without.
        """
        self._layer = TlsLayer(self)
        self.core.layered = True
        self._layer.begin_as_server(self.core.tags[1], offers, optional)

    def join(self, peer: SctpAssociation) -> None:
        """Set up at once with the other end, where nothing is in between.

        Parameters: `peer` the other end.
        """
        self.core.join(peer.core)
        clock = self.host.network.clock
        for end in (peer, self):
            clock.call_at(clock.now, end.note_up)

    def note_init_ack(self) -> None:
        """The peer has answered the INIT: what TLS sends now rides with the COOKIE ECHO."""
        if self._layer is not None:
            self._layer.session.start()

    def note_up(self) -> None:
        """It is set up, though perhaps not yet protected."""
        if self._layer is None:
            self.note_usable()

    def note_usable(self) -> None:
        """Tells the endpoint that it is up."""
        if self.receiver is not None and self.core.established:
            self.receiver.notify(self, Event.UP)

    # The end --------------------------------------------------------------------------------------

    def note_end(self, notice: int) -> None:
        """It is at its end.

        Parameters: `notice` number of what the native half tells.
        """
        event = _EVENTS[notice]
        if event is Event.ABORTED and self._layer is not None and self._layer.shaking:
            event = Event.REFUSED
        self._end(event)

    def refuse(self) -> None:
        """TLS has failed: no state is kept."""
        receiver, self.receiver = self.receiver, None
        self.core.abort()
        if receiver is not None:
            receiver.notify(self, Event.REFUSED)

    def abort(self) -> None:
        """Tells the peer that it is over."""
        self.receiver = None
        self.core.abort()

    def _end(self, event: Event | None) -> None:
        receiver, self.receiver = self.receiver, None
        self._forget()
        if event is not None and receiver is not None:
            receiver.notify(self, event)

    def _forget(self) -> None:
        if self._layer is not None:
            self._layer.release()
        self.host.forget(self)

    # Messages -------------------------------------------------------------------------------------

    def take_message(self, ppid: int, data: bytes, protection: Record | Flight | None) -> None:
        """A message that is not a TLS record which is due: for TLS to look at.

        Parameters: `ppid` payload protocol; `data` in clear; `protection` its record or flight.
        """
        if self._layer is not None:
            self._layer.take(ppid, data, protection)
        else:
            self.abort()

    def deliver(self, ppid: int, data: bytes) -> None:
        """A message for the endpoint.

        Parameters: `ppid` payload protocol; `data` its octets.
        """
        if self.receiver is not None:
            self.receiver.receive(self, ppid, data)

    def drop_layer(self) -> None:
        """The peer does without TLS, and may: nothing waits for it."""
        layer, self._layer = self._layer, None
        self.core.layered = False
        if layer is not None:
            layer.flush()
        self.note_usable()

    def inject(self, ppid: int, data: bytes) -> None:
        """Takes a message that somebody on the path has put in."""
        if self.core.established:
            self.host.counters.messages_injected += 1
            if self._layer is not None:
                self._layer.take(ppid, data, None)
            else:
                self.core.hand_on(ppid, data, 0.0)
