"""Comparison with another simulator's results: point by point, by joint confidence intervals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rsim.errors import ResultError

if TYPE_CHECKING:
    import pandas as pd


def read_reference(
    file: str | Path,
    columns: dict[str, str],
    values: dict[str, dict[str, Any]],
    metrics: dict[str, str],
    where: dict[str, Any],
) -> pd.DataFrame:
    """A reference in this simulator's names: parameters, metric, mean, ci95, runs.

    Parameters: as in a study's `[[sweep.references]]`. Raises ResultError if the file is missing
    or lacks a column.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(file)
    except FileNotFoundError:
        raise ResultError(f"{file}: no such file") from None
    except (OSError, ValueError) as error:
        raise ResultError(f"{file}: can't be read as CSV: {error}") from None
    needed = [*columns, *where, "metric", "mean", "ci95", "runs"]
    missing = [column for column in needed if column not in frame]
    if missing:
        raise ResultError(f"{file}: column '{missing[0]}' is missing")
    for column, value in where.items():
        frame = frame[frame[column] == value]
    frame = frame[frame["metric"].isin(list(metrics))]
    for column, names in values.items():
        frame = frame.assign(**{column: frame[column].map(lambda v, n=names: n.get(str(v), v))})
    frame = frame.assign(metric=frame["metric"].map(metrics))
    frame = frame.rename(columns=columns)
    return frame[[*columns.values(), "metric", "mean", "ci95", "runs"]]


def compare(summary: pd.DataFrame, reference: pd.DataFrame, parameters: list[str]) -> pd.DataFrame:
    """Each point and metric that both have, side by side.

    Gives the parameters, metric, `mean`, `ci95`, `reference_mean`, `reference_ci95`, their
    `difference`, its `joint_ci95` (root of the sum of squares), and whether it is `within`.
    """
    both = summary.merge(
        reference, on=[*parameters, "metric"], suffixes=("", "_reference"), how="inner"
    )
    both = both.rename(
        columns={
            "mean_reference": "reference_mean",
            "ci95_reference": "reference_ci95",
            "runs_reference": "reference_runs",
        }
    )
    both["difference"] = both["mean"] - both["reference_mean"]
    both["joint_ci95"] = np.hypot(both["ci95"], both["reference_ci95"])
    # Single runs have no interval; what is the same but for the last digits is the same.
    slack = 1e-9 * both["reference_mean"].abs() + 1e-12
    undefined = both["mean"].isna() & both["reference_mean"].isna()
    both["within"] = both["difference"].abs() <= both["joint_ci95"].fillna(0.0) + slack
    both["within"] |= undefined
    return both
