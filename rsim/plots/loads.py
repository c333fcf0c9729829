"""Load of each pool element over time, as a heat map."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rsim.errors import ResultError
from rsim.plots.style import axes_or_new
from rsim.results import Result


def plot_loads(result: Result, *, title: str = "", axes: Axes | None = None) -> Axes:
    """Draws what each pool element has done in each interval, in % of its capacity.

    Elements that lie are marked on the axis.

    Parameters: `result` of a run; `title` above the figure; `axes` to draw on, None: new ones.
    Raises ResultError if the scenario has no `series_interval`.
    """
    samples = result.samples
    if len(samples) < 2 or not samples[0].work.size:
        raise ResultError("no loads over time: the scenario sets no series_interval")
    axes = axes_or_new(axes, height=2.0 + 0.16 * min(60, samples[0].work.size))
    times = np.array([sample.time for sample in samples])
    work = np.diff(np.stack([sample.work for sample in samples]), axis=0)
    loads = 100 * work / np.diff(times)[:, None]
    elements = np.arange(loads.shape[1] + 1) + 0.5
    mesh = axes.pcolormesh(times, elements, loads.T, cmap="cividis", vmin=0, vmax=100)
    figure = axes.get_figure()
    assert figure is not None
    figure.colorbar(mesh, ax=axes, label="load (% of capacity)")
    for number in np.flatnonzero(result.observation.liars):
        axes.annotate(
            "lies", (1.0, number + 1), xycoords=("axes fraction", "data"), fontsize=7, va="center"
        )
    axes.set_xlabel("simulated time (s)")
    axes.set_ylabel("pool element")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(title)
    return axes
