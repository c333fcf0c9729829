"""Whole runs against closed forms."""

import numpy as np
import pytest

from rsim.results import mean_interval
from rsim.scenario import Scenario, run


def saturated(ratio, distribution):
    """Ten elements under the random policy, whose users always have a request waiting."""
    return Scenario.model_validate(
        {
            "profile": "rspsim",
            "warm_up": 900,
            "duration": 2400,
            "pools": {"pool": {"policy": "random"}},
            "pool_elements": {"element": {"count": 10}},
            "pool_users": {
                "user": {
                    "pu_to_pe_ratio": ratio,
                    "request_size": {"distribution": distribution, "mean": 2e6},
                    "request_interval": {"distribution": "fixed", "mean": 0.5},
                }
            },
        }
    )


@pytest.mark.parametrize(
    ("ratio", "distribution"), [(1, "exponential"), (2, "exponential"), (3, "fixed")]
)
def test_utilisation_of_a_closed_network_of_processor_sharing_elements(ratio, distribution):
    """K users over M elements by the random policy: K / (K + M - 1), whatever the sizes."""
    scenario = saturated(ratio, distribution)
    values = [run(scenario, seed).metrics["utilisation_pct"] for seed in range(1, 7)]
    interval = mean_interval(values, 0.999)
    users = 10 * ratio
    assert abs(interval.mean - 100 * users / (users + 9)) <= interval.half_width + 0.05


def test_open_pool_of_one_element_is_m_g_1_ps():
    """Many users, one element, low load from each: handling time S / (1 - rho)."""
    scenario = Scenario.model_validate(
        {
            "profile": "rspsim",
            "warm_up": 900,
            "duration": 7200,
            "pools": {"pool": {"policy": "random"}},
            "pool_elements": {"element": {"count": 1}},
            "pool_users": {
                "user": {
                    "count": 200,
                    "request_size": {"distribution": "exponential", "mean": 1e6},
                    "target_utilisation": 0.5,
                }
            },
        }
    )
    # Each user's own queue is almost always empty, so arrivals at the element are Poisson.
    assert scenario.pool_users["user"].request_interval.mean == pytest.approx(400)
    means = [run(scenario, seed).metrics["processing_time_s"] for seed in range(1, 13)]
    interval = mean_interval(means, 0.999)
    assert abs(interval.mean - 2.0) <= interval.half_width + 0.02
    assert np.isfinite(interval.half_width)
