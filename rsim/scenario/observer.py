"""Looks at the handlespaces of all servers again and again: how far do they differ?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from rsim.clock import Clock
from rsim.endpoints import EnrpServer, ServerList
from rsim.scenario.auditor import Auditor, Verdict
from rsim.wire import PoolElement

_ALL = 1 << 30


class Look(NamedTuple):
    """One comparison: time in s, `servers` that serve, `genuine` and `false` means over them.

    Parameters: `time` in s; `divergence` a share from 0 to 1; `orphans` and `elements` numbers of
    pool elements.
    """

    time: float
    divergence: float
    orphans: int
    elements: int
    servers: int
    genuine: float
    false: float


Table = dict[tuple[bytes, int], PoolElement]


@dataclass(slots=True)
class ObserverCounters:
    """Sums over all looks since the run began, as numbers that only grow.

    Parameters: `observations` number of looks; `divergence`, `orphans`, `genuine` and `false` as in
    `Look`; `elements_there` that are deployed; `servers_unknown` share of serving servers that
    hosts don't know.
    """

    observations: int = 0
    divergence: float = 0.0
    orphans: float = 0.0
    genuine: float = 0.0
    false: float = 0.0
    elements_there: float = 0.0
    servers_unknown: float = 0.0


class Observer:
    """Compares handlespaces at fixed intervals.

    The truth about an element is what the server says that holds itself for its home, the one with
    the highest identifier if there are several. Divergence is the share of entries, over all
    elements that any server knows and all servers that serve, that differ from the truth; where
    nobody holds itself for the home, the element is an orphan and all entries differ.

    Parameters: `clock` of the run; `servers` that are compared; `interval` between two looks in s;
    `auditor` says what entries lead to; `lists` of servers that hosts have.
    """

    def __init__(
        self,
        clock: Clock,
        servers: list[EnrpServer],
        interval: float,
        auditor: Auditor,
        lists: list[ServerList],
    ) -> None:
        self.counters = ObserverCounters()
        self.looks: list[Look] = []
        self._clock = clock
        self._servers = servers
        self._interval = interval
        self._auditor = auditor
        self._lists = lists
        clock.call_at(interval, self._look)

    def _look(self) -> None:
        serving = [server for server in self._servers if server.serving]
        tables = [_table(server) for server in serving]
        divergence, orphans, elements = _compare(serving, tables)
        genuine, false = self._judge(tables)
        self.counters.observations += 1
        self.counters.divergence += divergence
        self.counters.orphans += orphans
        self.counters.genuine += genuine
        self.counters.false += false
        self.counters.elements_there += self._auditor.elements
        if self._lists:
            known = sum(min(len(one.present()), len(serving)) for one in self._lists)
            whole = len(self._lists) * len(serving)
            self.counters.servers_unknown += 1 - known / whole if whole else 0.0
        now = self._clock.now
        self.looks.append(
            Look(
                time=now,
                divergence=divergence,
                orphans=orphans,
                elements=elements,
                servers=len(serving),
                genuine=genuine,
                false=false,
            )
        )
        self._clock.call_at(now + self._interval, self._look)

    def _judge(self, tables: list[Table]) -> tuple[float, float]:
        """Entries that lead to a living element, and that lead elsewhere; means over servers."""
        if not tables:
            return 0.0, 0.0
        good = (Verdict.LIVING, Verdict.INSECURE)
        verdicts = [self._auditor.judge(e) in good for table in tables for e in table.values()]
        genuine = sum(verdicts)
        return genuine / len(tables), (len(verdicts) - genuine) / len(tables)


def compare(servers: list[EnrpServer]) -> tuple[float, int, int]:
    """Divergence, number of orphans and number of elements over servers at this moment.

    Parameters: `servers` that serve.
    """
    return _compare(servers, [_table(server) for server in servers])


def _compare(servers: list[EnrpServer], tables: list[Table]) -> tuple[float, int, int]:
    truth: Table = {}
    for server, table in sorted(
        zip(servers, tables, strict=True), key=lambda pair: pair[0].identifier
    ):
        for key, element in table.items():
            if element.home_server == server.identifier:
                truth[key] = element
    known = dict.fromkeys(key for table in tables for key in table)
    if not known:
        return 0.0, 0, 0
    differing = sum(table.get(key) != truth.get(key) for table in tables for key in known)
    differing += sum(key not in truth and key not in table for table in tables for key in known)
    return differing / (len(known) * len(tables)), len(known.keys() - truth.keys()), len(known)


def _table(server: EnrpServer) -> Table:
    pools, _ = server.handlespace.table(limit=_ALL, octets=_ALL)
    return {
        (pool.pool_handle, element.identifier): element
        for pool in pools
        for element in pool.pool_elements
    }
