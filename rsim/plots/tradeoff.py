"""Trade-offs: one metric against another, a point for each setting."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from rsim.plots.intervals import reaches
from rsim.plots.style import COLOURS, MARKERS, axes_or_new, shown
from rsim.results import METRICS


def plot_tradeoff(
    summary: pd.DataFrame,
    *,
    metric: str,
    against: str,
    x: str,
    lines: str = "",
    arms: dict[str, str] | None = None,
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draws a metric over another one with both 95% intervals, as receiver operating curves are.

    Parameters: `metric` on the vertical axis by name; `title` above the figure; `axes` to draw on,
    None: new ones; `summary` as `rsim.results.summarise` gives it, with a column `arm`; `against`
    the metric on the horizontal axis; `x` the column whose value stands beside each point; one
    curve for each arm in `arms` and each value of `lines`.
    """
    axes = axes_or_new(axes)
    labels = arms or {str(arm): str(arm) for arm in dict.fromkeys(summary["arm"])}
    number = 0
    for arm, label in labels.items():
        chosen = summary[summary["arm"] == arm]
        values = list(dict.fromkeys(chosen[lines].dropna())) if lines else [None]
        for value in values:
            rows = chosen if value is None else chosen[chosen[lines] == value]
            vertical = rows[rows["metric"] == metric].set_index(x).sort_index()
            level = rows[rows["metric"] == against].set_index(x).sort_index()
            name = label if value is None else f"{label}, {lines.rpartition('.')[2]} {shown(value)}"
            axes.errorbar(
                level["mean"],
                vertical["mean"],
                xerr=reaches(level),
                yerr=reaches(vertical),
                color=COLOURS[number % len(COLOURS)],
                marker=MARKERS[number % len(MARKERS)],
                capsize=2,
                label=name.replace("_", " "),
            )
            for setting, right, up in zip(
                level.index, level["mean"], vertical["mean"], strict=True
            ):
                axes.annotate(
                    shown(setting),
                    (right, up),
                    fontsize=7,
                    xytext=(4, 4),
                    textcoords="offset points",
                )
            number += 1
    axes.set_xlabel(METRICS[against].axis)
    axes.set_ylabel(METRICS[metric].axis)
    # Results that were summarised before intervals of shares kept to them run beyond 100%.
    axes.set_ylim(bottom=0, top=105 if METRICS[metric].unit == "%" else None)
    axes.set_xlim(left=-0.02 * max(1.0, axes.get_xlim()[1]))
    axes.set_title(title)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return axes
