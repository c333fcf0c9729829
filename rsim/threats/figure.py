"""The figure of a threat: its effect by strength and arm, and what is left of the service."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rsim.plots import panels
from rsim.plots.style import COLOURS, MARKERS
from rsim.results import METRICS
from rsim.results.breaking import decades
from rsim.threats.outcome import SERVICE, Outcome, curve_of, predicted

_COLOURS = dict(zip(("baseline", "attack", "mitigated", "cost", "still"), COLOURS, strict=False))
_LABELS = {
    "baseline": "no attack",
    "attack": "attack",
    "mitigated": "attack, mitigated",
    "cost": "mitigation alone",
    "still": "still works",
}


def threat_figure(outcome: Outcome) -> Figure:
    """Draws a threat's experiment: curves over the strength where it was run, bars of the arms.

    Parameters: `outcome` of a threat.
    """
    curve = curve_of(outcome)
    threat = outcome.threat
    if curve.empty:
        figure, [left, right] = panels(2)
        _bars(left, outcome, threat.metric)
        _bars(right, outcome, SERVICE)
    else:
        figure, [left, right] = panels(2)
        _curves(left, outcome, "effect", threat.metric)
        _curves(right, outcome, "service", SERVICE)
        _prediction(left, outcome)
        _breaking(right, outcome)
        left.legend(fontsize=8)
        right.legend(fontsize=8)
    figure.suptitle(f"{threat.id}  {threat.name}", fontsize=11)
    return figure


def _bars(axes: Axes, outcome: Outcome, metric: str) -> None:
    arms = list(outcome.arms)
    intervals = [outcome.mean(arm, metric) for arm in arms]
    axes.bar(
        range(len(arms)),
        [interval.mean for interval in intervals],
        yerr=np.nan_to_num(
            [
                [interval.mean - interval.low for interval in intervals],
                [interval.high - interval.mean for interval in intervals],
            ]
        ),
        color=[_COLOURS[arm] for arm in arms],
        capsize=4,
    )
    axes.set_xticks(range(len(arms)), [_LABELS[arm] for arm in arms], rotation=20, fontsize=8)
    axes.set_ylabel(METRICS[metric].axis)
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", alpha=0.3)


def _curves(axes: Axes, outcome: Outcome, what: str, metric: str) -> None:
    threat = outcome.threat
    assert threat.strength is not None
    curve = curve_of(outcome)
    for number, (arm, rows) in enumerate(curve.groupby("arm", sort=False)):
        axes.errorbar(
            rows["strength"],
            rows[what],
            yerr=np.nan_to_num(
                [rows[what] - rows[f"{what}_low"], rows[f"{what}_high"] - rows[what]]
            ),
            color=_COLOURS[str(arm)],
            marker=MARKERS[number % len(MARKERS)],
            capsize=3,
            label=_LABELS[str(arm)],
        )
    for arm in ("baseline", "cost"):
        level = outcome.mean(arm, metric).mean
        axes.axhline(level, color=_COLOURS[arm], ls=":", lw=1.2, label=_LABELS[arm])
    if "still" in outcome.arms and threat.still is not None:
        name = threat.still.metric or threat.metric
        if name == metric:
            level = outcome.mean("still", metric).mean
            axes.axhline(level, color=_COLOURS["still"], ls="-.", lw=1.2, label=threat.still.label)
    if decades(curve["strength"].min(), curve["strength"].max()):
        axes.set_xscale("log")
    axes.set_xlabel(threat.strength.label)
    axes.set_ylabel(METRICS[metric].axis)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)


def _prediction(axes: Axes, outcome: Outcome) -> None:
    threat = outcome.threat
    if threat.prediction is None or threat.strength is None:
        return
    low, high = min(threat.strength.values), max(threat.strength.values)
    xs = np.geomspace(low, high, 60) if decades(low, high) else np.linspace(low, high, 60)
    ys = predicted(threat, xs.tolist())
    axes.plot(xs, ys, color="0.2", ls="--", lw=1.2, label=threat.prediction.label)


def _breaking(axes: Axes, outcome: Outcome) -> None:
    for share, point in outcome.breaking.items():
        if not point.censored:
            at = point.estimate
            axes.axvline(at, color="0.4", lw=0.9, ls="--")
            axes.annotate(f"{share}%", (at, 2), fontsize=7, rotation=90, ha="right", va="bottom")
