"""Data over an association (RFC 9260 6): messages become packets, and packets messages again.

Where a path only delays and everything is acknowledged, a message goes to the other end as one
event, without packet and SACK: the outcome is the same. There is no congestion control.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from rsim.network.association import (
    ASSOCIATION_STATES,
    RECEIVING,
    SETTING_UP,
    AssociationState,
    Event,
    Receiver,
    Station,
)
from rsim.network.frame import AnyChunk, Data, Frame, Sack
from rsim.network.path import Path, paths_between
from rsim.network.pending import ROOM, Message
from rsim.network.reception import Reception
from rsim.network.records import Flight, Protection, opaque
from rsim.network.secured import SecurableAssociation
from rsim.network.tls_states import TlsState
from rsim.network.transmission import Transmission


class DataTransfer(SecurableAssociation):
    """The part of an association that carries data, whatever its state.

    Parameters: `host` that it ends on; `local` and `remote` address and port of the two sides;
    `receiver` of what arrives, None until the listener has named one; `addresses` of the peer;
    `tags` of this side and of the peer, `tsns` the first ones of both; `tcp` for a TCP connection.
    """

    __slots__ = (
        "_calm",
        "_next_tsn",
        "_peer",
        "_pending",
        "_reception",
        "_remote",
        "_sequence",
        "_sequences",
        "_settings",
        "_transmission",
        "own_tag",
        "peer_tag",
        "state",
        "tcp",
    )

    def __init__(
        self,
        host: Station,
        local: tuple[str, int],
        remote: tuple[str, int],
        addresses: tuple[str, ...],
        receiver: Receiver | None,
        tags: tuple[int, int],
        tsns: tuple[int, int],
        tcp: bool,
    ) -> None:
        super().__init__(host, local, remote, receiver)
        network = host.network
        self.tcp = tcp
        self.state = ASSOCIATION_STATES.initial
        self.own_tag, self.peer_tag = tags
        self._next_tsn = tsns[0]
        self._sequence = 0
        self._sequences: dict[int, int] = {}
        self._remote = addresses
        self._peer: DataTransfer | None = None
        self._calm = False
        self._pending: list[Message] = []
        settings = self._settings = network.tcp if tcp else network.sctp
        self._reception = Reception(
            network.clock, tsns[1] - 1, self._acknowledge, settings.sack_delay
        )
        self._transmission = Transmission(
            network.clock,
            settings,
            stream=network.stream,
            counters=host.counters,
            paths=paths_between(
                network.route,
                own=host.addresses,
                local=self.local_address,
                addresses=addresses,
                rto=network.sctp.rto_initial,
            ),
            transmit=self._transmit,
            lost=self._given_up,
        )

    @abstractmethod
    def end(self, event: Event | None) -> None:
        """Enters CLOSED and notifies the endpoint.

        Parameters: `event` to tell, None for nothing.
        """

    @abstractmethod
    def _given_up(self) -> None:
        """The peer does not acknowledge."""

    @abstractmethod
    def _shut_down_when_idle(self) -> None:
        """Goes on with the shutdown, if it waits for that, once all is acknowledged."""

    # What the endpoint sees -----------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Always False: the event UP always follows."""
        return False

    @property
    def remote_addresses(self) -> tuple[str, ...]:
        """All addresses of the peer, the primary one first."""
        return self._remote

    @property
    def backlog(self) -> int:
        """Messages that wait to be sent, or to be acknowledged where that is in doubt."""
        return len(self._pending) + self._transmission.unacknowledged

    def send(self, ppid: int, data: bytes, stream: int = 0, unordered: bool = False) -> None:
        """Sends one message on a stream; unordered ones don't wait for those before them."""
        network = self.host.network
        if self._calm and stream == 0 and not unordered:
            route = self._transmission.primary.route
            delay = route.plain_delay
            if delay is not None:
                network.traffic.count(ppid, data)
                tls = self._tls
                protection = tls.seal(data) if tls is not None else None
                tsn, sequence = self._next_tsn, self._sequence
                self._next_tsn = tsn + 1
                self._sequence = sequence + 1
                route.frames += 1
                clock = network.clock
                now = clock.now
                assert self._peer is not None
                clock.call_method_at(
                    now + delay,
                    "_arrive",
                    self._peer,
                    self,
                    tsn,
                    sequence,
                    ppid,
                    data,
                    protection,
                    now,
                )
                if network.capture is not None:
                    message = self._data(
                        tsn,
                        0,
                        sequence=sequence,
                        ppid=ppid,
                        plain=data,
                        unordered=False,
                        protection=protection,
                    )
                    frame = self._frame(self._transmission.primary, (message,))
                    network.capture.frame(now, frame, now + delay)
                return
        tls = self._tls
        if self.state in SETTING_UP or (
            self.state is AssociationState.ESTABLISHED
            and tls is not None
            and tls.state is not TlsState.OPEN
        ):
            self._pending.append((ppid, data, stream, unordered, None, None))
        elif self.state is AssociationState.ESTABLISHED:
            self._send_now(((ppid, data, stream, unordered, None, None),))

    def when_sent(self, sent: Callable[[], None]) -> None:
        """Tells when the message that was sent last leaves: at once, or after the set-up."""
        if self._pending:
            ppid, data, stream, unordered, flight, _ = self._pending[-1]
            self._pending[-1] = (ppid, data, stream, unordered, flight, sent)
        elif self.state in SETTING_UP or self.state is AssociationState.ESTABLISHED:
            sent()

    # Sending --------------------------------------------------------------------------------------

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        if pending:
            self._send_now(tuple(pending))

    def _send_now(self, entries: tuple[Message, ...]) -> None:
        """New messages as packets, each with a SACK if one is owed."""
        if not entries:
            return
        self._calm = False
        self._watch()
        packet: list[Data] = []
        room = ROOM
        for data in map(self._next_data, entries):
            if packet and data.size > room:
                self._transmission.send(tuple(packet))
                packet, room = [], ROOM
            packet.append(data)
            room -= data.size
        self._transmission.send(tuple(packet))

    def _next_data(self, entry: Message) -> Data:
        ppid, plain, stream, unordered, flight, sent = entry
        protection: Protection | Flight | None = flight
        if flight is None:
            # It leaves now; until then it may still come to nothing.
            self.host.network.traffic.count(ppid, plain)
            if sent is not None:
                sent()
            if self._tls is not None:
                protection = self._tls.seal(plain)
        tsn = self._next_tsn
        self._next_tsn += 1
        sequence = 0
        if not unordered:
            if stream == 0:
                sequence = self._sequence
                self._sequence += 1
            else:
                sequence = self._sequences.get(stream, 0)
                self._sequences[stream] = sequence + 1
        return self._data(
            tsn,
            stream,
            sequence=sequence,
            ppid=ppid,
            plain=plain,
            unordered=unordered,
            protection=protection,
        )

    def _data(
        self,
        tsn: int,
        stream: int,
        sequence: int,
        ppid: int,
        plain: bytes,
        unordered: bool,
        protection: Protection | Flight | None,
    ) -> Data:
        if isinstance(protection, Protection):
            assert self._tls is not None
            plain = opaque(protection, self._tls.size(plain))
        return Data(
            tsn,
            stream,
            sequence=sequence,
            ppid=ppid,
            data=plain,
            unordered=unordered,
            protection=protection,
        )

    def _transmit(self, path: Path, chunks: tuple[AnyChunk, ...]) -> None:
        if self._reception.owes:
            chunks = (self._reception.sack(), *chunks)
        self.host.network.transmit(self._frame(path, chunks), path.route)

    def _frame(self, path: Path, chunks: tuple[AnyChunk, ...]) -> Frame:
        local, remote = (path.local, self.local_port), (path.remote, self.remote_port)
        return Frame(local, remote, self.peer_tag, chunks, tcp=self.tcp)

    def _acknowledge(self) -> None:
        # To where the data came from: that way works (RFC 9260 6.4).
        path = self._transmission.answering
        self.host.network.transmit(self._frame(path, (self._reception.sack(),)), path.route)
        self._review()

    def acknowledge_now(self) -> None:
        """Sends the acknowledgement that is owed, so that messages travel as one event."""
        if self._reception.owes:
            self._acknowledge()

    def meet(self, peer: DataTransfer) -> None:
        """Knows the other end, to which messages can go as one event.

        Parameters: `peer` the other end.
        """
        self._peer = peer
        peer._peer = self

    # Arrivals -------------------------------------------------------------------------------------

    def _take_data(self, messages: tuple[Data, ...]) -> None:
        """Messages of a packet."""
        if not messages or self.state not in RECEIVING or not self.host.has_room(messages[0].ppid):
            return
        self._watch()
        self._calm = False
        ready = self._reception.take(messages)
        if self._transmission.primary.route.plain_delay is not None:
            # What may travel as one event next need not carry an acknowledgement.
            self.acknowledge_now()
        self._review()
        for data in ready:
            self._deliver(data)

    def _sacked(self, sack: Sack) -> None:
        self._transmission.acknowledged(sack)
        self._review()
        self._shut_down_when_idle()

    def _arrive(
        self,
        peer: DataTransfer,
        tsn: int,
        sequence: int,
        ppid: int,
        plain: bytes,
        protection: Protection | None,
        sent_at: float,
    ) -> None:
        """A message that came as one event."""
        host = self.host
        reception = self._reception
        passed = host.network.cut_at < sent_at or peer._transmission.primary.route.cut_at < sent_at
        room = host.cpu is None or not passed or host.has_room(ppid)
        if (
            self.state is AssociationState.ESTABLISHED
            and passed
            and room
            and host.up
            and tsn == reception.cumulative + 1
            and sequence == reception.sequence
        ):
            reception.cumulative = tsn
            reception.sequence = sequence + 1
            if self._tls is None and host.cpu is None:
                if self.receiver is not None:
                    self.receiver.receive(self, ppid, plain)
            else:
                self._hand_on(ppid, plain, protection)
            return
        data = peer._data(
            tsn,
            0,
            sequence=sequence,
            ppid=ppid,
            plain=plain,
            unordered=False,
            protection=protection,
        )
        path = peer._transmission.primary
        if peer.state is not AssociationState.CLOSED:
            peer._calm = False
            peer._transmission.undelivered(data, sent_at)
            peer._transmission.watch()
        if passed and room:
            # A gap before it, or nobody there: as any packet.
            host.arrive(peer._frame(path, (data,)))
        elif not passed:
            path.route.frames_cut += 1

    def _review(self) -> None:
        """Whether messages may travel as one event again."""
        if (
            self.state is AssociationState.ESTABLISHED
            and self._peer is not None
            and (self._tls is None or self._tls.state is TlsState.OPEN)
            and self._transmission.idle
            and self._transmission.primary.active
            and not self._reception.owes
        ):
            self._calm = True
            if self._transmission.primary.route.plain_delay is not None:
                self._transmission.unwatch()

    def _watch(self) -> None:
        """Heartbeats, where the path can change without anybody telling."""
        if self._transmission.primary.route.plain_delay is None:
            self._transmission.watch()

    def reroute(self) -> None:
        """Looks for the way to the peer anew, as links have been added."""
        for path in self._transmission.paths:
            path.route = self.host.network.route(path.local, path.remote)

    def watch_peer(self) -> None:
        """The network has changed: from now on the peer is watched."""
        if self.state is AssociationState.ESTABLISHED:
            self._transmission.watch()

    def inject(self, ppid: int, data: bytes) -> None:
        """Takes a message that somebody on the path has put in."""
        if self.state is AssociationState.ESTABLISHED:
            self.host.counters.messages_injected += 1
            self._deliver(Data(0, 0, sequence=0, ppid=ppid, data=data))
