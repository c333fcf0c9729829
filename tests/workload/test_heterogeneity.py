"""Spreads of capacity over the elements of a group."""

import numpy as np
import pytest

from rsim.scenario import Deployment, Scenario
from rsim.workload import Heterogeneity


def capacities(count=10, mean=1e6, seed=1, **settings):
    spread = Heterogeneity(**settings)
    return np.array(spread.capacities(mean, count, np.random.default_rng(seed)))


def test_identical_elements():
    assert capacities(3, 5.0).tolist() == [5.0] * 3


def test_fast_servers_keep_the_total_capacity():
    spread = capacities(distribution="fast_servers", factor=3, fraction=0.1)
    assert spread.sum() == pytest.approx(1e7)
    assert spread[0] == pytest.approx(3 * spread[1])
    assert len(set(spread[1:])) == 1


def test_linear_spreads_rise_evenly_to_the_factor():
    spread = capacities(distribution="linear", factor=4)
    assert spread.sum() == pytest.approx(1e7)
    assert spread[0] == pytest.approx(4 * spread[-1])
    np.testing.assert_allclose(np.diff(spread), np.diff(spread)[0])


def test_fixed_spreads_leave_the_slowest_as_they_are():
    fast = capacities(distribution="fixed_fast_servers", factor=3, fraction=0.2)
    assert fast.tolist() == [3e6] * 2 + [1e6] * 8
    linear = capacities(distribution="fixed_linear", factor=4)
    assert (linear[0], linear[-1]) == (4e6, 1e6)


@pytest.mark.parametrize(
    ("settings", "variation"),
    [
        # Standard deviation / mean of the distributions.
        ({"distribution": "uniform", "factor": 3}, 2 / np.sqrt(12) / 2),
        ({"distribution": "exponential"}, 1.0),
        ({"distribution": "truncated_normal", "deviation": 0.2}, 0.2),
    ],
)
def test_drawn_spreads(settings, variation):
    spread = capacities(20_000, **settings)
    assert spread.mean() == pytest.approx(1e6)
    assert spread.min() > 0
    assert spread.std() / spread.mean() == pytest.approx(variation, rel=0.03)
    assert not np.array_equal(spread, capacities(20_000, seed=2, **settings))


def test_normal_capacities_are_cut_off_at_zero():
    assert capacities(20_000, distribution="truncated_normal", deviation=2).min() > 0


def test_parameters_of_another_kind_are_refused():
    for settings in (
        {"factor": 2},
        {"distribution": "uniform", "fraction": 0.5},
        {"distribution": "linear", "deviation": 0.5},
    ):
        with pytest.raises(ValueError, match="belongs to"):
            Heterogeneity(**settings)


def test_a_run_draws_its_capacities_from_its_seed():
    scenario = Scenario.model_validate(
        {
            "pool_elements": {
                "element": {"count": 5, "heterogeneity": {"distribution": "exponential"}}
            }
        }
    )

    def drawn(seed):
        return [element.settings.capacity for element in Deployment(scenario, seed).elements]

    assert drawn(1) == drawn(1) != drawn(2)
    assert sum(drawn(1)) == pytest.approx(5e6)
