"""Means over replications with confidence intervals (Student t), and quantiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

_SHARES = (0.05, 0.5, 0.95)
"""Quantiles of a table: the median, and the bounds of the middle nine tenths."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the half-width of its confidence interval, over `runs` values.

    Parameters: `mean` of the values; `half_width` of the interval, NaN for a single value.
    """

    mean: float
    half_width: float
    runs: int


def mean_interval(values: npt.ArrayLike, level: float = 0.95) -> Interval:
    """Mean of independent values and the half-width of its confidence interval.

    NaN values are left out; the half-width of fewer than two values is NaN.

    Parameters: `values` one a run, NaN ones are left out; `level` of confidence, between 0 and 1.
    """
    data = np.asarray(values, dtype=float)
    data = data[~np.isnan(data)]
    if data.size == 0:
        return Interval(float("nan"), float("nan"), 0)
    mean = float(data.mean())
    if data.size == 1:
        return Interval(mean, float("nan"), 1)
    from scipy.special import stdtrit  # Slow to load, and not every program needs it.

    quantile = float(stdtrit(data.size - 1, 0.5 + level / 2))
    error = float(data.std(ddof=1)) / float(np.sqrt(data.size))
    return Interval(mean, quantile * error, int(data.size))


def summarise(runs: pd.DataFrame, parameters: list[str], metrics: list[str]) -> pd.DataFrame:
    """Means and 95% intervals of each metric at each point, and quantiles over its runs.

    Gives a tidy frame, empty if there are no runs: the parameters, `metric`, `mean`, `ci95`
    (half-width), `runs`, `q05`, `q50` and `q95`.

    Parameters: `parameters` columns that make a point; `metrics` columns of values.
    """
    import pandas as pd

    if runs.empty:
        return pd.DataFrame()
    rows: list[dict[str, Any]] = []
    for point, group in runs.groupby(parameters, sort=False, dropna=False):
        values = point if isinstance(point, tuple) else (point,)
        for metric in metrics:
            data = group[metric].to_numpy(dtype=float)
            interval = mean_interval(data)
            present = data[~np.isnan(data)]
            quantiles = np.quantile(present, _SHARES) if present.size else [float("nan")] * 3
            rows.append(
                {
                    **dict(zip(parameters, values, strict=True)),
                    "metric": metric,
                    "mean": interval.mean,
                    "ci95": interval.half_width,
                    "runs": interval.runs,
                    **dict(zip(("q05", "q50", "q95"), map(float, quantiles), strict=True)),
                }
            )
    return pd.DataFrame(rows)
