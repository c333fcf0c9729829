"""TLS cipher suites, and what they cost (RFC 5355 3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from rsim._native import record_octets

Kind = Literal["psk", "certificate", "mutual"]
"""What the two sides show: the same key, the server's certificate, or both certificates."""
Overhead = Literal["cbc", "cbc8", "gcm", "tls13"]
"""What a record adds: padding to blocks of 16 or 8 octets and a MAC of 20, or a tag."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A cipher suite and what it costs.

    Parameters: `name` of the suite; `kind` what the two sides show; `version` 1.2 (two round trips)
    or 1.3 (one); `client_time`, `server_time` CPU time in s of a handshake; `up`, `down` octets
    from and to the client; `overhead` of the records; `record_time` CPU time in s of a record;
    `resumes` whether it resumes an earlier session by a ticket.
    """

    name: str
    kind: Kind
    version: float
    client_time: float
    server_time: float
    up: int
    down: int
    overhead: Overhead
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
        """Octets on the wire of a message, in as many records as it needs.

        Parameters: `length` of the message in octets.
        """
        return record_octets(length, *self.record)

    @property
    def record(self) -> tuple[int, int]:
        """Octets that a record adds, and to whose multiple it is filled up; 0: it is not."""
        return _RECORDS[self.overhead]


_RECORDS: dict[Overhead, tuple[int, int]] = {
    "cbc": (5 + 16 + 20, 16),
    "cbc8": (5 + 8 + 20, 8),
    "gcm": (29, 0),
    "tls13": (22, 0),
}
"""Header, initial vector and MAC, and the size of a block; or header, number and tag."""

_RESUMED = {1.2: (72e-6, 74e-6, 596, 173), 1.3: (280e-6, 255e-6, 597, 496)}
"""CPU times of client and server in s, bytes up and down of a resumed handshake, by version:
OpenSSL 3.0 with tickets, scaled to the core on which the profiles were measured."""

_Row = tuple[str, Kind, float, float, float, int, int, Overhead]

_ROWS: tuple[_Row, ...] = (
    # Name, kind, version, CPU time in us of client and server, octets up and down, overhead.
    ("rsa-aes128-cbc", "certificate", 1.2, 428, 473, 464, 954, "cbc"),
    ("rsa-aes128-cbc-mutual", "mutual", 1.2, 818, 812, 1537, 1017, "cbc"),
    # For old peers (RFC 5352 9.2): the handshake is that of AES, the cipher slower.
    ("rsa-3des-cbc", "certificate", 1.2, 428, 473, 464, 954, "cbc8"),
    ("psk-aes128-cbc", "psk", 1.2, 103, 90, 219, 150, "cbc"),
    ("psk-aes128-gcm", "psk", 1.2, 70, 60, 191, 118, "gcm"),
    ("ecdhe-rsa-aes128-gcm", "certificate", 1.2, 503, 533, 229, 1235, "gcm"),
    ("ecdhe-ecdsa-aes128-gcm", "certificate", 1.2, 584, 255, 229, 652, "gcm"),
    ("tls13-rsa", "certificate", 1.3, 592, 628, 285, 1487, "tls13"),
    ("tls13-psk-ecdhe", "psk", 1.3, 272, 260, 343, 304, "tls13"),
)
_RECORD_TIMES: dict[Overhead, float] = {"cbc8": 6e-6}
"""CPU time in s of a record, where it is another than that of AES."""


def _profile(row: _Row) -> Profile:
    name, kind, version, client, server, up, down, overhead = row
    return Profile(
        name,
        kind,
        version=version,
        client_time=client / 1e6,
        server_time=server / 1e6,
        up=up,
        down=down,
        overhead=overhead,
        record_time=_RECORD_TIMES.get(overhead, 1.5e-6),
    )


PROFILES: dict[str, Profile] = {row[0]: _profile(row) for row in _ROWS}
"""Cipher suites by name, with the costs that were measured for one core."""
