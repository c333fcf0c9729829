"""Carrying out a sweep on all cores, without losing a finished run."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pandas as pd
from loky import ProcessPoolExecutor

from rsim.errors import ResultError
from rsim.provenance import code_version
from rsim.results import METRICS, summarise
from rsim.results.storage import Row, RunStore
from rsim.scenario import Scenario, run
from rsim.scenario.code import run_code
from rsim.sweep.study import Point, Precision, Study, load_study

Progress = Callable[[int, int, int], None]
"""Runs finished, runs in all, runs failed."""


@dataclass(frozen=True)
class Sweep:
    """A finished sweep.

    Parameters: `runs` one row a run (arm, parameters, seed, metrics, key of the run); `parameters`
    names of the columns that make a point; `failures` the runs that ended in an error, with it.
    """

    runs: pd.DataFrame
    parameters: list[str]
    failures: list[Row] = field(default_factory=list)

    @property
    def summary(self) -> pd.DataFrame:
        """Means with 95% intervals by point and metric."""
        return summarise(self.runs, self.parameters, list(METRICS))


@dataclass(frozen=True)
class Task:
    """One run to be done: a point of the study and a replication of it."""

    point: Point
    replication: int
    seed: int
    key: str

    @property
    def document(self) -> dict[str, Any]:
        """The scenario as plain values."""
        return self.point.scenario.model_dump(exclude_unset=True)

    @property
    def row(self) -> Row:
        """What says which run it is."""
        return {
            "run": self.key,
            "arm": self.point.arm,
            **self.point.parameters,
            "replication": self.replication,
            "seed": self.seed,
        }


def tasks_of(study: Study, replications: int | None = None) -> list[Task]:
    """All runs of a study, point by point; replication k of every point has the same seed."""
    tasks = []
    for point in study.points:
        content = point.scenario.model_dump_json(exclude={"seed", "name"})
        for replication in range(replications or study.replications):
            seed = study.first_seed + replication
            name = f"{point.arm}\n{content}\n{json.dumps(point.parameters)}\n{seed}"
            key = blake2b(name.encode(), digest_size=10).hexdigest()
            tasks.append(Task(point, replication, seed, key))
    return tasks


def _one(document: dict[str, Any], seed: int) -> Row:
    """Metrics and digest of a run, or the error that ended it; for worker processes.

    The scenario comes as plain values: what its Python files define is defined here anew.
    """
    try:
        for code in document.get("code", ()):
            run_code(code["file"])
        result = run(Scenario.model_validate(document), seed)
        return {**result.metrics, "digest": result.digest}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}


@contextmanager
def workers(
    jobs: int | None, tasks: int, executor: Executor | None = None
) -> Iterator[Executor | None]:
    """What runs a number of tasks; None where this process does it by itself.

    Parameters: `jobs` processes, all cores if None; `executor` instead of processes of its own,
    which are killed at the end.
    """
    jobs = min(jobs or os.cpu_count() or 1, tasks)
    if executor is not None or jobs <= 1:
        yield executor
        return
    own = ProcessPoolExecutor(jobs)
    try:
        yield own
    finally:
        own.shutdown(kill_workers=True)


def _outcomes(tasks: list[Task], executor: Executor | None) -> Iterator[tuple[Task, Row]]:
    """Each task with its outcome, as they finish."""
    if executor is None:
        for task in tasks:
            yield task, _one(task.document, task.seed)
        return
    futures = {executor.submit(_one, task.document, task.seed): task for task in tasks}
    for future in as_completed(futures):
        try:
            yield futures[future], future.result()
        except Exception as error:
            # The worker died, of whatever the run has done to it.
            yield futures[future], {"error": f"{type(error).__name__}: {error}", "traceback": ""}


def sweep(
    study: Study | str | Path,
    out: str | Path | None = None,
    *,
    jobs: int | None = None,
    resume: bool = False,
    executor: Executor | None = None,
    progress: Progress = lambda done, total, failed: None,
) -> Sweep:
    """Runs every point of a study with every seed.

    Parameters: `study` or its file; `out` a folder for the results, where each finished run is
    stored at once; `jobs` processes, all cores if left out, 1 for this process; `resume` goes on
    from the runs in `out`; `executor` instead of processes of its own; `progress(done, total,
    failed)` is called after each run. A run that fails is told in `failures`; the others go on.
    """
    if not isinstance(study, Study):
        study = load_study(study)
    tasks = tasks_of(study)
    precision = study.sweep.precision
    everything = tasks if precision is None else tasks_of(study, precision.most)
    store = RunStore(out, code_version(), resume=resume) if out is not None else None
    rows: dict[str, Row] = store.rows if store else {}
    strangers = rows.keys() - {task.key for task in everything}
    if strangers:
        raise ResultError(
            f"{out}: holds {len(strangers)} runs with other settings than this study's; "
            "choose another folder"
        )
    left = [task for task in tasks if task.key not in rows]
    failures: list[Row] = []

    def collect(chosen: Executor | None) -> None:
        nonlocal tasks
        wanted = left
        while wanted:
            for task, outcome in _outcomes(wanted, chosen):
                if "error" in outcome:
                    failures.append({**task.row, **outcome})
                elif store:
                    store.put({**task.row, **outcome})
                else:
                    rows[task.key] = {**task.row, **outcome}
                progress(len(rows), len(tasks), len(failures))
            failed = {str(failure["run"]) for failure in failures}
            wanted = [
                task
                for task in _further(everything, tasks, rows, precision)
                if task.key not in rows and task.key not in failed
            ]
            tasks = [*tasks, *wanted]

    progress(len(rows), len(tasks), 0)
    with workers(jobs, len(left), executor) as chosen:
        collect(chosen)

    order = {task.key: number for number, task in enumerate(everything)}
    known = sorted(rows.values(), key=lambda row: order[str(row["run"])])
    parameters = ["arm", *study.parameters]
    result = Sweep(pd.DataFrame(known), parameters, failures)
    if store and known:
        store.finish(result.runs, result.summary, _manifest(study, parameters))
    if store:
        store.put_failures(failures)
    return result


def _further(
    everything: list[Task], tasks: list[Task], rows: dict[str, Row], precision: Precision | None
) -> list[Task]:
    """The next seeds of the points whose intervals are too wide still: half as many again."""
    if precision is None:
        return []
    so_far: dict[int, list[Task]] = {}
    for task in tasks:
        so_far.setdefault(id(task.point), []).append(task)
    chosen = []
    known = {task.key for task in tasks}
    for point_tasks in so_far.values():
        values = [rows[t.key][precision.metric] for t in point_tasks if t.key in rows]
        if precision.met([float(value) for value in values]):
            continue
        point = point_tasks[0].point
        fresh = [t for t in everything if t.point is point and t.key not in known]
        chosen += fresh[: max(2, len(point_tasks) // 2)]
    return chosen


def _manifest(study: Study, parameters: list[str]) -> dict[str, Any]:
    return {
        "name": study.name,
        "study": str(study.source.resolve()),
        "parameters": parameters,
        "replications": study.replications,
        "first_seed": study.first_seed,
        "scenario": study.table,
        "sweep": study.sweep.model_dump(mode="json"),
    }
