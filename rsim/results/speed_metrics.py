"""Metrics of how fast requests are: by their own work, and as RSPSIM counts."""

from __future__ import annotations

from functools import partial

from rsim.results.metric import Metric, ratio
from rsim.results.observation import Observation
from rsim.results.request_times import span


def _speed(begin: str, observation: Observation) -> float:
    return observation.speed(begin)


def _rspsim_speed(begin: str, observation: Observation) -> float:
    time = float(span(observation, begin, "completed").sum())
    work = observation.counter("pool_users.work_credited")
    return 100.0 * ratio(work, time * observation.reference)


_SPEEDS = (("handling", "generated"), ("processing", "accepted"))

SPEED_METRICS = [
    *(
        Metric(
            f"{name}_speed_pct",
            "% of a PE's capacity",
            label=f"{name} speed",
            formula=(
                f"calculations of requests completed / ({name} times of these requests x the "
                "fastest element's capacity)"
            ),
            better="higher",
            low=0.0,
            high=100.0,
            compute=partial(_speed, begin),
            by_load=True,
        )
        for name, begin in _SPEEDS
    ),
    *(
        Metric(
            f"rspsim_{name}_speed_pct",
            "% of a PE's capacity",
            label=f"{name} speed by RSPSIM's definition",
            formula=(
                "calculations credited to pool users, those of unfinished requests included / "
                f"({name} times of requests completed x mean capacity); can be above 100%"
            ),
            better="higher",
            low=0.0,
            compute=partial(_rspsim_speed, begin),
            by_load=True,
        )
        for name, begin in _SPEEDS
    ),
]
"""In the order in which they are shown."""
