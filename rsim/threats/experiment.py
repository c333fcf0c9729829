"""Running threats: four arms on common seeds, breaking points, recovery."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, as_completed
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np

from rsim.errors import ResultError, RsimWarning, ScenarioError
from rsim.results import METRICS, Result
from rsim.results.breaking import BreakingPoint, search_breaking_point
from rsim.scenario import run
from rsim.sweep.workers import workers
from rsim.threats.catalogue import ARMS, Threat
from rsim.threats.outcome import SERVICE, Outcome

_SHARES = (0.9, 0.5)
"""Shares of its baseline below which the service is broken: it suffers, and it is half gone."""
_NARROW = 1.25
"""Upper end / lower end of a breaking point's interval at which the search ends."""
_FIRST_STRENGTHS = 5
_FURTHER_STRENGTHS = 4
"""Strengths that the search adds for each share, at most."""
_RECOVERY_STEP = 10.0
"""Time in s between two looks at the service after the attack."""

Progress = Callable[[int, int], None]
"""Jobs finished, jobs in all."""
Keep = Callable[[Any], None]
Job = tuple[Callable[..., Any], tuple[Any, ...], Keep]
"""A function, its arguments, and what takes its result."""


@dataclass(frozen=True)
class Effort:
    """How much a run of the catalogue takes.

    Parameters: `seeds` for each arm; `duration` measured time in s, None: the threat's own;
    `curve` whether all strengths are run; `search` whether breaking points and recovery are.
    """

    seeds: int = 12
    duration: float | None = None
    curve: bool = True
    search: bool = True

    @property
    def changes(self) -> dict[str, Any]:
        """Settings that it changes."""
        return {} if self.duration is None else {"duration": self.duration}


FULL = Effort()
QUICK = Effort(seeds=4, duration=300.0, search=False)


# Jobs, each in one process ------------------------------------------------------------------------


def _metrics(threat: Threat, arm: str, changes: dict[str, Any], seed: int) -> dict[str, float]:
    return _result(threat, arm, changes, seed).metrics


def _result(threat: Threat, arm: str, changes: dict[str, Any], seed: int) -> Result:
    with warnings.catch_warnings():
        # In some arms the mitigation leaves the attacker nothing to do.
        warnings.simplefilter("ignore", RsimWarning)
        return run(threat.scenario(arm, changes), seed)


def _strength(threat: Threat, value: float) -> dict[str, Any]:
    assert threat.strength is not None
    return {threat.strength.path: threat.strength.setting(value)}


def _breaking(threat: Threat, changes: dict[str, Any], seeds: int) -> dict[str, BreakingPoint]:
    """Strengths at which the service gets worse than shares of the baseline, on common seeds."""
    assert threat.breaking is not None
    search, metric = threat.breaking, threat.breaking.metric
    better = METRICS[metric].better or "higher"
    worst = METRICS[metric].bounds[0 if better == "higher" else 1]

    def service(arm: str, settings: dict[str, Any]) -> list[float]:
        return [_metrics(threat, arm, {**changes, **settings}, s + 1)[metric] for s in range(seeds)]

    baseline = np.array(service("baseline", {}))
    seen: dict[float, Sequence[float]] = {}
    found = {}
    for number, share in enumerate(_SHARES, start=1):
        found[f"{share * 100:.0f}"] = search_breaking_point(
            lambda value: service("attack", _strength(threat, value)),
            (share * baseline if better == "higher" else baseline / share).tolist(),
            low=search.low,
            high=search.high,
            better=better,
            worst=worst,
            narrow=_NARROW,
            # Strengths of one search serve the next.
            most=_FIRST_STRENGTHS + number * _FURTHER_STRENGTHS,
            seen=seen,
        )
    return found


def _recovery(threat: Threat, changes: dict[str, Any], seed: int) -> tuple[float, float]:
    """Time in s from the attack's end until service and handlespace are as without it.

    The other number is the time for which this was looked for.

    Service: at least 90% of the requests of the baseline's mean complete in the minute that
    begins; handlespace: genuine entries 90% of the baseline's, false ones at most a tenth of them.
    """
    base = _result(threat, "baseline", changes, seed)
    duration = base.observation.duration
    stop = base.observation.begin + duration / 3
    halted = {f"attackers.{name}.stop": stop for name in threat.table("attack")["attackers"]}
    attacked = _result(threat, "attack", {**changes, **halted}, seed)
    normal = _completions(base, base.observation.begin, base.observation.end)
    genuine = base.series["genuine"].iloc[-20:].mean()
    time, horizon = stop, max(attacked.observation.end - 60.0 - stop, 0.0)
    while time + 60.0 <= attacked.observation.end:
        served = _completions(attacked, time, time + 60.0)
        looks = attacked.series[attacked.series["time"] >= time]
        first = looks.iloc[0] if len(looks) else None
        listed = first is None or (
            first["genuine"] >= 0.9 * genuine and first["false"] <= max(0.1 * genuine, 0.5)
        )
        if listed and served >= 0.9 * normal:
            return time - stop, horizon
        time += _RECOVERY_STEP
    return float("inf"), horizon


