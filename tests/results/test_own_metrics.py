"""Metrics of one's own: computed, drawn, stored and compared like the built-in ones."""

import functools

import numpy as np
import pytest

import rsim
from rsim import plots
from rsim.results import METRICS, metric, registry
from rsim.sweep import open_report
from rsim.threats import threats

from .kept import metrics_as_they_were

TABLE = {
    "warm_up": 0,
    "duration": 30,
    "pool_elements": {"element": {"start": 1}},
    "pool_users": {"user": {"start": 2, "request_interval": 3, "request_size": 1e5}},
}
STUDY = """
name = "own"
warm_up = 0
duration = 30
code = "mine.py"
pool_elements = {element = {start = 1}}
pool_users = {user = {start = 2, request_interval = 3, request_size = 1e5}}
[sweep]
replications = 2
axes = {"pool_users.user.count" = [1, 2]}
figure = {metric = "completed_per_accept", x = "pool_users.user.count"}
"""
MINE = """
import rsim

@rsim.metric("completed_per_accept", unit="1", label="completed", better="higher", low=0)
def completed_per_accept(observation):
    "Requests completed / accepted ones."
    accepts = observation.counter("pool_users.accepts")
    return observation.counter("pool_users.requests_completed") / accepts
"""


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch):
    monkeypatch.setattr(rsim.scenario.code, "_admitted", set())
    with metrics_as_they_were():
        yield


@pytest.fixture
def study(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    file = tmp_path / "study.toml"
    file.write_text(STUDY)
    return file


def result(**changes):
    return rsim.run(rsim.scenario(TABLE | changes))


def test_it_is_a_metric_of_each_run_from_then_on():
    assert "accepts_twice" not in result().metrics

    @rsim.metric("accepts_twice", unit="1", label="twice", low=0)
    def accepts_twice(observation):
        """Accepts, each counted twice."""
        return 2 * observation.counter("pool_users.accepts")

    found = result()
    assert found.metrics["accepts_twice"] == 2 * found.counters["pool_users.accepts"] > 0
    assert list(found.metrics)[-1] == "accepts_twice"
    row = found.frame().iloc[-1]
    assert row["metric"] == "accepts_twice" and row["unit"] == "1" and row["label"] == "twice"
    assert METRICS["accepts_twice"].formula == "Accepts, each counted twice."
    assert accepts_twice(found.observation) == found.metrics["accepts_twice"]


def test_registered_again_it_takes_the_place_of_the_one_before():
    for value in (1, 2):
        metric("same_name")(lambda observation, value=value: value)
    assert result().metrics["same_name"] == 2


def test_it_has_a_time_series():
    metric("spans", unit="s")(lambda observation: observation.duration)
    timeline = result(series_interval=10).timeline(["spans"])
    assert list(timeline["spans"]) == [10, 10, 10]


@pytest.mark.parametrize(
    "name", ["pool_users.acepts", "pool_user.accepts", "*.retransmision", "accepts"]
)
def test_a_misspelt_counter_is_an_error_that_names_the_nearest(name):
    metric("misspelt")(lambda observation: observation.counter(name))
    with pytest.raises(rsim.ResultError, match=r"there is no counter .*; did you mean '"):
        result().metrics  # noqa: B018


@pytest.mark.parametrize(
    "name", ["attackers.elements_known", "penalties.liars_found", "*.cpu_busy"]
)
def test_a_counter_of_which_no_actor_has_any_is_0(name):
    assert result().observation.counter(name) == 0


def test_what_it_needs_is_checked_before_anything_runs():
    metric("needy", needs=["pool_users.acepts"])(lambda observation: 1)
    with pytest.raises(
        rsim.RsimError,
        match=r"metric needy: there is no counter 'pool_users\.acepts'; did you mean 'pool_u",
    ):
        rsim.Simulation(rsim.scenario(TABLE))


def test_it_is_undefined_where_a_run_lacks_a_counter_that_it_needs():
    metric("looked", needs=["observer.observed_seconds"])(
        lambda observation: observation.counter("observer.observed_seconds")
    )
    assert np.isnan(result().metrics["looked"])
    assert result(observe_interval=10).metrics["looked"] == result().observation.duration


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (101, r"metric odd: gives 101, which is not from 0 to 100"),
        (-1, r"metric odd: gives -1"),
        ("x", r"metric odd: gives 'x', must be a number"),
        (None, r"metric odd: gives None"),
        (True, r"metric odd: gives True"),
    ],
)
def test_a_value_that_can_not_be_is_an_error(value, text):
    metric("odd", low=0, high=100)(lambda observation: value)
    with pytest.raises(rsim.ResultError, match=text):
        result().metrics  # noqa: B018


