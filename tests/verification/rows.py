"""A row of the verification page: a value that theory gives, and how it is simulated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Row:
    """What is held against theory.

    Parameters: `group` and `name`; `expected` value; `sample` one of it by seed, independent of
    others; `runs` how many; `exact` whether each must be the value itself, to `tolerance`;
    `approximate` why the formula is one, "" where it holds to the letter.
    """

    group: str
    name: str
    expected: float
    sample: Callable[[int], float]
    runs: int = 40
    exact: bool = False
    tolerance: float = 1e-9
    approximate: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a row gave: mean of the samples, its standard error, and z, NaN where all are equal."""

    row: Row
    mean: float
    error: float
    z: float

    @property
    def holds(self) -> bool:
        """Whether an exact row is exact; others are judged together."""
        off = abs(self.mean - self.row.expected)
        return not self.row.exact or off <= self.row.tolerance * max(1.0, abs(self.row.expected))


def outcome_of(row: Row, number: int, runs: int | None = None) -> Outcome:
    """Simulates a row; rows have seeds of their own.

    Parameters: `number` of the row; `runs` instead of the row's own.
    """
    size = 1 if row.exact else max(2, runs or row.runs)
    values = np.array([row.sample(1000 * number + seed) for seed in range(size)])
    if row.exact:
        return Outcome(row, float(values.mean()), 0.0, float("nan"))
    error = float(values.std(ddof=1)) / sqrt(size)
    if not error:
        return Outcome(row, float(values.mean()), 0.0, float("nan"))
    t = (float(values.mean()) - row.expected) / error
    # The normal value that is as improbable as this one of Student's.
    z = float(np.sign(t)) * float(stats.norm.isf(stats.t.sf(abs(t), size - 1)))
    return Outcome(row, float(values.mean()), error, z)


def joint(outcomes: list[Outcome]) -> tuple[float, int, float]:
    """Sum of squares of z over rows whose formula holds to the letter, their number, and p."""
    z = [one.z for one in outcomes if not one.row.exact and not one.row.approximate]
    total = float(np.sum(np.square(z)))
    return total, len(z), float(stats.chi2.sf(total, len(z)))
