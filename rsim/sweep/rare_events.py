"""Probabilities of rare events by splitting, with fewer runs than plain simulation needs.

Each run that comes closest to the event begins a chain: of each next run some random streams, drawn
by lot, are drawn anew, and what falls back is undone. The shares of runs that reach each level
multiply to the probability. Source: Botev and Kroese, Statistics and Computing 22, 2012
(generalised splitting).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import Any

import numpy as np

from rsim.errors import ScenarioError
from rsim.results import METRICS, Interval, mean_interval
from rsim.results.registry import check_name
from rsim.scenario import Deployment, Scenario
from rsim.suggestions import listed
from rsim.sweep.varied_streams import Move, Name, VariedStreams
from rsim.sweep.workers import workers

_KEPT = 0.2
"""Share of the runs that the pilot's levels keep."""
_STAYS = (0.0, 0.6, 0.9, 0.97)
"""How much of its random numbers a move leaves."""
_SEEDS = 2**63


@dataclass(frozen=True)
class RareEvent:
    """What splitting has found.

    Parameters: `probability` that a run comes to the event; `means` of metrics that are 0 in all
    other runs; `levels` of the metric, the event's last; `runs` that were done; `plain_runs` that
    plain simulation needs for the same standard error.
    """

    probability: Interval
    means: dict[str, Interval]
    levels: tuple[float, ...]
    runs: int
    plain_runs: float


@dataclass
class _Particle:
    """A run: its seed, how its streams are moved, how bad it is, and its metrics."""

    seed: int
    moves: dict[Name, tuple[Move, ...]] = field(default_factory=dict)
    badness: float = -inf
    metrics: dict[str, float] = field(default_factory=dict)


class _Population:
    """Runs of a scenario, and the moves that leave their distribution as it is.

    Parameters: `scenario` and `metric`; `sign` 1 where high values are bad, else -1; `means` names
    of further metrics; `seed` words of the seed; `purposes` of the streams that are moved, None:
    all.
    """

    def __init__(
        self,
        scenario: Scenario,
        metric: str,
        *,
        sign: int,
        means: Sequence[str],
        seed: Sequence[int],
        purposes: Sequence[str] | None,
    ) -> None:
        self.runs = 0
        self._names: list[Name] = []
        self._scenario = scenario
        self._metric = metric
        self._sign = sign
        self._means = means
        self._purposes = purposes
        self._random = np.random.default_rng(seed)

    def begin(self, number: int) -> list[_Particle]:
        """Independent runs. Raises ScenarioError if they draw from none of the streams.

        The streams that they draw from are moved later. Which ones these are must not depend on
        the moves, or estimates would be biased.
        """
        made: dict[Name, None] = {}
        begun = [self._run(_Particle(self._seed()), made) for _ in range(number)]
        wanted = self._purposes
        self._names = [name for name in made if wanted is None or set(name[1:]) & set(wanted)]
        if not self._names:
            there = {purpose: None for name in made for purpose in name[1:]}
            raise ScenarioError(
                f"streams: no stream has the purpose {listed(wanted or ['any'])}; there are "
                f"{listed(there)}"
            )
        return begun

    def climb(
        self, those: list[_Particle], level: float, number: int, moves: int
    ) -> list[_Particle]:
        """As many runs again: each that has reached a level begins a chain of others.

        From one run of a chain to the next there are some moves. The chains are as long as one
        another as far as it goes: chance in their lengths adds nothing but noise.
        """
        order = self._random.permutation(len(those))
        lengths = np.bincount(np.arange(number) % len(those), minlength=len(those))
        found = []
        for place, length in zip(order, lengths, strict=True):
            one = those[int(place)]
            for _ in range(length):
                for _ in range(moves):
                    one = self._moved(one, level)
                found.append(one)
        return found

    def _seed(self) -> int:
        return int(self._random.integers(_SEEDS))

    def _moved(self, one: _Particle, level: float) -> _Particle:
        names = self._names
        # One stream in half of the moves, any number of them in the others.
        one_alone = self._random.random() < 0.5
        number = 1 if one_alone else int(self._random.integers(len(names))) + 1
        stays = float(self._random.choice(_STAYS))
        drawn = self._random.choice(len(names), size=number, replace=False)
        moves = dict(one.moves)
        for name in (names[int(n)] for n in drawn):
            moves[name] = (*moves.get(name, ()), (stays, self._seed()))
        moved = self._run(_Particle(one.seed, moves))
        return moved if moved.badness >= level else one

    def _run(self, one: _Particle, made: dict[Name, None] | None = None) -> _Particle:
        """Runs it; the streams that draw are added to `made`."""
        streams = VariedStreams(one.seed, one.moves)
        metrics = Deployment(self._scenario, one.seed, streams=streams).run().metrics
        self.runs += 1
        if made is not None:
            made |= streams.made
        value = metrics[self._metric]
        one.badness = self._sign * value if value == value else -inf
        one.metrics = {name: metrics[name] for name in self._means}
        return one


