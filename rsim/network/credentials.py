"""Who holds which key: pre-shared keys, certificates, authorities, and why a peer is refused."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import ip_address
from math import inf


class Refusal(Enum):
    """Why a TLS handshake fails; the value is what a person reads."""

    NO_KEY = "no common kind of authentication"
    UNKNOWN_IDENTITY = "unknown key identity"
    WRONG_KEY = "wrong key"
    WRONG_NAME = "certificate for another name"
    UNKNOWN_AUTHORITY = "certificate of an unknown authority"
    EXPIRED = "certificate out of its time"
    REVOKED = "certificate or key revoked"
    BAD_RECORD = "record altered, injected or replayed"


def _octets(name: str) -> bytes | None:
    """Those of an address, None for a name of another kind."""
    try:
        return ip_address(name).packed
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who the peer of an association has shown to be.

    Parameters: `name` the key's identity or the certificate's subject; `pools` in which a key
    holds, None for all.
    """

    name: str
    pools: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A pre-shared key. `principal` is who shows it.

    Parameters: `identity` by which it is named in the handshake; `secret` what both sides must
    hold; `pools` in which its holder may register, None for all.
    """

    identity: str
    secret: str
    pools: frozenset[str] | None = None
    principal: Principal = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Made once, as each handshake needs it.
        object.__setattr__(self, "principal", Principal(self.identity, self.pools))


@dataclass(eq=False, slots=True)
class Authority:
    """A certificate authority; what it revokes is known to everybody at once.

    Parameters: `name` of the authority; `revoked` serial numbers that do not hold any more.
    """

    name: str
    revoked: set[int] = field(default_factory=set)
    _issued: int = 0

    def issue(self, subject: str, begin: float = -inf, end: float = inf) -> Certificate:
        """A certificate for a host name, valid from `begin` to `end` (s).

        Parameters: `subject` name of the host.
        """
        self._issued += 1
        return Certificate(subject, self, serial=self._issued, begin=begin, end=end)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate: `subject` the host name, which may begin with a wildcard label.

    Parameters: `authority` that issued it; `serial` its number there; `begin` and `end` in s of the
    time in which it holds.
    """

    subject: str
    authority: Authority
    serial: int
    begin: float
    end: float

    def names(self, host: str) -> bool:
        """Whether it is for this host; a wildcard stands for the left-most label only.

        Addresses are compared by their 4 or 16 octets, however they are written (RFC 5355 9.2).

        Parameters: `host` name of the host, or its address.
        """
        octets = _octets(host)
        if octets is not None:
            return _octets(self.subject) == octets
        if self.subject.startswith("*."):
            return host.partition(".")[2] == self.subject[2:]
        return host == self.subject

    def objection(
        self, trusted: frozenset[Authority], name: str | None, time: float
    ) -> Refusal | None:
        """Why somebody who trusts these authorities and looks for `name` refuses it, or None.

        Parameters: `trusted` authorities; `time` in s.
        """
        if self.authority not in trusted:
            return Refusal.UNKNOWN_AUTHORITY
        if self.serial in self.authority.revoked:
            return Refusal.REVOKED
        if not self.begin <= time < self.end:
            return Refusal.EXPIRED
        if name is not None and not self.names(name):
            return Refusal.WRONG_NAME
        return None


@dataclass(slots=True)
class Credentials:
    """The keys and certificate of a host, and the authorities it trusts.

    Parameters: `key` with which it opens associations; `keys` that it accepts, by identity;
    `revoked` identities among them; `certificate` of its own; `trusted` authorities.
    """

    key: Key | None = None
    keys: dict[str, Key] = field(default_factory=dict)
    revoked: Set[str] = frozenset()
    certificate: Certificate | None = None
    trusted: frozenset[Authority] = frozenset()
