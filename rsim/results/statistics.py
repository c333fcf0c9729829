"""Means over replications with confidence intervals that suit what the values are.

Which interval is used when, and how often each covers the truth, stands in `docs/statistics.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import exp, inf, nan, sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt

Kind = Literal["share", "time", "number"]
"""What values are: shares between two bounds, times of at least 0, or any numbers."""

Values = npt.NDArray[np.float64]

_SHARE_WIDENING = 0.3
_TIME_WIDENING = 0.5
"""By how much of |skewness| / sqrt(n) intervals of skewed values are wider; see the study of
coverage."""
_WIDE = 0.8
"""Standard deviation of logarithms from which times may have a lognormal distribution's tail."""
_LEFT = 1.5
"""Standard errors of skewness to the left from which logarithms are not those of a lognormal."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its confidence interval.

    Parameters: `mean` of the values; `low` and `high` ends of the interval, NaN for fewer than two
    values; `runs` values that are defined, `of` those that there are in all; `method` by which the
    ends were found; `p` of no difference from 0, NaN where nothing was compared.
    """

    mean: float
    low: float
    high: float
    runs: int
    of: int
    method: str
    p: float = nan

    @property
    def half_width(self) -> float:
        """Half of the interval's width, NaN for fewer than two values."""
        return (self.high - self.low) / 2


def mean_interval(
    values: npt.ArrayLike,
    level: float = 0.95,
    *,
    kind: Kind = "number",
    low: float = -inf,
    high: float = inf,
) -> Interval:
    """Mean of independent values and its confidence interval.

    NaN values are left out, and `of` tells how many there are in all. Parameters: `values` one a
    run; `level` of confidence, between 0 and 1; `kind` of the values; `low` and `high` ends of the
    range that their mean lies in.
    """
    every = np.asarray(values, dtype=float).ravel()
    data = every[~np.isnan(every)]
    mean, _, special = _moments(data)
    if special:
        ends = (mean, mean) if special == "all equal" else (nan, nan)
        return Interval(mean, *ends, runs=int(data.size), of=int(every.size), method=special)
    method, (least, most) = _ends(data, level, kind=kind, low=low, high=high)
    # Rounding may put an end on the wrong side of the mean.
    least, most = max(low, min(least, mean)), min(high, max(most, mean))
    return Interval(mean, least, most, runs=int(data.size), of=int(every.size), method=method)


def paired_interval(
    values: npt.ArrayLike,
    base: npt.ArrayLike,
    level: float = 0.95,
    *,
    kind: Kind = "number",
    low: float = -inf,
    high: float = inf,
) -> Interval:
    """Mean of the differences between values in pairs, with its confidence interval and p.

    A pair of which a side is NaN is missing, and `of` counts it. Parameters: `values` one a run;
    `base` those that they are held against, in the same order; `level` of confidence, between 0 and
    1; `kind`, `low` and `high` of the values, as of `mean_interval`.
    """
    one, other = (np.asarray(side, dtype=float).ravel() for side in (values, base))
    both = ~np.isnan(one) & ~np.isnan(other)
    differences = one[both] - other[both]
    pairs, of = differences.size, one.size
    mean, spread, special = _moments(differences)
    if special:
        ends = (mean, mean) if special == "all equal" else (nan, nan)
        p = (1.0 if mean == 0 else 0.0) if special == "all equal" else nan
        return Interval(mean, *ends, runs=pairs, of=of, method=special, p=p)
    widening = 1 + _TIME_WIDENING * abs(skewness(differences)) / sqrt(pairs)
    error = spread / sqrt(pairs) * widening
    p = _p_of_t(mean / error, pairs - 1)
    if np.ptp(other[both]) == 0:
        # All that varies is one side, so its own interval says what the difference is.
        alone = mean_interval(one[both], level, kind=kind, low=low, high=high)
        level_line = float(other[both][0])
        ends = (alone.low - level_line, alone.high - level_line)
        return Interval(mean, *ends, runs=pairs, of=of, method=alone.method, p=p)
    half = t_quantile(pairs - 1, level) * error
    span = high - low
    ends = (max(mean - half, -span), min(mean + half, span))
    return Interval(mean, *ends, runs=pairs, of=of, method="paired t", p=p)


def _moments(data: Values) -> tuple[float, float, str]:
    """Mean and standard deviation of values, or why they have no interval."""
    if data.size == 0:
        return nan, nan, "no value"
    mean = float(data.mean())
    if data.size == 1:
        return mean, nan, "one value"
    if np.ptp(data) == 0:
        return float(data[0]), 0.0, "all equal"
    return mean, float(data.std(ddof=1)), ""


def _ends(
    data: Values, level: float, *, kind: Kind, low: float, high: float
) -> tuple[str, tuple[float, float]]:
    """The method that suits the values, and the ends that it gives."""
    if kind == "share" and data.min() >= low and data.max() <= high:
        return "logit", _logit(data, low, high, level)
    if kind == "time" and data.min() >= 0:
        ends = _logarithmic(data, level)
        if data.min() > 0:
            logarithms = np.log(data)
            left = -_LEFT * sqrt(6 / data.size)
            if logarithms.std(ddof=1) > _WIDE and skewness(logarithms) > left:
                other = _lognormal(logarithms, level)
                return "lognormal", (min(ends[0], other[0]), max(ends[1], other[1]))
        return "log", ends
    error = float(data.std(ddof=1)) / sqrt(data.size)
    half = t_quantile(data.size - 1, level) * error
    return "t", (float(data.mean()) - half, float(data.mean()) + half)


