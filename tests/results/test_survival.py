"""Times that have not ended are no reason to be taken for short ones."""

import numpy as np
import pytest
from scipy.stats import CensoredData, ecdf

from rsim.results.survival import Spans, longer_than, restricted_mean, survival

NAN = float("nan")


def spans(begun, over, *, begin=0.0, end=100.0, happened=None):
    over = np.asarray(over, dtype=float)
    seen = ~np.isnan(over) if happened is None else np.asarray(happened)
    return Spans.seen(np.asarray(begun, dtype=float), over, seen, begin=begin, end=end)


def test_the_curve_is_that_of_kaplan_and_meier():
    random = np.random.default_rng(1)
    times, limits = random.exponential(10, 200).round(), random.uniform(0, 40, 200).round() + 1
    ended = times <= limits
    seen = Spans(np.zeros(200), np.minimum(times, limits), ended)
    data = CensoredData(uncensored=times[ended], right=limits[~ended])
    expected = ecdf(data).sf
    ages, lasting = survival(seen)
    np.testing.assert_allclose(lasting, expected.evaluate(ages))


def test_without_anything_unfinished_it_is_the_mean():
    done = spans([0, 10, 20], [5, 30, 24])
    assert restricted_mean(done, 100) == pytest.approx((5 + 20 + 4) / 3)
    assert longer_than(done, 4) == pytest.approx(2 / 3)


def test_what_never_ends_lasts_as_long_as_one_looks():
    assert restricted_mean(spans([0, 0], [NAN, NAN]), 100) == 100
    assert longer_than(spans([0, 0], [NAN, NAN]), 1) == 1.0
    assert restricted_mean(spans([0, 0], [10, NAN]), 100) == pytest.approx(55)
    # Ends after one has stopped looking are not known.
    assert restricted_mean(spans([0, 0], [10, 1000]), 100) == pytest.approx(55)


def test_without_spans_nothing_is_known():
    assert np.isnan(restricted_mean(spans([], []), 100))
    assert np.isnan(longer_than(spans([200.0], [210.0]), 1))


def test_what_began_before_one_looked_counts_from_then_on():
    """Exponential times of 50 s, seen for 100 s from 200 s on, whatever began when."""
    random = np.random.default_rng(2)
    begun = random.uniform(0, 300, 20_000)
    seen = spans(begun, begun + random.exponential(50, begun.size), begin=200.0, end=300.0)
    exact = 50 * (1 - np.exp(-100 / 50))
    assert restricted_mean(seen, 100.0) == pytest.approx(exact, rel=0.02)


def test_giving_up_is_no_end():
    seen = spans([0, 0, 0], [10, 20, 30], happened=[True, False, True])
    # One of three ends at 10, one of the one that is left at 30.
    assert restricted_mean(seen, 100.0) == pytest.approx(10 + 20 * 2 / 3)
