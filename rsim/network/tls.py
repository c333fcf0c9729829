"""The TLS model: handshakes, records, and what is refused (RFC 5355 3, RFC 3436).

Modelled, not computed: a handshake costs its round trips, bytes and CPU time; a record its overhead
in bytes. Who holds which key decides; a record that is altered, replayed, reordered or injected
fails its check, which is fatal to the session, as TLS over a reliable transport has no window.

A session belongs to one end of an association. States: IDLE; HELLO, EXCHANGE while flights are
awaited; OPEN; DEAD.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import shake_128
from typing import Literal

from rsim.network.credentials import Certificate, Credentials, Key, Principal, Refusal

_RECORD = 16384
"""Most bytes of plaintext in a record (RFC 8446 5.1)."""

Kind = Literal["psk", "certificate", "mutual"]


@dataclass(frozen=True, slots=True)
class Profile:
    """A cipher suite and what it costs.

    Parameters: `version` 1.2 (two round trips) or 1.3 (one); `client_time`, `server_time` CPU time
    in s of a full handshake; `up`, `down` bytes from and to the client; `overhead` of the records.
    """

    name: str
    kind: Kind
    version: float
    client_time: float
    server_time: float
    up: int
    down: int
    overhead: Literal["cbc", "gcm", "tls13"]
    record_time: float = 1.5e-6

    @property
    def round_trips(self) -> int:
        """Round trips before the client may send its first message."""
        return 2 if self.version < 1.3 else 1

    def size(self, length: int) -> int:
        """Bytes on the wire of a message of `length` bytes, in as many records as it needs."""
        full, rest = divmod(length, _RECORD)
        parts = [_RECORD] * full + ([rest] if rest or not full else [])
        return sum(self._record(part) for part in parts)

    def _record(self, length: int) -> int:
        if self.overhead == "cbc":
            return 5 + 16 + 20 + 16 * -(-(length + 1) // 16)
        return length + (29 if self.overhead == "gcm" else 22)


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("rsa-aes128-cbc", "certificate", 1.2, 428e-6, 473e-6, 464, 954, "cbc"),
        Profile("rsa-aes128-cbc-mutual", "mutual", 1.2, 818e-6, 812e-6, 1537, 1017, "cbc"),
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


class TlsState(Enum):
    """States of a session."""

    IDLE = auto()
    HANDSHAKE = auto()
    OPEN = auto()
    DEAD = auto()


@dataclass(slots=True)
class TlsCounters:
    """What all TLS sessions of a host have done, as numbers that only grow."""

    handshakes: int = 0
    handshakes_refused: int = 0
    records_refused: int = 0
    handshake_time: float = 0.0


class TlsSession:
    """One end of a TLS session.

    Parameters: `number` the same at both ends and at no other session; `profile` is the client's
    choice, None at the server, which takes those in `offers`; `peer_name` the name that the
    server's certificate must have. `transmit` sends a flight, `work` calls a function after CPU
    time in s, `opened` is called when messages may be sent, `failed` when the session is dead.
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
        "peer_name",
        "principal",
        "profile",
        "refusal",
        "state",
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
    ) -> None:
        self.number = number
        self.credentials = credentials
        self.counters = counters
        self.profile = profile
        self.offers = offers
        self.peer_name = peer_name
        self.is_client = profile is not None
        self.state = TlsState.IDLE
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

    # Handshake ------------------------------------------------------------------------------------

    def start(self) -> None:
        """The client's hello: step 0. A TLS 1.3 client names its key at once."""
        profile = self.profile
        assert profile is not None
        self.state = TlsState.HANDSHAKE
        if profile.kind == "psk" and self.credentials.key is None:
            self._die(Refusal.NO_KEY)
            return
        early = self.credentials.key if profile.version >= 1.3 else None
        self._send(Flight(0, profile, early), 0.1)

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
            self.state = TlsState.HANDSHAKE
            if profile not in self.offers or profile is None:
                self._refuse(Refusal.NO_KEY)
                return
            self.profile = profile
            certificate = self.credentials.certificate
            if profile.kind != "psk" and certificate is None:
                self._refuse(Refusal.NO_KEY)
                return
            if profile.version >= 1.3 and not self._key_is_good(flight):
                return
            shown = certificate if profile.kind != "psk" else None
            share = 0.1 if profile.version < 1.3 else 0.9
            self._work(self._share(share), lambda: self._reply(Flight(1, None, None, shown)))
            return
        if flight.step == 2:
            assert self.profile is not None
            if self.profile.version < 1.3 and not self._key_is_good(flight):
                return
            if self.profile.kind == "mutual" and not self._certificate_is_good(flight, None):
                return
            if self.profile.version < 1.3:
                self._work(self._share(0.9), lambda: self._reply(Flight(3), last=True))
            else:
                self._work(self._share(0.1), self._open)

    def _take_as_client(self, flight: Flight) -> None:
        profile = self.profile
        assert profile is not None
        if flight.step == 1:
            if profile.kind != "psk" and not self._certificate_is_good(flight, self.peer_name):
                return
            if profile.kind == "psk":
                key = self.credentials.key
                self.principal = Principal(key.identity if key else "", key.pools if key else None)
            key = self.credentials.key if profile.kind == "psk" and profile.version < 1.3 else None
            own = self.credentials.certificate if profile.kind == "mutual" else None
            last = profile.version >= 1.3
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

    def _send(self, flight: Flight, part: float) -> None:
        self._step = flight.step + 1
        self._work(self._share(part), lambda: self._transmit(flight, self._flight_size(flight)))

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
        flights = 2 if self.is_client or profile.version < 1.3 else 1
        half = whole // flights
        return half if flight.step < 2 else whole - half

    def _open(self) -> None:
        if self.state is TlsState.DEAD:
            return
        assert self.profile is not None
        self.state = TlsState.OPEN
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
        self.state = TlsState.DEAD
        self.refusal = reason
        self._failed(reason)

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
