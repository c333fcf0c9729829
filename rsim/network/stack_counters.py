"""State that hosts keep for their peers, as counters."""

from __future__ import annotations

from dataclasses import dataclass

from rsim._native import TallyCore
from rsim.clock import Clock


@dataclass(slots=True)
class StackCounters:
    """What the hosts of a role keep for their peers, and have refused, since the run began."""

    inits_received: int = 0
    """INITs, or SYNs of TCP, that reached a listener."""
    inits_refused: int = 0
    """Those among them that were dropped for want of room for their state."""
    associations_refused: int = 0
    """Associations with a good cookie that were refused for want of room."""
    packets_refused: int = 0
    """Packets with data that were dropped for want of memory."""
    half_open_seconds: float = 0.0
    """Half-open associations, added up over time in s."""
    association_seconds: float = 0.0
    """Open associations, added up over time in s."""
    memory_octet_seconds: float = 0.0
    """Octets of that state, of TLS sessions and of receive buffers, added up over time in s."""


class StackTally:
    """Counts for all hosts of a role.

    Parameters: `clock` of the run.
    """

    def __init__(self, clock: Clock) -> None:
        self.core = TallyCore()
        self.counters = StackCounters()
        self._clock = clock

    def settle(self) -> None:
        """Brings the counters up to the present."""
        counters = self.counters
        (
            counters.inits_received,
            counters.inits_refused,
            counters.associations_refused,
            counters.packets_refused,
            counters.half_open_seconds,
            counters.association_seconds,
            counters.memory_octet_seconds,
        ) = self.core.read(self._clock.now)
