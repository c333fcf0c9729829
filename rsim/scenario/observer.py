"""Follows the handlespaces of all servers: how far do they differ, and what do they lead to?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from rsim.clock import Clock
from rsim.endpoints import EnrpServer, ServerList
from rsim.randomness import Stream
from rsim.scenario.auditor import Auditor
from rsim.scenario.handlespace_state import HandlespaceState


class Look(NamedTuple):
    """The state at one instant, for curves over time.

    Parameters: `time` in s; `divergence` a share from 0 to 1; `orphans` and `elements` numbers of
    pool elements; `servers` that serve; `genuine` and `false` means over them.
    """

    time: float
    divergence: float
    orphans: int
    elements: int
    servers: int
    genuine: float
    false: float


@dataclass(slots=True)
class ObserverCounters:
    """What the observer has added up since the run began, as numbers that only grow.

    Parameters: `observed_seconds` time of the run; `divergence_seconds`, `orphan_seconds`,
    `genuine_seconds` and `false_seconds` integrals over it of what `Look` has; `element_seconds`
    that of the elements deployed; `looks_at_lists` number of looks at the lists of servers that
    hosts have; `servers_unknown` share of serving servers that hosts did not know, added up over
    these looks.
    """

    observed_seconds: float = 0.0
    divergence_seconds: float = 0.0
    orphan_seconds: float = 0.0
    genuine_seconds: float = 0.0
    false_seconds: float = 0.0
    element_seconds: float = 0.0
    looks_at_lists: int = 0
    servers_unknown: float = 0.0


class Observer:
    """Integrates the state of all handlespaces over time, and looks at it at fixed intervals.

    What hosts know of servers ends with time alone: that is looked at once in each interval, at
    a time that is drawn, so that no timer of the protocol can be in step with it.

    Parameters: `clock` of the run; `servers` that are compared; `interval` between two looks in s;
    `auditor` says what entries lead to; `lists` of servers that hosts have; `stream` draws times.
    """

    def __init__(
        self,
        clock: Clock,
        servers: list[EnrpServer],
        interval: float,
        *,
        auditor: Auditor,
        lists: list[ServerList],
        stream: Stream,
    ) -> None:
        self.counters = ObserverCounters()
        self.looks: list[Look] = []
        self.state = HandlespaceState(clock, servers, auditor)
        self._clock = clock
        self._servers = servers
        self._interval = interval
        self._auditor = auditor
        self._lists = lists
        self._stream = stream
        clock.call_at(interval, self._look)
        if lists:
            clock.call_at(interval * stream.uniform(), self._look_at_lists, 0)

    def settle(self) -> None:
        """Brings the counters that integrate over time up to the present."""
        state, counters = self.state, self.counters
        state.settle()
        counters.observed_seconds = state.seconds
        counters.divergence_seconds = state.divergence_seconds
        counters.orphan_seconds = state.orphan_seconds
        counters.genuine_seconds = state.genuine_seconds
        counters.false_seconds = state.false_seconds
        counters.element_seconds = state.seconds * self._auditor.elements

    def _look(self) -> None:
        state, now = self.state, self._clock.now
        self.looks.append(
            Look(
                time=now,
                divergence=state.divergence,
                orphans=state.orphans,
                elements=state.elements,
                servers=state.servers,
                genuine=state.genuine,
                false=state.false,
            )
        )
        self._clock.call_at(now + self._interval, self._look)

    def _look_at_lists(self, number: int) -> None:
        serving = sum(server.serving for server in self._servers)
        known = sum(min(one.count(), serving) for one in self._lists)
        whole = len(self._lists) * serving
        self.counters.looks_at_lists += 1
        self.counters.servers_unknown += 1 - known / whole if whole else 0.0
        following = (number + 1 + self._stream.uniform()) * self._interval
        self._clock.call_at(following, self._look_at_lists, number + 1)
