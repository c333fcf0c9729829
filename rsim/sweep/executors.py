"""Where runs are done: in this process, in processes of its own, or by any executor.

Runs go out in batches of about half a second, so that what it costs to hand them over does not
count, and only as many batches as keep all workers busy, so that little is lost with them.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import sys
import traceback
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from multiprocessing import resource_tracker
from time import perf_counter
from typing import Any

from rsim.errors import ResultError, RsimWarning, one_line
from rsim.provenance import code_version
from rsim.results.pieces import Row
from rsim.scenario import Scenario, run
from rsim.scenario.code import run_code
from rsim.sweep.dask import client_of, count_workers
from rsim.sweep.study import Point

_BATCH_TIME = 0.5
"""Seconds that a batch is to take."""
_LARGEST_BATCH = 200
_LOOK_TIME = 5.0
"""Seconds between two looks at whether a cluster still has workers."""
_GRACE = 30.0
"""Seconds without any worker after which a cluster that had some is given up."""
_BATCHES_AHEAD = 2
"""Batches for each worker: one in work, one to go on with."""

Batch = list[tuple[dict[str, Any], list[int]]]
"""Scenarios as plain values, each with the seeds to be run."""


@dataclass(frozen=True)
class Task:
    """One run to be done: a point of the study and a replication of it.

    Parameters: `key` tells it from all other runs; `series` metrics whose time series are kept.
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


class NoWorkersError(ResultError):
    """Nobody is left to carry out runs, or those who are there can't."""


class Workers:
    """What carries out runs.

    Parameters: `jobs` processes of its own, none if 1; `executor` of another's instead, or None.
    """

    def __init__(self, jobs: int, executor: Executor | None = None) -> None:
        self.count = jobs
        own = executor is None and jobs > 1
        self._processes = _processes(jobs) if own else None
        self._executor = executor
        self._client = client_of(executor)
        self._seen = False
        self._missed = 0.0

    @property
    def executor(self) -> Executor | None:
        """Takes runs; None: this process does them by itself."""
        return self._processes or self._executor

    def renew(self) -> None:
        """Makes processes of its own anew after one has died."""
        if self._processes is not None:
            self.close()
            self._processes = _processes(self.count)

    def check(self, waited: float) -> None:
        """Raises NoWorkersError where a cluster had workers and has none for a while.

        Parameters: `waited` time in s since the last look.
        """
        if self._client is None:
            return
        if count_workers(self._client):
            self._seen, self._missed = True, 0.0
            return
        self._missed += waited
        if self._seen and self._missed >= _GRACE:
            raise NoWorkersError("the Dask cluster has no worker any more")

    def explain(self, error: Exception) -> None:
        """Raises NoWorkersError where a batch's error means that the scheduler is gone."""
        if self._client is not None and not count_workers(self._client):
            raise NoWorkersError(f"the Dask scheduler is gone ({type(error).__name__})") from None

    def close(self) -> None:
        """Ends processes of its own, whatever they do."""
        if self._processes is not None:
            self._processes.shutdown(kill_workers=True)


def _processes(count: int) -> Any:
    # Works where plain spawn does not, in notebooks; loaded only where it is used.
    from loky import ProcessPoolExecutor

    # It would be begun with the first process, and let interrupts in again.
    resource_tracker.ensure_running()
    return ProcessPoolExecutor(count, initializer=_end_with, initargs=(os.getpid(),))


def _end_with(parent: int) -> None:
    """Has the kernel end this process with its parent, however that ends (Linux)."""
    set_parent_death_signal = 1
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Processes begun meanwhile never see an interrupt: this one heeds it, and ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def workers(jobs: int | None, tasks: int, executor: Executor | None = None) -> Iterator[Workers]:
    """What carries out a number of tasks, for the time of a `with`.

    Parameters: `jobs` processes, all cores if None; `executor` instead of processes of its own.
    """
    most = jobs or os.cpu_count() or 1
    found = Workers(most if executor is not None else max(1, min(most, tasks)), executor)
    try:
        yield found
    finally:
        found.close()