def rare_event(
    scenario: Scenario,
    metric: str,
    threshold: float,
    *,
    means: Iterable[str] = (),
    levels: Sequence[float] | None = None,
    streams: Sequence[str] | None = None,
    particles: int = 400,
    moves: int = 2,
    repetitions: int = 12,
    seed: int = 1,
    jobs: int | None = None,
) -> RareEvent:
    """The probability that a metric of a run is as bad as a threshold, or worse.

    Each repetition gives an estimate without bias; the intervals come from them. A run in which the
    metric is undefined has not come to the event.

    Parameters: `scenario` to run; `metric` name, which says what values are better; `threshold` of
    it; `means` metrics that are 0 wherever the event does not come, such as "unavailable_pct";
    `levels` on the way, None: a pilot finds some; `streams` purposes of the random streams that the
    event depends on, such as "failures", None: all; `particles` runs at each level, from 10;
    `moves` from one of them to the next, from 1; `repetitions` from 2; `seed` of all draws; `jobs`
    processes, all cores if None. Raises ScenarioError if a metric does not say what is better, or a
    level leads away from the event.

    >>> import rsim
    >>> from rsim.sweep import rare_event
    >>> scenario = rsim.load("scenario.toml")
    >>> rare_event(scenario, "least_running", 0, particles=10, repetitions=2).probability.mean
    1.0
    """
    chosen = tuple(dict.fromkeys(means))
    sign = _checked(metric, chosen, particles=particles, moves=moves, repetitions=repetitions)
    pilot = _Population(scenario, metric, sign=sign, means=(), seed=(seed, 0), purposes=streams)
    found = _pilot(pilot, sign * threshold, particles, moves)
    plan = _Plan(
        scenario,
        metric,
        sign=sign,
        means=chosen,
        levels=found if levels is None else _steps(levels, threshold, sign),
        streams=streams,
        particles=particles,
        moves=moves,
        seed=seed,
    )
    outcomes = _estimates(plan, repetitions, jobs)
    probability = mean_interval([one["p"] for one in outcomes], kind="time", low=0.0, high=1.0)
    return RareEvent(
        probability=probability,
        means={
            name: mean_interval([one[name] for one in outcomes], kind="time", low=0.0)
            for name in chosen
        },
        levels=tuple(sign * step for step in plan.levels),
        runs=pilot.runs + sum(int(one["runs"]) for one in outcomes),
        plain_runs=_plain_runs([one["p"] for one in outcomes]),
    )


def _plain_runs(estimates: list[float]) -> float:
    """How many runs have the standard error of the mean of some estimates of a probability."""
    p = float(np.mean(estimates))
    variance = float(np.var(estimates, ddof=1)) / len(estimates)
    return p * (1 - p) / variance if variance else inf


def _checked(
    metric: str, means: tuple[str, ...], *, particles: int, moves: int, repetitions: int
) -> int:
    """1 where high values of the metric are bad, else -1."""
    for name in (metric, *means):
        check_name(name)
    better = METRICS[metric].better
    if not better:
        raise ScenarioError(f"{metric}: does not say which values are better")
    if min(particles - 10, moves - 1, repetitions - 2) < 0:
        raise ScenarioError(
            f"particles, moves, repetitions: are {particles}, {moves}, {repetitions}, must be at "
            "least 10, 1, 2"
        )
    return 1 if better == "lower" else -1


def _steps(levels: Sequence[float], threshold: float, sign: int) -> tuple[float, ...]:
    steps = tuple(sign * level for level in (*levels, threshold))
    if any(b <= a for a, b in pairwise(steps)):
        raise ScenarioError(f"levels: {list(levels)} do not lead to {threshold:g} step by step")
    return steps


def _pilot(population: _Population, goal: float, particles: int, moves: int) -> tuple[float, ...]:
    """Levels that a fifth of the runs reach from each to the next, up to the goal."""
    levels: list[float] = []
    those = population.begin(particles)
    while True:
        found = sorted(one.badness for one in those)
        level = found[int((1 - _KEPT) * particles)]
        if level == found[0]:
            beyond = [badness for badness in found if badness > level]
            level = beyond[0] if beyond else goal
        if level >= goal or (levels and level <= levels[-1]):
            return (*levels, goal)
        levels.append(level)
        reached = [one for one in those if one.badness >= level]
        those = population.climb(reached, level, particles, moves)


@dataclass(frozen=True)
class _Plan:
    """What each repetition does; see `rare_event`."""

    scenario: Scenario
    metric: str
    sign: int
    means: tuple[str, ...]
    levels: tuple[float, ...]
    streams: Sequence[str] | None
    particles: int
    moves: int
    seed: int


def _estimates(plan: _Plan, repetitions: int, jobs: int | None) -> list[Mapping[str, Any]]:
    numbers = range(1, repetitions + 1)
    with workers(jobs, repetitions) as processes:
        if processes.executor is None:
            return [_repetition(plan, number) for number in numbers]
        futures = [processes.executor.submit(_repetition, plan, number) for number in numbers]
        return [future.result() for future in futures]


def _repetition(plan: _Plan, number: int) -> Mapping[str, Any]:
    """One estimate: its probability `p`, its `runs`, and the means by name."""
    population = _Population(
        plan.scenario,
        plan.metric,
        sign=plan.sign,
        means=plan.means,
        seed=(plan.seed, number),
        purposes=plan.streams,
    )
    those, p = population.begin(plan.particles), 1.0
    for place, level in enumerate(plan.levels):
        if place:
            those = population.climb(those, plan.levels[place - 1], plan.particles, plan.moves)
        those = [one for one in those if one.badness >= level]
        p *= len(those) / plan.particles
        if not those:
            break
    values = {name: [one.metrics[name] for one in those] for name in plan.means}
    sums = {name: p * float(np.mean(each)) if each else 0.0 for name, each in values.items()}
    return {"p": p, "runs": population.runs, **sums}
