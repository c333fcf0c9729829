"""Deployments: the hosts and actors of a scenario on a clock, and the run."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from dataclasses import fields
from functools import partial
from pathlib import Path

import pandas as pd

from rsim.attackers import Attacker, Surroundings, attacker_kinds
from rsim.clock import Clock
from rsim.endpoints import EnrpServer, PoolElementEndpoint, PoolUserEndpoint
from rsim.handlespace import Draws
from rsim.network import Association, Host, Network, Receiver, captured_by
from rsim.randomness import Streams
from rsim.results import Observation, Recorder, Result
from rsim.scenario.model import ElementGroup, Scenario, UserGroup
from rsim.wire import ASAP_PORT, PPID_ASAP, Cookie, CookieEcho, Dialect
from rsim.wire.capture import CaptureWriter
from rsim.workload import CalcAppClient, CalcAppServer, Lifecycle, Request


def _receiver(receiver: Receiver, association: Association) -> Receiver:
    return receiver


class Deployment:
    """All actors of a scenario, ready to run.

    Parameters: `scenario`; `seed` instead of the scenario's own; `capture` takes all messages.
    """

    def __init__(
        self, scenario: Scenario, seed: int | None = None, capture: CaptureWriter | None = None
    ) -> None:
        self.scenario = scenario
        self.seed = scenario.seed if seed is None else seed
        self.clock = Clock()
        self.streams = Streams(self.seed)
        self.recorder = Recorder()
        self.requests: list[Request] = []
        self.dialect = Dialect.RFC
        paths = {path.sites: path.delay for path in scenario.network.paths}
        association = captured_by(capture) if capture else Association
        self.network = Network(self.clock, scenario.network.delay, paths, association)
        self.servers: list[tuple[Host, EnrpServer]] = []
        self.elements: list[CalcAppServer] = []
        self.users: list[CalcAppClient] = []
        self.attackers: list[Attacker] = []  # type: ignore[type-arg]
        self._add_servers()
        for name, elements in scenario.pool_elements.items():
            capacities = elements.heterogeneity.capacities(elements.capacity, elements.count)
            for number, capacity in enumerate(capacities):
                one = elements.model_copy(update={"capacity": capacity})
                self._add_element(f"{name}-{number + 1}", one)
        for name, users in scenario.pool_users.items():
            for number in range(users.count):
                self._add_user(f"{name}-{number + 1}", users)
        for name in scenario.attackers:
            self._add_attackers(name)
        self.recorder.add_totals("network", self._traffic)

    # Building -------------------------------------------------------------------------------------

    def _add_servers(self) -> None:
        for name, group in self.scenario.enrp_servers.items():
            for number in range(group.count):
                actor = f"{name}-{number + 1}"
                host = self.network.add_host(actor, group.site)
                server = EnrpServer(
                    self.streams.stream(actor, "identifier").identifier(),
                    self.scenario.protocol.enrp_server,
                    self.clock,
                    Draws(self.streams.generator(actor, "selection")),
                    self.streams.stream(actor, "keep-alives"),
                    self.dialect,
                )
                host.listen(ASAP_PORT, partial(_receiver, server))
                self.clock.call_at(group.start, server.start)
                self.recorder.add("enrp_servers", server.counters, server.settle)
                self.servers.append((host, server))

    def _connect(self, host: Host, receiver: Receiver) -> Association:
        return host.connect(self.servers[0][0].address, ASAP_PORT, receiver)

    def _add_element(self, actor: str, group: ElementGroup) -> None:
        host = self.network.add_host(actor, group.site)
        endpoint = PoolElementEndpoint(
            group.pool.encode(),
            group.registration_life,
            self.scenario.protocol.pool_element,
            self.clock,
            partial(self._connect, host),
            self.dialect,
        )
        application = CalcAppServer(
            self.clock,
            host,
            self.scenario.pools[group.pool].policy,
            group,
            self.streams.stream(actor, "identifiers"),
            endpoint,
        )
        failures = self.streams.stream(actor, "failures")
        lifecycle = Lifecycle(self.clock, application, group.failures, failures)
        self.clock.call_at(group.start, lifecycle.start)
        self.recorder.add("pool_elements", application.counters, application.settle)
        self.recorder.add("pool_elements", lifecycle.counters)
        self.recorder.add("pool_elements", endpoint.counters)
        self.elements.append(application)

    def _add_user(self, actor: str, group: UserGroup) -> None:
        host = self.network.add_host(actor, group.site)
        endpoint = PoolUserEndpoint(
            self.scenario.protocol.pool_user,
            self.clock,
            partial(self._connect, host),
            Draws(self.streams.generator(actor, "selection")),
            self.dialect,
        )
        application = CalcAppClient(
            self.clock,
            host,
            group.pool.encode(),
            group,
            endpoint,
            self.streams.stream(actor, "sizes"),
            self.streams.stream(actor, "intervals"),
            self.streams.stream(actor, "pauses"),
            self.requests,
        )
        self.clock.call_at(group.start, application.start)
        self.recorder.add("pool_users", application.counters)
        self.recorder.add("pool_users", endpoint.counters)
        self.users.append(application)

    def _add_attackers(self, name: str) -> None:
        group = self.scenario.attackers[name]
        for number in range(group.count):
            actor = f"{name}-{number + 1}"
            host = self.network.add_host(actor, group.site)
            surroundings = Surroundings(
                actor,
                host,
                self.clock,
                self.streams,
                group.pool.encode(),
                self.scenario.pools[group.pool].policy,
                partial(self._connect, host),
                self.dialect,
            )
            attacker = attacker_kinds()[group.kind](group, surroundings)
            self.clock.call_at(group.start, attacker.start)
            if group.stop is not None:
                self.clock.call_at(group.stop, attacker.stop)
            self.recorder.add("attackers", attacker.counters)
            self.attackers.append(attacker)

    def _traffic(self) -> Iterable[tuple[str, float]]:
        traffic = self.network.traffic
        messages = traffic.messages[PPID_ASAP]
        cookies = messages[Cookie.type_code] + messages[CookieEcho.type_code]
        yield "asap_messages", sum(messages) - cookies
        yield "asap_bytes", traffic.bytes[PPID_ASAP]
        yield "messages", sum(map(sum, traffic.messages.values()))
        yield "bytes", sum(traffic.bytes.values())

    # Running --------------------------------------------------------------------------------------

    def run(self) -> Result:
        """Runs the warm-up and the measured time."""
        scenario = self.scenario
        begin = scenario.warm_up
        end = begin + scenario.duration
        self.clock.run_until(begin)
        before = self.recorder.totals()
        self.clock.run_until(end)
        after = self.recorder.totals()
        requests = self._request_frame()
        times = {
            column: requests[column].to_numpy()
            for column in ("generated", "started", "accepted", "completed")
        }
        capacities = [element.settings.capacity for element in self.elements]
        observation = Observation(
            begin,
            end,
            {name: value - before.get(name, 0) for name, value in after.items()},
            times,
            sum(capacities) / len(capacities) if capacities else float("nan"),
            sum(user.queue_length for user in self.users),
        )
        return Result(scenario.name, self.seed, observation, requests)

    def _request_frame(self) -> pd.DataFrame:
        columns = [field.name for field in fields(Request)]
        rows = [tuple(getattr(request, column) for column in columns) for request in self.requests]
        return pd.DataFrame(rows, columns=columns)


def run(scenario: Scenario, seed: int | None = None, *, pcap: str | Path | None = None) -> Result:
    """Runs a scenario, with its own seed or another; the same seed gives the same result.

    Parameters: `pcap` a file to which all messages are captured.
    """
    # The actors of a run refer to each other; collecting them between runs instead of within one
    # is faster and keeps memory flat.
    enabled = gc.isenabled()
    gc.disable()
    try:
        if pcap is None:
            return Deployment(scenario, seed).run()
        with CaptureWriter(pcap) as capture:
            return Deployment(scenario, seed, capture).run()
    finally:
        if enabled:
            gc.enable()
        gc.collect()
