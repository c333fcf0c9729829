"""Breaking points: how strong an attack must be, a row for each thing that is compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from rsim.plots.style import COLOURS, axes_or_new
from rsim.results.breaking import decades


def plot_breaking(
    points: pd.DataFrame,
    *,
    labels: Sequence[str],
    x_label: str = "",
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draws breaking points with their 95% intervals, one below the other.

    Parameters: `x_label` below the axis, by default the path; `title` above the figure; `axes` to
    draw on, None: new ones; `points` as `rsim.results.breaking_table.breaking_points` gives it;
    `labels` one for each row. A row whose point lies beyond all strengths that were tried says so
    instead.
    """
    axes = axes_or_new(axes, height=1.6 + 0.4 * len(points))
    known = points["mean"].dropna()
    least, most = (known.min(), known.max()) if len(known) else (1.0, 1.0)
    ends = points[["low", "high"]].replace([np.inf, -np.inf], np.nan)
    for place, row in enumerate(points.to_dict("records")):
        colour = COLOURS[place % len(COLOURS)]
        if row["censored"] or row["mean"] != row["mean"]:
            axes.annotate(
                row["text"],
                (0.0 if row["censored"] == "below" else 1.0, place),
                xycoords=("axes fraction", "data"),
                ha="left" if row["censored"] == "below" else "right",
                va="center",
            )
            continue
        low, high = ends.iloc[place]
        axes.plot(row["mean"], place, "o", color=colour)
        axes.plot(
            [low if low == low else least, high if high == high else most],
            [place, place],
            color=colour,
            marker="|" if low == low and high == high else "",
            lw=1.5,
        )
    axes.set_yticks(range(len(points)), [label.replace("_", " ") for label in labels])
    axes.set_ylim(len(points) - 0.5, -0.5)
    if decades(least, most):
        axes.set_xscale("log")
    axes.set_xlabel(x_label)
    axes.set_title(title)
    axes.grid(alpha=0.3, axis="x")
    return axes
