"""How runs are handed out to workers, and come back.

Runs go out in batches of about half a second, so that what it costs to hand them over does not
count, and only as many batches as keep all workers busy, so that little is lost with them.
"""

from __future__ import annotations

import platform
import traceback
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Future,
    wait,
)
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from time import perf_counter
from typing import Any

from rsim.errors import RsimWarning, ScenarioError, one_line
from rsim.provenance import code_version
from rsim.results.pieces import Row
from rsim.scenario import Scenario, run
from rsim.scenario.code import run_code
from rsim.sweep.study import Point
from rsim.sweep.transport import unpack
from rsim.sweep.workers import NoWorkersError, Workers, starting_processes

_BATCH_TIME = 0.5
"""Seconds that a batch is to take: a hundred times what it costs to hand it over."""
_LARGEST_BATCH = 200
"""Runs; as many are lost at most with a worker that dies."""
_LOOK_TIME = 5.0
"""Seconds between two looks at whether a cluster still has workers."""
_BATCHES_AHEAD = 2
"""Batches for each worker: one in work, one to go on with."""

Batch = list[tuple[dict[str, Any], list[int]]]
"""Scenarios as plain values, each with the seeds to be run."""


@dataclass(frozen=True)
class PlannedRun:
    """One run to be done: a point of the study and a replication of it.

    Parameters: `point` of the study; `replication` its number, from 0; `seed` of the run; `key`
    tells it from all other runs; `series` metrics whose time series are kept.
    """

    point: Point
    replication: int
    seed: int
    key: str
    series: tuple[str, ...] = ()

    @property
    def row(self) -> Row:
        """What says which run it is."""
        return {
            "run": self.key,
            "arm": self.point.arm,
            **self.point.parameters,
            "replication": self.replication,
            "seed": self.seed,
            "scenario": self.point.scenario_hash,
        }


def run_one(scenario: Scenario, seed: int, series: tuple[str, ...] = ()) -> Row:
    """Metrics, time series and digest of a run, or the error that ended it.

    Parameters: `scenario` to be run; `seed` of its draws; `series` names of metrics whose time
    series are kept.
    """
    try:
        with warnings.catch_warnings():
            # The sweep tells them, once.
            warnings.simplefilter("ignore", RsimWarning)
            result = run(scenario, seed)
        row: Row = {**result.metrics, "digest": result.digest}
        row["measured_from"], row["measured_to"] = result.observation.begin, result.observation.end
        if series:
            row["series"] = result.timeline(series).to_dict("list")
        if result.warnings:
            row["warnings"] = list(result.warnings)
        return row
    except Exception as error:
        notes = "; ".join(getattr(error, "__notes__", ()))
        text = f"{type(error).__name__}: {error}" + (f" ({notes})" if notes else "")
        return {"error": text, "traceback": traceback.format_exc()}


def _batch(
    batch: Batch,
    series: tuple[str, ...],
    *,
    version: str | None = None,
    number: int = 0,
    registered: bytes = b"",
) -> tuple[list[Row], float]:
    """Outcomes of a batch and the time in s that it took; for worker processes.

    Parameters: `version` of rsim that began the sweep; `number` another one each time that it is
    given out, as Dask takes equal calls for one; `registered` by users there, packed. Raises
    NoWorkersError if this is another version.

    Scenarios come as plain values: what their Python files define is defined here anew, by files
    that have the digest that was allowed where the sweep began, or else by none.
    """
    begin = perf_counter()
    if version is not None and version != code_version():
        raise NoWorkersError(
            f"a worker on {platform.node()} runs rsim {code_version()}, the sweep {version}; "
            "install the same on all"
        )
    unpack(registered)
    rows = []
    for document, seeds in batch:
        try:
            for code in document.get("code", ()):
                run_code(code["file"], code["digest"])
        except ScenarioError as error:
            error.add_note(f"on {platform.node()}")
            raise
        scenario = Scenario.model_validate(document)
        rows += [run_one(scenario, seed, series) for seed in seeds]
    return rows, perf_counter() - begin


def _packed(tasks: list[PlannedRun]) -> Batch:
    groups = (list(group) for _, group in groupby(tasks, key=lambda task: id(task.point)))
    return [(group[0].point.document, [task.seed for task in group]) for group in groups]


