"""Metrics of how many pool elements run at a time."""

from __future__ import annotations

from heapq import heapify, heapreplace
from math import inf, nan

import numpy as np
import numpy.typing as npt

from rsim.results.metric import Metric
from rsim.results.observation import Observation

Values = npt.NDArray[np.float64]


def _running(observation: Observation) -> tuple[Values, Values]:
    """Times in s, and how many elements run from each of them to the next."""
    downs = observation.downs
    times = np.concatenate(([observation.begin], downs[:, 0], downs[:, 1]))
    changes = np.concatenate(([0.0], np.full(len(downs), -1.0), np.full(len(downs), 1.0)))
    order = np.argsort(times, kind="stable")
    times, running = times[order], observation.loads.size + np.cumsum(changes[order])
    # Of what happens at one instant only the last state lasts.
    last = np.append(np.diff(times) > 0, times[-1] < observation.end)
    return times[last], running[last]


def _unavailable(observation: Observation) -> float:
    if not observation.loads.size:
        return nan
    times, running = _running(observation)
    lasting = np.diff(np.append(times, observation.end))
    return 100.0 * float(lasting[running == 0].sum()) / observation.duration


def _least(observation: Observation) -> float:
    return float(_running(observation)[1].min()) if observation.loads.size else nan


def _distance(observation: Observation) -> float:
    number = observation.loads.size
    if not number:
        return nan
    downs: dict[int, list[tuple[float, float]]] = {}
    for begun, over, element in observation.downs.tolist():
        downs.setdefault(int(element), []).append((begun, over))
    none = (number - len(downs)) * observation.duration
    if not downs:
        return none
    # One outage of each: the one that ends first goes on to its next, until there is none.
    turns = [(each[0][1], element, 0) for element, each in downs.items()]
    heapify(turns)
    latest = max(each[0][0] for each in downs.values())
    gap = inf
    while True:
        over, element, place = turns[0]
        gap = min(gap, latest - over)
        if place + 1 == len(downs[element]):
            return none + max(gap, 0.0)
        begun, over = downs[element][place + 1]
        latest = max(latest, begun)
        heapreplace(turns, (over, element, place + 1))


AVAILABILITY_METRICS = [
    Metric(
        "unavailable_pct",
        "%",
        label="time without any pool element",
        formula="time in which no pool element runs / time",
        better="lower",
        compute=_unavailable,
    ),
    Metric(
        "least_running",
        "",
        label="fewest pool elements running",
        formula="smallest number of pool elements that ran at a time",
        better="higher",
        compute=_least,
        low=0.0,
    ),
    Metric(
        "outage_distance_s",
        "s",
        label="distance from a time without any pool element",
        formula=(
            "shortest time by which outages of all pool elements miss each other; for each element "
            "without an outage the measured time is added"
        ),
        better="higher",
        compute=_distance,
        low=0.0,
        kind="number",
    ),
]
"""In the order in which they are shown."""
