"""The TLS model: handshakes, records, and what is refused (RFC 5355 3, RFC 3436).

Modelled, not computed: a handshake costs its round trips, bytes and CPU time; a record its overhead
in bytes. Who holds which key decides; a record that is altered, replayed, reordered or injected
fails its check, which is fatal to the session, as TLS over a reliable transport has no window.

A session belongs to one end of an association; `TLS_STATES` is its table of states.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import auto
from hashlib import shake_128
from typing import Literal

from rsim.network.credentials import Certificate, Credentials, Key, Principal, Refusal
from rsim.states import RoleEvent, RoleState, StateTable

_RECORD = 16384
"""Most bytes of plaintext in a record (RFC 8446 5.1)."""

Kind = Literal["psk", "certificate", "mutual"]


@dataclass(frozen=True, slots=True)
class Profile:
    """A cipher suite and what it costs.

    Parameters: `version` 1.2 (two round trips) or 1.3 (one); `client_time`, `server_time` CPU time
    in s of a handshake; `up`, `down` bytes from and to the client; `overhead` of the records;
    `resumes` an earlier session by a ticket.
    """

    name: str
    kind: Kind
    version: float
    client_time: float
    server_time: float
    up: int
    down: int
    overhead: Literal["cbc", "cbc8", "gcm", "tls13"]
    record_time: float = 1.5e-6
    resumes: bool = False

    @property
    def short(self) -> bool:
        """Whether the client may send after one round trip instead of two."""
        return self.resumes or self.version >= 1.3

    @property
    def resumed(self) -> Profile:
        """The same where the client has a ticket of an earlier session."""
        client_time, server_time, up, down = _RESUMED[self.version]
        return replace(
            self,
            client_time=client_time,
            server_time=server_time,
            up=up,
            down=down,
            resumes=True,
        )

    def size(self, length: int) -> int:
        """Bytes on the wire of a message of `length` bytes, in as many records as it needs."""
        full, rest = divmod(length, _RECORD)
        parts = [_RECORD] * full + ([rest] if rest or not full else [])
        return sum(self._record(part) for part in parts)

    def _record(self, length: int) -> int:
        if self.overhead == "cbc":
            return 5 + 16 + 20 + 16 * -(-(length + 1) // 16)
        if self.overhead == "cbc8":
            return 5 + 8 + 20 + 8 * -(-(length + 1) // 8)
        return length + (29 if self.overhead == "gcm" else 22)


_RESUMED = {1.2: (72e-6, 74e-6, 596, 173), 1.3: (280e-6, 255e-6, 597, 496)}
"""CPU times of client and server in s, bytes up and down of a resumed handshake, by version:
OpenSSL 3.0 with tickets, scaled to the core on which the profiles were measured."""

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("rsa-aes128-cbc", "certificate", 1.2, 428e-6, 473e-6, 464, 954, "cbc"),
        Profile("rsa-aes128-cbc-mutual", "mutual", 1.2, 818e-6, 812e-6, 1537, 1017, "cbc"),
        # For old peers (RFC 5352 9.2): the handshake is that of AES, the cipher slower.
        Profile(
            "rsa-3des-cbc", "certificate", 1.2, 428e-6, 473e-6, 464, 954, "cbc8", record_time=6e-6
        ),
        Profile("psk-aes128-cbc", "psk", 1.2, 103e-6, 90e-6, 219, 150, "cbc"),
        Profile("psk-aes128-gcm", "psk", 1.2, 70e-6, 60e-6, 191, 118, "gcm"),
        Profile("ecdhe-rsa-aes128-gcm", "certificate", 1.2, 503e-6, 533e-6, 229, 1235, "gcm"),
        Profile("ecdhe-ecdsa-aes128-gcm", "certificate", 1.2, 584e-6, 255e-6, 229, 652, "gcm"),
        Profile("tls13-rsa", "certificate", 1.3, 592e-6, 628e-6, 285, 1487, "tls13"),
        Profile("tls13-psk-ecdhe", "psk", 1.3, 272e-6, 260e-6, 343, 304, "tls13"),
    )
}
"""Cipher suites by name, with the costs that were measured for one core."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a server gives a client for the next time: whom it has found the client to be."""

    issuer: Credentials
    principal: Principal | None


@dataclass(frozen=True, slots=True)
class Protection:
    """What the receiver of a record must find: session, direction and record number."""

    session: int
    to_server: bool
    number: int
    plain: bytes


@dataclass(frozen=True, slots=True)
class Flight:
    """Handshake messages that one side sends at once.

    Parameters: `step` counts the flights of a handshake from 0; the others are what the flight
    tells, where it tells it.
    """

    step: int
    profile: Profile | None = None
    key: Key | None = None
    certificate: Certificate | None = None
    alert: Refusal | None = None
    ticket: Ticket | None = None


