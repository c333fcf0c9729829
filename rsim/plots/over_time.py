"""Metrics and handlespaces over simulated time."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from rsim.errors import ResultError
from rsim.plots.style import COLOURS, axes_or_new, shown
from rsim.results import METRICS, Result


def plot_over_time(
    series: pd.DataFrame,
    metric: str,
    *,
    lines: str = "",
    warm_up: float | None = None,
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draws a metric over time, with the 95% interval over runs if there are several.

    Parameters: `metric` by name; `title` above the figure; `axes` to draw on, None: new ones;
    `series` as `Result.timeline` or `rsim.read(DIR, series=True)` give it; `lines` a column with
    one line for each value; `warm_up` in s is marked.
    """
    if metric not in series or metric not in METRICS:
        raise ResultError(f"'{metric}' is not among these time series")
    axes = axes_or_new(axes)
    groups = series.groupby(lines, sort=False, dropna=False) if lines else [("", series)]
    for number, (value, group) in enumerate(groups):
        colour = COLOURS[number % len(COLOURS)]
        rows = []
        for begin, part in group.groupby("begin"):
            interval = METRICS[metric].interval(part[metric].to_numpy())
            middle = (float(begin) + float(part["end"].iloc[0])) / 2  # type: ignore[arg-type]
            rows.append((middle, interval.mean, interval.low, interval.high))
        frame = pd.DataFrame(rows, columns=["time", "mean", "low", "high"])
        axes.plot(frame["time"], frame["mean"], color=colour, lw=1.5, label=shown(value))
        axes.fill_between(
            frame["time"], frame["low"], frame["high"], color=colour, alpha=0.18, lw=0
        )
    if lines:
        axes.legend(fontsize=8)
    if warm_up is not None:
        axes.axvline(warm_up, color="0.4", ls=":", lw=1)
    return _finished(axes, METRICS[metric].axis, title)


def plot_divergence(result: Result, *, title: str = "", axes: Axes | None = None) -> Axes:
    """Draws how far the servers' handlespaces differ over time, and how many servers serve.

    Parameters: `result` of a run with `observe_interval`; `title` above the figure; `axes` to draw
    on, None: new ones. Raises ResultError if the scenario has no `observe_interval`.
    """
    series = result.series
    if series.empty:
        raise ResultError("no comparisons of handlespaces: the scenario sets no observe_interval")
    axes = axes_or_new(axes)
    axes.plot(series["time"], 100 * series["divergence"], color=COLOURS[0], label="divergence")
    axes.plot(
        series["time"],
        100 * series["orphans"] / series["elements"].clip(lower=1),
        color=COLOURS[1],
        ls="--",
        label="orphaned elements",
    )
    other = axes.twinx()
    other.step(series["time"], series["servers"], where="post", color="0.5", lw=1)
    other.set_ylabel("servers that serve")
    other.set_ylim(0, max(1, series["servers"].max()) * 1.1)
    axes.legend(fontsize=8)
    return _finished(axes, "share of entries and of elements (%)", title)


def _finished(axes: Axes, label: str, title: str) -> Axes:
    axes.set_xlabel("simulated time (s)")
    axes.set_ylabel(label)
    axes.set_title(title)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    return axes
