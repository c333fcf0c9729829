"""What lies between an association and its endpoint where TLS is used: handshake and records."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from rsim._native import AssociationCore, Record
from rsim.network.association import Association
from rsim.network.credentials import Refusal
from rsim.network.profiles import Profile
from rsim.network.records import Flight, Ticket
from rsim.network.tls import TlsSession
from rsim.network.tls_states import TlsState

_Waiting = tuple[int, bytes, int, bool, Callable[[], None] | None]
"""Payload protocol, octets, stream, whether unordered, and who is told when it leaves."""


class SecurableAssociation(Association):
    """What the layer uses of its association; see `Association` for its parameters."""

    core: AssociationCore

    @abstractmethod
    def note_usable(self) -> None:
        """Tells the endpoint that it is up."""

    @abstractmethod
    def refuse(self) -> None:
        """TLS has failed: no state is kept."""

    @abstractmethod
    def abort(self) -> None:
        """Tells the peer that it is over."""

    @abstractmethod
    def drop_layer(self) -> None:
        """The peer does without TLS, and may: nothing waits for it."""


class TlsLayer:
    """TLS of one end of an association: its session, and messages that wait for it.

    Parameters: `association` that it protects.
    """

    __slots__ = ("_association", "_optional", "_pending", "session")

    session: TlsSession

    def __init__(self, association: SecurableAssociation) -> None:
        self._association: SecurableAssociation | None = association
        self._optional = False
        self._pending: list[_Waiting] = []

    # Handshake ------------------------------------------------------------------------------------

    def begin_as_client(self, number: int, profile: Profile, peer_name: str | None) -> None:
        """TLS will follow the set-up, from a ticket of the peer's if there is one.

        Parameters: `number` of the session; `profile` that it proposes; `peer_name` that the
        server's certificate must show.
        """
        assert self._association is not None
        ticket = (self._association.host.tickets or {}).get((peer_name or "", profile.name))
        chosen = profile if ticket is None else profile.resumed
        self.session = self._session(number, profile=chosen, peer_name=peer_name, ticket=ticket)

    def begin_as_server(self, number: int, offers: tuple[Profile, ...], optional: bool) -> None:
        """TLS follows when the peer begins it.

        Parameters: `number` of the session; `offers` profiles that it takes; `optional` whether the
        peer may do without.
        """
        self.session = self._session(number, offers=offers)
        self._optional = optional

    def _session(
        self,
        number: int,
        profile: Profile | None = None,
        offers: tuple[Profile, ...] = (),
        peer_name: str | None = None,
        ticket: Ticket | None = None,
    ) -> TlsSession:
        assert self._association is not None
        host = self._association.host
        clock = host.network.clock
        return TlsSession(
            number,
            host.credentials,
            counters=host.tls_counters,
            time=lambda: clock.now,
            transmit=self._transmit,
            work=self._work,
            opened=self._opened,
            failed=self._failed,
            profile=profile,
            offers=offers,
            peer_name=peer_name,
            ticket=ticket,
        )

    def _transmit(self, flight: Flight, size: int) -> None:
        if self._association is None:
            return
        octets = b"\x16\x03\x03" + bytes(max(0, size - 3))
        self._association.core.send_flight(octets, flight)

    def _work(self, time: float, function: Callable[[], None]) -> None:
        cpu = self._association.host.cpu if self._association is not None else None
        if cpu is None:
            function()
        else:
            cpu.submit(time, function)

    def _opened(self) -> None:
        self._keep_ticket(True)
        session, association = self.session, self._association
        if association is None or session.profile is None:
            return
        profile = session.profile
        association.core.protect(
            session.number, session.is_client, profile.record, profile.record_time
        )
        self.flush()
        association.note_usable()

    def _failed(self, refusal: Refusal) -> None:
        self._keep_ticket(False)
        if self._association is not None:
            self._association.refuse()

    def _keep_ticket(self, keep: bool) -> None:
        session, association = self.session, self._association
        tickets = association.host.tickets if association is not None else None
        if tickets is None or not session.is_client or session.profile is None:
            return
        name = (session.peer_name or "", session.profile.name)
        if keep and session.ticket is not None:
            tickets[name] = session.ticket
        elif not keep:
            tickets.pop(name, None)

    def release(self) -> None:
        """Lets go of the association, which has ended; what the CPU still does has no effect."""
        self._association = None
        self.session.release()

    @property
    def open(self) -> bool:
        """Whether it protects what is sent."""
        return self.session.state is TlsState.OPEN

    @property
    def shaking(self) -> bool:
        """Whether the handshake is under way."""
        return self.session.state is TlsState.HANDSHAKE

    # Messages -------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Messages that wait for the end of the handshake."""
        return len(self._pending)

    def hold(self, ppid: int, data: bytes, stream: int, unordered: bool) -> None:
        """Keeps a message until there is a session.

        Parameters: `ppid` payload protocol; `data` its octets; `stream` from 0; `unordered`
        whether it waits for no other.
        """
        if self.session.state is not TlsState.DEAD:
            self._pending.append((ppid, data, stream, unordered, None))

    def when_sent(self, sent: Callable[[], None]) -> bool:
        """Tells when the message that was given last leaves; false if it waits here no more."""
        if not self._pending:
            return False
        ppid, data, stream, unordered, _ = self._pending[-1]
        self._pending[-1] = (ppid, data, stream, unordered, sent)
        return True

    def flush(self) -> None:
        """Sends all that waits: in records, or in clear where the peer does without TLS."""
        pending, self._pending = self._pending, []
        for ppid, data, stream, unordered, sent in pending:
            if self._association is None:
                return
            core = self._association.core
            if stream == 0 and not unordered:
                core.send(ppid, data)
            else:
                core.send_as(ppid, data, stream=stream, unordered=unordered)
            if sent is not None:
                core.when_sent(sent)

    def take(self, ppid: int, data: bytes, protection: Record | Flight | None) -> None:
        """Takes a message: a flight of the handshake, or a record.

        Parameters: `ppid` payload protocol; `data` in clear; `protection` its record or flight.
        """
        self._take(ppid, data, protection, False)

    def _take(
        self, ppid: int, data: bytes, protection: Record | Flight | None, again: bool
    ) -> None:
        session, association = self.session, self._association
        if association is None:
            return
        if isinstance(protection, Flight):
            session.take(protection)
        elif session.state is TlsState.IDLE and self._optional:
            # The peer speaks in clear, which is left to it.
            association.drop_layer()
            association.core.hand_on(ppid, data, 0.0)
        elif session.state is not TlsState.OPEN:
            # The last step of the handshake may still be in the CPU's queue.
            cpu = association.host.cpu
            if session.state is TlsState.HANDSHAKE and cpu is not None and not again:
                cpu.submit(0.0, self._take, ppid, data, protection, True)
            else:
                session.take(None)
        elif protection is not None and association.core.open_record(protection):
            assert session.profile is not None
            association.core.hand_on(ppid, data, session.profile.record_time)
        else:
            session.refuse_record()
