"""What the handlespaces of all servers have in common, and what their entries lead to."""

from __future__ import annotations

from typing import NamedTuple

from rsim.clock import Clock
from rsim.endpoints import EnrpServer
from rsim.network import Host
from rsim.scenario.auditor import Auditor, Verdict
from rsim.wire import PoolElement

Key = tuple[bytes, int]
"""Pool handle and PE identifier."""

_ALL = 1 << 30
_GOOD = (Verdict.LIVING, Verdict.INSECURE)


class _Listed(NamedTuple):
    """An element that a server lists: what it adds to each sum, and where its entries lead to."""

    differing: int
    orphans: int
    genuine: int
    false: int
    addresses: frozenset[str]


class HandlespaceState:
    """Follows the handlespaces of all servers that serve, change by change.

    The truth about an element is what the server says that holds itself for its home, the one with
    the highest identifier if there are several. An entry differs if it is not the truth; where
    nobody holds itself for the home, the element is an orphan and all entries differ. An entry is
    genuine if it leads to a living element, and false otherwise.

    `seconds` is the time for which the state has been followed; `divergence_seconds`,
    `orphan_seconds`, `genuine_seconds` and `false_seconds` are integrals over it, up to the last
    `settle`.

    Parameters: `clock` of the run; `servers` whose handlespaces these are; `auditor` knows where
    entries lead to.
    """

    def __init__(self, clock: Clock, servers: list[EnrpServer], auditor: Auditor) -> None:
        self._clock = clock
        self._servers = servers
        self._auditor = auditor
        self._serving: list[EnrpServer] = []
        self._listed: dict[Key, _Listed] = {}
        self._at: dict[str, dict[Key, None]] = {}
        self._differing = self._orphans = self._genuine = self._false = 0
        self._settled = clock.now
        self.seconds = 0.0
        self.divergence_seconds = 0.0
        self.orphan_seconds = 0.0
        self.genuine_seconds = 0.0
        self.false_seconds = 0.0
        for server in servers:
            server.node.watcher = self
        for host in auditor.hosts:
            host.watcher = self.host_changed
        self.server_changed()

    # The state at this moment ---------------------------------------------------------------------

    @property
    def servers(self) -> int:
        """Servers that serve."""
        return len(self._serving)

    @property
    def elements(self) -> int:
        """Elements that any of these servers lists."""
        return len(self._listed)

    @property
    def orphans(self) -> int:
        """Elements that no server holds itself for the home of."""
        return self._orphans

    @property
    def divergence(self) -> float:
        """Share of entries, over all elements and servers, that differ from the truth."""
        entries = len(self._listed) * len(self._serving)
        return self._differing / entries if entries else 0.0

    @property
    def genuine(self) -> float:
        """Entries that lead to a living element, mean over servers."""
        return self._genuine / len(self._serving) if self._serving else 0.0

    @property
    def false(self) -> float:
        """Entries that lead elsewhere, mean over servers."""
        return self._false / len(self._serving) if self._serving else 0.0

    def settle(self) -> None:
        """Brings the integrals up to the present."""
        now = self._clock.now
        passed = now - self._settled
        if passed > 0:
            self._settled = now
            self.seconds += passed
            self.divergence_seconds += passed * self.divergence
            self.orphan_seconds += passed * self._orphans
            self.genuine_seconds += passed * self.genuine
            self.false_seconds += passed * self.false

    # Changes --------------------------------------------------------------------------------------

    def entry_changed(self, handle: bytes, identifier: int) -> None:
        """An entry of a server is new, another one, or gone.

        Parameters: `handle` of its pool; `identifier` its PE identifier.
        """
        self.settle()
        self._look_at((handle, identifier))

    def server_changed(self) -> None:
        """A server begins or ceases to serve, has another identifier or an empty handlespace."""
        self.settle()
        serving = [server for server in self._servers if server.serving]
        self._serving = sorted(serving, key=lambda server: server.identifier)
        keys = dict.fromkeys(self._listed)
        for server in serving:
            pools, _ = server.handlespace.table(limit=_ALL, octets=_ALL)
            keys |= {
                (pool.pool_handle, e.identifier): None for pool in pools for e in pool.pool_elements
            }
        for key in keys:
            self._look_at(key)

    def host_changed(self, host: Host) -> None:
        """A host goes down or comes back, or somebody begins or ceases to listen on it.

        Parameters: `host` on which pool elements may be.
        """
        self.settle()
        for key in [key for address in host.addresses for key in self._at.get(address, ())]:
            self._look_at(key)

    def _look_at(self, key: Key) -> None:
        """Counts an element anew, as it is listed by now."""
        self._leave_out(key)
        entries = [server.handlespace.find(*key) for server in self._serving]
        present = [entry for entry in entries if entry is not None]
        if not present:
            return
        truth: PoolElement | None = None
        for server, entry in zip(self._serving, entries, strict=True):
            if entry is not None and entry.home_server == server.identifier:
                truth = entry
        genuine = sum(self._auditor.judge(entry) in _GOOD for entry in present)
        orphan = truth is None
        listed = _Listed(
            differing=len(entries) if orphan else sum(entry != truth for entry in entries),
            orphans=int(orphan),
            genuine=genuine,
            false=len(present) - genuine,
            addresses=frozenset(host for entry in present for host in entry.user_transport.hosts),
        )
        self._listed[key] = listed
        self._add(listed, 1)
        for address in listed.addresses:
            self._at.setdefault(address, {})[key] = None

    def _leave_out(self, key: Key) -> None:
        listed = self._listed.pop(key, None)
        if listed is None:
            return
        self._add(listed, -1)
        for address in listed.addresses:
            there = self._at[address]
            del there[key]
            if not there:
                del self._at[address]

    def _add(self, listed: _Listed, sign: int) -> None:
        self._differing += sign * listed.differing
        self._orphans += sign * listed.orphans
        self._genuine += sign * listed.genuine
        self._false += sign * listed.false
