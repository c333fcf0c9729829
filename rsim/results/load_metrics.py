"""Metrics of the load that users happened to offer, and of what theory says that they offer."""

from __future__ import annotations

from rsim.results.metric import Metric, ratio
from rsim.results.observation import Observation


def _capacity(observation: Observation) -> float:
    """Calculations that all elements can do in the measured time, 0 if there are none."""
    elements = observation.loads.size
    return observation.reference * elements * observation.duration if elements else 0.0


def _offered(observation: Observation) -> float:
    work = observation.requests["size"][observation.during("generated")].sum()
    return 100.0 * ratio(float(work), _capacity(observation))


def _expected(observation: Observation) -> float:
    if observation.expected_work is None:
        return float("nan")
    work = observation.expected_work(observation.begin, observation.end)
    return 100.0 * ratio(work, _capacity(observation))


LOAD_METRICS = [
    Metric(
        "offered_load_pct",
        "%",
        label="offered load",
        formula=(
            "calculations of requests generated in the measured time / (capacity of all pool "
            "elements deployed x time)"
        ),
        kind="number",
        low=0.0,
        compute=_offered,
    ),
    Metric(
        "expected_load_pct",
        "%",
        label="expected load",
        formula=(
            "mean of offered_load_pct by theory, for the number of requests that came where "
            "intervals are not exponential; undefined where it is not known exactly"
        ),
        kind="number",
        low=0.0,
        compute=_expected,
    ),
]
"""In the order in which they are shown."""
