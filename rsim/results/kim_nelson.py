"""Which of several alternatives is the best, with a promised probability that it is chosen.

The fully sequential procedure KN. Source: Kim and Nelson, "A Fully Sequential Procedure for
Indifference-Zone Selection in Simulation", ACM Transactions on Modeling and Computer Simulation 11,
2001. It takes runs in step, leaves out alternatives that are clearly worse than another, and is
valid for common random numbers, as it looks at differences within runs alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import numpy as np
import numpy.typing as npt

from rsim.errors import ResultError


@dataclass(frozen=True, slots=True)
class Choice:
    """How far the choice among alternatives has come.

    Parameters: `best` the alternative that is chosen, None: more runs are needed; `eliminated`
    number of runs after which each alternative was left out, 0: it was not; `runs` that have been
    looked at; `last` number of runs after which the choice is made at the latest, 0: not known yet.
    """

    best: int | None
    eliminated: tuple[int, ...]
    runs: int
    last: int

    @property
    def left(self) -> list[int]:
        """The alternatives that have not been left out."""
        return [one for one, run in enumerate(self.eliminated) if not run]


def choose_best(
    values: npt.ArrayLike, indifference: float, confidence: float = 0.95, first: int = 10
) -> Choice:
    """The alternative with the highest mean, by the procedure KN.

    If the highest mean is above all others by `indifference` or more, it is chosen with a
    probability of `confidence` or more. This holds for normal values, independent from run to run,
    whatever their variances and correlations within a run.

    Parameters: `values` one row an alternative and one column a run, higher ones better, NaN: not
    done; `indifference` the difference that matters, above 0, in the unit of the values;
    `confidence` above 0.5 and below 1; `first` runs from which variances are taken, at least 2.
    Raises ResultError where one of these can't be.

    >>> from rsim.results import choose_best
    >>> runs = [[5.0, 5.2, 4.9, 5.1, 5.0], [1.0, 1.1, 1.0, 0.8, 0.9], [4.2, 4.1, 4.4, 4.0, 4.1]]
    >>> choose_best(runs, indifference=0.5, first=5)
    Choice(best=0, eliminated=(0, 5, 5), runs=5, last=5)
    """
    data = np.asarray(values, dtype=float)
    _check(data, indifference, confidence, first)
    number = len(data)
    eliminated = np.zeros(number, dtype=int)
    ready = ~np.isnan(data)
    if data.shape[1] < first or not ready[:, :first].all():
        return Choice(None, (0,) * number, 0, 0)
    eta = ((2 * (1 - confidence) / (number - 1)) ** (-2 / (first - 1)) - 1) / 2
    begun = data[:, :first]
    variances = np.array([(one - begun).var(axis=1, ddof=1) for one in begun])
    # h^2 S^2 / (2 delta): what the sum of differences may fall short by at the very beginning.
    reach = eta * (first - 1) * variances / indifference
    last = first
    totals = begun[:, : first - 1].sum(axis=1)
    for run in range(first, data.shape[1] + 1):
        left = np.flatnonzero(eliminated == 0)
        if not ready[left, run - 1].all():
            return Choice(None, tuple(eliminated.tolist()), run - 1, last)
        totals[left] += data[left, run - 1]
        least = totals[left] - np.maximum(reach[np.ix_(left, left)] - indifference * run / 2, 0.0)
        # Nobody is measured by itself: a total is never below its own.
        worse = (totals[left][:, None] < least).any(axis=1)
        eliminated[left[worse]] = run
        left = left[~worse]
        # From then on nothing may fall short; two that are equal to the last digit would go on.
        last = max(first, floor(2 * float(reach[np.ix_(left, left)].max()) / indifference) + 1)
        if len(left) == 1 or run >= last:
            best = int(left[totals[left].argmax()])
            eliminated[left[left != best]] = run
            return Choice(best, tuple(eliminated.tolist()), run, last)
    return Choice(None, tuple(eliminated.tolist()), data.shape[1], last)


def _check(
    data: npt.NDArray[np.float64], indifference: float, confidence: float, first: int
) -> None:
    if data.ndim != 2 or len(data) < 2:
        raise ResultError("values: must have a row for each of at least two alternatives")
    if not 0 < indifference < float("inf"):
        raise ResultError(f"indifference: {indifference:g}: must be a finite number above 0")
    if not 0.5 < confidence < 1:
        raise ResultError(f"confidence: {confidence:g}: must be above 0.5 and below 1")
    if first < 2:
        raise ResultError(f"first: {first}: must be at least 2, to have a variance")
