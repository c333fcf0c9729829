"""Breaking points of stored runs: one for each combination of the other parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from rsim.results.breaking import BreakingPoint, breaking_point

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("mean", "ci95", "low", "high", "censored", "bound", "runs", "of", "text")
"""What a table of breaking points has beside its parameters."""


def breaking_points(
    runs: pd.DataFrame,
    levels: pd.Series[float],
    *,
    x: str,
    metric: str,
    parameters: list[str],
    better: Literal["higher", "lower"],
    stronger: Literal["higher", "lower"] = "higher",
    worst: float = float("nan"),
) -> pd.DataFrame:
    """Breaking points with 95% intervals, for each combination of other parameters.

    Seeds that lack a run at one of the strengths say nothing. Parameters: `metric` the column of
    what gets worse; `runs` one row a run; `levels` one for each row of it; `x` the column of
    strengths; `parameters` all columns that make a point; `better`, `stronger` and `worst` as of
    `rsim.results.breaking.breaking_point`. Gives the other parameters, `mean` (the strength, NaN
    where it lies beyond all that were tried), `ci95` (half of the interval's width), `low` and
    `high` (its ends), `censored` ("above" or "below" all strengths), `bound` (which it lies
    beyond), `runs` (seeds), `of` (all of them) and `text`.
    """
    import pandas as pd

    others = [name for name in parameters if name != x]
    rows: list[dict[str, Any]] = []
    runs = runs.assign(level=levels)
    for point, group in runs[runs[x].notna()].groupby(others, sort=False, dropna=False):
        found = _of_point(group, x, metric, better=better, stronger=stronger, worst=worst)
        values = point if isinstance(point, tuple) else (point,)
        rows.append(
            {
                **dict(zip(others, values, strict=True)),
                "mean": found.estimate,
                "ci95": (found.high - found.low) / 2,
                **{name: getattr(found, name) for name in COLUMNS[2:]},
            }
        )
    return pd.DataFrame(rows, columns=[*others, *COLUMNS])


def _of_point(
    group: pd.DataFrame,
    x: str,
    metric: str,
    *,
    better: Literal["higher", "lower"],
    stronger: Literal["higher", "lower"],
    worst: float,
) -> BreakingPoint:
    strengths = sorted(group[x].unique().tolist())
    seeds = group["seed"].nunique()
    counts = group.groupby("seed")[x].nunique()
    whole = group[group["seed"].isin(counts.index[counts == len(strengths)])]
    tables = [
        whole.pivot(index="seed", columns=x, values=column).to_numpy(dtype=float)
        for column in (metric, "level")
    ]
    found = breaking_point(strengths, *tables, better=better, stronger=stronger, worst=worst)
    return replace(found, of=seeds)
