"""Intervals and runs without a value, as figures show them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes


def ends(frame: pd.DataFrame) -> tuple[pd.Series[float], pd.Series[float]]:
    """Ends of the intervals: the columns `low` and `high` where there are such.

    Parameters: `frame` with `mean` and `ci95`.
    """
    low, high = frame["mean"] - frame["ci95"], frame["mean"] + frame["ci95"]
    if "low" in frame and "high" in frame:
        return frame["low"].fillna(low), frame["high"].fillna(high)
    return low, high


def reaches(frame: pd.DataFrame) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """How far intervals reach below and above their means, 0 where there are none.

    Parameters: `frame` with `mean` and `ci95`.
    """
    low, high = ends(frame)
    sides = [(frame["mean"] - low).fillna(0.0), (high - frame["mean"]).fillna(0.0)]
    return np.array([side.clip(lower=0).to_numpy(dtype=float) for side in sides])


def tell_missing(axes: Axes, points: pd.DataFrame, x: str) -> None:
    """Writes `n of N` beside means over runs of which some have no value.

    Parameters: `axes` to write on; `points` with `mean`, `runs` and `of`; `x` the column of places.
    """
    if "of" not in points:
        return
    for row in points[points["runs"] < points["of"]].to_dict("records"):
        if row["mean"] == row["mean"]:
            axes.annotate(
                f"{row['runs']} of {row['of']}",
                (row[x], row["mean"]),
                fontsize=6,
                xytext=(3, 3),
                textcoords="offset points",
            )
