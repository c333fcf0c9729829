"""Associations that TLS may protect: handshake flights, records, and the way to the endpoint."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from rsim.network.association import Association, Receiver, Station
from rsim.network.credentials import Principal, Refusal
from rsim.network.frame import Data
from rsim.network.profiles import Profile
from rsim.network.records import Flight, Protection, Ticket
from rsim.network.tls import TlsSession
from rsim.network.tls_states import TlsState


class SecurableAssociation(Association, ABC):
    """What lies between the transport and the endpoint: TLS, if it is used, and the host's CPU.

    Parameters: `host` that it ends on; `local` and `remote` address and port of the two sides;
    `receiver` of what arrives, None until the listener has named one.
    """

    __slots__ = ("_tls",)

    def __init__(
        self,
        host: Station,
        local: tuple[str, int],
        remote: tuple[str, int],
        receiver: Receiver | None,
    ) -> None:
        super().__init__(host, local, remote, receiver)
        self._tls: TlsSession | None = None

    # What the transport does ----------------------------------------------------------------------

    @abstractmethod
    def _send_flight(self, flight: Flight, size: int) -> None:
        """Sends handshake messages."""

    @abstractmethod
    def _tls_opened(self) -> None:
        """The handshake is through."""

    @abstractmethod
    def _tls_waived(self) -> None:
        """The peer does without TLS, and may."""

    @abstractmethod
    def _tls_failed(self) -> None:
        """The session is dead; the alert is on its way."""

    @abstractmethod
    def _abort(self) -> None:
        """Ends the association at once."""

    # What the endpoint sees -----------------------------------------------------------------------

    @property
    def principal(self) -> Principal | None:
        """Who the peer has shown to be, if it had to show it."""
        return self._tls.principal if self._tls is not None else None

    @property
    def refusal(self) -> Refusal | None:
        """Why TLS has failed, if it has."""
        return self._tls.refusal if self._tls is not None else None

    @property
    def protected(self) -> bool:
        """Whether TLS protects it."""
        return self._tls is not None and self._tls.state is TlsState.OPEN

    # Handshake -----------------------------------------------------------------------------------

    def _begin_as_client(self, number: int, profile: Profile, peer_name: str | None) -> None:
        """TLS will follow the set-up, from a ticket of the peer's if there is one."""
        ticket = (self.host.tickets or {}).get((peer_name or "", profile.name))
        chosen = profile if ticket is None else profile.resumed
        self._tls = self._session(number, profile=chosen, peer_name=peer_name, ticket=ticket)

    def _begin_as_server(self, number: int, offers: tuple[Profile, ...], optional: bool) -> None:
        self._tls = self._session(number, offers=offers)
        self._tls.optional = optional

    def _session(
        self,
        number: int,
        profile: Profile | None = None,
        offers: tuple[Profile, ...] = (),
        peer_name: str | None = None,
        ticket: Ticket | None = None,
    ) -> TlsSession:
        host = self.host
        clock = host.network.clock
        return TlsSession(
            number,
            host.credentials,
            counters=host.tls_counters,
            time=lambda: clock.now,
            transmit=self._send_flight,
            work=self._work,
            opened=self._opened,
            failed=self._failed,
            profile=profile,
            offers=offers,
            peer_name=peer_name,
            ticket=ticket,
        )

    def _work(self, time: float, function: Callable[[], None]) -> None:
        cpu = self.host.cpu
        if cpu is None:
            function()
        else:
            cpu.submit(time, function)

    def _opened(self) -> None:
        self._keep_ticket(True)
        self._tls_opened()

    def _failed(self, refusal: Refusal) -> None:
        self._keep_ticket(False)
        self._tls_failed()

    def _keep_ticket(self, keep: bool) -> None:
        tls, tickets = self._tls, self.host.tickets
        if tls is None or tickets is None or not tls.is_client or tls.profile is None:
            return
        name = (tls.peer_name or "", tls.profile.name)
        if keep and tls.ticket is not None:
            tickets[name] = tls.ticket
        elif not keep:
            tickets.pop(name, None)

    # Messages ------------------------------------------------------------------------------------

    def _deliver(self, data: Data, again: bool = False) -> None:
        """A message in its order: to TLS, or on to the endpoint."""
        protection = data.protection
        tls = self._tls
        if isinstance(protection, Flight):
            if tls is None:
                self._abort()
            else:
                tls.take(protection)
        elif tls is not None and tls.state is TlsState.IDLE and tls.optional:
            # The peer speaks in clear, which is left to it.
            self._tls = None
            self._tls_waived()
            self._hand_on(data.ppid, data.data, protection)
        elif tls is not None and tls.state is not TlsState.OPEN:
            # The last step of the handshake may still be in the CPU's queue.
            if tls.state is TlsState.HANDSHAKE and self.host.cpu is not None and not again:
                self.host.cpu.submit(0.0, self._deliver, data, True)
            else:
                tls.take(None)
        else:
            self._hand_on(data.ppid, data.data, protection)

    def _hand_on(self, ppid: int, data: bytes, protection: Protection | None) -> None:
        tls = self._tls
        extra = 0.0
        if tls is not None:
            plain = tls.open(protection)
            if plain is None:
                return
            data = plain
            assert tls.profile is not None
            extra = tls.profile.record_time
        cpu = self.host.cpu
        if cpu is None:
            if self.receiver is not None:
                self.receiver.receive(self, ppid, data)
        else:
            time = cpu.service_time(ppid, data) + extra
            cpu.submit(time, self._served, ppid, data, urgent=cpu.urgent(ppid))

    def _served(self, ppid: int, data: bytes) -> None:
        if self.receiver is not None:
            self.receiver.receive(self, ppid, data)