class TlsState(RoleState):
    """States of a session."""

    IDLE = auto()
    HANDSHAKE = auto()
    OPEN = auto()
    DEAD = auto()


class TlsEvent(RoleEvent):
    """What changes the state of a session."""

    HELLO = auto()
    """The client's hello is ready, or has come."""
    FINISH = auto()
    """The last flight has been sent or has come."""
    FAIL = auto()
    """A side has refused the other one, or a record is not the one that was due."""


TLS_STATES = StateTable(
    "TLS session",
    TlsState.IDLE,
    [
        (TlsState.IDLE, TlsEvent.HELLO, TlsState.HANDSHAKE, "RFC 8446 4.1; RFC 5246 7.3"),
        (TlsState.HANDSHAKE, TlsEvent.HELLO, TlsState.HANDSHAKE, "RFC 8446 4.1; RFC 5246 7.3"),
        (TlsState.HANDSHAKE, TlsEvent.FINISH, TlsState.OPEN, "RFC 8446 4.4.4; RFC 5246 7.4.9"),
        (TlsState.IDLE, TlsEvent.FAIL, TlsState.DEAD, "RFC 8446 6.2; RFC 5355 3"),
        (TlsState.HANDSHAKE, TlsEvent.FAIL, TlsState.DEAD, "RFC 8446 6.2; RFC 5355 3"),
        (TlsState.OPEN, TlsEvent.FAIL, TlsState.DEAD, "RFC 8446 6.2"),
        (TlsState.DEAD, TlsEvent.FAIL, TlsState.DEAD, "RFC 8446 6.2"),
    ],
)


@dataclass(slots=True)
class TlsCounters:
    """What all TLS sessions of a host have done, as numbers that only grow."""

    handshakes: int = 0
    handshakes_refused: int = 0
    records_refused: int = 0
    handshake_time: float = 0.0


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

    Parameters: `number` the same at both ends and at no other session; `profile` is the client's
    choice, None at the server, which takes those in `offers`; `peer_name` the name that the
    server's certificate must have; `ticket` of an earlier session.
    `transmit` sends a flight, `work` calls a function after CPU time in s, `opened` is called when
    messages may be sent, `failed` when the session is dead.
    """

    __slots__ = (
        "_failed",
        "_next_in",
        "_next_out",
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
        "optional",
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
        self.optional = False
        self.state = TLS_STATES.initial
        self.principal: Principal | None = None
        self.refusal: Refusal | None = None
        self._time = time
        self._transmit = transmit
        self._work = work
        self._opened = opened
        self._failed = failed
        self._step = 0
        self._next_in = 0
        self._next_out = 0

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
        self._reply(Flight(0, profile, early, ticket=self.ticket))
        self._work(self._share(0.1), lambda: None)

    def take(self, flight: Flight | None) -> None:
        """A flight of the peer; None where what came was no flight, or an altered one."""
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
        return Flight(1, None, None, certificate, ticket=ticket)

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
                self.principal = Principal(key.identity if key else "", key.pools if key else None)
            key = self.credentials.key if profile.kind == "psk" and profile.version < 1.3 else None
            own = self.credentials.certificate if profile.kind == "mutual" else None
            last = profile.short
            self._work(self._share(0.9), lambda: self._reply(Flight(2, None, key, own), last=last))
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
            self.principal = Principal(known.identity, known.pools)
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
        """Lets go of the association, which is at its end; the CPU works in vain."""
        self._transmit = _no_flight
        self._work = _no_work
        self._opened = _no_news
        self._failed = _no_failure

    # Records --------------------------------------------------------------------------------------

    def seal(self, plain: bytes) -> Protection:
        """The next record, with a message in it."""
        number = self._next_out
        self._next_out += 1
        return Protection(self.number, self.is_client, number, plain)

    def size(self, plain: bytes) -> int:
        """Bytes on the wire of a message."""
        assert self.profile is not None
        return self.profile.size(len(plain))

    def open(self, protection: Protection | None) -> bytes | None:
        """The message in a record; None, and the session is dead, if it isn't the next one."""
        if self.state is not TlsState.OPEN:
            return None
        if (
            protection is None
            or protection.session != self.number
            or protection.to_server is self.is_client
            or protection.number != self._next_in
        ):
            self._refuse(Refusal.BAD_RECORD)
            return None
        self._next_in += 1
        return protection.plain


def opaque(protection: Protection, size: int) -> bytes:
    """Bytes from which nothing can be learned but their number."""
    head = b"\x17\x03\x03" + (size - 5 & 0xFFFF).to_bytes(2)
    label = f"{protection.session}/{protection.to_server:d}/{protection.number}"
    return head + shake_128(label.encode()).digest(size - 5)
