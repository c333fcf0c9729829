"""Breaking points: the strength at which a metric leaves what it must not leave."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import exp, log
from typing import TYPE_CHECKING, Any

import numpy as np

from rsim.results.statistics import mean_interval

if TYPE_CHECKING:
    import pandas as pd


def decades(low: float, high: float) -> bool:
    """Whether a range is better gone through on a logarithmic scale.

    Parameters: `low` and `high` ends of the range.
    """
    return low > 0 and log(high / low) > log(20)


def crossing(x: Sequence[float], y: Sequence[float], level: float) -> float:
    """Where a curve first falls below a level, seen from its better end; NaN if it nowhere does.

    Parameters: `level` in the unit of the curve; `x` in ascending order; `y` the curve there, the
    higher the better. Between two points the curve is a straight line, over the logarithm of `x`
    where that spans decades.
    """
    points = [(a, b) for a, b in zip(x, y, strict=True) if b == b]
    if not points:
        return float("nan")
    if points[-1][1] > points[0][1]:
        points.reverse()
    logarithmic = decades(min(x), max(x))
    if points[0][1] < level:
        return float("nan")
    for (a, above), (b, below) in pairwise(points):
        if below < level:
            share = (above - level) / (above - below)
            if logarithmic:
                return exp(log(a) + share * (log(b) - log(a)))
            return a + share * (b - a)
    return float("nan")


def breaking_points(
    runs: pd.DataFrame,
    levels: pd.Series[float],
    *,
    x: str,
    metric: str,
    parameters: list[str],
) -> pd.DataFrame:
    """Breaking points over seeds, with 95% intervals, for each combination of other parameters.

    The crossing is found seed by seed, so seeds in common keep noise out of it. Parameters:
    `metric` the column of what falls; `runs` one row a run; `levels` by seed; `x` the column of
    strengths; `parameters` all columns that make a point. Gives the other parameters, `mean`,
    `ci95`, `runs` (seeds), `broken` (seeds whose curve crosses the level: where they are fewer than
    `runs`, the mean is that of the weaker ones and the true one is higher).
    """
    import pandas as pd

    others = [name for name in parameters if name != x]
    rows: list[dict[str, Any]] = []
    for point, group in runs.groupby(others, sort=False, dropna=False):
        found = []
        for seed, curve in group.groupby("seed"):
            if seed in levels.index and curve[x].notna().all():
                ordered = curve.sort_values(x)
                level = float(levels.loc[seed])
                found.append(crossing(list(ordered[x]), list(ordered[metric]), level))
        if not found:
            continue
        interval = mean_interval(found)
        rows.append(
            {
                **dict(zip(others, point, strict=True)),
                "mean": interval.mean,
                "ci95": interval.half_width,
                "runs": len(found),
                "broken": int(np.sum(~np.isnan(found))),
            }
        )
    return pd.DataFrame(rows, columns=[*others, "mean", "ci95", "runs", "broken"])