@pytest.mark.parametrize("value", [1, 1.5, np.float64(2.5), np.int64(3), float("nan")])
def test_any_number_is_a_value(value):
    metric("even")(lambda observation: value)
    assert result().metrics["even"] == pytest.approx(float(value), nan_ok=True)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"name": "utilisation_pct"}, "is the name of a built-in metric"),
        ({"name": "seed"}, "is the name of a column of results"),
        ({"name": "Bad Name"}, "a name has at most 60 small letters"),
        ({"name": 5}, "metric 5: a name has"),
        ({"name": "x", "better": "more"}, "better is 'more', must be 'higher', 'lower' or ''"),
        ({"name": "x", "low": 2, "high": 1}, "low 2 is not below high 1"),
        ({"name": "x", "low": "0"}, "low is '0', must be a number"),
        ({"name": "x", "unit": 5}, "unit is 5, must be a line"),
        ({"name": "x", "label": "a\nb"}, "label is .*, must be a line"),
        ({"name": "x", "needs": ["accepts"]}, "needs 'accepts', must be counters such as"),
    ],
)
def test_a_metric_that_can_not_be_is_refused(arguments, text):
    with pytest.raises(rsim.ResultError, match=text):
        metric(**arguments)(lambda observation: 1)
    assert METRICS.keys() == registry._BUILT_IN.keys()


def test_a_study_takes_it_from_its_file_and_draws_it(study, tmp_path):
    with pytest.raises(rsim.ScenarioError, match="only with --allow-code"):
        rsim.load_study(study)
    checked = rsim.load_study(study, allow_code=True)
    done = rsim.sweep(checked, tmp_path / "out", jobs=1)
    assert done.runs["completed_per_accept"].between(0, 1).all()
    assert "completed_per_accept" in set(done.summary["metric"])
    axes = plots.plot_effect(done.summary, metric="completed_per_accept", x="pool_users.user.count")
    assert axes.get_ylabel() == "completed (1)"


def test_worker_processes_compute_it(study):
    own = "seen_twice"
    metric(own)(functools.partial(_twice, "pool_users.accepts"))
    done = rsim.sweep(rsim.load_study(study, allow_code=True), jobs=2)
    assert not done.failures and len(done.runs) == 4
    assert done.runs["completed_per_accept"].between(0, 1).all()
    assert (done.runs[own] == 2 * done.runs["accepts"]).all()


def _twice(counter, observation):
    return 2 * observation.counter(counter)


def test_a_metric_of_one_studys_file_is_no_metric_of_another(study, tmp_path):
    rsim.load_study(study, allow_code=True)
    assert "completed_per_accept" in METRICS and "completed_per_accept" not in result().metrics
    other = tmp_path / "other.toml"
    other.write_text(STUDY.replace('code = "mine.py"', ""))
    with pytest.raises(rsim.ScenarioError, match="is a metric of another study's code"):
        rsim.load_study(other)


def test_a_misspelt_counter_in_a_studys_file_is_told_before_anything_runs(study):
    file = study.with_name("mine.py")
    file.write_text(MINE.replace("low=0", 'needs=["pool_users.acepts"]'))
    with pytest.raises(rsim.ScenarioError, match=r"did you mean 'pool_users\.accepts'"):
        rsim.load_study(study, allow_code=True)


def test_a_misspelt_metric_in_a_study_is_told_the_nearest(study):
    study.write_text(STUDY.replace('metric = "completed_per', 'metric = "complete_per'))
    with pytest.raises(rsim.ScenarioError, match="did you mean 'completed_per_accept'"):
        rsim.load_study(study, allow_code=True)


def test_results_are_drawn_by_who_does_not_have_it(study, tmp_path):
    rsim.sweep(rsim.load_study(study, allow_code=True), tmp_path / "out", jobs=1)
    METRICS.pop("completed_per_accept")
    registry._own.clear()
    report = open_report(tmp_path / "out")
    assert "completed_per_accept" in set(report.summary["metric"])
    assert METRICS["completed_per_accept"].axis == "completed (1)"
    assert "completed_per_accept" not in result().metrics


def test_a_run_that_lacks_it_is_done_again(study, tmp_path):
    checked = rsim.load_study(study, allow_code=True)
    rsim.sweep(checked, tmp_path / "out", jobs=1)
    metric("later")(lambda observation: 7)
    again = rsim.load_study(study, allow_code=True)
    with pytest.warns(rsim.RsimWarning, match="has no later; it is done again"):
        done = rsim.sweep(again, tmp_path / "out", jobs=1, resume=True)
    assert (done.runs["later"] == 7).all()


def test_built_in_metrics_have_the_order_that_they_had():
    metric("last_one")(lambda observation: 0)
    assert list(METRICS)[-1] == "last_one"
    assert all(one.metric in METRICS for one in threats())


def test_what_a_metric_says_of_itself_is_kept_with_results():
    rsim.metric("waste_share", unit="1", better="lower", low=0, high=1)(lambda shown: 0.5)
    kept = registry.describe([METRICS["waste_share"]])
    del METRICS["waste_share"]
    registry.learn(kept)
    found = METRICS["waste_share"]
    assert (found.better, found.low, found.high, found.kind) == ("lower", 0, 1, "share")
    registry.learn({"of_old": {"unit": "s", "label": "old", "formula": "from before"}})
    assert METRICS["of_old"].kind == "time" and METRICS["of_old"].better == ""
