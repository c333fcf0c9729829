"""The measurement of a run: warm-up, samples on the way, and the result of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from math import ceil, inf

import numpy as np

from rsim.attackers import Attacker
from rsim.endpoints import EnrpServer
from rsim.endpoints.waits import Waits
from rsim.errors import ScenarioError
from rsim.results import Observation, Result, Sample, mser5
from rsim.results.observation import Column, Columns
from rsim.results.survival import Spans
from rsim.scenario.counters import known_counters
from rsim.scenario.fault import component
from rsim.scenario.model import Scenario
from rsim.scenario.observer import Look, Observer
from rsim.scenario.offered import expected_work
from rsim.scenario.relaxation import last_start
from rsim.scenario.result_warnings import warnings_of
from rsim.scenario.world import World
from rsim.workload import CalcAppClient, CalcAppServer

_SAMPLES = 200
"""Possible starts of measurement for MSER-5: it is found to half a percent of the run."""


class Measurement:
    """Runs the clock of a world, takes samples when they are due, and makes the result.

    Parameters: `scenario` says when; `seed` for messages; `world` what runs; `elements`, `users`,
    `servers` and `attackers` in it; `observer` compares handlespaces, None: nobody does.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        world: World,
        *,
        elements: Sequence[CalcAppServer],
        users: Sequence[CalcAppClient],
        servers: Sequence[EnrpServer],
        attackers: Sequence[Attacker],  # type: ignore[type-arg]
        observer: Observer | None,
    ) -> None:
        self._scenario = scenario
        self._seed = seed
        self._world = world
        self._elements = elements
        self._users = users
        self._servers = servers
        self._attackers = attackers
        self._observer = observer
        self._settles = scenario.warm_up == "mser5"
        self._begin = scenario.warm_up if isinstance(scenario.warm_up, float) else 0.0
        self.end = self._begin + scenario.duration
        """Simulated time in s at which the run ends."""
        self._samples: list[Sample] = []
        self._due = sorted(self._sample_times(), reverse=True)

    def _sample_times(self) -> set[float]:
        scenario, end = self._scenario, self.end
        found = scenario.duration / _SAMPLES if self._settles else inf
        interval = scenario.series_interval or found
        times = {self._begin, end, *(n * interval for n in range(1, ceil(end / interval)))}
        return times if scenario.series_interval is None else times | {0.0}

    def run_until(self, time: float) -> None:
        """Runs to `time` in s, before what is due at that very time.

        An error that ends the run has a note of the simulated time and the component.
        """
        try:
            while self._due and self._due[-1] <= time:
                self._world.clock.run_until(self._due[-1])
                self._samples.append(self._sample())
                self._due.pop()
            self._world.clock.run_until(time)
        except Exception as error:
            name = component(error.__traceback__)
            where = f" in {name}" if name else ""
            now = self._world.clock.now
            error.add_note(f"at {now:.6g} s of simulated time{where}, seed {self._seed}")
            raise

    def _sample(self) -> Sample:
        # The totals first: they bring up to date what integrates.
        totals = self._world.recorder.totals()
        work = [e.counters.work / e.settings.capacity for e in self._elements]
        return Sample(
            self._world.clock.now,
            totals,
            np.array(work, dtype=float),
            sum(user.queue_length for user in self._users),
        )

    def result(self) -> Result:
        """Makes the result of a run that has come to its end.

        Raises ScenarioError where MSER-5 is to find the end of the warm-up, and finds none.
        """
        requests = self._world.requests.columns()
        observation = self._observation(requests)
        series = self._scenario.series_interval is not None
        looks = self._observer.looks if self._observer else []
        return Result(
            name=self._scenario.name,
            seed=self._seed,
            observation=observation,
            request_columns=requests,
            code=tuple(file.digest for file in self._scenario.code),
            series_columns={
                name: np.array([getattr(look, name) for look in looks]) for name in Look._fields
            },
            samples=tuple(self._samples) if series else (),
            fingerprints=(self._world.clock.fingerprint, self._world.network.traffic.fingerprint),
            warnings=warnings_of(
                self._scenario,
                observation,
                attackers=self._attackers,
                totals=self._samples[-1].totals,
            ),
        )

    def _waits(self, begin: float) -> dict[str, Spans]:
        elements = [one.endpoint.waits for each in self._elements for one in each.memberships]
        servers = [server.takeovers.waits for server in self._servers]
        return {
            "registration": _spans(elements, begin, self.end),
            "takeover": _spans(servers, begin, self.end),
        }

    def _downs(self, begin: float) -> Column:
        rows = [
            (begun, over, number)
            for number, one in enumerate(self._elements)
            for begun, over, _ in one.downs.until(self.end)
        ]
        found = np.array(rows, dtype=float).reshape(-1, 3)
        found[:, :2] = np.clip(found[:, :2], begin, self.end)
        lasting: Column = found[found[:, 1] > found[:, 0]]
        return lasting

    def _observation(self, requests: Columns) -> Observation:
        begin = self._begin
        if self._settles:
            times = [sample.time for sample in self._samples]
            begin = _settled(requests, times, since=last_start(self._scenario))
        columns = {
            column: requests[column]
            for column in ("generated", "started", "accepted", "completed", "size")
        }
        capacities = [element.settings.capacity for element in self._elements]
        groups = {id(group): name for name, group in self._scenario.pool_users.items()}
        names = {user.host.name: groups[id(user.settings)] for user in self._users}
        return Observation.between(
            next(sample for sample in self._samples if sample.time == begin),
            self._samples[-1],
            requests=columns,
            reference=sum(capacities) / len(capacities) if capacities else float("nan"),
            fastest=max(capacities, default=float("nan")),
            liars=np.array([element.liar is not None for element in self._elements], dtype=bool),
            cheats=requests["cheat"],
            known=known_counters,
            waits=self._waits(begin),
            downs=self._downs(begin),
            expected_work=partial(expected_work, self._scenario, names, requests),
        )


def _spans(waits: Iterable[Waits], begin: float, end: float) -> Spans:
    """What is seen of waits from `begin` to `end` in s."""
    every = [span for one in waits for span in one.until(inf)]
    columns = np.array(every, dtype=float).reshape(-1, 3)
    begun, over, happened = columns[:, 0], columns[:, 1], columns[:, 2] == 1
    return Spans.seen(begun, over, happened, begin=begin, end=end)


def _settled(requests: Columns, samples: list[float], since: float) -> float:
    """The first sample after the end of the start-up by MSER-5, over handling times as they come.

    Parameters: `samples` their times in s; `since` time in s from which on all groups are there.
    """
    done = np.flatnonzero((requests["completed"] < samples[-1]) & (requests["generated"] >= since))
    done = done[requests["completed"][done].argsort()]
    completed = requests["completed"][done]
    cut = mser5(completed - requests["generated"][done])
    if cut is None:
        raise ScenarioError(
            f"warm_up: MSER-5 finds no steady state from {since:g} s, when the last group starts, "
            f"to {samples[-1]:g} s with {len(done)} requests completed; make duration longer, or "
            "give warm_up as a time"
        )
    end = float(completed[cut]) if cut else since
    return next(sample for sample in samples if sample >= end)
