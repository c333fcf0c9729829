"""Breaking points: how strong an attack must be, a row for each thing that is compared."""

from __future__ import annotations

from collections.abc import Sequence

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
    draw on, None: new ones; `points` as `rsim.results.breaking.breaking_points` gives it; `labels`
    one for each row. A row whose metric nowhere breaks has an arrow instead of a point, one of
    which some seeds hold is hollow: its true point lies higher.
    """
    axes = axes_or_new(axes, height=1.6 + 0.4 * len(points))
    broken = points["mean"].dropna()
    low, high = (broken.min(), broken.max()) if len(broken) else (1.0, 1.0)
    rows = zip(points.to_dict("records"), labels, strict=True)
    for place, (row, _) in enumerate(rows):
        colour = COLOURS[place % len(COLOURS)]
        if not row["broken"]:
            axes.annotate(
                "holds", (1.0, place), xycoords=("axes fraction", "data"), ha="right", va="center"
            )
            continue
        whole = row["broken"] == row["runs"]
        width = row["ci95"] if row["ci95"] == row["ci95"] else 0.0
        axes.errorbar(
            row["mean"],
            place,
            xerr=[[min(width, 0.999 * row["mean"]) if row["mean"] > 0 else width], [width]],
            color=colour,
            marker="o",
            mfc=colour if whole else "none",
            capsize=3,
        )
    axes.set_yticks(range(len(points)), [label.replace("_", " ") for label in labels])
    axes.set_ylim(len(points) - 0.5, -0.5)
    if decades(low, high):
        axes.set_xscale("log")
    axes.set_xlabel(x_label)
    axes.set_title(title)
    axes.grid(alpha=0.3, axis="x")
    return axes
