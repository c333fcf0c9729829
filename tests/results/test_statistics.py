import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rsim.results import mean_interval, summarise


def test_interval_is_students():
    values = [1.0, 2.0, 4.0, 8.0]
    interval = mean_interval(values)
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert interval.mean - interval.half_width == pytest.approx(low)
    assert interval.mean + interval.half_width == pytest.approx(high)


def test_undefined_values_are_left_out():
    assert mean_interval([1.0, float("nan"), 3.0]).runs == 2
    assert np.isnan(mean_interval([]).mean)
    assert np.isnan(mean_interval([1.0]).half_width)


def test_summary_has_a_row_for_each_point_and_metric():
    runs = pd.DataFrame({"arm": ["a", "a", "b", "b"], "m": [1.0, 3.0, 5.0, 5.0]})
    summary = summarise(runs, ["arm"], ["m"])
    assert summary["mean"].tolist() == [2.0, 5.0]
    assert summary["runs"].tolist() == [2, 2]
    assert summary["ci95"].iloc[1] == 0


@pytest.mark.parametrize("runs", [2, 5, 12])
@pytest.mark.parametrize("kind", ["normal", "exponential"])
def test_intervals_cover_the_truth_as_often_as_they_say(runs, kind):
    """1,000 experiments whose true mean is known: 95% intervals cover it in 93 to 97%."""
    random = np.random.default_rng(runs)
    covered = 0
    for _ in range(1000):
        # Means of runs are means of many requests, so nearly normal whatever those are.
        draws = (
            random.normal(3, 2, (runs, 400))
            if kind == "normal"
            else random.exponential(3, (runs, 400))
        )
        interval = mean_interval(draws.mean(axis=1))
        covered += abs(interval.mean - 3) <= interval.half_width
    assert 930 <= covered <= 970