def one(scenario: Scenario, seed: int, series: tuple[str, ...] = ()) -> Row:
    """Metrics, time series and digest of a run, or the error that ended it."""
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
    batch: Batch, series: tuple[str, ...], *, version: str | None = None
) -> tuple[list[Row], float]:
    """Outcomes of a batch and the time in s that it took; for worker processes.

    Parameters: `version` of rsim that began the sweep. Raises NoWorkersError if this is another.

    Scenarios come as plain values: what their Python files define is defined here anew, by files
    that have the digest that was allowed where the sweep began, or else by none.
    """
    begin = perf_counter()
    if version is not None and version != code_version():
        raise NoWorkersError(
            f"a worker on {platform.node()} runs rsim {code_version()}, the sweep {version}; "
            "install the same on all"
        )
    rows = []
    for document, seeds in batch:
        for code in document.get("code", ()):
            run_code(code["file"], code["digest"])
        scenario = Scenario.model_validate(document)
        rows += [one(scenario, seed, series) for seed in seeds]
    return rows, perf_counter() - begin


def _packed(tasks: list[Task]) -> Batch:
    groups = (list(group) for _, group in groupby(tasks, key=lambda task: id(task.point)))
    return [(group[0].point.document, [task.seed for task in group]) for group in groups]


def outcomes(tasks: list[Task], chosen: Workers) -> Iterator[tuple[Task, Row]]:
    """Each task with its outcome, as they finish. A task whose worker dies has failed."""
    if chosen.executor is None:
        for task in tasks:
            yield task, one(task.point.scenario, task.seed, task.series)
        return
    waiting = deque(tasks)
    flying: dict[Future[tuple[list[Row], float]], list[Task]] = {}
    finished, spent = 0, 0.0
    while waiting or flying:
        while waiting and len(flying) < _BATCHES_AHEAD * chosen.count:
            pace = spent / finished if finished else _BATCH_TIME
            share = len(waiting) // (_BATCHES_AHEAD * chosen.count)
            size = max(1, min(int(_BATCH_TIME / pace), share, _LARGEST_BATCH))
            batch = [waiting.popleft() for _ in range(size)]
            flying[_sent(batch, chosen)] = batch
        done, _ = wait(flying, timeout=_LOOK_TIME, return_when=FIRST_COMPLETED)
        if not done:
            chosen.check(_LOOK_TIME)
        suspects: list[Task] = []
        for future in done:
            batch = flying.pop(future)
            try:
                rows, seconds = future.result()
            except BrokenExecutor:
                suspects += batch
            except NoWorkersError:
                raise
            except Exception as error:
                chosen.explain(error)
                yield from ((task, _lost(error)) for task in batch)
            else:
                finished, spent = finished + len(batch), spent + seconds
                yield from zip(batch, rows, strict=True)
        if suspects:
            # Nobody knows which run it was: all that were under way are done again, one by one.
            suspects += [task for batch in flying.values() for task in batch]
            flying.clear()
            yield from _alone(suspects, chosen)


def _sent(tasks: list[Task], chosen: Workers) -> Future[tuple[list[Row], float]]:
    """The future of a batch; one that has failed if the executor is broken by now."""
    assert chosen.executor is not None
    try:
        with _interrupts_wait():
            work = partial(_batch, version=code_version())
            return chosen.executor.submit(work, _packed(tasks), tasks[0].series)
    except Exception as error:
        chosen.explain(error)
        failed: Future[tuple[list[Row], float]] = Future()
        failed.set_exception(error)
        return failed


def _alone(tasks: list[Task], chosen: Workers) -> Iterator[tuple[Task, Row]]:
    """Outcomes of tasks after a worker has died, with nothing else under way."""
    chosen.renew()
    for task in tasks:
        try:
            rows, _ = _sent([task], chosen).result()
        except Exception as error:
            yield task, _lost(error)
            if isinstance(error, BrokenExecutor):
                chosen.renew()
        else:
            yield task, rows[0]


def _lost(error: Exception) -> Row:
    text = "the process that did the run has died" if isinstance(error, BrokenExecutor) else ""
    told = one_line(f"{text or type(error).__name__}: {error}")
    return {"error": told, "traceback": ""}