def outcomes(tasks: list[PlannedRun], chosen: Workers) -> Iterator[tuple[PlannedRun, Row]]:
    """Each task with its outcome, as they finish. A task whose worker dies has failed.

    Parameters: `tasks` to be done; `chosen` workers.
    """
    if chosen.executor is None:
        for task in tasks:
            yield task, run_one(task.point.scenario, task.seed, task.series)
        return
    waiting = deque(tasks)
    suspects: list[PlannedRun] = []
    flying: dict[_Future, list[PlannedRun]] = {}
    finished, spent = 0, 0.0
    while waiting or flying or suspects:
        while waiting and not suspects and len(flying) < _BATCHES_AHEAD * chosen.count:
            pace = spent / finished if finished else _BATCH_TIME
            share = len(waiting) // (_BATCHES_AHEAD * chosen.count)
            size = max(1, min(int(_BATCH_TIME / pace), share, _LARGEST_BATCH))
            batch = [waiting.popleft() for _ in range(size)]
            flying[_sent(batch, chosen)] = batch
        done = _done(flying, chosen)
        if not done:
            _return(flying, waiting)
        for future in done:
            batch = flying.pop(future)
            try:
                rows, seconds = future.result()
            except NoWorkersError:
                raise
            except CancelledError as error:
                if not chosen.regain():
                    yield from ((task, _lost(error)) for task in batch)
                    continue
                # The scheduler is another one now, or was out of reach: it knows none of them.
                waiting.extendleft(reversed(batch))
                _return(flying, waiting)
                break
            except BrokenExecutor:
                # Nobody knows which run it was, of all that were under way.
                suspects += batch
                suspects += [task for others in flying.values() for task in others]
                flying.clear()
                break
            except Exception as error:
                chosen.regain()
                if _has_died(error) or (len(batch) > 1 and not isinstance(error, ScenarioError)):
                    suspects += batch
                else:
                    yield from ((task, _lost(error)) for task in batch)
            else:
                finished, spent = finished + len(batch), spent + seconds
                yield from zip(batch, rows, strict=True)
        if suspects and not flying:
            yield from _alone(suspects, chosen)
            suspects = []


_Future = Future[tuple[list[Row], float]]


def _done(flying: Iterable[_Future], chosen: Workers) -> list[_Future]:
    """Those that have an outcome; none if all are lost. Looks after the workers meanwhile."""
    while True:
        done, _ = wait(flying, timeout=_LOOK_TIME, return_when=FIRST_COMPLETED)
        if done or not chosen.check(_LOOK_TIME):
            return [future for future in flying if future in done]


def _return(flying: dict[_Future, list[PlannedRun]], waiting: deque[PlannedRun]) -> None:
    """Puts what was under way back to what is to be done."""
    for batch in flying.values():
        waiting.extendleft(reversed(batch))
    flying.clear()


def _sent(tasks: list[PlannedRun], chosen: Workers) -> _Future:
    """The future of a batch; one that has failed if the executor is broken by now."""
    assert chosen.executor is not None
    try:
        with starting_processes():
            work = partial(
                _batch,
                version=code_version(),
                number=next(chosen.numbers),
                registered=chosen.registered,
            )
            return chosen.executor.submit(work, _packed(tasks), tasks[0].series)
    except Exception as error:
        failed: _Future = Future()
        failed.set_exception(error)
        return failed


def _alone(tasks: list[PlannedRun], chosen: Workers) -> Iterator[tuple[PlannedRun, Row]]:
    """Outcomes of tasks, run one by one, as one of them has ended its worker."""
    chosen.renew()
    for task in tasks:
        while True:
            try:
                done = _done([_sent([task], chosen)], chosen)
                if not done:
                    continue
                rows, _ = done[0].result()
            except NoWorkersError:
                raise
            except CancelledError as error:
                if chosen.regain():
                    continue
                yield task, _lost(error)
            except Exception as error:
                yield task, _lost(error)
                chosen.regain()
                if isinstance(error, BrokenExecutor):
                    chosen.renew()
            else:
                yield task, rows[0]
            break


def _has_died(error: Exception) -> bool:
    """Whether the process died that did a run, or one that was to be done next, as Dask has it."""
    return isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker"


def _lost(error: Exception) -> Row:
    died = _has_died(error)
    what = "the process that did the run has died" if died else type(error).__name__
    notes = "; ".join(getattr(error, "__notes__", ()))
    text = f"{what}: {error}" + (f" ({notes})" if notes else "")
    return {"error": one_line(text), "traceback": ""}
