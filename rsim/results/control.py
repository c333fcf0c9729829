"""Means over runs, freed from what the load that happened to be offered did to them.

Runs of a point differ in how much work users happened to ask for. Its mean is known by theory, so a
regression of a metric on the deviation from it tells how much of the metric's deviation is due to
the load: a control variate. Source: Lavenberg and Welch, "A Perspective on the Use of Control
Variables to Increase the Efficiency of Monte Carlo Simulations", Management Science 27, 1981.
"""

from __future__ import annotations

from math import inf, sqrt
from typing import TYPE_CHECKING

import numpy as np

from rsim.results.statistics import (
    Interval,
    Kind,
    logarithm_ends,
    logit_ends,
    mean_interval,
    skewness,
    t_quantile,
)

if TYPE_CHECKING:
    import numpy.typing as npt

OFFERED, EXPECTED = "offered_load_pct", "expected_load_pct"
"""Metrics whose difference has a mean of 0: what was offered, and its mean by theory."""
FEWEST = 10
"""Runs from which on a regression costs less than it gives."""
_WIDENING = {"logit": 0.3, "log": 1.0}
"""By how much of |skewness| / sqrt(n) of the residuals intervals are wider that can't leave a
bound; see the study of coverage."""


def controlled_interval(
    values: npt.ArrayLike,
    deviations: npt.ArrayLike,
    level: float = 0.95,
    *,
    kind: Kind = "number",
    low: float = -inf,
    high: float = inf,
) -> Interval:
    """Mean of independent values and its interval, by regression on something with a mean of 0.

    The mean is the line's value at 0, with n - 2 degrees of freedom. It is `mean_interval` where
    there are fewer than ten values, where a value or a deviation is undefined (which runs have a
    value may depend on their deviation), where either is the same in all, and where values of times
    have a lognormal distribution's tail.

    Parameters: `values` one a run; `deviations` of the same runs, each with a mean of 0; `level` of
    confidence, between 0 and 1; `kind`, `low` and `high` as of `mean_interval`.

    >>> from rsim.results import controlled_interval
    >>> deviations = [-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    >>> controlled_interval([50 + 2 * one for one in deviations], deviations).mean
    50.0
    """
    plain = mean_interval(values, level, kind=kind, low=low, high=high)
    y = np.asarray(values, dtype=float).ravel()
    x = np.asarray(deviations, dtype=float).ravel()
    if plain.runs < max(FEWEST, plain.of) or plain.method in ("all equal", "lognormal"):
        return plain
    if np.isnan(x).any() or np.ptp(x) <= 1e-9 * max(1.0, float(abs(x).max())):
        return plain
    size, distances = y.size, x - x.mean()
    squares = float((distances**2).sum())
    slope = float((distances * y).sum()) / squares
    mean = float(y.mean()) - slope * float(x.mean())
    residuals = y - y.mean() - slope * distances
    variance = float((residuals**2).sum()) / (size - 2)
    error = sqrt(variance * (1 / size + float(x.mean()) ** 2 / squares))
    half = t_quantile(size - 2, level) * error
    widening = _WIDENING.get(plain.method, 0.0) * abs(skewness(residuals)) / sqrt(size)
    half *= 1 + widening
    if plain.method == "logit" and low < mean < high:
        ends = logit_ends(mean, half, low, high)
    elif plain.method == "log" and mean > 0:
        ends = logarithm_ends(mean, half)
    elif plain.method == "t":
        ends = (mean - half, mean + half)
    else:
        # A mean that lies where no value can.
        return plain
    least, most = max(low, min(ends[0], mean)), min(high, max(ends[1], mean))
    method = f"{plain.method}, control"
    return Interval(mean, least, most, runs=size, of=size, method=method)
