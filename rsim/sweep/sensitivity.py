"""How much of a metric's variance each setting of a sampled space explains (Sobol' indices)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rsim.errors import ResultError
from rsim.sweep.design import SpaceSample

if TYPE_CHECKING:
    import pandas as pd

_RESAMPLES = 1000


def sobol_indices(
    runs: pd.DataFrame, sample: SpaceSample, parameters: list[str], metric: str
) -> pd.DataFrame:
    """Sobol' indices of a metric, for each value of the parameters that are not sampled.

    The first index is the share of the metric's variance that a setting explains by itself, the
    total one that with all its interactions. What varies is the mean over the runs of a point.
    Frame: those parameters, `setting`, and `first` and `total`, each with the ends of its interval
    in columns that end in "_low" and "_high". Source: Saltelli et al., Computer Physics
    Communications 181, 2010; 95% intervals by bootstrap.

    Parameters: `runs` of a stored study; `sample` with points for indices; `parameters` of the
    study; `metric` name. Raises ResultError if a point has no value of the metric, or if all have
    the same.
    """
    import pandas as pd

    others = [name for name in parameters if name not in sample.ranges]
    tables = []
    for key, group in runs.groupby(others, dropna=False, sort=False):
        table = _indices(group, sample, metric)
        values: Sequence[Any] = key if isinstance(key, tuple) else (key,)
        for name, value in zip(others, values, strict=True):
            table[name] = value
        tables.append(table[[*others, *(name for name in table if name not in others)]])
    return pd.concat(tables, ignore_index=True)


def _indices(runs: pd.DataFrame, sample: SpaceSample, metric: str) -> pd.DataFrame:
    """The same for one sample."""
    import pandas as pd
    from SALib.analyze import sobol

    paths = list(sample.ranges)
    means = {
        key if isinstance(key, tuple) else (key,): float(value)
        for key, value in runs.groupby(paths)[metric].mean().items()
    }
    rows = [tuple(point[path] for path in paths) for point in sample.design()]
    values = np.array([means.get(row, np.nan) for row in rows])
    missing = int(np.isnan(values).sum())
    if missing:
        raise ResultError(
            f"{metric}: {missing} of {len(rows)} points have no value; Sobol' indices need all"
        )
    if np.ptp(values) == 0:
        raise ResultError(f"{metric}: is {values[0]:g} at all points, so nothing explains it")
    problem: dict[str, Any] = {"num_vars": len(paths), "names": paths}
    found = sobol.analyze(
        problem,
        values,
        calc_second_order=False,
        num_resamples=_RESAMPLES,
        keep_resamples=True,
        seed=sample.seed,
    )
    table = pd.DataFrame({"setting": paths})
    for name, short in (("first", "S1"), ("total", "ST")):
        low, high = np.quantile(found[f"{short}_conf_all"], [0.025, 0.975], axis=0)
        # A share of the variance: estimates may lie a little beyond.
        columns = (found[short], low, high)
        for column, shares in zip((name, f"{name}_low", f"{name}_high"), columns, strict=True):
            table[column] = np.clip(shares, 0.0, 1.0)
    return table
