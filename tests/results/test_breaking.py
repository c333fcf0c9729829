"""Breaking points: estimates, intervals, ends beyond the strengths, searches, tables."""

import numpy as np
import pandas as pd
import pytest

from rsim.results.breaking import BreakingPoint, breaking_point, search_breaking_point
from rsim.results.breaking_table import breaking_points

NAN = float("nan")


def broken(x, values, level, **options):
    options = {"better": "higher", **options}
    rows = np.atleast_2d(np.asarray(values, dtype=float))
    return breaking_point(x, rows, [level] * len(rows), **options)


def noisy(truth, x, *, spread, seeds, random):
    return truth(x) + random.normal(0, spread, (seeds, len(x)))


def test_a_crossing_lies_between_the_points_around_it():
    assert broken([1, 2, 3], [10, 8, 4], 6).estimate == pytest.approx(2.5, abs=0.1)
    # Decades are gone through by their logarithm.
    assert broken([1, 100], [10, 0], 5).estimate == pytest.approx(10)


def test_where_the_lower_strengths_are_the_stronger_ones_is_said():
    # Such as with intervals between attacks.
    found = broken([1, 2, 3], [4, 8, 10], 6, stronger="lower")
    assert found.estimate == pytest.approx(1.5, abs=0.1)


def test_the_metric_says_which_values_break():
    late = broken([1, 2, 3], [0.1, 0.2, 0.9], 0.5, better="lower")
    assert 2 < late.estimate < 3


def test_the_last_point_does_not_turn_the_curve_round():
    one, other = (broken([1, 2, 3], [95, 80, last], 90) for last in (96, 94))
    assert 1 < one.estimate < 2 and 1 < other.estimate < 2
    assert one.estimate == pytest.approx(other.estimate, abs=0.2)


def test_a_dip_that_the_next_strength_takes_back_is_no_breaking_point():
    # The closest curve that never rises is 95, 94, 94, 50.
    assert 3 < broken([1, 2, 3, 4], [95, 88, 100, 50], 90).estimate < 4


def test_a_pool_that_is_dead_is_broken():
    found = broken([1, 2, 3, 4], [95, 92, NAN, NAN], 90, worst=0.0)
    assert 2 < found.estimate < 3
    assert 2 < broken([1, 2, 3, 4], [95, 92, NAN, NAN], 90).estimate < 3
    late = broken([1, 2, 3], [0.1, 0.2, NAN], 0.5, better="lower")
    assert 2 < late.estimate < 3
    assert broken([1, 2], [NAN, NAN], 90).censored == "below"


def test_ends_beyond_the_strengths_are_told():
    holds = broken([0.5, 10], [[99, 95], [98, 96]], 90)
    assert np.isnan(holds.estimate) and holds.text == "above 10"
    assert holds.high == float("inf")
    at_once = broken([0.1, 10], [[50, 40], [52, 41]], 90)
    assert at_once.text == "below 0.1" and at_once.low == -float("inf")
    # Of intervals between attacks, the strongest is the lowest.
    rare = broken([0.1, 10], [[95, 99], [96, 98]], 90, stronger="lower")
    assert rare.text == "below 0.1"


def test_a_flat_curve_above_the_level_is_not_broken():
    random = np.random.default_rng(1)
    x = np.linspace(1, 20, 11)
    found = [
        broken(x, noisy(lambda x: 91 + 0 * x, x, spread=1, seeds=12, random=random), 90)
        for _ in range(40)
    ]
    assert sum(point.censored == "above" for point in found) >= 38
    assert all(point.high == float("inf") for point in found)


def test_seeds_without_a_level_say_nothing():
    found = breaking_point([1, 2, 3], [[10, 8, 4], [0, 0, 0]], [6, NAN], better="higher")
    assert (found.runs, found.of) == (1, 2) and 2 < found.estimate < 3
    nothing = breaking_point([1, 2], [[10, 8]], [NAN], better="higher")
    assert nothing.text == "-" and nothing.runs == 0


CASES = {
    "linear": (lambda x: 100 - x, 90, 10, 6, 0.5, 12),
    "linear, noisy": (lambda x: 100 - x, 90, 10, 6, 5, 12),
    "linear, fine": (lambda x: 100 - x, 90, 10, 21, 2, 12),
    "linear, fine, noisy": (lambda x: 100 - x, 90, 10, 21, 5, 12),
    "near the end": (lambda x: 100 - x, 81, 19, 11, 1, 12),
    "few seeds": (lambda x: 100 - x, 90, 10, 6, 2, 4),
    "convex, coarse": (lambda x: 100 * np.exp(-x / 3), 50, 3 * np.log(2), 6, 1, 12),
    "convex, fine": (lambda x: 100 * np.exp(-x / 4), 20, 4 * np.log(5), 21, 3, 12),
    "steep": (lambda x: 100 / (1 + np.exp(x - 9)), 50, 9, 6, 5, 12),
}


