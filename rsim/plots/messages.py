"""The mix of messages: how often each kind was sent."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes

from rsim.plots.style import COLOURS, axes_or_new
from rsim.results import Result


def plot_messages(
    results: Result | Mapping[str, Result], *, title: str = "", axes: Axes | None = None
) -> Axes:
    """Draws messages per second by kind, in the measured time.

    Parameters: `title` above the figure; `axes` to draw on, None: new ones; `results` one, or
    several by label, side by side. Kinds that nobody sent are left out.
    """
    named = {"": results} if isinstance(results, Result) else dict(results)
    rates = {
        label: {
            name.removeprefix("network."): count / result.observation.duration
            for name, count in result.counters.items()
            if name.startswith(("network.asap_", "network.enrp_"))
            and not name.endswith(("_messages", "_octets"))
        }
        for label, result in named.items()
    }
    kinds = [
        kind for kind in next(iter(rates.values())) if any(one[kind] for one in rates.values())
    ]
    axes = axes_or_new(axes, height=1.6 + 0.35 * len(kinds))
    height = 0.8 / len(named)
    for number, (label, found) in enumerate(rates.items()):
        places = [place + (number - (len(named) - 1) / 2) * height for place in range(len(kinds))]
        axes.barh(
            places,
            [found[kind] for kind in kinds],
            height,
            color=COLOURS[number % len(COLOURS)],
            label=label,
        )
    axes.set_yticks(range(len(kinds)), [kind.upper() for kind in kinds], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("messages sent (1/s)")
    axes.set_title(title)
    axes.grid(alpha=0.3, axis="x")
    if len(named) > 1:
        axes.legend(fontsize=8)
    return axes
