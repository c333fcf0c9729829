"""The world of a deployment: what all its actors share."""

from __future__ import annotations

from collections.abc import Callable

from rsim.clock import Clock
from rsim.network import (
    Cpu,
    Direction,
    Host,
    HostSettings,
    Link,
    Network,
    Outage,
    OutageSettings,
    PacketCapture,
    StackTally,
    topology,
)
from rsim.network import LinkSettings as PathSettings
from rsim.randomness import Streams
from rsim.results import Recorder
from rsim.scenario.accountability import Accountability
from rsim.scenario.auditor import Auditor
from rsim.scenario.keys import KeyRing
from rsim.scenario.model import Scenario
from rsim.scenario.network import NetworkSettings
from rsim.wire import Dialect
from rsim.workload import RequestLog


def _nothing() -> None:
    pass


class World:
    """Clock, random streams, network, hosts, keys, and those who count and judge.

    Parameters: `scenario` of which it takes network, security and the names of groups; `seed` of
    all random draws; `capture` takes all packets, None: nothing does; `streams` to draw from, None:
    those of the seed.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        capture: PacketCapture | None = None,
        streams: Streams | None = None,
    ) -> None:
        self.security = scenario.security
        self.group = scenario.network.group
        self.clock = Clock()
        self.streams = Streams(seed) if streams is None else streams
        self.recorder = Recorder()
        self.requests = RequestLog()
        self.dialect = Dialect.RFC
        self.network = build_network(scenario.network, self.clock, self.streams, capture)
        self.auditor = Auditor(self.network, scenario.security.used)
        self.recorder.add("auditor", self.auditor.counters)
        self.accountability = Accountability(self.security, self.clock)
        self.keys = KeyRing(self.security.shared_key)
        self.hosts: dict[str, list[Host]] = {}
        self._label = scenario.label
        self._tallies: dict[str, StackTally] = {}
        self._handles: dict[str, bytes] = {}
        self._struck: dict[Host, tuple[Callable[[], None], Callable[[], None]]] = {}

    def handle(self, pool: str) -> bytes:
        """The handle of the pool with the name `pool`; one object for all who use it."""
        # Each message of each actor reads it: one object stays in the cache.
        return self._handles.setdefault(pool, pool.encode())

    def add_host(
        self,
        role: str,
        group: str,
        number: int,
        settings: HostSettings,
        *,
        pools: frozenset[str] | None = None,
    ) -> Host:
        """Adds a host, equips it as its group says, and has its counters recorded.

        Parameters: `role` the scenario's table; `group` the name in it; `number` of the host in
        its group, from 0; `settings` of the group; `pools` for which its key is good, None: any.
        """
        label = self._label(role, group)
        host = self.network.add_host(
            f"{label}-{number + 1}",
            *settings.sites(number),
            access=settings.access,
            # Its draws are the same whatever other groups there are.
            actor=f"{role}.{group}-{number + 1}",
        )
        self.hosts.setdefault(label, []).append(host)
        self.auditor.add(host, role)
        self._equip(host, settings)
        if self.security.used:
            self.keys.equip(host, settings.credential, pools)
            if self.security.resumption:
                host.tickets = {}
        host.counters = self.recorder.share(role, host.counters)
        host.tls_counters = self.recorder.share(role, host.tls_counters)
        host.stack.share(self._tally(role).core)
        if host.cpu is not None:
            self.recorder.add(role, host.cpu.counters, host.cpu.settle)
        return host

    def _tally(self, role: str) -> StackTally:
        """What counts the state of all hosts of a role."""
        tally = self._tallies.get(role)
        if tally is None:
            tally = self._tallies[role] = StackTally(self.clock)
            self.recorder.add(role, tally.counters, tally.settle)
        return tally

    def _equip(self, host: Host, settings: HostSettings) -> None:
        """Gives a host its CPU and the outages of its links."""
        if settings.cpu is not None:
            host.cpu = Cpu(self.clock, settings.cpu, self.streams.stream(host.actor, "cpu"))
        host.limit(settings.stack)
        if settings.outages != OutageSettings():
            links = self.network.host_links(host)
            stream = self.streams.stream(host.actor, "outages")
            Outage(self.clock, settings.outages, stream, lambda up: self.network.cut(links, up))

    def links_of(self, group: str, share: float, direction: Direction = "both") -> list[Link]:
        """Links of the first hosts of the group that is called `group`: that `share` of them.

        Parameters: `group` by its label; `share` of its hosts; `direction` towards them, from them,
        or both.
        """
        hosts = self.hosts.get(group, [])
        chosen = hosts[: round(share * len(hosts))]
        return [link for host in chosen for link in self.network.host_links(host, direction)]

    def on_strike(self, host: Host, down: Callable[[], None], back: Callable[[], None]) -> None:
        """Has `down` called when `host` goes down, and `back` when it is back."""
        self._struck[host] = (down, back)

    def strike(self, host: Host, up: bool) -> None:
        """Takes `host` down, with what runs on it, or brings it back if `up`."""
        down, back = self._struck.get(host, (_nothing, _nothing))
        if host.up and not up:
            down()
            host.fail()
        elif up and not host.up:
            host.restore()
            back()


def build_network(
    settings: NetworkSettings, clock: Clock, streams: Streams, capture: PacketCapture | None
) -> Network:
    """Makes the network of a scenario, without hosts.

    Parameters: `settings` the scenario's table; `clock` and `streams` of the world; `capture`
    takes all packets, None: nothing does.
    """
    links = settings.links()
    return Network(
        clock,
        streams,
        PathSettings(**{name: getattr(settings, name) for name in PathSettings.model_fields}),
        paths=links,
        next_hops=topology.next_hops(settings.sites, links) if links else None,
        sctp=settings.sctp,
        instant=settings.transport == "instant",
        ipv6=settings.ipv6,
        capture=capture,
        reroute=settings.reroute,
    )
