"""What part of a run is measured, and metrics over time."""

import math

import pytest

import rsim
from rsim.errors import ResultError, ScenarioError
from rsim.results import METRICS
from rsim.scenario import Deployment


def test_a_time_series_adds_up_to_the_whole(small):
    whole = rsim.run(small(series_interval=60))
    timeline = whole.timeline()
    assert list(timeline) == ["begin", "end", *METRICS]
    assert timeline["begin"].tolist() == [60.0 * n for n in range(25)]
    measured = timeline[timeline["begin"] >= 900]
    for name in ("requests_completed", "registrations", "accepts", "handle_resolutions"):
        assert measured[name].sum() == whole.metrics[name] > 0
    assert measured["utilisation_pct"].mean() == pytest.approx(whole.metrics["utilisation_pct"])
    times = (measured["handling_time_s"] * measured["requests_completed"]).sum()
    mean = times / measured["requests_completed"].sum()
    assert mean == pytest.approx(whole.metrics["handling_time_s"])
    # Before the pool's start nothing is done.
    assert timeline["requests_completed"].iloc[0] == 0
    chosen = whole.timeline(["utilisation_pct"])
    assert list(chosen) == ["begin", "end", "utilisation_pct"]


def test_looking_changes_nothing(small):
    plain, sampled = rsim.run(small()), rsim.run(small(series_interval=7))
    for name, value in plain.metrics.items():
        assert sampled.metrics[name] == pytest.approx(value, nan_ok=True), name


def test_mistakes_with_time_series_are_named(small):
    with pytest.raises(ResultError, match="sets no series_interval"):
        rsim.run(small()).timeline()
    with pytest.raises(ResultError, match="there is no metric 'nonsense'"):
        rsim.run(small(series_interval=60)).timeline(["nonsense"])


def test_mser5_measures_from_the_end_of_the_start_up(small):
    found = rsim.run(small(warm_up="mser5", duration="2h"))
    begin, end = found.observation.begin, found.observation.end
    assert end == 7200
    assert 0 <= begin <= 3600 and begin % 36 == pytest.approx(0)
    # The same as a run with that warm-up.
    given = rsim.run(small(warm_up=begin, duration=end - begin))
    # What is to be expected of times that the run itself has chosen, theory does not say.
    assert math.isnan(found.metrics["expected_load_pct"])
    for name in given.metrics.keys() - {"expected_load_pct"}:
        value = given.metrics[name]
        assert found.metrics[name] == pytest.approx(value, nan_ok=True), name


def test_mser5_finds_a_start_up_that_is_there(small):
    """An empty system whose queues fill: elements of which most come late."""
    scenario = rsim.scenario(
        {
            "warm_up": "mser5",
            "duration": "4h",
            "pools": {"pool": {"policy": "random"}},
            "pool_elements": {"first": {"count": 1}, "late": {"count": 3, "start": "40min"}},
            "pool_users": {
                "user": {
                    "count": 20,
                    "request_size": {"distribution": "exponential", "mean": 5e6},
                    "request_interval": {"distribution": "exponential", "mean": 60},
                }
            },
        },
    )
    assert 40 * 60 <= rsim.run(scenario).observation.begin <= 100 * 60


def test_mser5_without_a_steady_state_is_told(small):
    with pytest.raises(
        ScenarioError, match=r"MSER-5 finds no steady state from 600 s, .* to 100 s with 0 requests"
    ):
        rsim.run(small(warm_up="mser5", duration=100))
    with pytest.raises(ScenarioError, match="must be pool users"):
        rsim.scenario({"warm_up": "mser5"})


def test_an_error_says_when_and_where_it_came_up(small, monkeypatch):
    deployment = Deployment(small(), 3)
    user = deployment.users[4]

    def broken(self):
        raise ZeroDivisionError("by chance")

    deployment.world.clock.call_at(
        1000.0, lambda: monkeypatch.setattr(type(user), "_generate", broken)
    )
    with pytest.raises(ZeroDivisionError) as caught:
        deployment.run()
    [note] = caught.value.__notes__
    assert note.startswith("at 1") and " s of simulated time in user-" in note
    assert note.endswith(", seed 3")


def test_elements_turn_down_as_often_as_they_say(small):
    group = {"count": 5, "registration_life": 30, "reject_probability": 0.25}
    counters = rsim.run(small(pool_elements={"element": group}, duration=7200)).counters
    asked = counters["pool_elements.accepts"] + counters["pool_elements.rejects"]
    deviation = (0.25 * 0.75 / asked) ** 0.5
    assert counters["pool_elements.rejects"] / asked == pytest.approx(0.25, abs=4 * deviation)
    assert rsim.run(small(duration=7200)).counters["pool_elements.rejects"] == 0
