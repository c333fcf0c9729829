"""Means freed from the load that was offered by chance."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rsim.results import METRICS, controlled_interval, mean_interval, summarise

METRIC = METRICS["requests_completed"]


def drawn(seed=1, size=12, slope=2.0):
    random = np.random.default_rng(seed)
    deviations = random.normal(0, 3, size)
    return 50 + slope * deviations + random.normal(0, 1, size), deviations


def test_it_is_the_line_at_zero_with_the_interval_of_ordinary_least_squares():
    values, deviations = drawn()
    fit = stats.linregress(deviations, values)
    half = stats.t(10).ppf(0.975) * fit.intercept_stderr
    found = controlled_interval(values, deviations)
    assert found.mean == pytest.approx(fit.intercept)
    assert (found.low, found.high) == pytest.approx((found.mean - half, found.mean + half))
    assert (found.method, found.runs, found.of) == ("t, control", 12, 12)


def test_what_follows_the_load_has_a_narrower_interval():
    values, deviations = drawn()
    assert controlled_interval(values, deviations).half_width < 0.3 * (
        mean_interval(values).half_width
    )


def test_a_control_that_has_nothing_to_do_with_it_neither_moves_nor_narrows():
    means, ratios = [], []
    for seed in range(2000):
        values, deviations = drawn(seed, slope=0.0)
        found = controlled_interval(values, deviations)
        means.append(found.mean)
        ratios.append((found.half_width / mean_interval(values).half_width) ** 2)
    # (n - 1) / (n - 2) / (n - 3) * n of the variance is what a slope of 0 costs.
    assert abs(np.mean(means) - 50) < 3 * np.std(means) / 2000**0.5
    assert 1 < np.mean(ratios) < 1.3
    assert np.var(means) * 12 == pytest.approx(10 / 9, rel=0.1)


@pytest.mark.parametrize(
    ("kind", "values", "method"),
    [
        ("share", lambda x: 90 + x / 2, "logit, control"),
        ("time", lambda x: 5 + x / 2, "log, control"),
    ],
)
def test_intervals_keep_their_kind(kind, values, method):
    noise, deviations = drawn(slope=0)
    found = controlled_interval(
        values(deviations) + (noise - 50) / 10, deviations, kind=kind, low=0, high=100
    )
    assert found.method == method
    assert 0 <= found.low < found.mean < found.high <= 100


@pytest.mark.parametrize(
    "spoil",
    [
        lambda y, x: (y[:9], x[:9]),
        lambda y, x: (np.where(y == y[3], np.nan, y), x),
        lambda y, x: (y, np.where(x == x[3], np.nan, x)),
        lambda y, x: (y, 0 * x + 5),
        lambda y, x: (0 * y + 7, x),
    ],
    ids=["few", "value missing", "expectation missing", "no variance", "all equal"],
)
def test_without_what_it_needs_the_interval_is_the_plain_one(spoil):
    values, deviations = spoil(*drawn())
    plain, found = mean_interval(values), controlled_interval(values, deviations)
    assert found == plain


def runs(offered=True):
    values, deviations = drawn()
    frame = {"arm": "run", "requests_completed": values, "cookies_sent": values}
    load = {"offered_load_pct": 60 + deviations, "expected_load_pct": 60.0}
    return pd.DataFrame({**frame, **(load if offered else {})})


@pytest.mark.parametrize(
    ("frame", "options", "methods"),
    [
        (runs(), {}, ["t, control", "t"]),
        (runs(), {"control": False}, ["t", "t"]),
        (runs(offered=False), {}, ["t", "t"]),
    ],
)
def test_a_summary_uses_it_where_the_load_is_known_and_the_metric_goes_by_it(
    frame, options, methods
):
    found = summarise(frame, ["arm"], ["requests_completed", "cookies_sent"], **options)
    assert found["interval_method"].tolist() == methods


def test_which_metrics_go_by_the_load():
    assert METRIC.by_load and METRICS["utilisation_pct"].by_load
    assert not METRICS["offered_load_pct"].by_load and not METRICS["false_entries"].by_load
