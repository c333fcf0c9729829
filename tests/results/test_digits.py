import pytest

from rsim.results import METRICS, mean_interval
from rsim.results.digits import ends_text, half_width_text, interval_text, p_text, rounded

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "half_width", "text"),
    [
        (50.71, 20.3, "50.7 ± 20"),
        (50.71, 0.0996, "50.710 ± 0.10"),
        (12345.6, 213.0, "12346 ± 210"),
        (0.83333, 0.0123, "0.8333 ± 0.012"),
        (1e7, 3e5, "10000000 ± 300000"),
        (99.96, 0.0, "99.96 ± 0"),
        (-0.001, 5.0, "0.00 ± 5.0"),
    ],
)
def test_numbers_have_the_digits_that_their_interval_justifies(value, half_width, text):
    assert f"{rounded(value, half_width)} ± {half_width_text(half_width)}" == text


def test_numbers_without_an_interval_have_four_digits():
    assert [rounded(value) for value in (1234567, 12.3456, 1e-5, 0, NAN, float("inf"))] == [
        *("1235000", "12.35", "0.00001", "0", "-", "inf")
    ]


def test_intervals_with_unequal_sides_show_both_ends():
    share = METRICS["completed_share_pct"].interval([99, 100, 98, 100])
    assert interval_text(share) == "99.25 (93.63 to 99.92)"
    assert interval_text(mean_interval([99, 100, 98, NAN])) == "99.00 ± 2.5, 3 of 4"
    assert interval_text(mean_interval([3.0])) == "3"
    assert ends_text(2.0, NAN, NAN) == "-"
    # What rounding leaves is no interval.
    assert ends_text(5.0, 5 - 1e-14, 5 + 1e-14) == "± 0"


def test_small_p_values_are_bounded():
    assert [p_text(p) for p in (0.0123, 1e-9, 1.0, NAN)] == ["0.012", "< 0.001", "1.000", "-"]
