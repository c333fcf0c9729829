import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rsim.results import METRICS, holm, mean_interval, paired_interval, quantile_interval, summarise
from rsim.results.summary import summarise_differences

NAN = float("nan")


def test_the_interval_of_any_numbers_is_students():
    values = [1.0, 2.0, 4.0, 8.0]
    interval = mean_interval(values)
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (interval.low, interval.high) == (pytest.approx(low), pytest.approx(high))
    assert interval.half_width == pytest.approx((high - low) / 2)
    assert interval.method == "t"


def test_undefined_values_are_left_out_and_told():
    interval = mean_interval([1.0, NAN, 3.0])
    assert (interval.mean, interval.runs, interval.of) == (2.0, 2, 3)
    assert np.isnan(mean_interval([]).mean)
    one = mean_interval([1.0])
    assert np.isnan(one.half_width) and one.method == "one value"


def test_intervals_of_shares_stay_between_their_bounds():
    for values in ([100, 99, 100, 97], [0, 0.5, 0], [100, 100, 0], [50.1, 49.8, 50.0]):
        interval = METRICS["completed_share_pct"].interval(values)
        assert 0 <= interval.low < interval.mean < interval.high <= 100
        assert interval.method == "logit"
    same = METRICS["completed_share_pct"].interval([100.0] * 5)
    assert (same.low, same.high, same.method) == (100, 100, "all equal")


def test_intervals_of_times_lie_above_0():
    skewed = METRICS["handling_time_s"].interval([1.0, 1.2, 0.9, 30.0])
    assert 0 < skewed.low < skewed.mean < skewed.high
    assert skewed.high - skewed.mean > skewed.mean - skewed.low
    # Where times hardly vary, the interval is Student's but for a little.
    steady = [10.0, 10.2, 9.9, 10.1, 9.8]
    assert METRICS["handling_time_s"].interval(steady).half_width == pytest.approx(
        mean_interval(steady).half_width, rel=0.1
    )


def test_a_pair_with_a_missing_side_is_missing():
    interval = paired_interval([5.0, NAN, 7.0, 9.0], [1.0, 2.0, NAN, 4.0])
    assert interval.mean == 4.5
    assert (interval.runs, interval.of) == (2, 4)
    never = paired_interval([NAN, NAN], [1.0, 2.0])
    assert np.isnan(never.mean) and (never.runs, never.of) == (0, 2)
    assert np.isnan(never.p)


def test_pairs_that_differ_by_the_same_have_no_interval_to_speak_of():
    equal = paired_interval([1.0, 2.0], [1.0, 2.0])
    assert (equal.mean, equal.p) == (0.0, 1.0)
    assert paired_interval([2.0, 3.0], [1.0, 2.0]).p == 0.0


def test_a_difference_to_a_constant_has_the_interval_of_its_own_side():
    metric = METRICS["completed_share_pct"]
    values = [98.0, 91.0, 99.5, 97.0]
    own, difference = metric.interval(values), metric.difference(values, [100.0] * 4)
    assert difference.low == pytest.approx(own.low - 100)
    assert difference.high == pytest.approx(own.high - 100) and difference.high < 0


def test_quantiles_lie_between_order_statistics():
    random = np.random.default_rng(1)
    for size in (6, 12, 30, 100):
        values = random.exponential(1, size)
        for share in (0.1, 0.5, 0.95):
            found = quantile_interval(values, share)
            test = stats.quantile_test(values, q=np.quantile(values, share), p=share)
            expected = test.confidence_interval(0.95)
            np.testing.assert_equal((found.low, found.high), (expected.low, expected.high))


def test_a_quantile_that_the_runs_are_too_few_for_is_not_known():
    assert np.isnan(quantile_interval(range(12), 0.95).mean)
    assert quantile_interval(range(19), 0.95).mean == 18
    assert quantile_interval([3.0, 1.0, NAN, 2.0], 0.5).mean == 2.0


def test_the_95_percent_quantile_has_19_in_20_further_values_below():
    random = np.random.default_rng(4)
    for size in (19, 40):
        known = [quantile_interval(random.random(size), 0.95).mean for _ in range(4000)]
        # Of uniform values, the share below a number is the number.
        assert np.mean(known) == pytest.approx(0.95, abs=0.003)


def test_holm_corrects_for_the_number_of_tests():
    corrected = holm([0.01, 0.04, NAN, 0.03, 0.005])
    np.testing.assert_allclose(corrected, [0.03, 0.06, NAN, 0.06, 0.02])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]


def test_summary_has_a_row_for_each_point_and_metric():
    runs = pd.DataFrame({"arm": ["a", "a", "b", "b"], "m": [1.0, 3.0, 5.0, 5.0]})
    summary = summarise(runs, ["arm"], ["m"])
    assert summary["mean"].tolist() == [2.0, 5.0]
    assert summary["runs"].tolist() == [2, 2]
    assert summary["ci95"].iloc[1] == 0
    assert summary["interval_method"].tolist() == ["t", "all equal"]


def test_summary_tells_of_how_many_runs_a_mean_is():
    runs = pd.DataFrame({"arm": "a", "handling_time_s": [1.0, NAN, 2.0]})
    [row] = summarise(runs, ["arm"], ["handling_time_s"]).to_dict("records")
    assert (row["runs"], row["of"], row["interval_method"]) == (2, 3, "log")
    assert row["low"] > 0


def test_differences_tell_p_values_corrected_for_their_number():
    random = np.random.default_rng(2)
    runs = pd.DataFrame(
        {
            "arm": np.repeat(["a", "b", "c"], 6),
            "m": random.normal(np.repeat([0, 0, 3], 6), 1),
            "m_base": random.normal(0, 1, 18),
        }
    )
    frame = summarise_differences(runs, ["arm"], ["m"], base="_base")
    np.testing.assert_allclose(frame["p_holm"], holm(frame["p"]))
    assert (frame["p_holm"] >= frame["p"]).all()


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
        covered += interval.low <= 3 <= interval.high
    assert 930 <= covered <= 970
    assert math.isfinite(interval.half_width)
