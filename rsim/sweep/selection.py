"""Which value of a parameter is the best, with no more runs than it takes to tell."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rsim.errors import ResultError, shown
from rsim.results.digits import rounded
from rsim.results.kim_nelson import Choice, choose_best
from rsim.results.metric import Better, Metric
from rsim.results.pieces import Row
from rsim.results.without_effect import STUDY
from rsim.suggestions import unknown
from rsim.sweep.executors import PlannedRun
from rsim.sweep.rounds import by_point
from rsim.sweep.runner import Progress, Sweep, carry_out, tasks_of
from rsim.sweep.study import MOST_RUNS, Point, Study, load_study

if TYPE_CHECKING:
    import pandas as pd

_STEP = 5
"""A round has a fifth as many seeds as are there: all cores have work, and little is done in
vain."""


@dataclass(frozen=True)
class Best:
    """What was chosen, and how.

    Parameters: `sweep` its runs, those of what was left out too; `table` one row a value: the other
    parameters, the value in a column named as its path, `runs`, `mean`, `low` and `high` (95%
    interval), `eliminated` (the run after which it was left out, 0: it was not) and `best`;
    `promise` what holds of it, in one sentence; `decided` whether a value is chosen everywhere.

    >>> import rsim
    >>> found = rsim.best(
    ...     "study.toml",
    ...     metric="requests_generated",
    ...     over="pool_users.user.count",
    ...     indifference=5.0,
    ...     better="higher",
    ...     most=40,
    ...     jobs=1,
    ... )
    >>> found.decided, found.table.loc[found.table["best"], "pool_users.user.count"].tolist()
    (True, [2])
    """

    sweep: Sweep
    table: pd.DataFrame
    promise: str
    decided: bool


def best(
    study: Study | str | Path,
    out: str | Path | None = None,
    *,
    metric: str,
    over: str,
    indifference: float,
    confidence: float = 0.95,
    first: int = 10,
    most: int = 500,
    better: Better = "",
    jobs: int | None = None,
    resume: bool = False,
    executor: Executor | None = None,
    progress: Progress = lambda done, total, failed: None,
) -> Best:
    """The value of a parameter with the best mean of a metric, for each of all other parameters.

    All values begin with the same seeds. Those that are clearly worse get no further ones, until
    one is left (`rsim.results.choose_best`).

    Parameters: `study` or its file, whose own number of seeds and precision don't count; `metric`
    that counts, of a value in each run; `over` dotted path whose values are compared, or `arm`;
    `indifference` the difference that matters, above 0, in the metric's unit; `confidence` above
    0.5 and below 1; `first` seeds of all, at least 2; `most` seeds of one; `better` values of the
    metric, "": as the metric says; `out`, `jobs`, `resume`, `executor` and `progress` as of
    `rsim.sweep`. Raises ResultError where one of these can't be, where there is one value alone,
    and where a run that is needed has failed or has no value: its results are stored all the same.

    >>> import rsim
    >>> chosen = rsim.best("study.toml", metric="accepts", over="pool_users.user.count",
    ...                    indifference=5.0, jobs=1)
    >>> chosen.table["best"].tolist()
    [False, True]
    """
    if not isinstance(study, Study):
        study = load_study(study)
    table = study.sweep.model_copy(update={"precision": None})
    study = replace(study, sweep=table, replications=first)
    contest = Contest(
        study,
        metric,
        over=over,
        better=better,
        indifference=indifference,
        confidence=confidence,
        first=first,
        most=most,
    )
    done = carry_out(
        study,
        contest,
        out=out,
        jobs=jobs,
        resume=resume,
        executor=executor,
        progress=progress,
    )
    return contest.result(done)


class Contest:
    """The choices of a study, one for each of the values of its other parameters.

    Parameters: `study` with `first` seeds; `metric`, `over`, `better`, `indifference`,
    `confidence`, `first` and `most` as of `best`. Raises ResultError where one of these can't be.
    """

    def __init__(
        self,
        study: Study,
        metric: str,
        *,
        over: str,
        better: Better,
        indifference: float,
        confidence: float,
        first: int,
        most: int,
    ) -> None:
        self.most = most
        self._study = study
        self._metric = _metric(study, metric)
        self._over = over
        better = better or self._metric.better
        if not better:
            raise ResultError(
                f"{metric}: does not say which values are better; --better higher or lower does"
            )
        self._sign = 1.0 if better == "higher" else -1.0
        if not 2 <= first <= most:
            raise ResultError(f"first: {first}: must be at least 2, and at most the {most} of most")
        if len(study.points) * most > MOST_RUNS:
            raise ResultError(f"most: makes {len(study.points) * most} runs, at most {MOST_RUNS}")
        self._how: dict[str, Any] = {
            "indifference": indifference,
            "confidence": confidence,
            "first": first,
        }
        if over not in ("arm", *study.parameters):
            raise ResultError(unknown("axis of the study", over, ["arm", *study.parameters]))
        self._groups: dict[tuple[Any, ...], list[Point]] = {}
        for point in study.points:
            values = {"arm": point.arm, **point.parameters}
            if over in values:
                del values[over]
                self._groups.setdefault(tuple(values.items()), []).append(point)
        for others, points in self._groups.items():
            if len(points) < 2:
                raise ResultError(f"{over}: has one value alone {_where(others)}")
        # What can't be is told before anything runs.
        choose_best(np.full((2, 0), np.nan), **self._how)

    def further(
        self, everything: list[PlannedRun], tasks: list[PlannedRun], rows: dict[str, Row]
    ) -> list[PlannedRun]:
        """The next seeds of the values that are left.

        Parameters: `everything` that may be done; `tasks` that have been; `rows` of finished runs
        by key.
        """
        chosen: list[PlannedRun] = []
        every = by_point(everything)
        for _, points, values, choice in self._choices(tasks, rows):
            done = values.shape[1]
            # A value that is missing stays so: further ones would not help.
            if choice.best is None and choice.runs == done:
                following = min(self.most, done + max(2, done // _STEP))
                for one in choice.left:
                    chosen += every[id(points[one])][done:following]
        return chosen

    def unmet(self, tasks: list[PlannedRun], rows: dict[str, Row]) -> dict[str, list[str]]:
        """A warning where seeds ran out before anything was chosen, with the keys of its runs.

        Parameters: `tasks` that have been done; `rows` of finished runs by key.
        """
        told = {}
        tasks_of_point = by_point(tasks)
        for others, points, values, choice in self._choices(tasks, rows):
            if choice.best is None and choice.runs == values.shape[1]:
                keys = [task.key for point in points for task in tasks_of_point[id(point)]]
                told[f"{STUDY}best: {self._undecided(others, choice)}"] = keys
        return told

    def _undecided(self, others: tuple[Any, ...], choice: Choice) -> str:
        where = _where(others) if len(self._groups) > 1 else ""
        return (
            f"none is chosen {where + ' ' if where else ''}after {choice.runs} seeds; "
            f"{len(choice.left)} values of {self._over} are left, {choice.last} seeds would do"
        )

    def _choices(
        self, tasks: list[PlannedRun], rows: dict[str, Row]
    ) -> Iterator[tuple[tuple[Any, ...], list[Point], np.ndarray[Any, np.dtype[Any]], Choice]]:
        """Other parameters, points, values and choice of each group."""
        tasks_of_point = by_point(tasks)
        for others, points in self._groups.items():
            given = [
                [self._value(rows.get(task.key)) for task in tasks_of_point[id(point)]]
                for point in points
            ]
            values = np.full((len(given), max(map(len, given))), np.nan)
            for row, column in zip(values, given, strict=True):
                row[: len(column)] = column
            yield others, points, values, choose_best(self._sign * values, **self._how)

    def _value(self, row: Row | None) -> float:
        return float("nan") if row is None else float(row[self._metric.name])

    def result(self, done: Sweep) -> Best:
        """What has been chosen.

        Parameters: `done` the runs. Raises ResultError where a run that is needed has no value.
        """
        import pandas as pd

        rows: dict[str, Row] = {str(row["run"]): row for row in done.runs.to_dict("records")}  # type: ignore[misc]
        known = {*rows, *(str(failure["run"]) for failure in done.failures)}
        tasks = [task for task in tasks_of(self._study, self.most) if task.key in known]
        table: list[dict[str, Any]] = []
        open_ones = []
        for others, points, values, choice in self._choices(tasks, rows):
            self._check_all_there(points, values, choice, tasks)
            for number, point in enumerate(points):
                runs = choice.eliminated[number] or choice.runs
                interval = self._metric.interval(values[number, :runs])
                table.append(
                    {
                        **dict(others),
                        self._over: {"arm": point.arm, **point.parameters}[self._over],
                        "runs": runs,
                        "mean": interval.mean,
                        "low": interval.low,
                        "high": interval.high,
                        "eliminated": choice.eliminated[number],
                        "best": number == choice.best,
                    }
                )
            if choice.best is None:
                open_ones.append(self._undecided(others, choice))
        return Best(done, pd.DataFrame(table), self._promise(open_ones), not open_ones)

    def _check_all_there(
        self,
        points: list[Point],
        values: np.ndarray[Any, np.dtype[Any]],
        choice: Choice,
        tasks: list[PlannedRun],
    ) -> None:
        """Raises ResultError with the run whose value the choice would need, and has not."""
        if choice.best is not None or choice.runs == values.shape[1]:
            return
        tasks_of_point = by_point(tasks)
        column = int(np.isnan(values[choice.left]).any(axis=0)[choice.runs :].argmax())
        column += choice.runs
        one = next(one for one in choice.left if np.isnan(values[one, column]))
        task = tasks_of_point[id(points[one])][column]
        value = {"arm": task.point.arm, **task.point.parameters}[self._over]
        raise ResultError(
            f"{self._metric.name}: run {task.key} ({self._over} = {shown(value)}, seed "
            f"{task.seed}) has failed or has no value, so nothing is chosen; take a metric that "
            "each run has"
        )

    def _promise(self, open_ones: list[str]) -> str:
        if open_ones:
            return f"No promise: {'; '.join(open_ones)}."
        unit = f" {self._metric.unit}" if self._metric.unit else ""
        each = "each choice" if len(self._groups) > 1 else "the choice"
        return (
            f"With a probability of at least {rounded(100 * self._how['confidence'])}% {each} is "
            "right, if the best is better than every other by at least "
            f"{rounded(self._how['indifference'])}{unit} (procedure KN, Kim and Nelson 2001)."
        )


def _metric(study: Study, name: str) -> Metric:
    if name not in study.metrics:
        raise ResultError(unknown("metric", name, study.metrics))
    return study.metrics[name]


def _where(others: tuple[Any, ...]) -> str:
    return "at " + ", ".join(f"{name} = {shown(value)}" for name, value in others)
