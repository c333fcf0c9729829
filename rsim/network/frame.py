"""What crosses a link: SCTP packets with their chunks (RFC 9260 3), TCP segments, UDP datagrams.

A TCP segment is described by the chunks that do in SCTP what it does: INIT is its SYN, a SACK its
acknowledgement number, DATA its bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from rsim.network.records import Flight, Protection

Endpoint = tuple[str, int]
"""Address and port."""

_IPV4, _IPV6, _SCTP, _UDP, _TCP = 20, 40, 12, 8, 20
_SYN_OPTIONS = 20
"""Octets of TCP options in a SYN: segment size, timestamps, window scale, SACK permitted."""
_DATA = 16


class Control(Enum):
    """Kinds of control chunks, with their type codes (RFC 9260 3.2)."""

    INIT = 1
    INIT_ACK = 2
    HEARTBEAT = 4
    HEARTBEAT_ACK = 5
    ABORT = 6
    SHUTDOWN = 7
    SHUTDOWN_ACK = 8
    COOKIE_ECHO = 10
    COOKIE_ACK = 11
    SHUTDOWN_COMPLETE = 14


_CONTROL_SIZES = {
    Control.INIT: 20,
    Control.INIT_ACK: 100,
    Control.HEARTBEAT: 44,
    Control.HEARTBEAT_ACK: 44,
    Control.ABORT: 4,
    Control.SHUTDOWN: 8,
    Control.SHUTDOWN_ACK: 4,
    Control.COOKIE_ECHO: 80,
    Control.COOKIE_ACK: 4,
    Control.SHUTDOWN_COMPLETE: 4,
}


@dataclass(frozen=True, slots=True)
class Cookie:
    """The state cookie: all that a listener must know to create the association (RFC 9260 5.1.3).

    Parameters: `mac` of all else and the ports, with the secret of the host that made it;
    `own_tag`, `peer_tag` of the listener and its peer; `own_tsn`, `peer_tsn` their first TSNs;
    `remote` addresses of the peer; `created` in s; `window` of the peer in octets.
    """

    mac: int
    own_tag: int
    peer_tag: int
    own_tsn: int
    peer_tsn: int
    remote: tuple[str, ...]
    created: float
    window: int = 131072


@dataclass(slots=True)
class Chunk:
    """A control chunk: `tag`, `tsn`, `window` and `addresses` of INIT and INIT ACK, `cookie`,
    `number` of a heartbeat.

    Parameters: `kind` of the chunk.
    """

    kind: Control
    tag: int = 0
    tsn: int = 0
    addresses: tuple[str, ...] = ()
    cookie: Cookie | None = None
    number: int = 0
    window: int = 0

    @property
    def size(self) -> int:
        """Bytes in the packet."""
        return _CONTROL_SIZES[self.kind] + 8 * len(self.addresses)


@dataclass(slots=True)
class Sack:
    """An acknowledgement: all up to `cumulative`, and the `gaps` beyond it (RFC 9260 3.3.4).

    Parameters: `cumulative` TSN up to which all has arrived; `gaps` first and last TSN of what has
    arrived beyond it; `window` octets that the peer may still send.
    """

    cumulative: int
    gaps: tuple[tuple[int, int], ...] = ()
    window: int = 0

    @property
    def size(self) -> int:
        """Octets in the packet."""
        return 16 + 4 * len(self.gaps)


@dataclass(slots=True)
class Data:
    """A user message, or a part of one, in a DATA chunk (RFC 9260 3.3.1).

    `data` are the octets as they travel; `protection` what TLS knows of them, None for octets in
    clear and for octets that somebody else than the sender has written.

    Parameters: `tsn` number of the chunk; `stream` and `sequence` number in it; `ppid` payload
    protocol; `unordered` whether it need not wait for those before it; `offset` of the first octet
    in the message, and `total` octets of the message, None if this is all of it.
    """

    tsn: int
    stream: int
    sequence: int
    ppid: int
    data: bytes
    unordered: bool = False
    protection: Protection | Flight | None = None
    offset: int = 0
    total: int | None = None

    @property
    def begins(self) -> bool:
        """Whether it has the first octet of its message."""
        return self.offset == 0

    @property
    def ends(self) -> bool:
        """Whether it has the last octet of its message."""
        return self.total is None or self.offset + len(self.data) == self.total

    @property
    def size(self) -> int:
        """Octets in the packet."""
        return _DATA + len(self.data) + -len(self.data) % 4


AnyChunk = Chunk | Sack | Data


@dataclass(slots=True)
class Frame:
    """An SCTP packet or TCP segment, or a UDP datagram where `chunks` is empty.

    Parameters: `source` and `destination` address and port; `tag` the verification tag; `data` of a
    datagram; `tcp` for a TCP segment.
    """

    source: Endpoint
    destination: Endpoint
    tag: int = 0
    chunks: tuple[AnyChunk, ...] = ()
    data: bytes = b""
    tcp: bool = False

    @property
    def size(self) -> int:
        """Bytes on the link, from the IP header on."""
        header = _IPV4 if "." in self.source[0] else _IPV6
        if not self.chunks:
            return header + _UDP + len(self.data)
        if self.tcp:
            length = sum(len(chunk.data) for chunk in self.messages)
            first = self.chunks[0]
            syn = isinstance(first, Chunk) and first.kind in (Control.INIT, Control.INIT_ACK)
            gaps = sum(len(chunk.gaps) for chunk in self.chunks if isinstance(chunk, Sack))
            options = _SYN_OPTIONS if syn else 4 + 8 * gaps if gaps else 0
            return header + _TCP + options + length
        return header + _SCTP + sum(chunk.size for chunk in self.chunks)

    @property
    def messages(self) -> tuple[Data, ...]:
        """The user messages in it, or their parts."""
        return tuple(chunk for chunk in self.chunks if isinstance(chunk, Data))

    def with_chunks(self, chunks: tuple[AnyChunk, ...]) -> Frame:
        """The same packet with other chunks.

        Parameters: `chunks` in place of the present ones.
        """
        return replace(self, chunks=chunks)
