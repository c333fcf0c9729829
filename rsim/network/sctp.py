"""SCTP associations at message level (RFC 9260).

Timers: T1 for INIT and COOKIE ECHO and T2 for SHUTDOWN share one timer; T3-rtx and heartbeats are a
path's (transmission.py); the delay of SACKs is the reception's.

What happens to data in between stands in transfer.py.

A TCP connection is the same at this level: it takes as many round trips to be set up, acknowledges
and retransmits by the same clock. It has one address on each side, no heartbeats and no streams,
and its packets are TCP segments (frame.py).
"""

from __future__ import annotations

from rsim.clock import Timer
from rsim.network.association import (
    ASSOCIATION_STATES,
    SETTING_UP,
    AssociationEvent,
    AssociationState,
    Event,
    Receiver,
    Station,
)
from rsim.network.frame import Chunk, Control, Cookie, Data, Frame, Sack
from rsim.network.path import Path, paths_between
from rsim.network.pending import ROOM
from rsim.network.profiles import Profile
from rsim.network.records import Flight
from rsim.network.tls_states import TlsState
from rsim.network.transfer import DataTransfer


class SctpAssociation(DataTransfer):
    """One end of an SCTP association.

    Parameters: `host` that it ends on; `local` and `remote` address and port of the two sides;
    `receiver` of what arrives, None until the listener has named one; `addresses` of the peer;
    `tags` of this side and of the peer, `tsns` the first ones of both; `tcp` for a TCP connection.
    """

    __slots__ = ("_bundle", "_cookie", "_left", "_retries", "_timer")

    def __init__(
        self,
        host: Station,
        local: tuple[str, int],
        remote: tuple[str, int],
        addresses: tuple[str, ...],
        receiver: Receiver | None,
        tags: tuple[int, int],
        tsns: tuple[int, int],
        tcp: bool = False,
    ) -> None:
        super().__init__(
            host,
            local,
            remote=remote,
            addresses=addresses,
            receiver=receiver,
            tags=tags,
            tsns=tsns,
            tcp=tcp,
        )
        self._bundle: tuple[float, tuple[Data, ...]] = (0.0, ())
        self._cookie: Cookie | None = None
        self._left = 0
        self._retries = 0
        self._timer: Timer | None = None

    def _enter(self, event: AssociationEvent) -> None:
        self.state = ASSOCIATION_STATES.after(self.state, event)

    # The end --------------------------------------------------------------------------------------

    @property
    def undelivered(self) -> int:
        """Number of trailing messages the peer did not acknowledge, once it has ended."""
        return self._left

    def close(self) -> None:
        """Ends the association in order: what has been sent still arrives (RFC 9260 9.2)."""
        self.receiver = None
        if self.state is AssociationState.ESTABLISHED and not self._pending:
            route = self._transmission.primary.route
            peer = self._peer
            if self._calm and route.plain_delay is not None and peer is not None:
                clock = self.host.network.clock
                clock.call_at(clock.now + route.plain_delay, peer.end, Event.SHUT_DOWN)
                self.end(None)
                return
            self._enter(AssociationEvent.CLOSE)
            self._calm = False
            self._shut_down_when_idle()
        elif self.state in SETTING_UP or self._pending:
            self._abort()

    def discard(self) -> None:
        """Drops the association silently, as when the process dies."""
        self.end(None)

    def end(self, event: Event | None) -> None:
        """Enters CLOSED and notifies the endpoint.

        Parameters: `event` to tell, None for nothing.
        """
        if self.state is AssociationState.CLOSED:
            return
        receiver = self.receiver
        self._left = len(self._pending) + len(self._bundle[1])
        first = self._transmission.first_unacknowledged
        if first is not None:
            self._left += self._next_tsn - first
        self._enter(AssociationEvent.END)
        self.receiver = None
        self._calm = False
        self._pending.clear()
        # Without a cycle of references it is gone at once: runs go without the garbage collector.
        self._peer = None
        if self._timer is not None:
            self._timer.cancel()
        self._reception.release()
        self._transmission.release()
        if self._tls is not None:
            self._tls.release()
        self.host.forget(self)
        if event is not None and receiver is not None:
            receiver.notify(self, event)

    # Set-up (RFC 9260 5) --------------------------------------------------------------------------

    def open(self, profile: Profile | None, peer_name: str | None) -> None:
        """Sends INIT; with a profile TLS follows, with the server of that name.

        Parameters: `profile` of TLS, None without; `peer_name` that the server's certificate must
        show.
        """
        if profile is not None:
            self._begin_as_client(self.own_tag, profile, peer_name)
        self._send_init()

    def _send_init(self) -> None:
        several = len(self.host.addresses) > 1 and not self.tcp
        addresses = self.host.addresses if several else ()
        chunk = Chunk(Control.INIT, self.own_tag, self._next_tsn, addresses)
        path = self._transmission.paths[self._retries % len(self._transmission.paths)]
        self._start_timer(path)
        self._transmit(path, (chunk,))

    def _start_timer(self, path: Path) -> None:
        settings = self._settings
        path.rto = min(settings.rto_initial * 2**self._retries, settings.rto_max)
        if self._timer is None:
            self._timer = self.host.network.clock.timer(self._timer_expired)
        self._timer.start(path.rto)

    def _timer_expired(self) -> None:
        """T1 or T2 has expired: once more, or the peer is given up."""
        self._retries += 1
        settings = self._settings
        setting_up = self.state in SETTING_UP
        limit = settings.max_init_retransmits if setting_up else settings.association_max_retrans
        if self._retries > limit:
            self._given_up()
        elif self.state is AssociationState.COOKIE_WAIT:
            self._send_init()
        elif self.state is AssociationState.COOKIE_ECHOED:
            self._send_cookie_echo()
        elif self.state is AssociationState.SHUTDOWN_SENT:
            self._send_closing(Control.SHUTDOWN)
        elif self.state is AssociationState.SHUTDOWN_ACK_SENT:
            self._send_closing(Control.SHUTDOWN_ACK)

    def _init_ack(self, chunk: Chunk) -> None:
        if self.state is not AssociationState.COOKIE_WAIT or chunk.cookie is None:
            return
        self.peer_tag = chunk.tag
        self._reception.cumulative = chunk.tsn - 1
        self._cookie = chunk.cookie
        self._retries = 0
        self._enter(AssociationEvent.INIT_ACK)
        news = tuple(address for address in chunk.addresses if address not in self._remote)
        if news:
            known = len(self._remote)
            self._remote += news
            self.host.remember(self)
            network, own = self.host.network, self.host.addresses
            paths = paths_between(
                network.route,
                own=own,
                local=self.local_address,
                addresses=self._remote,
                rto=network.sctp.rto_initial,
            )
            for path in paths[known:]:
                self._transmission.add(path)
        if self._tls is not None:
            self._tls.start()
        self._send_cookie_echo()

    def _send_cookie_echo(self) -> None:
        """COOKIE ECHO, with as much data as fits beside it (RFC 9260 5.1)."""
        if self.state is not AssociationState.COOKIE_ECHOED:
            return
        if not self._bundle[1]:
            chosen = []
            room = ROOM
            ready = [entry for entry in self._pending if self._tls is None or entry[4] is not None]
            for entry in ready:
                room -= len(entry[1]) + 16
                if room < 0:
                    break
                chosen.append(entry)
                self._pending.remove(entry)
            self._bundle = (self.host.network.clock.now, tuple(map(self._next_data, chosen)))
        paths = self._transmission.paths
        path = paths[(paths.index(self._transmission.answering) + self._retries) % len(paths)]
        self._start_timer(path)
        self._transmit(path, (Chunk(Control.COOKIE_ECHO, cookie=self._cookie), *self._bundle[1]))

    def _cookie_ack(self) -> None:
        if self.state is not AssociationState.COOKIE_ECHOED:
            return
        assert self._timer is not None
        self._timer.stop()
        self._retries = 0
        self._enter(AssociationEvent.COOKIE_ACK)
        sent_at, bundle = self._bundle
        self._bundle = (0.0, ())
        for path in self._transmission.paths:
            path.rto = self._settings.rto_initial
        for data in bundle:
            self._transmission.undelivered(data, sent_at)
        self._established()

    def accepted(self, cookie: Cookie, offers: tuple[Profile, ...], optional: bool) -> None:
        """The listener's side comes to life: it answers the COOKIE ECHO.

        Parameters: `cookie` that the peer has echoed; `offers` the TLS profiles of the listener;
        `optional` whether the peer may do without.
        """
        self._enter(AssociationEvent.COOKIE_ECHO)
        if offers:
            self._begin_as_server(cookie.peer_tag, offers, optional)
        self._transmit(self._transmission.primary, (Chunk(Control.COOKIE_ACK),))
        self._established()

    def _established(self) -> None:
        self._review()
        if self._tls is None:
            self._flush()
            self._notify_up()
        else:
            flights = [entry for entry in self._pending if entry[4] is not None]
            self._pending = [entry for entry in self._pending if entry[4] is None]
            self._send_now(tuple(flights))

    def join(self, peer: SctpAssociation) -> None:
        """Set up at once with the other end, where nothing is in between.

        Parameters: `peer` the other end.
        """
        self._peer = peer
        self.peer_tag = peer.own_tag
        self._reception.cumulative = peer._next_tsn - 1
        self._enter(AssociationEvent.JOIN)
        self._calm = True
        clock = self.host.network.clock
        clock.call_at(clock.now, self._notify_up)

    def _notify_up(self) -> None:
        if self.receiver is not None and self.state is AssociationState.ESTABLISHED:
            self.receiver.notify(self, Event.UP)

    # TLS ------------------------------------------------------------------------------------------

    def _send_flight(self, flight: Flight, size: int) -> None:
        entry = (0, b"\x16\x03\x03" + bytes(max(0, size - 3)), 0, False, flight, None)
        if self.state is AssociationState.ESTABLISHED:
            self._send_now((entry,))
        elif self.state is AssociationState.COOKIE_ECHOED:
            self._pending.append(entry)

    def _tls_opened(self) -> None:
        self._review()
        self._flush()
        self._notify_up()

    def _tls_waived(self) -> None:
        self._review()
        self._notify_up()

    def _tls_failed(self) -> None:
        """No state is kept."""
        if self.state in SETTING_UP or self.state is AssociationState.ESTABLISHED:
            self._transmit(self._transmission.best(), (Chunk(Control.ABORT),))
        self.end(Event.REFUSED)

    # Shutdown (RFC 9260 9) ------------------------------------------------------------------------

    def _shut_down_when_idle(self) -> None:
        if self.state is AssociationState.SHUTDOWN_PENDING and self._transmission.idle:
            self._enter(AssociationEvent.DRAIN)
            self._retries = 0
            self._send_closing(Control.SHUTDOWN)

    def _send_closing(self, kind: Control) -> None:
        path = self._transmission.best()
        self._start_timer(path)
        self._transmit(path, (Chunk(kind),))

    def _shutdown(self) -> None:
        """The peer has sent all its messages and accepts no further ones."""
        if self.state in SETTING_UP:
            # While the association is set up, this is discarded (RFC 9260 9.2).
            return
        if self.state is AssociationState.CLOSED:
            return
        receiver, self.receiver = self.receiver, None
        if self.state is not AssociationState.SHUTDOWN_ACK_SENT:
            self._enter(AssociationEvent.SHUTDOWN)
            self._retries = 0
            self._calm = False
            self._transmission.stop()
        self._send_closing(Control.SHUTDOWN_ACK)
        if receiver is not None:
            receiver.notify(self, Event.SHUT_DOWN)

    def _abort(self) -> None:
        if self.state is not AssociationState.COOKIE_WAIT:
            self._transmit(self._transmission.best(), (Chunk(Control.ABORT),))
        self.end(None)

    def _given_up(self) -> None:
        self.host.counters.associations_lost += 1
        self.end(Event.LOST)

    # Arrivals -------------------------------------------------------------------------------------

    def take(self, frame: Frame) -> None:
        """Takes a packet that has reached the host for this association.

        Parameters: `frame` for this association.
        """
        chunks = frame.chunks
        if len(self._remote) > 1:
            self._transmission.came_from(frame.source[0])
        messages = tuple(chunk for chunk in chunks if isinstance(chunk, Data))
        for chunk in chunks:
            if isinstance(chunk, Chunk):
                self._control(chunk, frame)
            elif isinstance(chunk, Sack):
                self._sacked(chunk)
        self._take_data(messages)

    def _control(self, chunk: Chunk, frame: Frame) -> None:
        kind = chunk.kind
        if kind is Control.INIT_ACK:
            self._init_ack(chunk)
        elif kind is Control.COOKIE_ACK:
            self._cookie_ack()
        elif kind is Control.COOKIE_ECHO:
            # A COOKIE ACK that got lost (RFC 9260 5.2.4, action D).
            self._transmit(self._transmission.answering, (Chunk(Control.COOKIE_ACK),))
        elif kind is Control.ABORT:
            shaking = self._tls is not None and self._tls.state is TlsState.HANDSHAKE
            refused = shaking and self.state is AssociationState.ESTABLISHED
            self.end(Event.REFUSED if refused else Event.ABORTED)
        elif kind is Control.HEARTBEAT:
            answer = Chunk(Control.HEARTBEAT_ACK, number=chunk.number)
            self._transmit(self._transmission.path_to(frame.source[0]), (answer,))
        elif kind is Control.HEARTBEAT_ACK:
            path = self._transmission.path_to(frame.source[0])
            self._transmission.heartbeat_answered(path, chunk.number)
            self._review()
        elif kind is Control.SHUTDOWN:
            self._shutdown()
        elif kind is Control.SHUTDOWN_ACK:
            self._transmit(self._transmission.best(), (Chunk(Control.SHUTDOWN_COMPLETE),))
            self.end(None)
        elif kind is Control.SHUTDOWN_COMPLETE:
            self.end(None)
