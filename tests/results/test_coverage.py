"""The study of coverage in short: with 100 experiments, what misses too often is noticed."""

import pytest
from scipy.stats import binom

from tests.verification.coverage import CASES, coverage


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{case.method}: {case.name}") for case in CASES]
)
def test_intervals_cover_the_truth(case):
    experiments = 20 if case.slow else 100
    covered = coverage(case, experiments) * experiments
    # One in ten thousand of intervals that cover 93% cover less often; the table says more.
    least = 0.90 if "lognormal, sigma 1.5" in case.name else 0.93
    assert covered >= binom.ppf(1e-4, experiments, least)
