"""What the associations and TLS sessions of a host count."""

from __future__ import annotations

from dataclasses import dataclass

from mypy_extensions import mypyc_attr


@mypyc_attr(acyclic=True)
@dataclass(slots=True)
class SctpCounters:
    """What all associations of a host have done, as numbers that only grow."""

    associations_opened: int = 0
    """Associations that the host has begun to set up."""
    associations_lost: int = 0
    """Associations whose peer did not answer any more."""
    retransmissions: int = 0
    """Messages sent again."""
    packets_out_of_the_blue: int = 0
    """Packets for associations that the host does not know (RFC 9260 8.4)."""
    packets_with_wrong_tag: int = 0
    """Packets with a verification tag that is not the association's (RFC 9260 8.5)."""
    path_failures: int = 0
    """Paths that have failed (RFC 9260 8.2)."""
    messages_injected: int = 0
    """Messages that somebody on the path has put in."""


@dataclass(slots=True)
class TlsCounters:
    """What all TLS sessions of a host have done, as numbers that only grow."""

    handshakes: int = 0
    """Handshakes completed."""
    handshakes_refused: int = 0
    """Handshakes that a side refused."""
    records_refused: int = 0
    """Records that were not the ones that were due."""
    handshake_time: float = 0.0
    """CPU time in s of completed handshakes."""
