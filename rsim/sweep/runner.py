"""Carrying out a sweep on all cores, and its frame."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from rsim.results import METRICS, summarise
from rsim.results.storage import write_sweep
from rsim.scenario import Scenario, run
from rsim.sweep.study import Point, Study, load_study

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Sweep:
    """A finished sweep.

    Parameters: `runs` one row a run (arm, parameters, seed, metrics); `parameters` names of the
    columns that make a point; `directory` where it is stored, if it is.
    """

    runs: pd.DataFrame
    parameters: list[str]
    directory: Path | None = None

    @property
    def summary(self) -> pd.DataFrame:
        """Means with 95% intervals by point and metric."""
        return summarise(self.runs, self.parameters, list(METRICS))


def _one(scenario: Scenario, seed: int) -> tuple[dict[str, float], str]:
    result = run(scenario, seed)
    return result.metrics, result.digest


def _row(point: Point, replication: int, seed: int, outcome: Any) -> dict[str, Any]:
    metrics, digest = outcome
    return {
        "arm": point.arm,
        **point.parameters,
        "replication": replication,
        "seed": seed,
        **metrics,
        "digest": digest,
    }


def sweep(
    study: Study | str | Path,
    out: str | Path | None = None,
    *,
    jobs: int | None = None,
    progress: Progress = lambda done, total: None,
) -> Sweep:
    """Runs every point of a study with every seed.

    Parameters: `study` or its file; `out` a folder for the results; `jobs` processes, all cores
    if left out; `progress(done, total)` is called after each run. Replication k of every point has
    the same seed, so that points differ by their settings alone.
    """
    if not isinstance(study, Study):
        study = load_study(study)
    tasks = [
        (index, replication)
        for replication in range(study.replications)
        for index in range(len(study.points))
    ]
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    jobs = jobs or os.cpu_count() or 1

    def finished(task: tuple[int, int], outcome: Any) -> None:
        index, replication = task
        seed = study.first_seed + replication
        rows[task] = _row(study.points[index], replication, seed, outcome)
        progress(len(rows), len(tasks))

    if jobs == 1:
        for task in tasks:
            finished(task, _one(study.points[task[0]].scenario, study.first_seed + task[1]))
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(jobs, mp_context=context) as executor:
            futures = {
                executor.submit(
                    _one, study.points[task[0]].scenario, study.first_seed + task[1]
                ): task
                for task in tasks
            }
            for future in as_completed(futures):
                finished(futures[future], future.result())

    runs = pd.DataFrame([rows[task] for task in sorted(rows)])
    parameters = ["arm", *study.parameters]
    directory = Path(out) if out is not None else None
    result = Sweep(runs, parameters, directory)
    if directory is not None:
        write_sweep(directory, runs, result.summary, _manifest(study, parameters))
    return result


def _manifest(study: Study, parameters: list[str]) -> dict[str, Any]:
    return {
        "name": study.name,
        "study": str(study.source),
        "parameters": parameters,
        "replications": study.replications,
        "first_seed": study.first_seed,
        "scenario": study.table,
        "sweep": study.sweep.model_dump(mode="json"),
    }
