import numpy as np
import pytest

from rsim.results import METRICS
from rsim.scenario import Deployment, run


def test_every_metric_has_a_value_or_is_undefined(small):
    metrics = run(small(attackers=1)).metrics
    assert set(metrics) == set(METRICS)
    assert metrics["utilisation_pct"] == pytest.approx(100 * 10 * 1e7 / 30 / 5e6, rel=0.3)
    assert metrics["mean_pool_elements"] > 5


def test_requests_are_conserved(small):
    deployment = Deployment(small(attackers=1))
    result = deployment.run()
    finished = result.requests["completed"].notna().sum()
    in_service = sum(user.in_service for user in deployment.users)
    queued = sum(user.queue_length for user in deployment.users)
    assert finished + queued + in_service == len(result.requests)


def test_littles_law_holds_for_requests_in_the_system(small):
    result = run(small(warm_up=0, duration=3600))
    requests = result.requests
    end = 3600.0
    left = requests["completed"].fillna(end).clip(upper=end)
    in_system = float((left - requests["generated"]).sum())
    grid = np.linspace(0, end, 20001)[:-1]
    number = np.zeros_like(grid)
    for generated, gone in zip(requests["generated"], left, strict=True):
        number += (grid >= generated) & (grid < gone)
    assert number.mean() * end == pytest.approx(in_system, rel=0.01)


def test_work_credited_equals_sizes_of_completed_requests(small):
    result = run(small(warm_up=0, duration=3600))
    completed = result.requests.dropna(subset="completed")
    credited = result.counters["pool_users.work_credited"]
    assert credited >= completed["size"].sum() * (1 - 1e-9)
    assert credited <= result.counters["pool_elements.work"] * (1 + 1e-9)


def test_fake_elements_cost_their_victims_the_request_timeout(small):
    attacked = run(small("round_robin", attackers=1))
    assert attacked.metrics["attacker_ignored_messages"] > 0
    assert attacked.metrics["request_timeouts"] > 0
    calm = run(small("round_robin"))
    assert calm.metrics["startup_delay_s"] == 0
    assert attacked.metrics["startup_delay_s"] > 1


def test_delay_adds_two_round_trips_to_start_up(small):
    result = run(small(network={"delay": 0.01}))
    # Resolution and request, each there and back.
    assert result.metrics["startup_delay_p50_s"] == pytest.approx(0.04)