@pytest.mark.parametrize("name", CASES)
def test_intervals_cover_the_true_breaking_point(name):
    """60 experiments each; `make coverage-study` does 1,000."""
    truth, level, expected, points, spread, seeds = CASES[name]
    random = np.random.default_rng(7)
    x = np.linspace(0, 20, points)
    found = [
        broken(x, noisy(truth, x, spread=spread, seeds=seeds, random=random), level)
        for _ in range(60)
    ]
    covered = sum(point.low <= expected <= point.high for point in found)
    # 95% of 60 are 57; 52 or fewer are improbable (1 in 100).
    assert covered >= 53
    if "coarse" not in name and name != "steep":
        estimates = [point.estimate for point in found]
        assert np.nanmean(estimates) == pytest.approx(expected, abs=0.06 * spread * expected**0.5)


def test_seeds_in_common_keep_noise_out_of_it():
    random = np.random.default_rng(3)
    x = np.array([0.0, 10.0, 20.0, 30.0])
    shift = random.normal(0, 10, (8, 1))
    base = 100 + shift
    found = breaking_point(x, base * (1 - x / 50), 0.7 * base[:, 0], better="higher")
    assert found.estimate == pytest.approx(15, abs=0.01)
    assert found.high - found.low < 0.02


def test_strengths_are_added_until_the_interval_is_narrow():
    random = np.random.default_rng(5)
    tried = []

    def measure(strength):
        tried.append(strength)
        return (100 / (1 + (strength / 3) ** 4) + random.normal(0, 2, 8)).tolist()

    found = search_breaking_point(measure, [50.0] * 8, low=0.01, high=100, better="higher", most=12)
    assert found.low <= 3 <= found.high
    assert found.high / found.low <= 1.25 or len(tried) == 12
    assert 5 < len(tried) <= 12 and len(set(tried)) == len(tried)


def test_a_search_between_ends_that_do_not_break_ends_at_once():
    tried = []

    def measure(strength):
        tried.append(strength)
        return [99.0, 98.0]

    found = search_breaking_point(measure, [90.0] * 2, low=0.1, high=10, better="higher")
    assert found.text == "above 10" and len(tried) == 5


def frame(policies, strengths, seeds=4):
    random = np.random.default_rng(2)
    return pd.DataFrame(
        [
            {"arm": "attack", "policy": policy, "x": x, "seed": seed}
            | {"m": start - slope * x + random.normal(0, 0.1), "level": 0.9 * start}
            for policy, (start, slope) in policies.items()
            for seed in range(seeds)
            for x in strengths
        ]
    )


def test_a_table_has_a_row_for_each_combination():
    runs = frame({"a": (100, 1), "b": (60, 1), "c": (80, 0)}, (0.0, 5.0, 10.0, 20.0))
    options = {"x": "x", "metric": "m", "parameters": ["arm", "policy", "x"], "better": "higher"}
    table = breaking_points(runs, runs["level"], **options).set_index("policy")
    assert table.loc["a", "mean"] == pytest.approx(10, abs=0.3)
    assert table.loc["b", "mean"] == pytest.approx(6, abs=0.3)
    assert table.loc["c", "text"] == "above 20" and table.loc["c", "censored"] == "above"
    assert table["runs"].tolist() == [4, 4, 4]
    # A seed that lacks a strength says nothing.
    partial = runs.drop(index=runs[(runs["policy"] == "a") & (runs["seed"] == 0)].index[0])
    row = breaking_points(partial, partial["level"], **options).iloc[0]
    assert (row["runs"], row["of"]) == (3, 4)


def test_points_are_shown_with_their_interval():
    point = BreakingPoint(3.21, "", NAN, low=2.8, high=3.9, runs=8, of=8)
    assert point.text == "3.210 (2.800 to 3.900)"
    even = BreakingPoint(3.21, "", NAN, low=2.81, high=3.61, runs=8, of=8)
    assert even.text == "3.210 ± 0.40"
    open_end = BreakingPoint(3.0, "", NAN, low=2.0, high=float("inf"), runs=8, of=8)
    assert open_end.text == "3 (above 2)"
    assert BreakingPoint(3.0, "", NAN, low=NAN, high=NAN, runs=1, of=1).text == "3"
