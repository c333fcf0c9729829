"""What travels of a TLS session: flights of its handshake, and records (RFC 8446 4, 5)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import shake_128

from mypy_extensions import mypyc_attr

from rsim.network.credentials import Certificate, Credentials, Key, Principal, Refusal
from rsim.network.profiles import Profile


@mypyc_attr(acyclic=True)
class Ticket:
    """What a server gives a client to resume with: the identity that it has verified.

    Parameters: `issuer` credentials of the server; `principal` that was verified, None for anybody.
    """

    __slots__ = ("issuer", "principal")

    def __init__(self, issuer: Credentials, principal: Principal | None) -> None:
        self.issuer = issuer
        self.principal = principal


@dataclass(frozen=True, slots=True)
class Protection:
    """What the receiver of a record must find: session, direction and record number.

    Parameters: `session` number of the session; `to_server` its direction; `number` of the record,
    from 0; `plain` the octets in it.
    """

    session: int
    to_server: bool
    number: int
    plain: bytes


# No dataclass, as handshakes make many, and those are slow to make.
@mypyc_attr(acyclic=True)
class Flight:
    """Handshake messages that one side sends at once.

    Parameters: `profile` that the client proposes; `key` that it names; `certificate` that the side
    shows; `alert` why it refuses; `ticket` for a session to resume; `step` counts the flights of a
    handshake from 0; the others are what the flight tells, where it tells it.
    """

    __slots__ = ("alert", "certificate", "key", "profile", "step", "ticket")

    def __init__(
        self,
        step: int,
        *,
        profile: Profile | None = None,
        key: Key | None = None,
        certificate: Certificate | None = None,
        alert: Refusal | None = None,
        ticket: Ticket | None = None,
    ) -> None:
        self.step = step
        self.profile = profile
        self.key = key
        self.certificate = certificate
        self.alert = alert
        self.ticket = ticket


def opaque(protection: Protection, size: int) -> bytes:
    """Bytes from which nothing can be learned but their number.

    Parameters: `protection` of the record; `size` in octets.
    """
    head = b"\x17\x03\x03" + (size - 5 & 0xFFFF).to_bytes(2)
    label = f"{protection.session}/{protection.to_server:d}/{protection.number}"
    return head + shake_128(label.encode()).digest(size - 5)
