"""Carrying out a sweep, without losing a finished run."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rsim.errors import ResultError, RsimWarning, shown
from rsim.provenance import code_version
from rsim.results import METRICS, summarise
from rsim.results.folder import series_frame, warning_texts
from rsim.results.pieces import Row, Series
from rsim.results.registry import describe
from rsim.results.storage import RunStore
from rsim.results.without_effect import STUDY, without_effect
from rsim.sweep.executors import PlannedRun, outcomes
from rsim.sweep.precision import PrecisionRounds
from rsim.sweep.report import Report
from rsim.sweep.rounds import Rounds
from rsim.sweep.study import Study, load_study
from rsim.sweep.workers import NoWorkersError, workers

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int, int], None]
"""Runs finished, runs in all, runs failed."""


@dataclass(frozen=True)
class Sweep:
    """A finished sweep.

    Parameters: `study` what was done; `runs` one row a run (arm, parameters, seed, metrics, key of
    the run); `parameters` names of the columns that make a point; `failures` the runs that ended in
    an error, with it; `series` metrics over time of each run, as far as the study keeps them;
    `warnings` what in the study had no effect, each once.

    >>> import rsim
    >>> done = rsim.sweep("study.toml", jobs=1)
    >>> type(done).__name__, len(done.runs), done.parameters
    ('Sweep', 4, ['arm', 'pool_users.user.count'])
    """

    study: Study
    runs: pd.DataFrame
    parameters: list[str]
    failures: list[Row]
    series: pd.DataFrame
    warnings: tuple[str, ...] = ()

    @property
    def summary(self) -> pd.DataFrame:
        """Means with 95% intervals by point and metric."""
        names = [name for name in METRICS if name in self.runs]
        return summarise(self.runs, self.parameters, names)

    @property
    def report(self) -> Report:
        """What `rsim.studies.study_figure` draws, and comparisons and breaking points need."""
        study = self.study
        return Report(
            runs=self.runs,
            summary=self.summary,
            parameters=self.parameters,
            sweep=study.sweep,
            study=study.source,
            table=study.table,
            failures=list(self.failures),
        )


def tasks_of(study: Study, replications: int | None = None) -> list[PlannedRun]:
    """All runs of a study, point by point; replication k of every point has the same seed.

    Parameters: `study` to be done; `replications` seeds of each point, None: those of the study.
    """
    tasks = []
    kept = f"\n{','.join(study.sweep.series)}" if study.sweep.series else ""
    for point in study.points:
        for replication in range(replications or study.replications):
            seed = study.first_seed + replication
            name = (
                f"{point.arm}\n{point.scenario_hash}\n{json.dumps(point.parameters)}\n{seed}{kept}"
            )
            key = blake2b(name.encode(), digest_size=10).hexdigest()
            tasks.append(PlannedRun(point, replication, seed, key, series=study.sweep.series))
    return tasks


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
    stored at once and which no other sweep may use meanwhile; `jobs` processes, all cores if left
    out, 1 for this process; `resume` goes on from the runs in `out`; `executor` instead of
    processes of its own; `progress` is called after each run with the numbers of those done, in all
    and failed. A run that fails is listed in `failures`; the others go on. Raises ResultError where
    results can't be stored, and where the executor has no workers any more.

    >>> import rsim
    >>> done = rsim.sweep(rsim.load_study("study.toml"), jobs=1)
    >>> summary = done.summary
    >>> generated = summary[summary["metric"] == "requests_generated"]
    >>> generated[["pool_users.user.count", "runs"]].values.tolist()
    [[1, 2], [2, 2]]
    """
    if not isinstance(study, Study):
        study = load_study(study)
    precision = study.sweep.precision
    rounds = None if precision is None else PrecisionRounds(precision, study.replications)
    return carry_out(
        study,
        rounds,
        out=out,
        jobs=jobs,
        resume=resume,
        executor=executor,
        progress=progress,
    )


def carry_out(
    study: Study,
    rounds: Rounds | None,
    *,
    out: str | Path | None,
    jobs: int | None,
    resume: bool,
    executor: Executor | None,
    progress: Progress,
) -> Sweep:
    """Runs every point of a study with every seed, and then with those that are asked for further.

    Parameters: `rounds` that ask for further seeds, None: nobody does; `study`, `out`, `jobs`,
    `resume`, `executor` and `progress` as of `sweep`.
    """
    tasks = tasks_of(study)
    everything = tasks if rounds is None else tasks_of(study, rounds.most)
    done = _Runs(study, tasks, everything, rounds=rounds, progress=progress)
    if out is None:
        done.collect(jobs, executor)
        return done.sweep()
    with RunStore(out, code_version(), resume=resume) as store:
        strangers = store.rows.keys() - {task.key for task in everything}
        if strangers:
            raise ResultError(
                f"{out}: holds {len(strangers)} runs with other settings than this study's; "
                "choose another folder"
            )
        _forget_damaged(store, everything)
        store.begin(_manifest(study, len(tasks), store.warnings))
        done.rows, done.series, done.put = store.rows, store.series, store.put
        done.warnings = store.warnings
        try:
            done.collect(jobs, executor)
        except NoWorkersError as error:
            raise ResultError(
                f"{error}; {len(done.rows)} of {len(done.tasks)} runs are stored in {out}, go on "
                "with --resume"
            ) from None
        result = done.sweep()
        store.put_failures(result.failures)
        manifest = _manifest(study, len(done.tasks), store.warnings)
        store.finish(result.runs, result.summary, manifest, result.series)
        return result


