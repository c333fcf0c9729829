"""Runs mutants: a process that has loaded what rsim needs, but not rsim, forks a child for each.

The child takes all modules of rsim from source, one of them with the error, or the native module
with the error switched on, and runs the tests.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from . import native
from .catalogue import ROOT, Mutant

LONGEST = 40
"""Seconds of computing after which a mutant counts as killed: it makes tests run without end."""
_LARGEST = 4 << 30
"""Octets of memory after which it does."""


class SourceFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules of rsim in its source, compiled ones too, and puts an error into one of them.

    Parameters: `mutant` the error, None for none; `module` the native module to load.
    """

    def __init__(self, mutant: Mutant | None, module: Path) -> None:
        self._file = ROOT / mutant.file if mutant is not None else None
        self._mutant = mutant
        self._native = module

    def find_spec(self, name, path=None, target=None):
        """Where the module stands."""
        if name == "rsim._native":
            loader = importlib.machinery.ExtensionFileLoader(name, str(self._native))
            return importlib.util.spec_from_file_location(name, self._native, loader=loader)
        if name.partition(".")[0] != "rsim":
            return None
        base = ROOT.joinpath(*name.split("."))
        package = (base / "__init__.py").is_file()
        file = base / "__init__.py" if package else base.with_suffix(".py")
        if not file.is_file():
            return None
        loader = self if file == self._file else None
        folders = [str(base)] if package else None
        return importlib.util.spec_from_file_location(
            name, file, loader=loader, submodule_search_locations=folders
        )

    def create_module(self, spec):
        """As Python makes them."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Runs the source with the error."""
        assert self._file is not None and self._mutant is not None
        text = self._mutant.applied(self._file.read_text(encoding="utf-8"))
        exec(compile(text, str(self._file), "exec"), module.__dict__)


def load_others() -> None:
    """Loads what tests need beside rsim, once for all children."""
    import hypothesis
    import numpy
    import pandas
    import pydantic
    import pytest
    import scipy.stats
    import simpy

    assert all((hypothesis, numpy, pandas, pydantic, pytest, scipy, simpy))
    assert "rsim" not in sys.modules


class Failures:
    """Notes which tests fail, as a plugin of pytest.

    Parameters: `file` to which their names go.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def pytest_runtest_logreport(self, report) -> None:
        """Notes a test, or its set-up, that has failed."""
        if report.failed:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(report.nodeid + "\n")


def _child(mutant: Mutant | None, tests: list[str], module: Path, log: Path) -> int:
    import pytest

    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST, LONGEST))
    resource.setrlimit(resource.RLIMIT_AS, (_LARGEST, _LARGEST))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    if mutant is not None and mutant.native:
        os.environ[native.VARIABLE] = str(mutant.number)
    sys.meta_path.insert(0, SourceFinder(None if mutant and mutant.native else mutant, module))
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=line", "-W", "ignore"]
    return int(pytest.main([*options, *tests], plugins=[Failures(log.with_suffix(".failed"))]))


@dataclass(slots=True)
class Outcome:
    """What became of a mutant.

    Parameters: `mutant` itself; `verdict` "killed", "stopped" (it has crashed, or made tests run
    without end), "survives" or "broken"; `failed` names of tests; `time` in s.
    """

    mutant: Mutant
    verdict: str
    failed: tuple[str, ...]
    time: float

    def noticed_by(self, tests: list[str]) -> bool:
        """Whether one of some tests has noticed the mutant.

        Parameters: `tests` names of tests, files or folders.
        """
        if self.verdict == "stopped":
            return True
        return any(
            name == test or name.startswith((f"{test}[", f"{test}::", test.rstrip("/") + "/"))
            for name in self.failed
            for test in tests
        )


def _verdict(status: int) -> str:
    if os.WIFSIGNALED(status):
        return "stopped"
    return {0: "survives", 1: "killed"}.get(os.WEXITSTATUS(status), "broken")


def _failed(log: Path) -> tuple[str, ...]:
    file = log.with_suffix(".failed")
    return tuple(file.read_text(encoding="utf-8").splitlines()) if file.exists() else ()


def run(work: list[tuple[Mutant, list[str], Path]], jobs: int, logs: Path) -> Iterator[Outcome]:
    """Runs mutants, several at a time, and gives their outcomes as they come.

    Parameters: `work` each mutant with its tests and the native module; `jobs` at a time; `logs`
    folder for what the tests say.
    """
    logs.mkdir(parents=True, exist_ok=True)
    waiting = list(reversed(work))
    running: dict[int, tuple[Mutant, float]] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant, tests, module = waiting.pop()
            log = logs / f"{mutant.number}.log"
            log.with_suffix(".failed").unlink(missing_ok=True)
            pid = os.fork()
            if pid == 0:
                code = 70
                with contextlib.suppress(BaseException):
                    os.setsid()
                    code = _child(mutant, tests, module, log)
                os._exit(code)
            running[pid] = mutant, time.monotonic()
        pid, status = os.waitpid(-1, os.WNOHANG)
        now = time.monotonic()
        if pid in running:
            mutant, began = running.pop(pid)
            failed = _failed(logs / f"{mutant.number}.log")
            yield Outcome(mutant, _verdict(status), failed, now - began)
        elif pid == 0:
            for late, (_, began) in running.items():
                if now - began > 10 * LONGEST:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(late, signal.SIGKILL)
            time.sleep(0.01)
