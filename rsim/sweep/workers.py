"""What carries out the runs of a sweep: this process, processes of its own, or any executor."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from itertools import count
from multiprocessing import resource_tracker
from time import sleep
from typing import Any

from rsim.errors import ResultError, RsimWarning
from rsim.provenance import code_version
from rsim.sweep.dask import (
    client_of,
    count_workers,
    is_closed,
    scheduler_of,
    workers_without_rsim,
)
from rsim.sweep.transport import pack

_BLINK = 0.2
"""Seconds between two looks for a scheduler that was lost: a person does not notice it."""
_GRACE = 30.0
"""Seconds without any worker after which a cluster that had some is given up: what restarts workers
does so within seconds."""
_PATIENCE = 10.0
"""Seconds without any worker after which a message says that the cluster has none yet."""

_SAFE_PATH = "PYTHONSAFEPATH"
"""Variable that keeps the working folder off the path of Python's modules."""


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
        self.registered = pack() if self.executor is not None else b""
        """What users have registered in this process, packed for those who do the runs."""
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
        """Checks whether a cluster has workers, and how many.

        Returns False if its scheduler has been replaced since the last check: the tasks it had are
        lost, and some are not reported otherwise. Parameters: `waited` time in s since the last
        check. Raises NoWorkersError if it had workers and has none for a while. If it never had
        any, a message says so, once.
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

    Parameters: `tasks` number of runs; `jobs` processes, all cores if None; `executor` instead of
    processes of its own.
    """
    most = jobs or os.cpu_count() or 1
    found = Workers(most if executor is not None else max(1, min(most, tasks)), executor)
    try:
        yield found
    finally:
        found.close()