def _forget_damaged(store: RunStore, tasks: list[PlannedRun]) -> None:
    """Leaves out stored runs that are not what their keys say, so that they are done again."""
    for task in tasks:
        row = store.rows.get(task.key)
        if row is None:
            continue
        names = (*task.row, *task.point.metrics)
        missing = next((name for name in names if name not in row), None)
        if missing is not None:
            store.forget(task.key, f"has no {missing}")
            continue
        other = next((n for n, value in task.row.items() if not _equal(row[n], value)), None)
        if other is not None:
            store.forget(task.key, f"{other} is {shown(row[other])}, not {shown(task.row[other])}")
        elif task.series and task.key not in store.series:
            store.forget(task.key, "has no time series")


def _equal(one: Any, other: Any) -> bool:
    # Columns that have gaps hold whole numbers as floating-point ones.
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return bool(float(one) == float(other)) if numbers else bool(one == other)


class _Runs:
    """The runs of a sweep as they finish.

    Parameters: `tasks` that are to be done, `everything` that may be if `rounds` ask for it, None:
    nobody does.
    """

    def __init__(
        self,
        study: Study,
        tasks: list[PlannedRun],
        everything: list[PlannedRun],
        *,
        rounds: Rounds | None,
        progress: Progress,
    ) -> None:
        self.study = study
        self.tasks = tasks
        self.rows: dict[str, Row] = {}
        self.series: dict[str, Series] = {}
        self.failures: list[Row] = []
        self.warnings: dict[str, list[str]] = {}
        self.put = self._keep
        self._everything = everything
        self._progress = progress
        self._rounds = rounds

    def _keep(
        self, row: Row, series: Series | None = None, warnings: list[str] | None = None
    ) -> None:
        """In memory, where no folder is given."""
        key = str(row["run"])
        self.rows[key] = row
        if series:
            self.series[key] = series
        for text in warnings or ():
            self.warnings.setdefault(text, []).append(key)

    def collect(self, jobs: int | None, executor: Executor | None) -> None:
        """Does what is left to be done."""
        wanted = self._wanted()
        self._progress(len(self.rows), len(self.tasks), 0)
        with workers(jobs, len(wanted), executor) as chosen:
            while wanted:
                for task, outcome in outcomes(wanted, chosen):
                    series, told = outcome.pop("series", None), outcome.pop("warnings", None)
                    if "error" in outcome:
                        self.failures.append({**task.row, **outcome})
                    else:
                        self.put({**task.row, **outcome}, series, told)
                    self._progress(len(self.rows), len(self.tasks), len(self.failures))
                wanted = self._wanted()

    def _wanted(self) -> list[PlannedRun]:
        """What is left to be done; where nothing is, further seeds, as far as rounds ask."""
        failed = {str(failure["run"]) for failure in self.failures}
        fresh = self.tasks
        while fresh:
            left = [task for task in fresh if task.key not in self.rows and task.key not in failed]
            if left or self._rounds is None:
                return left
            fresh = self._rounds.further(self._everything, self.tasks, self.rows)
            self.tasks = [*self.tasks, *fresh]
        return []

    def sweep(self) -> Sweep:
        """What has been done, in the order of the study."""
        import pandas as pd

        order = {task.key: number for number, task in enumerate(self._everything)}
        known = sorted(self.rows.values(), key=lambda row: order[str(row["run"])])
        parameters = ["arm", *self.study.parameters]
        runs = pd.DataFrame(known)
        runs.attrs["units"] = {name: one.unit for name, one in METRICS.items() if name in runs}
        series = series_frame(runs, self.series, parameters)
        for text in [text for text in self.warnings if text.startswith(STUDY)]:
            # Of the runs that were there before.
            del self.warnings[text]
        for text in without_effect(runs, parameters):
            self.warnings[text] = list(runs["run"])
        if self._rounds is not None:
            self.warnings.update(self._rounds.unmet(self.tasks, self.rows))
        texts = warning_texts(self.warnings, len(runs))
        for text in texts:
            warnings.warn(text, RsimWarning, stacklevel=4)
        return Sweep(
            study=self.study,
            runs=runs,
            parameters=parameters,
            failures=self.failures,
            series=series,
            warnings=texts,
        )


def _manifest(study: Study, runs: int, warnings: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "name": study.name,
        "study": str(study.source.resolve()),
        "parameters": ["arm", *study.parameters],
        "runs": runs,
        "warnings": warnings,
        "replications": study.replications,
        "first_seed": study.first_seed,
        "scenario": study.table,
        "sweep": study.sweep.model_dump(mode="json"),
        "units": {name: metric.unit for name, metric in study.metrics.items()},
        "metrics": describe(study.metrics.values()),
    }
