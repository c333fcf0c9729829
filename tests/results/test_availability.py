"""How many pool elements run at a time: against sums over every instant, by a plain second way."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rsim
from rsim.results import METRICS

TIMES = st.integers(0, 40).map(lambda n: n / 2)
OUTAGE = st.tuples(TIMES, TIMES).map(sorted).filter(lambda pair: pair[0] < pair[1])


@pytest.fixture(scope="module")
def observation():
    scenario = rsim.scenario(
        {"warm_up": 0, "duration": 20, "pool_elements": {"element": {"start": 1}}}
    )
    return rsim.run(scenario).observation


def apart(outages):
    """Outages of one element, in order, that do not touch."""
    kept = []
    for begin, end in sorted(outages):
        if not kept or begin > kept[-1][1]:
            kept.append((begin, end))
    return kept


@given(st.lists(st.lists(OUTAGE, max_size=4).map(apart), min_size=1, max_size=4))
def test_metrics_are_those_of_every_instant(observation, elements):
    rows = [(b, e, n) for n, each in enumerate(elements) for b, e in each]
    shown = dataclasses.replace(
        observation,
        downs=np.array(rows, dtype=float).reshape(-1, 3),
        loads=np.zeros(len(elements)),
    )
    middles = np.arange(0.25, 20, 0.5)
    down = np.array([[any(b < t < e for b, e in each) for t in middles] for each in elements])
    running = len(elements) - down.sum(axis=0)
    found = {
        name: METRICS[name].value(shown)
        for name in ("unavailable_pct", "least_running", "outage_distance_s")
    }
    assert found["unavailable_pct"] == pytest.approx(100 * np.mean(running == 0))
    assert found["least_running"] == running.min()
    some = [each for each in elements if each]
    gaps = [
        max(0.0, max(b for b, _ in chosen) - min(e for _, e in chosen))
        for chosen in itertools.product(*some)
        if chosen
    ]
    none = 20.0 * (len(elements) - len(some))
    assert found["outage_distance_s"] == none + (min(gaps) if some else 0.0)


def test_elements_that_have_not_started_or_have_failed_do_not_run():
    scenario = rsim.scenario(
        {
            "warm_up": 0,
            "duration": 100,
            "pool_elements": {
                "early": {"start": 10, "failures": {"schedule": "down@50s, up@+20s"}},
                "late": {"start": 60},
            },
        }
    )
    metrics = rsim.run(scenario).metrics
    assert metrics["unavailable_pct"] == pytest.approx(20.0)
    assert metrics["least_running"] == 0
    assert metrics["outage_distance_s"] == 0


def test_without_elements_there_is_nothing_to_say(observation):
    nobody = dataclasses.replace(observation, loads=np.empty(0), downs=np.empty((0, 3)))
    for name in ("unavailable_pct", "least_running", "outage_distance_s"):
        assert np.isnan(METRICS[name].value(nobody))
