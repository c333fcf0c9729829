"""Metrics of how long requests take, from one event to another."""

from __future__ import annotations

from functools import partial

import numpy as np

from rsim.results.metric import Metric, restricted
from rsim.results.observation import Column, Observation


def span(observation: Observation, begin: str, end: str) -> Column:
    """Times from one event to another, of the requests whose `end` was measured.

    Parameters: `observation` of a run; `begin` and `end` columns of requests.
    """
    chosen = observation.during(end)
    return observation.requests[end][chosen] - observation.requests[begin][chosen]


def _mean_span(begin: str, end: str, observation: Observation) -> float:
    times = span(observation, begin, end)
    return float(times.mean()) if times.size else float("nan")


def _quantile_span(begin: str, end: str, share: float, observation: Observation) -> float:
    times = span(observation, begin, end)
    return float(np.quantile(times, share)) if times.size else float("nan")


_SPANS = (
    ("queuing_delay", "generated", "started", "queuing delay"),
    ("startup_delay", "started", "accepted", "start-up delay"),
    ("processing_time", "accepted", "completed", "processing time"),
    ("handling_time", "generated", "completed", "handling time"),
)
_BY_LOAD = {"queuing_delay", "processing_time", "handling_time"}
"""Those that are longer the more work there is; acceptance goes by the way of messages."""


def _times() -> list[Metric]:
    metrics = []
    for name, begin, end, label in _SPANS:
        about = f"from {begin} to {end}, over requests {end}"
        mean = partial(_mean_span, begin, end)
        metrics.append(
            Metric(
                f"{name}_s",
                "s",
                label=f"mean {label}",
                formula=f"mean time {about}",
                better="lower",
                compute=mean,
                by_load=name in _BY_LOAD,
            )
        )
        for percent in (50, 95, 99):
            quantile = partial(_quantile_span, begin, end, percent / 100)
            text = f"{percent}% quantile of the time {about}"
            metrics.append(
                Metric(
                    f"{name}_p{percent}_s",
                    "s",
                    label=f"{label}, {percent}%",
                    formula=text,
                    better="lower",
                    compute=quantile,
                    by_load=name in _BY_LOAD,
                )
            )
    return metrics


_UNFINISHED = [
    Metric(
        f"{name}_restricted_s",
        "s",
        label=f"{label}, unfinished ones too",
        formula=(
            f"mean time from {begin} to {end}, over requests {begin} in the measured time, of each "
            "at most that time (restricted mean by Kaplan-Meier: those not yet over are censored)"
        ),
        better="lower",
        censored=True,
        compute=partial(restricted, what),
        by_load=name in _BY_LOAD,
    )
    for name, label, begin, end, what in (
        ("startup_delay", "start-up delay", "started", "accepted", "acceptance"),
        ("handling_time", "handling time", "generated", "completed", "completion"),
    )
]

REQUEST_TIMES = [*_times(), *_UNFINISHED]
"""In the order in which they are shown."""
