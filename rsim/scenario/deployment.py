"""Deployments: the hosts and actors of a scenario on a clock, and the run."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from functools import partial
from math import ceil, inf
from pathlib import Path

import numpy as np

from rsim.attackers import Attacker
from rsim.clock import Clock
from rsim.endpoints import (
    EnrpServer,
    HuntSettings,
    ServerList,
    authorisations,
)
from rsim.endpoints.ports import Address
from rsim.errors import RsimWarning, ScenarioError
from rsim.network import Host, HostSettings, Outage, PacketCapture, Profile
from rsim.randomness import Streams
from rsim.results import Observation, Recorder, Result, Sample, mser5
from rsim.results.observation import Columns
from rsim.scenario.accountability import Accountability
from rsim.scenario.attack import add_attackers
from rsim.scenario.auditor import Auditor
from rsim.scenario.collection import no_collection
from rsim.scenario.connector import Connector
from rsim.scenario.elements import add_elements
from rsim.scenario.fault import component
from rsim.scenario.model import Scenario, ServerGroup
from rsim.scenario.network import Disaster, KeyRing, build_network, equip_host
from rsim.scenario.observer import Look, Observer
from rsim.scenario.result_warnings import warnings_of
from rsim.scenario.server_host import ServerHost
from rsim.scenario.users import add_users
from rsim.wire import (
    ASAP_PORT,
    MESSAGE_KINDS,
    PPID_ASAP,
    PPID_ENRP,
    Cookie,
    CookieEcho,
    Dialect,
)
from rsim.wire.capture import CaptureWriter
from rsim.workload import CalcAppClient, CalcAppServer, RequestLog

_LOOKS = 200
"""Instants in a run at one of which MSER-5 may begin to measure."""


def _nothing() -> None:
    pass


class Deployment:
    """All actors of a scenario, ready to run.

    Parameters: `scenario`; `seed` instead of the scenario's own; `capture` takes all messages.
    """

    def __init__(
        self, scenario: Scenario, seed: int | None = None, capture: PacketCapture | None = None
    ) -> None:
        self.scenario = scenario
        self.seed = scenario.seed if seed is None else seed
        self.clock = Clock()
        self.streams = Streams(self.seed)
        self.recorder = Recorder()
        self.requests = RequestLog()
        self.dialect = Dialect.RFC
        self.network = build_network(scenario.network, self.clock, self.streams, capture)
        self.group = scenario.network.group
        self.security = scenario.security
        self.auditor = Auditor(self.network, scenario.security.used)
        self.recorder.add("auditor", self.auditor.counters)
        self.hosts: dict[str, list[Host]] = {}
        self._handles: dict[str, bytes] = {}
        self._lists: list[ServerList] = []
        self._keys = KeyRing(self.security.shared_key)
        self._struck: dict[Host, tuple[Callable[[], None], Callable[[], None]]] = {}
        self.servers: list[tuple[ServerHost, EnrpServer]] = []
        self.elements: list[CalcAppServer] = []
        self.users: list[CalcAppClient] = []
        self.attackers: list[Attacker] = []  # type: ignore[type-arg]
        self.accountability = Accountability(self.security, self.clock)
        self._add_servers()
        self._known_servers: tuple[Address, ...] = ()
        if scenario.discovery != "multicast":
            self._known_servers = tuple(ports.asap_address for ports, _ in self.servers)
        for name, elements in scenario.pool_elements.items():
            add_elements(self, name, elements)
        for name, users in scenario.pool_users.items():
            add_users(self, name, users)
        for name in scenario.attackers:
            add_attackers(self, name)
        self.observer: Observer | None = None
        if scenario.observe_interval is not None:
            servers = [server for _, server in self.servers]
            self.observer = Observer(
                self.clock, servers, scenario.observe_interval, self.auditor, self._lists
            )
            self.recorder.add("observer", self.observer.counters)
        if capture is not None:
            capture.names(self.network.names())
        if self.security.rekey is not None:
            honest = [host for label in self._honest_groups() for host in self.hosts.get(label, [])]
            self.clock.call_at(self.security.rekey, self._keys.rekey, honest)
        self.recorder.add_totals("network", self._traffic)
        if self.security.statements or self.security.proof_of_choice:
            servers = [server for _, server in self.servers]
            self.recorder.add_totals(
                "tribunal",
                partial(self.accountability.verdicts, servers, self.elements, self.users),
            )
        for number, outage in enumerate(scenario.network.outages):
            Disaster(
                number,
                outage,
                self.network,
                scenario.network.sites,
                self.hosts,
                self.streams,
                self.strike,
            )

    # Building -------------------------------------------------------------------------------------

    def handle(self, pool: str) -> bytes:
        """The handle of a pool: one object for all, as each of their messages reads it."""
        return self._handles.setdefault(pool, pool.encode())

    @property
    def audited(self) -> bool:
        """Whether selections can lead elsewhere than to a living, secured element."""
        scenario = self.scenario
        failing = any(
            group.failures.uptime is not None or group.failures.schedule
            for group in scenario.pool_elements.values()
        )
        return bool(
            failing
            or scenario.attackers
            or scenario.network.outages
            or scenario.security.used
            or scenario.observe_interval
        )

    def _honest_groups(self) -> list[str]:
        scenario = self.scenario
        return [
            scenario.label(role, group)
            for role in ("enrp_servers", "pool_elements", "pool_users")
            for group in getattr(scenario, role)
        ]

    def add_host(
        self,
        group: str,
        number: int,
        settings: HostSettings,
        role: str,
        pools: frozenset[str] | None = None,
    ) -> Host:
        """A new host of a group, equipped as the scenario says, and its counters."""
        label = self.scenario.label(role, group)
        host = self.network.add_host(
            f"{label}-{number + 1}",
            *settings.sites(number),
            access=settings.access,
            # Whatever other groups there are.
            actor=f"{role}.{group}-{number + 1}",
        )
        self.hosts.setdefault(label, []).append(host)
        self.auditor.add(host, role)
        equip_host(host, settings, self.clock, self.streams)
        if self.security.used:
            self._keys.equip(host, settings.credential, pools)
            if self.security.resumption:
                host.tickets = {}
        host.counters = self.recorder.common(role, host.counters)
        host.tls_counters = self.recorder.common(role, host.tls_counters)
        if host.cpu is not None:
            self.recorder.add(role, host.cpu.counters, host.cpu.settle)
        return host

    def on_strike(self, host: Host, down: Callable[[], None], back: Callable[[], None]) -> None:
        """What happens on a host when it goes down, and when it is back."""
        self._struck[host] = (down, back)

    def strike(self, host: Host, up: bool) -> None:
        """A host goes down or comes back, and what runs on it."""
        down, back = self._struck.get(host, (_nothing, _nothing))
        if host.up and not up:
            down()
            host.fail()
        elif up and not host.up:
            host.restore()
            back()

    def profiles(self, *choices: str) -> tuple[Profile, ...]:
        """The TLS profiles of these choices."""
        found = (self.security.profile(choice) for choice in choices)
        return tuple(dict.fromkeys(profile for profile in found if profile is not None))

    def _add_servers(self) -> None:
        """Hosts first, so that each server can be told of the others."""
        security = self.security
        offers = self.profiles(security.pe_enrp, security.pu_enrp)
        groups = []
        for name, group in self.scenario.enrp_servers.items():
            for number in range(group.count):
                host = self.add_host(name, number, group, "enrp_servers")
                ports = ServerHost(
                    host,
                    offers,
                    security.profile(security.pe_enrp),
                    None if group.credential == "none" else security.profile(security.enrp_enrp),
                    self.streams.stream(host.actor, "identifiers"),
                    self.group,
                )
                groups.append((group, ports))
        for group, ports in groups:
            self._add_server(group, ports, tuple(p for _, p in groups if p is not ports))

    def _add_server(
        self, group: ServerGroup, ports: ServerHost, others: tuple[ServerHost, ...]
    ) -> None:
        actor = ports.host.actor
        settings = self.scenario.protocol.enrp_server
        mentors: tuple[Address, ...] = ()
        if group.mentors and others:
            order = self.streams.generator(actor, "mentors").permutation(len(others)).tolist()
            mentors = tuple(others[index].enrp_address for index in order)
        server = EnrpServer(
            self.streams.stream(actor, "identifier").identifier(),
            settings,
            self.clock,
            ports,
            self.streams.draws(actor, "selection"),
            self.streams.stream(actor, "keep-alives"),
            self.dialect,
            authorisations()[self.security.chosen_authorisation](),
            mentors,
            secured=self.security.enrp_enrp != "none",
            choices=self.accountability.authority(ports.host.name),
            statements=self.accountability.store(),
            tribunal=self.accountability.tribunal(),
        )
        self.on_strike(ports.host, server.vanish, partial(ports.start, server))
        self.clock.call_at(group.start, ports.start, server)
        if group.failures.active:
            switch = partial(self._fail_server, group.failures.what, ports, server)
            stream = self.streams.stream(actor, "failures")
            Outage(self.clock, group.failures, stream, switch, group.start)
        self.recorder.add("enrp_servers", server.counters, server.settle)
        self.servers.append((ports, server))

    def _fail_server(self, what: str, ports: ServerHost, server: EnrpServer, up: bool) -> None:
        """A server's process or its host fails or returns."""
        if what == "host":
            self.strike(ports.host, up)
        elif up:
            ports.start(server)
        else:
            ports.stop(server)

    def server_list(self, host: Host, settings: HuntSettings) -> ServerList:
        """The servers that a host is told of, in an order of its own."""
        addresses = self._known_servers
        if len(addresses) > 1:
            order = self.streams.generator(host.actor, "servers").permutation(len(addresses))
            addresses = tuple(addresses[index] for index in order.tolist())
        servers = ServerList(self.clock, settings, addresses)
        self._lists.append(servers)
        return servers

    def connector(
        self,
        host: Host,
        choice: str,
        settings: HostSettings,
        local_port: int | None = None,
        tcp: bool = False,
    ) -> Connector:
        """How a host reaches a server; without a credential it speaks in clear."""
        profile = self.security.profile(choice)
        if settings.credential == "none":
            profile = None
        return Connector(host, profile, local_port, tcp, self.security.downgrade)

    def listen_for_servers(self, host: Host, servers: ServerList) -> Callable[[], None] | None:
        """Has a host hear announcements of servers, where there are any; what does so once more."""
        if self.scenario.discovery != "multicast":
            return None

        def listen() -> None:
            host.listen_datagrams(
                ASAP_PORT, lambda source, data: servers.datagram(source[0], data), self.group
            )

        listen()
        return listen

    def _traffic(self) -> Iterable[tuple[str, float]]:
        traffic = self.network.traffic
        messages, octets = traffic.messages, traffic.octets
        asap = messages[PPID_ASAP]
        cookies = asap[Cookie.type_code] + asap[CookieEcho.type_code]
        yield "asap_messages", sum(asap) - cookies
        yield "asap_bytes", octets[PPID_ASAP]
        yield "enrp_messages", sum(messages[PPID_ENRP])
        yield "enrp_bytes", octets[PPID_ENRP]
        for (protocol, code), kind in MESSAGE_KINDS.items():
            yield kind.lower(), messages[protocol][code]
        yield "messages", sum(map(sum, messages.values()))
        yield "bytes", sum(octets.values())
        yield "packets", self.network.packets
        yield "packets_lost", self.network.packets_lost

    # Running --------------------------------------------------------------------------------------

    @no_collection()
    def run(self) -> Result:
        """Runs the warm-up and the measured time.

        An error that ends the run has a note of the simulated time and the component.
        """
        scenario = self.scenario
        settled = scenario.warm_up == "mser5"
        begin = 0.0 if scenario.warm_up == "mser5" else scenario.warm_up
        end = begin + scenario.duration
        interval = scenario.series_interval or (scenario.duration / _LOOKS if settled else inf)
        looks = {begin, end, *(n * interval for n in range(1, ceil(end / interval)))}
        if scenario.series_interval is not None:
            looks.add(0.0)
        samples = []
        for time in sorted(looks):
            self._run_until(time)
            samples.append(self._sample())
        requests = self.requests.columns()
        if settled:
            begin = _settled(requests, [sample.time for sample in samples])
        before = next(sample for sample in samples if sample.time == begin)
        times = {
            column: requests[column]
            for column in ("generated", "started", "accepted", "completed", "size")
        }
        capacities = [element.settings.capacity for element in self.elements]
        observation = Observation.between(
            before,
            samples[-1],
            requests=times,
            reference=sum(capacities) / len(capacities) if capacities else float("nan"),
            liars=np.array([element.liar is not None for element in self.elements], dtype=bool),
            cheats=requests["cheat"],
        )
        return Result(
            scenario.name,
            self.seed,
            observation,
            requests,
            self._series(),
            tuple(samples) if scenario.series_interval is not None else (),
            (self.clock.fingerprint, self.network.traffic.fingerprint),
            warnings_of(self, observation),
        )

    def _run_until(self, time: float) -> None:
        try:
            self.clock.run_until(time)
        except Exception as error:
            name = component(error.__traceback__)
            where = f" in {name}" if name else ""
            error.add_note(f"at {self.clock.now:.6g} s of simulated time{where}, seed {self.seed}")
            raise

    def _sample(self) -> Sample:
        # The totals first: they bring up to date what integrates.
        totals = self.recorder.totals()
        work = [e.counters.work / e.settings.capacity for e in self.elements]
        return Sample(
            self.clock.now,
            totals,
            np.array(work, dtype=float),
            sum(user.queue_length for user in self.users),
        )

    def _series(self) -> Columns:
        looks = self.observer.looks if self.observer else []
        return {name: np.array([getattr(look, name) for look in looks]) for name in Look._fields}


