"""The TLS model: handshakes, records, and what is refused (RFC 5355 3, RFC 3436).

Modelled, not computed: a handshake costs its round trips, bytes and CPU time; a record its overhead
in bytes. Who holds which key decides; a record that is altered, replayed, reordered or injected
fails its check, which is fatal to the session, as TLS over a reliable transport has no window.

A session belongs to one end of an association; `TLS_STATES` is its table of states.
"""

from __future__ import annotations

from collections.abc import Callable

from rsim.network.counters import TlsCounters
from rsim.network.credentials import Certificate, Credentials, Principal, Refusal
from rsim.network.profiles import Profile
from rsim.network.records import Flight, Ticket
from rsim.network.tls_states import TLS_STATES, TlsEvent, TlsState


def _no_flight(flight: Flight, size: int) -> None:
    pass


def _no_work(time: float, function: Callable[[], None]) -> None:
    pass


def _no_news() -> None:
    pass


def _no_failure(refusal: Refusal) -> None:
    pass


class TlsSession:
    """One end of a TLS session.

    Parameters: `credentials` of the host; `counters` of it; `time` gives the present time in s;
    `number` the same at both ends and at no other session; `profile` is the client's choice, None
    at the server, which takes those in `offers`; `peer_name` the name that the server's certificate
    must have; `ticket` of an earlier session. `transmit` sends a flight, `work` calls a function
    after CPU time in s, `opened` is called when messages may be sent, `failed` when the session is
    dead.
    """

    __slots__ = (
        "_failed",
        "_opened",
        "_step",
        "_time",
        "_transmit",
        "_work",
        "counters",
        "credentials",
        "is_client",
        "number",
        "offers",
        "peer_name",
        "principal",
        "profile",
        "refusal",
        "state",
        "ticket",
    )

    def __init__(
        self,
        number: int,
        credentials: Credentials,
        counters: TlsCounters,
        time: Callable[[], float],
        transmit: Callable[[Flight, int], None],
        work: Callable[[float, Callable[[], None]], None],
        opened: Callable[[], None],
        failed: Callable[[Refusal], None],
        *,
        profile: Profile | None = None,
        offers: tuple[Profile, ...] = (),
        peer_name: str | None = None,
        ticket: Ticket | None = None,
    ) -> None:
        self.number = number
        self.credentials = credentials
        self.counters = counters
        self.profile = profile
        self.offers = offers
        self.peer_name = peer_name
        self.ticket = ticket
        self.is_client = profile is not None
        self.state = TLS_STATES.initial
        self.principal: Principal | None = None
        self.refusal: Refusal | None = None
        self._time = time
        self._transmit = transmit
        self._work = work
        self._opened = opened
        self._failed = failed
        self._step = 0

    def _enter(self, event: TlsEvent) -> None:
        self.state = TLS_STATES.after(self.state, event)

    # Handshake ------------------------------------------------------------------------------------

    def start(self) -> None:
        """The client's hello: step 0. A TLS 1.3 client names its key at once."""
        profile = self.profile
        assert profile is not None
        self._enter(TlsEvent.HELLO)
        if profile.kind == "psk" and self.credentials.key is None:
            self._die(Refusal.NO_KEY)
            return
        early = self.credentials.key if profile.version >= 1.3 else None
        # Made ready while the association is set up, so that it rides with the COOKIE ECHO.
        self._reply(Flight(0, profile=profile, key=early, ticket=self.ticket))
        self._work(self._share(0.1), lambda: None)

    def take(self, flight: Flight | None) -> None:
        """A flight of the peer; None where what came was no flight, or an altered one.

        Parameters: `flight` of the peer.
        """
        if self.state is TlsState.DEAD:
            return
        if flight is None or (flight.alert is None and flight.step != self._step):
            self._refuse(Refusal.BAD_RECORD)
            return
        if flight.alert is not None:
            self._die(flight.alert)
            return
        if self.is_client:
            self._take_as_client(flight)
        else:
            self._take_as_server(flight)

    def _take_as_server(self, flight: Flight) -> None:
        if flight.step == 0:
            profile = flight.profile
            self._enter(TlsEvent.HELLO)
            known = [offer.name for offer in self.offers]
            if profile is None or profile.name not in known:
                self._refuse(Refusal.NO_KEY)
                return
            self.profile = profile
            certificate = self.credentials.certificate
            if profile.kind != "psk" and certificate is None:
                self._refuse(Refusal.NO_KEY)
                return
            if profile.resumes:
                if not self._ticket_is_good(flight):
                    return
            elif profile.version >= 1.3 and not self._key_is_good(flight):
                return
            shown = certificate if profile.kind != "psk" else None
            share = 0.9 if profile.short else 0.1
            self._work(self._share(share), lambda: self._reply(self._hello(shown)))
            return
        if flight.step == 2:
            assert self.profile is not None
            if self.profile.resumes:
                self._work(self._share(0.1), self._open)
                return
            if self.profile.version < 1.3 and not self._key_is_good(flight):
                return
            if self.profile.kind == "mutual" and not self._certificate_is_good(flight, None):
                return
            if self.profile.version < 1.3:
                self._work(self._share(0.9), lambda: self._reply(self._finished(), last=True))
            else:
                self._work(self._share(0.1), self._open)

    def _hello(self, certificate: Certificate | None) -> Flight:
        assert self.profile is not None
        ticket = Ticket(self.credentials, self.principal) if self.profile.short else None
        return Flight(1, certificate=certificate, ticket=ticket)

    def _finished(self) -> Flight:
        return Flight(3, ticket=Ticket(self.credentials, self.principal))

    def _take_as_client(self, flight: Flight) -> None:
        profile = self.profile
        assert profile is not None
        self.ticket = flight.ticket or self.ticket
        if flight.step == 1:
            if profile.resumes:
                self.principal = Principal(self.peer_name or "")
                self._work(self._share(0.9), lambda: self._reply(Flight(2), last=True))
                return
            if profile.kind != "psk" and not self._certificate_is_good(flight, self.peer_name):
                return
            if profile.kind == "psk":
                key = self.credentials.key
                self.principal = key.principal if key else Principal("")
            key = self.credentials.key if profile.kind == "psk" and profile.version < 1.3 else None
            own = self.credentials.certificate if profile.kind == "mutual" else None
            last = profile.short
            answer = Flight(2, key=key, certificate=own)
            self._work(self._share(0.9), lambda: self._reply(answer, last=last))
        elif flight.step == 3:
            self._open()

    def _key_is_good(self, flight: Flight) -> bool:
        assert self.profile is not None
        if self.profile.kind != "psk":
            return True
        known = self.credentials.keys.get(flight.key.identity) if flight.key else None
        refusal = None
        if flight.key is None or known is None:
            refusal = Refusal.UNKNOWN_IDENTITY
        elif known.identity in self.credentials.revoked:
            refusal = Refusal.REVOKED
        elif known.secret != flight.key.secret:
            refusal = Refusal.WRONG_KEY
        else:
            self.principal = known.principal
        if refusal is not None:
            # Found out before the key exchange is through, at about half its cost.
            self._work(self._share(0.5), lambda: self._refuse(refusal))
            return False
        return True

    def _ticket_is_good(self, flight: Flight) -> bool:
        ticket = flight.ticket
        principal = ticket.principal if ticket is not None else None
        if ticket is None or ticket.issuer is not self.credentials:
            self._refuse(Refusal.UNKNOWN_IDENTITY)
            return False
        if principal is not None and principal.name in self.credentials.revoked:
            self._refuse(Refusal.REVOKED)
            return False
        self.principal = principal
        return True

    def _certificate_is_good(self, flight: Flight, name: str | None) -> bool:
        certificate = flight.certificate
        if certificate is None:
            self._refuse(Refusal.NO_KEY)
            return False
        refusal = certificate.objection(self.credentials.trusted, name, self._time())
        if refusal is not None:
            self._refuse(refusal)
            return False
        self.principal = Principal(certificate.subject)
        return True

    def _share(self, part: float) -> float:
        assert self.profile is not None
        whole = self.profile.client_time if self.is_client else self.profile.server_time
        return part * whole

    def _reply(self, flight: Flight, last: bool = False) -> None:
        if self.state is TlsState.DEAD:
            return
        self._step = flight.step + 1
        self._transmit(flight, self._flight_size(flight))
        if last:
            self._open()

    def _flight_size(self, flight: Flight) -> int:
        """The bytes of each direction, in equal parts over its flights."""
        profile = self.profile
        assert profile is not None
        whole = profile.up if self.is_client else profile.down
        flights = 2 if self.is_client or not profile.short else 1
        half = whole // flights
        return half if flight.step < 2 else whole - half

    def _open(self) -> None:
        if self.state is not TlsState.HANDSHAKE:
            return
        assert self.profile is not None
        self._enter(TlsEvent.FINISH)
        self.counters.handshakes += 1
        whole = self.profile.client_time if self.is_client else self.profile.server_time
        self.counters.handshake_time += whole
        self._opened()

    def _refuse(self, reason: Refusal) -> None:
        """Tells the peer by an alert, and is dead."""
        self._transmit(Flight(-1, alert=reason), 7)
        if reason is Refusal.BAD_RECORD:
            self.counters.records_refused += 1
        self._die(reason)

    def _die(self, reason: Refusal) -> None:
        if self.state is not TlsState.OPEN:
            self.counters.handshakes_refused += 1
        self._enter(TlsEvent.FAIL)
        self.refusal = reason
        self._failed(reason)

    def release(self) -> None:
        """Releases the association, which has ended; what the CPU still does has no effect."""
        self._transmit = _no_flight
        self._work = _no_work
        self._opened = _no_news
        self._failed = _no_failure

    # Records --------------------------------------------------------------------------------------

    def refuse_record(self) -> None:
        """A record is not the one that is due: the session is dead."""
        if self.state is TlsState.OPEN:
            self._refuse(Refusal.BAD_RECORD)
