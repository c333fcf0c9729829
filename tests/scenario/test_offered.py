"""The load that theory expects: against what is drawn, and told to be unknown where it is."""

import numpy as np
import pytest

import rsim

pytestmark = pytest.mark.filterwarnings("ignore::rsim.errors.RsimWarning")

PARETO = {"distribution": "pareto", "mean": 1e6, "variation": 2.5}


def scenario(warm_up=400, **user):
    return rsim.scenario(
        {
            "warm_up": warm_up,
            "duration": 1200,
            "pool_elements": {"element": {"count": 3, "start": 1}},
            "pool_users": {
                "user": {"count": 20, "start": 10, **user},
                "other": {"start": 20, "request_size": 1e6, "request_interval": 60},
            },
        }
    )


def loads(given, seeds=40):
    found = [rsim.run(given, seed).metrics for seed in range(seeds)]
    return np.array([(one["offered_load_pct"], one["expected_load_pct"]) for one in found]).T


@pytest.fixture
def rates(tmp_path):
    file = tmp_path / "rates.csv"
    file.write_text("time,rate\n0,0.1\n700,0.3\n")
    return {"arrivals": str(file)}


CASES = {
    "Poisson": {},
    "Poisson from within the measured time on": {"start": 900},
    "gamma": {"request_interval": {"distribution": "gamma", "mean": 100, "variation": 0.5}},
    "fixed intervals, Pareto": {"request_interval": 100, "request_size": PARETO},
}


@pytest.mark.parametrize("user", CASES.values(), ids=CASES)
def test_the_mean_of_what_is_offered_is_what_is_expected(user):
    offered, expected = loads(scenario(**user))
    deviations = offered - expected
    assert deviations.std() > 0
    assert abs(deviations.mean()) < 4 * deviations.std(ddof=1) / len(deviations) ** 0.5


def test_rates_from_a_file_have_an_expectation(rates):
    given = scenario(**rates)
    offered, expected = loads(given)
    # The measured time is from 390 to 1590 s after the users' start.
    work = (310 * 0.1 + 890 * 0.3) * 1e7 + 20 * 1e6
    assert expected == pytest.approx(100 * work / (3e6 * 1200))
    deviations = offered - expected
    assert abs(deviations.mean()) < 4 * deviations.std(ddof=1) / len(deviations) ** 0.5


def test_requests_from_a_file_are_what_they_are(tmp_path):
    file = tmp_path / "requests.csv"
    file.write_text("time,size\n" + "".join(f"{n * 50},{1e6 + n}\n" for n in range(30)))
    offered, expected = loads(scenario(arrivals=str(file)), 2)
    assert offered == pytest.approx(expected, rel=1e-12)
    assert offered[0] == offered[1]


def test_a_time_series_expects_as_much_in_all_as_the_run():
    given = scenario().model_copy(update={"series_interval": 300.0})
    result = rsim.run(given, 1)
    parts = result.timeline(["expected_load_pct", "offered_load_pct"])
    measured = parts[parts["begin"] >= 400]
    weights = measured["end"] - measured["begin"]
    for name in ("expected_load_pct", "offered_load_pct"):
        mean = (measured[name] * weights).sum() / weights.sum()
        assert mean == pytest.approx(result.metrics[name])


@pytest.mark.parametrize(
    "given",
    [
        scenario(request_size={"distribution": "pareto", "mean": 1e6}),
        scenario(request_size={"distribution": "pareto", "mean": 1e6, "variation": 1.5}),
        scenario(warm_up="mser5"),
    ],
    ids=["Pareto 2", "Pareto 1.5", "MSER-5"],
)
def test_what_theory_does_not_say_exactly_is_undefined(given):
    found = rsim.run(given, 1).metrics
    assert np.isnan(found["expected_load_pct"]) and found["offered_load_pct"] > 0
