"""Comparison with another simulator's results: point by point, by joint confidence intervals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rsim.errors import ResultError, shown
from rsim.reading import check_regular

if TYPE_CHECKING:
    import pandas as pd

_NORMAL = 1.959964
"""Half-width of a 95% interval in standard errors."""


def read_reference(
    file: str | Path,
    columns: dict[str, str],
    values: dict[str, dict[str, Any]],
    metrics: dict[str, str],
    where: dict[str, Any],
) -> pd.DataFrame:
    """A reference in this simulator's names: parameters, metric, mean, ci95, runs.

    Parameters: `file` CSV; `columns` parameter by column of the file; `values` of a parameter by
    that in the file, by column; `metrics` by that in the file; `where` value by column of the rows
    that count; as in a study's `[[sweep.references]]`. Raises ResultError if the file is missing or
    lacks a column, or where a mean, an interval or a number of runs is none.
    """
    import pandas as pd

    try:
        check_regular(file)
        frame = pd.read_csv(file)
    except FileNotFoundError:
        raise ResultError(f"{file}: no such file") from None
    except (OSError, ValueError) as error:
        raise ResultError(f"{file}: can't be read as CSV: {error}") from None
    needed = [*columns, *where, "metric", "mean", "ci95", "runs"]
    missing = [column for column in needed if column not in frame]
    if missing:
        raise ResultError(f"{file}: column '{missing[0]}' is missing")
    for column in ("mean", "ci95", "runs"):
        _check_numbers(file, frame[column])
    for column, value in where.items():
        frame = frame[frame[column] == value]
    frame = frame[frame["metric"].isin(list(metrics))]
    for column, names in values.items():
        frame = frame.assign(**{column: frame[column].map(lambda v, n=names: n.get(str(v), v))})
    frame = frame.assign(metric=frame["metric"].map(metrics))
    frame = frame.rename(columns=columns)
    return frame[[*columns.values(), "metric", "mean", "ci95", "runs"]]


def _check_numbers(file: str | Path, column: pd.Series[Any]) -> None:
    """Raises ResultError with the first row that holds no number; empty ones are unknown."""
    import pandas as pd

    numbers = pd.to_numeric(column.astype(object), errors="coerce").astype(float)
    least = -np.inf if column.name == "mean" else 0.0
    right = np.isfinite(numbers) & (numbers >= least) & ~column.map(lambda v: isinstance(v, bool))
    wrong = ~right & column.notna()
    if wrong.any():
        kind = "a number" if column.name == "mean" else "a number of at least 0"
        raise ResultError(
            f"{file}: column '{column.name}': row {int(np.argmax(wrong)) + 1} has "
            f"{shown(column[wrong].tolist()[0])}; must be {kind}"
        )


def _keys(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The frame with columns that can be held against those of another, of whatever type."""
    return frame.astype(dict.fromkeys(names, object))


def _check_kinds(one: pd.Series[Any], other: pd.Series[Any]) -> None:
    """Raises ResultError where one column holds text and the other numbers."""
    kinds = [
        {isinstance(value, str) for value in column.dropna().unique()} for column in (one, other)
    ]
    if all(kinds) and kinds[0].isdisjoint(kinds[1]):
        value = shown(other.dropna().tolist()[0])
        had, has = ("text", "numbers") if kinds[0] == {True} else ("numbers", "text")
        raise ResultError(
            f"{one.name}: the results hold {had}, the reference {has} ({value}); `values` of the "
            "study's reference says what they stand for"
        )


def _facing(both: pd.DataFrame) -> tuple[pd.Series[float], pd.Series[float]]:
    """Half-widths of both intervals on the sides that face each other."""
    above = both["difference"] >= 0
    sides = []
    for mean, ci95, ends in (
        ("mean", "ci95", ("low", "high")),
        ("reference_mean", "reference_ci95", ("high_reference", "low_reference")),
    ):
        side = both[ci95]
        for end, chosen in zip(ends, (above, ~above), strict=True):
            if end in both:
                reach = (both[mean] - both[end]).abs()
                # An end that does not belong to the mean, which somebody has changed, is none.
                side = side.where(~chosen | ~(reach <= 2.001 * both[ci95]), reach)
        sides.append(side)
    return sides[0], sides[1]


def compare(summary: pd.DataFrame, reference: pd.DataFrame, parameters: list[str]) -> pd.DataFrame:
    """Each point and metric that both have, side by side.

    Gives the parameters, metric, `mean`, `ci95`, `reference_mean`, `reference_ci95`, their
    `difference`, its `joint_ci95` (root of the sum of squares of those sides of the intervals that
    face each other), and whether it is `within`. Raises ResultError where one holds text for a
    parameter and the other numbers.

    Parameters: `summary` of runs and `reference` both as `rsim.results.summarise` gives them;
    `parameters` columns that make a point.
    """
    keys = [*parameters, "metric"]
    for name in parameters:
        _check_kinds(summary[name], reference[name])
    both = _keys(summary, keys).merge(
        _keys(reference, keys), on=keys, suffixes=("", "_reference"), how="inner"
    )
    both = both.infer_objects()
    both = both.rename(
        columns={
            "mean_reference": "reference_mean",
            "ci95_reference": "reference_ci95",
            "runs_reference": "reference_runs",
        }
    )
    both["difference"] = both["mean"] - both["reference_mean"]
    both["joint_ci95"] = np.hypot(*_facing(both))
    # Single runs have no interval; what is the same but for the last digits is the same.
    slack = 1e-9 * both["reference_mean"].abs() + 1e-12
    undefined = both["mean"].isna() & both["reference_mean"].isna()
    both["within"] = both["difference"].abs() <= both["joint_ci95"].fillna(0.0) + slack
    both["within"] |= undefined
    return both


def agreement(points: pd.DataFrame) -> pd.DataFrame:
    """For each metric, whether all points are shifted together, and whether the rest differs.

    Points share seeds, so that one difference may stand for all: how many points lie within their
    intervals says little. Gives `metric`, `points`, `within`, the common `shift` (mean of the
    differences, weighted by 1 / variance) with `shift_ci95` and `shift_p`, as if all points had
    their noise in common, and `shape_p` of the differences from that shift by chi-square, as if
    they had none in common: either is on the safe side.

    Parameters: `points` as `compare` gives them.
    """
    import pandas as pd
    from scipy.special import chdtrc, ndtr

    rows = []
    for metric, group in points.groupby("metric", sort=False):
        known = group[group["joint_ci95"].gt(0) & group["difference"].notna()]
        row = {"metric": metric, "points": len(group), "within": int(group["within"].sum())}
        errors = known["joint_ci95"] / _NORMAL
        weights = errors**-2.0 / (errors**-2.0).sum()
        shift, error = float((weights * known["difference"]).sum()), float((weights * errors).sum())
        square = float((((known["difference"] - shift) / errors) ** 2).sum())
        row |= dict.fromkeys(("shift", "shift_ci95", "shift_p", "shape_p"), np.nan)
        if len(known):
            p = 2 * float(ndtr(-abs(shift / error)))
            row |= {"shift": shift, "shift_ci95": _NORMAL * error, "shift_p": p}
        if len(known) > 1:
            row["shape_p"] = float(chdtrc(len(known) - 1, square))
        rows.append(row)
    return pd.DataFrame(rows)
