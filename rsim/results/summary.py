"""Tables of means over replications: each metric at each point, and differences between points."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from rsim.results.control import EXPECTED, OFFERED
from rsim.results.metrics import METRICS
from rsim.results.statistics import (
    Interval,
    holm,
    mean_interval,
    paired_interval,
    quantile_interval,
)

if TYPE_CHECKING:
    import pandas as pd

STATISTICS = (
    *("mean", "ci95", "low", "high", "runs", "of", "interval_method"),
    *("q05", "q50", "q95", "q50_low", "q50_high"),
)
"""Columns that a summary has beside its parameters and `metric`."""


def summarise(
    runs: pd.DataFrame, parameters: list[str], metrics: list[str], *, control: bool = True
) -> pd.DataFrame:
    """Means and 95% intervals of each metric at each point, and quantiles over its runs.

    Gives a tidy frame, empty if there are no runs: the parameters, `metric`, `mean`, `ci95` (half
    of the interval's width), `low` and `high` (its ends), `runs` (those with a value), `of` (all
    runs), `interval_method`, `q05`, `q50` and `q95` (NaN where the runs are too few to tell), and
    `q50_low` and `q50_high` (the 95% interval of the median).

    Parameters: `parameters` columns that make a point; `metrics` columns of values; `control`
    whether means of metrics that follow the load are freed from what was offered by chance, at
    points whose expected load is known (`rsim.results.control`).
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    known = control and {OFFERED, EXPECTED} <= {*runs}
    for point, group in _points(runs, parameters):
        load = (group[OFFERED] - group[EXPECTED]).to_numpy(dtype=float) if known else None
        for name in metrics:
            data = group[name].to_numpy(dtype=float)
            metric = METRICS.get(name)
            if metric is None:
                interval = mean_interval(data)
            else:
                interval = metric.interval(data, deviations=load)
            rows.append({**point, "metric": name, **_statistics(interval, data)})
    return pd.DataFrame(rows)


def summarise_differences(
    runs: pd.DataFrame, parameters: list[str], metrics: list[str], *, base: str
) -> pd.DataFrame:
    """Means and 95% intervals of differences between runs in pairs, by metric and point.

    A pair of which a side has no value is missing: it counts in `of` alone. Gives the columns of
    `summarise`, `p` (of no difference) and `p_holm` (the same, corrected by Holm for the number of
    a metric's points).

    Parameters: `runs` one row a pair; `parameters` columns that make a point; `metrics` columns of
    values; `base` what
    follows on a metric's name in the column of what it is held against.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for point, group in _points(runs, parameters):
        for name in metrics:
            one, other = (group[column].to_numpy(dtype=float) for column in (name, name + base))
            metric = METRICS.get(name)
            compared = paired_interval if metric is None else metric.difference
            interval = compared(one, other)
            found = _statistics(interval, one - other)
            rows.append({**point, "metric": name, **found, "p": interval.p})
    frame = pd.DataFrame(rows)
    if len(frame):
        frame["p_holm"] = frame.groupby("metric", sort=False)["p"].transform(
            lambda p: holm(p.to_numpy())
        )
    return frame


def _points(
    runs: pd.DataFrame, parameters: list[str]
) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Parameters and runs of each point."""
    if runs.empty:
        return
    for point, group in runs.groupby(parameters, sort=False, dropna=False):
        values = point if isinstance(point, tuple) else (point,)
        yield dict(zip(parameters, values, strict=True)), group


def _statistics(interval: Interval, data: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, Any]:
    low, median, high = (quantile_interval(data, share) for share in (0.05, 0.5, 0.95))
    values = (
        *(interval.mean, interval.half_width, interval.low, interval.high),
        *(interval.runs, interval.of, interval.method),
        *(low.mean, median.mean, high.mean, median.low, median.high),
    )
    return dict(zip(STATISTICS, values, strict=True))
