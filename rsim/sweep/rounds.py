"""Further seeds for the points of a sweep, asked for when all before have been done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rsim.results.pieces import Row
    from rsim.sweep.executors import PlannedRun


class Rounds(Protocol):
    """Decides from finished runs which points go on, and to which seeds."""

    @property
    def most(self) -> int:
        """Most seeds of a point."""

    def further(
        self, everything: list[PlannedRun], tasks: list[PlannedRun], rows: dict[str, Row]
    ) -> list[PlannedRun]:
        """The next runs; none: it is enough.

        Parameters: `everything` that may be done; `tasks` that have been; `rows` of finished runs
        by key.
        """

    def unmet(self, tasks: list[PlannedRun], rows: dict[str, Row]) -> dict[str, list[str]]:
        """A warning for what was not reached, with the keys of its runs.

        Parameters: `tasks` that have been done; `rows` of finished runs by key.
        """


def by_point(tasks: Iterable[PlannedRun]) -> dict[int, list[PlannedRun]]:
    """The runs of each point, in their order, by the identity of the point.

    Parameters: `tasks` of a sweep.
    """
    points: dict[int, list[PlannedRun]] = {}
    for task in tasks:
        points.setdefault(id(task.point), []).append(task)
    return points
