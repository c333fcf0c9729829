"""Effect curves: a metric against an axis, with intervals and reference points."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from rsim.errors import RsimWarning
from rsim.plots.intervals import ends, tell_missing
from rsim.plots.style import COLOURS, DASHES, MARKERS, axes_or_new, shown
from rsim.results import METRICS


def plot_effect(
    summary: pd.DataFrame,
    *,
    metric: str,
    x: str,
    lines: str = "",
    arms: dict[str, str] | None = None,
    references: Sequence[tuple[str, pd.DataFrame]] = (),
    x_label: str = "",
    x_scale: str = "linear",
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draws a metric with its 95% intervals, one line for each value of `lines` and each arm.

    Where some runs have no value, `n of N` beside a point says how many have. Parameters: `metric`
    by name; `x_label` below the axis, by default `x`; `x_scale` "linear" or "log"; `title` above
    the figure; `axes` to draw on, None: new ones; `summary` as `rsim.results.summarise` gives it,
    with a column `arm`; an arm without a value of `x` is a level line; `arms` labels by name;
    `references` labels and frames of other simulators' means (drawn as markers where this one has a
    value too).
    """
    axes = axes_or_new(axes)
    data = summary[summary["metric"] == metric]
    values = list(dict.fromkeys(data[lines])) if lines else [""]
    labels = arms or {str(arm): str(arm) for arm in dict.fromkeys(data["arm"])}
    for i, value in enumerate(values):
        colour = COLOURS[i % len(COLOURS)]
        for j, arm in enumerate(labels):
            chosen = data[data["arm"] == arm]
            if lines:
                chosen = chosen[chosen[lines] == value]
            _draw_line(axes, chosen, x, colour=colour, dashes=DASHES[j % len(DASHES)])
        for _, reference in references:
            if x not in reference:
                continue
            points = reference[reference["metric"] == metric]
            points = points[points[x].isin(data[x])]
            if lines:
                points = points[points[lines] == value]
            axes.plot(
                points[x],
                points["mean"],
                MARKERS[i % len(MARKERS)],
                color=colour,
                ms=4.5,
                mfc="none",
            )
    _scale(axes, data[x], x_scale)
    axes.set_xlabel(x_label or x)
    axes.set_ylabel(METRICS[metric].axis)
    axes.set_title(title)
    lowest = ends(data)[0].fillna(data["mean"]).min()
    axes.set_ylim(bottom=None if lowest < 0 else 0)
    axes.grid(alpha=0.3)
    handles = _legend(values if lines else [], labels, [name for name, _ in references])
    if handles:
        axes.legend(handles=handles, fontsize=8, ncols=2)
    return axes


def _draw_line(axes: Axes, points: pd.DataFrame, x: str, *, colour: str, dashes: str) -> None:
    """Draws the points of one line with their intervals; a level line where none has an `x`."""
    if points[x].isna().all():
        for level in points["mean"]:
            axes.axhline(level, ls=dashes, color=colour, lw=1.0)
        return
    # A column with gaps may hold numbers and switches as objects.
    points = points.dropna(subset=[x]).infer_objects().sort_values(x)
    low, high = ends(points)
    axes.plot(points[x], points["mean"], dashes, color=colour, lw=1.6)
    axes.fill_between(points[x], low, high, color=colour, alpha=0.18, lw=0)
    tell_missing(axes, points, x)


def _scale(axes: Axes, values: pd.Series[Any], scale: str) -> None:
    """A logarithmic scale has no place for 0 and below: there it goes on as a linear one."""
    numbers = pd.to_numeric(values.dropna(), errors="coerce") if scale == "log" else values[:0]
    if not (numbers <= 0).any():
        axes.set_xscale(scale)
        return
    above = numbers[numbers > 0]
    end = float(above.min()) if len(above) else 1.0
    axes.set_xscale("symlog", linthresh=end)
    text = f"x_scale: a logarithmic axis has no 0; below {end:g} this one is linear"
    warnings.warn(text, RsimWarning, stacklevel=3)


def _legend(values: list[Any], arms: dict[str, str], references: list[str]) -> list[Line2D]:
    handles = [
        Line2D([], [], color=COLOURS[i % len(COLOURS)], label=shown(value))
        for i, value in enumerate(values)
    ]
    if len(arms) > 1:
        handles += [
            Line2D([], [], color="0.3", ls=DASHES[j % len(DASHES)], label=label)
            for j, label in enumerate(arms.values())
        ]
    for name in dict.fromkeys(references):
        handles.append(Line2D([], [], color="0.3", ls="", marker="o", mfc="none", label=name))
    return handles
