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
from collections.abc import Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count, groupby
from multiprocessing import resource_tracker
from time import perf_counter, sleep
from typing import Any

from rsim.errors import ResultError, RsimWarning, ScenarioError, one_line
from rsim.provenance import code_version
from rsim.results.pieces import Row
from rsim.scenario import Scenario, run
from rsim.scenario.code import run_code
from rsim.sweep.dask import (
    client_of,
    count_workers,
    is_closed,
    scheduler_of,
    workers_without_rsim,
)
from rsim.sweep.study import Point

_BATCH_TIME = 0.5
"""Seconds that a batch is to take."""
_LARGEST_BATCH = 200
_LOOK_TIME = 5.0
"""Seconds between two looks at whether a cluster still has workers."""
_BLINK = 0.2
"""Seconds between two looks for a scheduler that was lost."""
_GRACE = 30.0
"""Seconds without any worker after which a cluster that had some is given up."""
_PATIENCE = 10.0
"""Seconds without any worker after which it is told that a cluster has none yet."""
_BATCHES_AHEAD = 2
"""Batches for each worker: one in work, one to go on with."""

_SAFE_PATH = "PYTHONSAFEPATH"
"""Variable that keeps the working folder off the path of Python's modules."""

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
        self.numbers = count(1)
        own = executor is None and jobs > 1
        self._processes = _processes(jobs) if own else None
        self._executor = executor
        self._client = client_of(executor)
        self._scheduler = ""
        self._seen = False
        self._missed = 0.0
        if self._client is not None and count_workers(self._client):
            self._know()

    def _know(self) -> None:
        """Knows the workers that a cluster has. Raises NoWorkersError where one has no rsim."""
        self.check(0.0)
        if bare := workers_without_rsim(self._client):
            raise NoWorkersError(
                f"the Dask worker {bare[0]} has no rsim; install {code_version()} on all"
            )

    @property
    def executor(self) -> Executor | None:
        """Takes runs; None: this process does them by itself."""
        return self._processes or self._executor

    def renew(self) -> None:
        """Makes processes of its own anew after one has died."""
        if self._processes is not None:
            self.close()
            self._processes = _processes(self.count)

    def check(self, waited: float) -> bool:
        """Looks whether a cluster has workers, and how many.

        False if its scheduler is another one than at the last look, so that what it had been given
        is lost; of some of that nobody else tells. Parameters: `waited` time in s since the last
        look. Raises NoWorkersError where it had workers and has none for a while; that it has none
        yet is told, once.
        """
        if self._client is None:
            return True
        found = count_workers(self._client)
        if found:
            self._seen, self._missed = True, 0.0
            self.count = max(self.count, found)
            former, self._scheduler = self._scheduler, scheduler_of(self._client)
            return former in ("", self._scheduler)
        if is_closed(self._client):
            raise NoWorkersError("the Dask scheduler is gone")
        before, self._missed = self._missed, self._missed + waited
        if self._seen and self._missed >= _GRACE:
            raise NoWorkersError("the Dask cluster has no worker any more")
        if not self._seen and before < _PATIENCE <= self._missed:
            text = "the Dask cluster has no worker yet; the sweep waits for one"
            warnings.warn(text, RsimWarning, stacklevel=2)
        return True

    def regain(self) -> bool:
        """Whether what a cluster had been given is to be done again, as it has lost it.

        Waits for the scheduler and a worker. Raises NoWorkersError where none comes for a while.
        """
        if self._client is None:
            return False
        while not count_workers(self._client):
            self.check(_BLINK)
            sleep(_BLINK)
        self._know()
        return True

    def close(self) -> None:
        """Ends processes of its own, whatever they do."""
        if self._processes is not None:
            self._processes.shutdown(kill_workers=True)


def _processes(number: int) -> Any:
    # Works where plain spawn does not, in notebooks; loaded only where it is used.
    from loky import ProcessPoolExecutor

    with starting_processes():
        return ProcessPoolExecutor(number, initializer=_end_with, initargs=(os.getpid(),))


def _end_with(parent: int) -> None:
    """Has the kernel end this process with its parent, however that ends (Linux)."""
    set_parent_death_signal = 1
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


@contextmanager
def starting_processes() -> Iterator[None]:
    """For the time in which processes are begun.

    They never see an interrupt: this process heeds it, and ends them. And they take no modules from
    the folder that it works in, which may be anybody's, before those that are installed.
    """
    given = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    # It would be begun with the first process, and let interrupts in again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if given is None:
            os.environ.pop(_SAFE_PATH, None)
        else:
            os.environ[_SAFE_PATH] = given


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
    batch: Batch, series: tuple[str, ...], *, version: str | None = None, number: int = 0
) -> tuple[list[Row], float]:
    """Outcomes of a batch and the time in s that it took; for worker processes.

    Parameters: `version` of rsim that began the sweep; `number` another one each time that it is
    given out, as Dask takes equal calls for one. Raises NoWorkersError if this is another version.

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
        try:
            for code in document.get("code", ()):
                run_code(code["file"], code["digest"])
        except ScenarioError as error:
            error.add_note(f"on {platform.node()}")
            raise
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
    suspects: list[Task] = []
    flying: dict[_Future, list[Task]] = {}
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


def _return(flying: dict[_Future, list[Task]], waiting: deque[Task]) -> None:
    """Puts what was under way back to what is to be done."""
    for batch in flying.values():
        waiting.extendleft(reversed(batch))
    flying.clear()


def _sent(tasks: list[Task], chosen: Workers) -> _Future:
    """The future of a batch; one that has failed if the executor is broken by now."""
    assert chosen.executor is not None
    try:
        with starting_processes():
            work = partial(_batch, version=code_version(), number=next(chosen.numbers))
            return chosen.executor.submit(work, _packed(tasks), tasks[0].series)
    except Exception as error:
        failed: _Future = Future()
        failed.set_exception(error)
        return failed


def _alone(tasks: list[Task], chosen: Workers) -> Iterator[tuple[Task, Row]]:
    """Outcomes of tasks one of which has ended its worker, with nothing else under way."""
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