def _completions(result: Result, begin: float, end: float) -> float:
    """Requests completed per s."""
    times = result.requests["completed"]
    return float(((times >= begin) & (times < end)).sum()) / (end - begin)


# Running ------------------------------------------------------------------------------------------


def run_threats(
    chosen: Iterable[Threat],
    effort: Effort = FULL,
    *,
    jobs: int | None = None,
    executor: Executor | None = None,
    progress: Progress = lambda done, total: None,
) -> list[Outcome]:
    """Runs threats and says what they do.

    Parameters: `chosen` threats; `effort` how many seeds and how long; `jobs` processes, all cores
    if left out, 1 for this process; `executor` instead of processes of its own; `progress` is
    called after each job with the numbers of those that are done and of all.
    """
    outcomes = [Outcome(threat) for threat in chosen]
    if not outcomes:
        raise ScenarioError("no threat to run")
    work: list[Job] = []
    for outcome in outcomes:
        _plan(outcome, effort, work)
    progress(0, len(work))
    with workers(jobs, len(work), executor) as processes:
        for done, (keep, found) in enumerate(_finished(work, processes.executor), start=1):
            keep(found)
            progress(done, len(work))
    for outcome in outcomes:
        _tidy(outcome, effort)
    return outcomes


def _finished(work: list[Job], executor: Executor | None) -> Iterator[tuple[Keep, Any]]:
    """What becomes of each job, as they finish."""
    if executor is None:
        for function, arguments, keep in work:
            yield keep, function(*arguments)
        return
    futures = {executor.submit(f, *arguments): keep for f, arguments, keep in work}
    for future in as_completed(futures):
        try:
            yield futures[future], future.result()
        except BrokenExecutor as error:
            told = str(error).partition("\n")[0]
            raise ResultError(f"a process that did runs has died: {told}") from None


def _plan(outcome: Outcome, effort: Effort, work: list[Job]) -> None:
    threat, changes = outcome.threat, effort.changes
    arms = [*ARMS, "still"] if threat.still is not None else [*ARMS]
    for arm in arms:
        values = outcome.arms[arm] = {name: [nan] * effort.seeds for name in METRICS}
        for number in range(effort.seeds):

            def keep(
                metrics: dict[str, float],
                values: dict[str, list[float]] = values,
                number: int = number,
            ) -> None:
                for name, value in metrics.items():
                    values[name][number] = value

            work.append((_metrics, (threat, arm, changes, number + 1), keep))
    if effort.curve and threat.strength is not None:
        for value in threat.strength.values:
            for arm in ("attack", "mitigated"):
                for number in range(effort.seeds):
                    settings = {**changes, **_strength(threat, value)}

                    def note(
                        metrics: dict[str, float],
                        value: float = value,
                        arm: str = arm,
                        number: int = number,
                    ) -> None:
                        outcome.curve.append(
                            {
                                "strength": value,
                                "arm": arm,
                                "seed": number + 1,
                                "effect": metrics[threat.metric],
                                "service": metrics[SERVICE],
                            }
                        )

                    work.append((_metrics, (threat, arm, settings, number + 1), note))
    if not effort.search:
        return
    if threat.breaking is not None:
        seeds = max(4, effort.seeds // 2)
        work.append((_breaking, (threat, changes, seeds), outcome.breaking.update))
    attackers = threat.table("attack").get("attackers")
    if attackers and threat.table("baseline").get("attackers") != attackers:

        def note_recovery(found: tuple[float, float]) -> None:
            outcome.recovery.append(found[0])
            outcome.recovery_horizon = found[1]

        work += [
            (_recovery, (threat, changes, number + 1), note_recovery)
            for number in range(max(2, effort.seeds // 2))
        ]


def _tidy(outcome: Outcome, effort: Effort) -> None:
    """Jobs end in any order; what they yield is put into one."""
    outcome.curve.sort(key=lambda row: (row["strength"], row["arm"], row["seed"]))
    outcome.recovery.sort()
