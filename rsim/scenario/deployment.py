"""Deployments: the hosts and actors of a scenario on a clock, and the run."""

from __future__ import annotations

import warnings
from functools import partial
from numbers import Integral
from pathlib import Path
from typing import Any

from rsim.attackers import Attacker
from rsim.errors import RsimWarning, ScenarioError, shown
from rsim.network import PacketCapture
from rsim.randomness import Streams
from rsim.results import Result
from rsim.results.registry import check_needs, metrics_of
from rsim.scenario.attacker_builder import AttackerBuilder
from rsim.scenario.auditor import audits
from rsim.scenario.collection import no_collection
from rsim.scenario.counters import known_counters
from rsim.scenario.discovery import Discovery
from rsim.scenario.element_builder import ElementBuilder
from rsim.scenario.fields import HONEST
from rsim.scenario.measurement import Measurement
from rsim.scenario.model import Scenario
from rsim.scenario.observer import Observer
from rsim.scenario.outages import add_outage
from rsim.scenario.server_builder import PlacedServer, add_servers
from rsim.scenario.traffic import traffic_totals
from rsim.scenario.user_builder import UserBuilder
from rsim.scenario.world import World
from rsim.wire.capture import CaptureWriter
from rsim.workload import CalcAppClient, CalcAppServer

_SEEDS = 2**64
"""Seeds that there are: a scenario's own and those of its replications."""


class Deployment:
    """All actors of a scenario in a world, ready to run.

    Parameters: `scenario`; `seed` of all random draws, from 0, None: the scenario's own; `capture`
    takes all packets, None: nothing does; `streams` to draw from, None: those of the seed. Raises
    ScenarioError if `scenario` or `seed` is none.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int | None = None,
        capture: PacketCapture | None = None,
        streams: Streams | None = None,
    ) -> None:
        _check(scenario, seed)
        self.scenario = scenario
        self.seed = scenario.seed if seed is None else int(seed)
        check_needs(metrics_of(tuple(file.digest for file in scenario.code)), known_counters)
        self.world = World(scenario, self.seed, capture, streams)
        self.servers: list[PlacedServer] = add_servers(
            self.world, scenario.enrp_servers, scenario.protocol.enrp_server
        )
        self.elements: list[CalcAppServer] = []
        self.users: list[CalcAppClient] = []
        self.attackers: list[Attacker] = []  # type: ignore[type-arg]
        discovery = Discovery(
            self.world,
            tuple(host.asap_address for host, _ in self.servers),
            multicast=scenario.discovery == "multicast",
        )
        self._add_elements(discovery)
        self._add_users(discovery)
        self._add_attackers(discovery)
        self.observer = self._add_observer(discovery)
        if capture is not None:
            capture.names(self.world.network.names())
        self._add_rekeying()
        self._add_totals()
        for number, outage in enumerate(scenario.network.outages):
            add_outage(self.world, number, outage, scenario.network.sites)
        self._measurement = Measurement(
            scenario,
            self.seed,
            self.world,
            elements=self.elements,
            users=self.users,
            servers=[server for _, server in self.servers],
            attackers=self.attackers,
            observer=self.observer,
        )

    # Building -------------------------------------------------------------------------------------

    def _policies(self) -> dict[str, str]:
        return {name: pool.policy for name, pool in self.scenario.pools.items()}

    def _add_elements(self, discovery: Discovery) -> None:
        protocol = self.scenario.protocol
        builder = ElementBuilder(
            self.world,
            discovery,
            settings=protocol.pool_element,
            user_settings=protocol.pool_user,
            policies=self._policies(),
        )
        for name, group in self.scenario.pool_elements.items():
            self.elements += builder.add(name, group)
        self.services = builder.services

    def _add_users(self, discovery: Discovery) -> None:
        builder = UserBuilder(
            self.world,
            discovery,
            settings=self.scenario.protocol.pool_user,
            on_chosen=self.world.auditor.count_selection if audits(self.scenario) else None,
        )
        for name, group in self.scenario.pool_users.items():
            self.users += builder.add(name, group)
        self.workloads = builder.workloads

    def _add_attackers(self, discovery: Discovery) -> None:
        builder = AttackerBuilder(
            self.world,
            discovery,
            servers=[host for host, _ in self.servers],
            elements=self.elements,
            settings=self.scenario.protocol.enrp_server,
            policies=self._policies(),
        )
        for name, group in self.scenario.attackers.items():
            self.attackers += builder.add(name, group)

    def _add_observer(self, discovery: Discovery) -> Observer | None:
        interval = self.scenario.observe_interval
        if interval is None:
            return None
        observer = Observer(
            self.world.clock,
            [server for _, server in self.servers],
            interval,
            auditor=self.world.auditor,
            lists=discovery.lists,
            stream=self.world.streams.stream("observer", "looks"),
        )
        self.world.recorder.add("observer", observer.counters, observer.settle)
        return observer

    def _add_rekeying(self) -> None:
        """Has honest hosts get new keys when the scenario says so."""
        time = self.scenario.security.rekey
        if time is None:
            return
        labels = [
            self.scenario.label(role, group)
            for role in HONEST
            for group in getattr(self.scenario, role)
        ]
        hosts = [host for label in labels for host in self.world.hosts.get(label, [])]
        self.world.clock.call_at(time, self.world.keys.rekey, hosts)

    def _add_totals(self) -> None:
        world, security = self.world, self.scenario.security
        world.recorder.add_totals("network", partial(traffic_totals, world.network))
        if security.statements or security.proof_of_choice:
            servers = [server for _, server in self.servers]
            world.recorder.add_totals(
                "penalties",
                partial(world.accountability.verdicts, servers, self.elements, self.users),
            )

    # Running --------------------------------------------------------------------------------------

    @property
    def end(self) -> float:
        """Simulated time in s at which the run ends."""
        return self._measurement.end

    @no_collection()
    def run_until(self, time: float) -> None:
        """Runs to `time` in s, before what is due at that very time.

        An error that ends the run has a note of the simulated time and the component.
        """
        self._measurement.run_until(time)

    @no_collection()
    def run(self) -> Result:
        """Runs what is left of the warm-up and the measured time, and gives the result.

        Raises ScenarioError where MSER-5 is to find the end of the warm-up, and finds none.
        """
        self.run_until(self.end)
        return self._measurement.result()


def _check(scenario: Any, seed: Any) -> None:
    if not isinstance(scenario, Scenario):
        raise ScenarioError(
            f"{shown(scenario)} is not a scenario; make one with rsim.load(file) or "
            "rsim.scenario({...})"
        )
    whole = isinstance(seed, Integral) and not isinstance(seed, bool)
    if seed is not None and not (whole and 0 <= seed < _SEEDS):
        raise ScenarioError(f"seed: {shown(seed)}: must be a whole number from 0 to 2^64 - 1")


def run(
    scenario: Scenario,
    seed: int | None = None,
    *,
    pcap: str | Path | None = None,
    decrypted: bool = False,
) -> Result:
    """Runs a scenario, with its own seed or another; the same seed gives the same result.

    An RsimWarning tells what in the scenario had no effect, as `Result.warnings` does. Parameters:
    `scenario` what to run; `seed` from 0, None: the scenario's own; `pcap` a file to which all
    packets are captured, None: none; `decrypted` shows there what protected messages say instead of
    the octets that travel. Raises ScenarioError where the scenario can't be measured, and
    CaptureError where the file can't be written.

    >>> import rsim
    >>> scenario = rsim.load("scenario.toml")
    >>> rsim.run(scenario, 7).digest == rsim.run(scenario, 7).digest
    True
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
