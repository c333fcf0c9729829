"""Further seeds for the points of a sweep whose intervals are wider than asked."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from rsim.results.digits import rounded
from rsim.results.pieces import Row
from rsim.results.without_effect import STUDY
from rsim.sweep.rounds import by_point

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

        An interval has to be narrow enough at two looks one after the other, or at the last: one
        that is so once is so by chance too often, and covers the truth less often than it says.

        Parameters: `everything` that may be done; `tasks` that have been; `rows` of finished runs
        by key.
        """
        chosen = []
        every, precision = by_point(everything), self._precision
        for point, done_tasks in by_point(tasks).items():
            done = len(done_tasks)
            looks = list(precision.looks(self._first))
            steps = [size for size in looks if size <= done]
            judged = steps[-2:] if done < precision.most else steps[-1:]
            values = self._values(done_tasks, rows)
            enough = len(steps) > 1 and all(precision.met(values[:size]) for size in judged)
            if enough or done >= precision.most:
                continue
            known = {task.key for task in done_tasks}
            fresh = [task for task in every[point] if task.key not in known]
            chosen += fresh[: looks[len(steps)] - done]
        return chosen

    def unmet(self, tasks: list[PlannedRun], rows: dict[str, Row]) -> dict[str, list[str]]:
        """A warning for points whose intervals stayed too wide, with the keys of their runs.

        Parameters: `tasks` that have been done; `rows` of finished runs by key.
        """
        precision = self._precision
        points, keys = 0, []
        for done_tasks in by_point(tasks).values():
            if not precision.met(self._values(done_tasks, rows)):
                points += 1
                keys += [task.key for task in done_tasks if task.key in rows]
        if not points:
            return {}
        named = (
            "1 point has a wider interval"
            if points == 1
            else f"{points} points have wider intervals"
        )
        goal = (
            f"{rounded(100 * precision.relative)}% of the mean"
            if precision.relative is not None
            else rounded(precision.half_width or 0.0)
        )
        text = (
            f"{STUDY}precision: {named} of {precision.metric} than ± {goal} after "
            f"{precision.most} seeds"
        )
        return {text: keys}

    def _values(self, tasks: list[PlannedRun], rows: dict[str, Row]) -> list[float]:
        """Values of the metric, NaN where there is none."""
        found = [rows.get(task.key) for task in tasks]
        return [nan if row is None else float(row[self._precision.metric]) for row in found]