def _logit(data: Values, low: float, high: float, level: float) -> tuple[float, float]:
    error = float(data.std(ddof=1)) / sqrt(data.size)
    widening = 1 + _SHARE_WIDENING * abs(skewness(data)) / sqrt(data.size)
    half = t_quantile(data.size - 1, level) * error * widening
    return logit_ends(float(data.mean()), half, low, high)


def logit_ends(mean: float, half: float, low: float, high: float) -> tuple[float, float]:
    """An interval of the logit of a mean, by the delta method, which can't leave the bounds.

    Parameters: `mean` between the bounds; `half` width of its own interval; `low` and `high` the
    bounds.
    """
    share = (mean - low) / (high - low)
    reach = min(half / (high - low) / (share * (1 - share)), 700.0)
    odds = share / (1 - share)
    least, most = odds * exp(-reach), odds * exp(reach)
    width = high - low
    return low + width * least / (1 + least), low + width * (1 - 1 / (1 + most))


def _logarithmic(data: Values, level: float) -> tuple[float, float]:
    error = float(data.std(ddof=1)) / sqrt(data.size)
    widening = 1 + _TIME_WIDENING * abs(skewness(data)) / sqrt(data.size)
    half = t_quantile(data.size - 1, level) * error * widening
    return logarithm_ends(float(data.mean()), half)


def logarithm_ends(mean: float, half: float) -> tuple[float, float]:
    """An interval of the logarithm of a mean, by the delta method.

    Parameters: `mean` above 0; `half` width of its own interval.
    """
    return mean * exp(-half / mean), mean * exp(min(half / mean, 700.0))


def _lognormal(logarithms: Values, level: float) -> tuple[float, float]:
    """An interval of a lognormal distribution's mean (Zou, Huo and Taleban 2009)."""
    from scipy.special import chdtri, ndtri

    size, variance = logarithms.size, float(logarithms.var(ddof=1))
    centre = float(logarithms.mean()) + variance / 2
    tail = (1 - level) / 2
    location = float(ndtri(1 - tail)) ** 2 * variance / size
    upper, lower = (float(chdtri(size - 1, share)) for share in (tail, 1 - tail))
    least = centre - sqrt(location + (variance / 2 * (1 - (size - 1) / upper)) ** 2)
    most = centre + sqrt(location + (variance / 2 * ((size - 1) / lower - 1)) ** 2)
    return exp(least), exp(min(most, 700.0))


def skewness(data: Values) -> float:
    """Skewness of values, 0 if they are equal.

    Parameters: `data` without NaN.
    """
    distances = data - data.mean()
    variance = float((distances**2).mean())
    return float((distances**3).mean()) / variance**1.5 if variance else 0.0


@lru_cache(maxsize=512)
def t_quantile(degrees: int, level: float) -> float:
    """Half-width of Student's interval in standard errors.

    Parameters: `degrees` of freedom; `level` of confidence, between 0 and 1.
    """
    from scipy.special import stdtrit  # Slow to load, and not every program needs it.

    return float(stdtrit(degrees, 0.5 + level / 2))


def _p_of_t(statistic: float, degrees: int) -> float:
    from scipy.special import stdtr

    return 2 * float(stdtr(degrees, -abs(statistic)))


@lru_cache(maxsize=512)
def _order_statistics(size: int, share: float, level: float) -> tuple[int, int]:
    """Ranks from 0 of the ends of a quantile's interval; -1 or `size` where there is none."""
    from scipy.special import bdtr

    below = np.array([float(bdtr(k, size, share)) for k in range(size)])
    tail = (1 - level) / 2
    return int(np.sum(below <= tail)) - 1, int(np.sum(below < 1 - tail))


def quantile_interval(values: npt.ArrayLike, share: float, level: float = 0.95) -> Interval:
    """A quantile of independent values, with an interval between two of the values.

    It holds for values of any distribution. The `mean` of the interval is the quantile; it and
    either end are NaN where there are too few values to tell. NaN values are left out. Parameters:
    `values` one a run; `share` that lies below, above 0 and below 1; `level` of confidence, between
    0 and 1.
    """
    every = np.asarray(values, dtype=float).ravel()
    data = np.sort(every[~np.isnan(every)])
    size = int(data.size)
    if not size:
        return Interval(nan, nan, nan, runs=0, of=int(every.size), method="no value")
    lower, upper = _order_statistics(size, share, level)
    place = share * (size + 1)
    # A quantile beyond the outermost values can't be told from them.
    known = 1 <= place <= size
    quantile = float(np.quantile(data, share, method="weibull")) if known else nan
    return Interval(
        mean=quantile,
        low=float(data[lower]) if lower >= 0 else nan,
        high=float(data[upper]) if upper < size else nan,
        runs=size,
        of=int(every.size),
        method="order statistics",
    )


def holm(p_values: npt.ArrayLike) -> Values:
    """p-values corrected for their number by Holm's procedure; NaN ones stay and don't count.

    Parameters: `p_values` of one family of tests.
    """
    given = np.asarray(p_values, dtype=float)
    corrected = np.full(given.shape, nan)
    known = np.flatnonzero(~np.isnan(given))
    order = known[np.argsort(given[known], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(given[order] * factors), 1.0)
    return corrected
