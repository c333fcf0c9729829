"""Breaking points: the strength at which a metric gets worse than it must not.

The mean curve over seeds is made monotone by isotonic regression, since what gets stronger does not
get better; the interval comes from bootstrapping the seeds. `docs/statistics.md` says how often it
covers the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isnan, log, nan, sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt

from rsim.results.digits import ends_text, rounded
from rsim.results.statistics import Values, t_quantile

Censored = Literal["", "above", "below"]
"""On which side of all strengths that were tried a breaking point lies; empty: among them."""

_RESAMPLES = 999
_LEVEL = 0.95
_HALVINGS = 40


def decades(low: float, high: float) -> bool:
    """Whether a range is better gone through on a logarithmic scale.

    Parameters: `low` and `high` ends of the range.
    """
    return low > 0 and log(high / low) > log(20)


@dataclass(frozen=True, slots=True)
class BreakingPoint:
    """Where a metric breaks, with a 95% interval.

    Parameters: `estimate` of the strength, NaN where it lies beyond those that were tried;
    `censored` on which side of them; `bound` the strength that it lies beyond, or NaN; `low` and
    `high` ends of the interval, infinite where they lie beyond; `runs` seeds that say something,
    `of` all.
    """

    estimate: float
    censored: Censored
    bound: float
    low: float
    high: float
    runs: int
    of: int

    @property
    def text(self) -> str:
        """The point in words: `3.2 (2.8 to 3.7)`, `above 10`, or `below 0.1`."""
        if self.censored:
            return f"{self.censored} {rounded(self.bound)}"
        if isnan(self.estimate):
            return "-"
        if isnan(self.low):
            return rounded(self.estimate)
        if np.isinf(self.low) or np.isinf(self.high):
            ends = [
                f"above {rounded(self.low)}" if not np.isinf(self.low) else "",
                f"below {rounded(self.high)}" if not np.isinf(self.high) else "",
            ]
            return f"{rounded(self.estimate)} ({' '.join(filter(None, ends)) or 'anywhere'})"
        half = (self.high - self.low) / 2
        ends_of = ends_text(self.estimate, self.low, self.high)
        shown = rounded(self.estimate, half)
        return f"{shown} {ends_of}" if ends_of.startswith("±") else f"{shown} ({ends_of})"


def breaking_point(
    strengths: npt.ArrayLike,
    values: npt.ArrayLike,
    levels: npt.ArrayLike,
    *,
    better: Literal["higher", "lower"],
    stronger: Literal["higher", "lower"] = "higher",
    worst: float = nan,
) -> BreakingPoint:
    """The strength at which a metric gets worse than a level.

    A value that is undefined is as bad as any: where nothing is left to be measured, all is broken.
    Seeds without a level say nothing. Parameters: `strengths` that were tried; `values` of the
    metric, a row a seed and a column a strength; `levels` one for each seed, or for each value;
    `better` which values of the metric are; `stronger` which strengths are; `worst` value of the
    metric, NaN: the worst that was seen.
    """
    x = np.asarray(strengths, dtype=float)
    order = np.argsort(x if stronger == "higher" else -x, kind="stable")
    x = x[order]
    table = np.asarray(values, dtype=float).reshape(-1, x.size)[:, order]
    level = np.asarray(levels, dtype=float)
    level = level[:, order] if level.ndim == 2 else np.repeat(level.reshape(-1, 1), x.size, axis=1)
    margins = _margins(table, level, better, worst)
    of, runs = table.shape[0], margins.shape[0]
    if not runs or not x.size:
        return BreakingPoint(nan, "", nan, low=nan, high=nan, runs=0, of=of)
    logarithmic = decades(float(x.min()), float(x.max()))
    places = np.log(x) if logarithmic else x
    # Crossings are looked for along ascending places.
    sign = 1.0 if stronger == "higher" else -1.0
    curve = margins.mean(axis=0)
    found = float(_crossings(sign * places, _falling(curve[None, :]), curved=True)[0])
    low, high = _interval(sign * places, margins)
    if not np.isinf(found):
        least, most = _between(sign * places, margins, found)
        low, high = min(low, least), max(high, most)
    ends = sorted((sign * low, sign * high))
    low, high = (_back(end, logarithmic) for end in ends)
    if np.isinf(found):
        beyond = x[-1] if found > 0 else x[0]
        side: Censored = "above" if (found > 0) == (stronger == "higher") else "below"
        return BreakingPoint(nan, side, float(beyond), low=low, high=high, runs=runs, of=of)
    at = _back(sign * found, logarithmic)
    return BreakingPoint(at, "", nan, low=low, high=high, runs=runs, of=of)


def _back(place: float, logarithmic: bool) -> float:
    """A strength from its place; ends that lie beyond all stay infinite."""
    if np.isinf(place) or isnan(place):
        return place
    return float(np.exp(place)) if logarithmic else place


def _margins(table: Values, level: Values, better: str, worst: float) -> Values:
    """How much better than its level each value is, of the seeds that have a level."""
    sign = 1.0 if better == "higher" else -1.0
    known = ~np.isnan(level).any(axis=1)
    margins, level = sign * (table[known] - level[known]), level[known]
    if not np.isnan(margins).any():
        return margins
    lowest = float(np.nanmin(margins)) if not np.isnan(margins).all() else 0.0
    dead = np.minimum(lowest, -np.maximum(np.abs(level), 1e-12))
    if np.isfinite(worst):
        dead = np.minimum(sign * (worst - level), -1e-12)
    return np.where(np.isnan(margins), dead, margins)


def _falling(curves: Values) -> Values:
    """The closest curves that nowhere rise, by isotonic regression."""
    from scipy.optimize import isotonic_regression

    return np.array([isotonic_regression(curve, increasing=False).x for curve in curves])


def _crossings(places: Values, curves: Values, *, curved: bool) -> Values:
    """Where each falling curve gets below 0: -inf before the first place, inf after the last.

    Between places a curve is a straight line, or if `curved` a monotone cubic one.
    """
    rows = np.arange(len(curves))
    below = curves < 0
    first = below.argmax(axis=1)
    found = np.where(below.any(axis=1), -inf, inf)
    inner = below.any(axis=1) & (first > 0)
    if not inner.any():
        return found
    rows, after = rows[inner], first[inner]
    before = after - 1
    y0, y1 = curves[rows, before], curves[rows, after]
    x0, width = places[before], places[after] - places[before]
    if not curved:
        found[rows] = x0 + width * y0 / (y0 - y1)
        return found
    slopes = _slopes(places, curves)
    m0, m1 = slopes[rows, before] * width, slopes[rows, after] * width
    low, high = np.zeros(len(rows)), np.ones(len(rows))
    for _ in range(_HALVINGS):
        t = (low + high) / 2
        value = (
            y0 * (1 + 2 * t) * (1 - t) ** 2
            + m0 * t * (1 - t) ** 2
            + y1 * t**2 * (3 - 2 * t)
            + m1 * t**2 * (t - 1)
        )
        low, high = np.where(value >= 0, t, low), np.where(value >= 0, high, t)
    found[rows] = x0 + width * (low + high) / 2
    return found


def _slopes(places: Values, curves: Values) -> Values:
    """Slopes of monotone cubic curves at their places (Fritsch and Butland, as scipy's PCHIP)."""
    from scipy.interpolate import PchipInterpolator

    if places.size < 3:
        slope = np.diff(curves, axis=1) / np.diff(places)
        return np.repeat(slope, 2, axis=1)
    slopes = PchipInterpolator(places, curves, axis=1).derivative()(places)
    return np.asarray(slopes, dtype=float)


def _interval(places: Values, margins: Values) -> tuple[float, float]:
    """Ends of the 95% interval: percentiles over resampled seeds.

    Deviations are enlarged as Student's interval is against the normal one, since few seeds show
    too little of how they vary. Between places nobody knows the curve, so the interval holds the
    crossings of straight lines as well as those of curved ones.
    """
    size = len(margins)
    if size < 2:
        return nan, nan
    random = np.random.default_rng(0)
    chosen = random.integers(0, size, (_RESAMPLES, size))
    curve = margins.mean(axis=0)
    weights = np.zeros((_RESAMPLES, size))
    np.add.at(weights, (np.arange(_RESAMPLES)[:, None], chosen), 1.0 / size)
    enlarged = t_quantile(size - 1, _LEVEL) / 1.959964 * sqrt(size / (size - 1))
    curves = _falling(curve + enlarged * (weights @ margins - curve))
    tails = ((1 - _LEVEL) / 2, (1 + _LEVEL) / 2)
    ends = [
        np.quantile(_crossings(places, curves, curved=curved), tails, method="inverted_cdf")
        for curved in (False, True)
    ]
    return float(min(ends[0][0], ends[1][0])), float(max(ends[0][1], ends[1][1]))


def _between(places: Values, margins: Values, found: float) -> tuple[float, float]:
    """Where else the curve may cross between two places, if it bends there beyond doubt.

    A curve that bends lies between the straight line and the lines through its neighbours, as far
    as it bends one way.
    """
    size, after = len(margins), int(np.searchsorted(places, found))
    ends = [found, found]
    if size < 2 or not 0 < after < places.size:
        return found, found
    left, right = places[after - 1], places[after]
    slopes = np.diff(margins, axis=1) / np.diff(places)
    mean = margins.mean(axis=0)
    for neighbour, anchor in ((after - 2, after - 1), (after, after)):
        if not 0 <= neighbour < slopes.shape[1]:
            continue
        bends = slopes[:, neighbour] - slopes[:, after - 1]
        error = float(bends.std(ddof=1)) / sqrt(size)
        if abs(float(bends.mean())) <= t_quantile(size - 1, _LEVEL) * error:
            continue
        slope = float(slopes[:, neighbour].mean())
        # A neighbour that does not fall leads to no crossing on this side of the far end.
        far = right if anchor == after - 1 else left
        at = places[anchor] - mean[anchor] / slope if slope < 0 else far
        ends.append(float(np.clip(at, left, right)))
    return min(ends), max(ends)


def search_breaking_point(
    measure: Callable[[float], Sequence[float]],
    levels: Sequence[float],
    *,
    low: float,
    high: float,
    better: Literal["higher", "lower"],
    worst: float = nan,
    narrow: float = 1.25,
    most: int = 10,
    seen: dict[float, Sequence[float]] | None = None,
) -> BreakingPoint:
    """A breaking point by runs at strengths that are added where the interval is wide.

    It begins with five strengths and ends where the interval is as narrow as asked, where the point
    lies beyond both ends, or after so many strengths; the interval says how exact it is.
    Parameters: `measure` gives the metric at a strength, one value a seed; `levels` one a seed;
    `low` and `high` weakest and strongest strength, above 0; `better` which values are; `worst`
    value of the metric, NaN: the worst that was seen; `narrow` upper end / lower end that is
    enough; `most` strengths in all; `seen` values by strength that are known, to which new ones are
    added, None: none.
    """
    known = {} if seen is None else seen
    for strength in np.geomspace(low, high, 5).tolist():
        _look(measure, strength, known)
    while True:
        x = sorted(known)
        table = np.array([known[strength] for strength in x]).T
        found = breaking_point(x, table, levels, better=better, worst=worst)
        if found.censored or isnan(found.estimate) or len(known) >= most:
            return found
        if found.low > 0 and found.high / found.low <= narrow:
            return found
        if not _look(measure, _next(x, found), known):
            return found


def _look(
    measure: Callable[[float], Sequence[float]],
    strength: float,
    known: dict[float, Sequence[float]],
) -> bool:
    if any(abs(log(strength / other)) < 0.01 for other in known):
        return False
    known[strength] = measure(strength)
    return True


def _next(x: list[float], found: BreakingPoint) -> float:
    """The middle of the widest gap between strengths that the interval reaches into."""
    low, high = max(found.low, x[0]), min(found.high, x[-1])
    gaps = [(log(b / a), a, b) for a, b in pairwise(x) if b > low and a < high]
    _, a, b = max(gaps)
    return sqrt(a * b)
