"""Further seeds for the points of a sweep whose intervals are wider than asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rsim.results.digits import rounded
from rsim.results.pieces import Row
from rsim.results.without_effect import STUDY

if TYPE_CHECKING:
    from rsim.sweep.executors import PlannedRun
    from rsim.sweep.table import Precision


class PrecisionRounds:
    """Goes on with the points whose intervals are too wide.

    Parameters: `precision` that is asked for; `first` seeds of each point.
    """

    def __init__(self, precision: Precision, first: int) -> None:
        self.most = precision.most
        self._precision = precision
        self._first = first

    def further(
        self, everything: list[PlannedRun], tasks: list[PlannedRun], rows: dict[str, Row]
    ) -> list[PlannedRun]:
        """The next seeds of the points whose intervals are too wide still.

        Parameters: `everything` that may be done; `tasks` that have been; `rows` of finished runs
        by key.
        """
        return further(everything, tasks, rows, precision=self._precision, first=self._first)

    def unmet(self, tasks: list[PlannedRun], rows: dict[str, Row]) -> dict[str, list[str]]:
        """A warning for points whose intervals stayed too wide, with the keys of their runs.

        Parameters: `tasks` that have been done; `rows` of finished runs by key.
        """
        return unmet(tasks, rows, self._precision)


def further(
    everything: list[PlannedRun],
    tasks: list[PlannedRun],
    rows: dict[str, Row],
    *,
    precision: Precision,
    first: int,
) -> list[PlannedRun]:
    """The next seeds of the points whose intervals are too wide still.

    An interval has to be narrow enough at two looks one after the other, or at the last: one that
    is so once is so by chance too often, and covers the truth less often than it says. Parameters:
    `everything` that may be done; `tasks` that have been; `rows` of finished runs by key;
    `precision` that is asked for; `first` seeds of each point.
    """
    chosen = []
    known = {task.key for task in tasks}
    for point_tasks in _by_point(tasks):
        done = len(point_tasks)
        steps = [size for size in precision.looks(first) if size <= done]
        judged = steps[-2:] if done < precision.most else steps[-1:]
        values = [_value(task, rows, precision) for task in point_tasks]
        enough = len(steps) > 1 and all(precision.met(values[:size]) for size in judged)
        if enough or done >= precision.most:
            continue
        point = point_tasks[0].point
        fresh = [task for task in everything if task.point is point and task.key not in known]
        following = next(size for size in precision.looks(first) if size > done)
        chosen += fresh[: following - done]
    return chosen


def unmet(
    tasks: list[PlannedRun], rows: dict[str, Row], precision: Precision
) -> dict[str, list[str]]:
    """A warning for points whose intervals stayed too wide, with the keys of their runs.

    Parameters: `tasks` that have been done; `rows` of finished runs by key; `precision` that was
    asked for.
    """
    points, keys = 0, []
    for point_tasks in _by_point(tasks):
        if not precision.met([_value(task, rows, precision) for task in point_tasks]):
            points += 1
            keys += [task.key for task in point_tasks if task.key in rows]
    if not points:
        return {}
    named = (
        "1 point has a wider interval" if points == 1 else f"{points} points have wider intervals"
    )
    goal = (
        f"{rounded(100 * precision.relative)}% of the mean"
        if precision.relative is not None
        else rounded(precision.half_width or 0.0)
    )
    text = (
        f"{STUDY}precision: {named} of {precision.metric} than ± {goal} after {precision.most} "
        "seeds"
    )
    return {text: keys}


def _by_point(tasks: list[PlannedRun]) -> Iterable[list[PlannedRun]]:
    points: dict[int, list[PlannedRun]] = {}
    for task in tasks:
        points.setdefault(id(task.point), []).append(task)
    return points.values()


def _value(task: PlannedRun, rows: dict[str, Row], precision: Precision) -> float:
    row = rows.get(task.key)
    return float("nan") if row is None else float(row[precision.metric])
