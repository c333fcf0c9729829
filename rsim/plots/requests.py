"""Requests of pool users over time: how they wait, are served, and fail over."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from rsim.errors import ResultError
from rsim.plots.style import COLOURS, axes_or_new
from rsim.results import Result

_PHASES = (
    ("queued", "generated", "started", "0.75"),
    ("looks for an element", "started", "accepted", COLOURS[1]),
    ("served", "accepted", "completed", COLOURS[0]),
)


def plot_failovers(
    result: Result,
    *,
    begin: float,
    end: float,
    most: int = 30,
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draws requests between two times as lines: queued, looking for an element, served.

    Those that failed over say how often; where there are more requests than `most`, they come
    first. Parameters: `result` of a run; `title` above the figure; `axes` to draw on, None: new
    ones; `begin`, `end` in s. Raises ResultError if there are no requests.
    """
    requests = result.requests
    over = requests["completed"].fillna(float("inf"))
    shown = requests[(requests["generated"] < end) & (over >= begin)]
    shown = shown.sort_values("failovers", ascending=False, kind="stable").head(most).sort_index()
    if shown.empty:
        raise ResultError(f"no requests between {begin:g} s and {end:g} s")
    axes = axes_or_new(axes, height=1.6 + 0.16 * len(shown))
    for place, row in enumerate(shown.to_dict("records")):
        for _, first, last, colour in _PHASES:
            since = row[first]
            until = row[last] if row[last] == row[last] else end
            if since == since:
                axes.plot([max(since, begin), min(until, end)], [place, place], color=colour, lw=3)
        if row["failovers"] and row["accepted"] == row["accepted"]:
            axes.annotate(
                f"failover {row['failovers']}", (max(row["accepted"], begin), place), fontsize=7
            )
    axes.set_yticks(range(len(shown)), [f"{r.user} #{r.number}" for r in shown.itertuples()])
    axes.tick_params(axis="y", labelsize=6)
    axes.set_xlim(begin, end)
    axes.invert_yaxis()
    axes.set_xlabel("simulated time (s)")
    axes.set_title(title)
    axes.legend(
        handles=[Line2D([], [], color=colour, lw=3, label=name) for name, *_, colour in _PHASES],
        fontsize=8,
        loc="lower right",
    )
    return axes