def _settled(requests: Columns, looks: list[float]) -> float:
    """The first look after the end of the start-up by MSER-5, over handling times as they come."""
    done = np.flatnonzero(requests["completed"] < looks[-1])
    done = done[requests["completed"][done].argsort()]
    completed = requests["completed"][done]
    cut = mser5(completed - requests["generated"][done])
    if cut is None:
        raise ScenarioError(
            f"warm_up: MSER-5 finds no steady state in {looks[-1]:g} s with {len(done)} requests "
            "completed; make duration longer, or give warm_up as a time"
        )
    end = float(completed[cut]) if cut else looks[0]
    return next(look for look in looks if look >= end)


def run(
    scenario: Scenario,
    seed: int | None = None,
    *,
    pcap: str | Path | None = None,
    decrypted: bool = False,
) -> Result:
    """Runs a scenario, with its own seed or another; the same seed gives the same result.

    An RsimWarning tells what in the scenario had no effect, as `Result.warnings` does. Parameters:
    `pcap` a file to which all packets are captured; `decrypted` shows there what protected messages
    say instead of the bytes that travel.
    """
    with no_collection():
        if pcap is None:
            result = Deployment(scenario, seed).run()
        else:
            with CaptureWriter(pcap) as writer:
                result = Deployment(scenario, seed, PacketCapture(writer, decrypted)).run()
    for text in result.warnings:
        warnings.warn(text, RsimWarning, stacklevel=2)
    return result
