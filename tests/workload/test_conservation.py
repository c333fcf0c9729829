"""Nothing is lost and nothing is counted twice, whatever fails."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsim.scenario import Deployment, Scenario

HISTORIES = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10**6),
        "uptime": st.sampled_from([20.0, 100.0, 1000.0]),
        "downtime": st.sampled_from([0.0, 10.0, 100.0]),
        "clean": st.sampled_from([0.0, 0.5, 1.0]),
        "deregistration": st.sampled_from(["hand_over", "finish"]),
        "failover": st.sampled_from(["cookies", "restart", "none"]),
        "cookies": st.sampled_from([None, 1e5, 1e7]),
        "cards": st.booleans(),
        "discipline": st.sampled_from(["sharing", "in_order"]),
        "policy": st.sampled_from(["random", "least_used", "round_robin"]),
        "delay": st.sampled_from([0.0, 0.02]),
        "loss": st.sampled_from([0.0, 0.03]),
        "disaster": st.booleans(),
    }
)


def deploy(history):
    network = {"delay": history["delay"], "loss": history["loss"]}
    if history["disaster"]:
        strike = {"site": "lan", "what": "hosts", "groups": ["element"], "share": 0.5}
        network["outages"] = [{**strike, "schedule": "down@12min, up@14min"}]
    return Deployment(
        Scenario.model_validate(
            {
                "seed": history["seed"],
                "warm_up": 0,
                "duration": "25min",
                "network": network,
                "pools": {"pool": {"policy": history["policy"]}},
                "pool_elements": {
                    "element": {
                        "count": 4,
                        "cookie_interval": history["cookies"],
                        "business_cards": history["cards"],
                        "discipline": history["discipline"],
                        "deregistration": history["deregistration"],
                        "keep_alive_interval": 5,
                        "keep_alive_timeout": 5,
                        "failures": {
                            "uptime": {"distribution": "exponential", "mean": history["uptime"]},
                            "downtime": history["downtime"] or None,
                            "clean_shutdown_probability": history["clean"],
                        },
                    }
                },
                "pool_users": {
                    "user": {
                        "count": 12,
                        "request_size": {"distribution": "exponential", "mean": 5e6},
                        "target_utilisation": 0.4,
                        "request_timeout": 5,
                        "keep_alive_interval": 5,
                        "keep_alive_timeout": 5,
                        "empty_pool_delay": 5,
                        "failover": history["failover"],
                    }
                },
            }
        )
    )


@settings(max_examples=25)
@given(HISTORIES)
def test_each_request_ends_once_and_work_is_useful_or_lost(history):
    deployment = deploy(history)
    result = deployment.run()
    requests, counters = result.requests, result.counters
    completed, failed = requests["completed"].notna(), requests["failed"].notna()
    assert not (completed & failed).any()
    assert completed.sum() == counters["pool_users.requests_completed"]
    assert failed.sum() == counters["pool_users.requests_failed"]
    if history["failover"] != "none":
        assert not failed.any()
    in_service = sum(user.in_service for user in deployment.users)
    queued = sum(user.queue_length for user in deployment.users)
    assert len(requests) == completed.sum() + failed.sum() + in_service + queued
    assert not requests.duplicated(["user", "number"]).any()

    done = requests[completed]
    assert (done["accepted"] >= done["started"]).all()
    assert (done["started"] >= done["generated"]).all()
    # The work of all elements is that of completed requests, that in progress, and what was lost.
    work = counters["pool_elements.work"]
    credited = counters["pool_users.work_credited"]
    assert credited >= done["size"].sum() * (1 - 1e-9)
    lost = work - credited
    assert lost >= -1e-6 * max(1.0, work)
    quiet = history["clean"] == 1.0 and not history["disaster"] and history["loss"] == 0
    if quiet and history["failover"] == "cookies" and history["delay"] == 0:
        progress = sum(
            element._processor.progress(session.task)
            for element in deployment.elements
            for session in element._sessions.values()
        )
        assert lost <= progress + 1e-6 * max(1.0, work)


@pytest.mark.parametrize("discipline", ["sharing", "in_order"])
def test_littles_law(discipline):
    """Requests present, averaged over time, are the arrival rate times the time in the system."""
    deployment = Deployment(
        Scenario.model_validate(
            {
                "warm_up": 0,
                "duration": "200min",
                "pool_elements": {"element": {"count": 3, "discipline": discipline}},
                "pool_users": {
                    "user": {
                        "count": 60,
                        "request_size": {"distribution": "exponential", "mean": 1e6},
                        "target_utilisation": 0.7,
                    }
                },
            }
        )
    )
    present = []
    start, end = 700.0, 12_000.0
    for second in range(int(start), int(end)):
        deployment.world.clock.run_until(second + 0.5)
        waiting = sum(user.queue_length + user.in_service for user in deployment.users)
        present.append(waiting)
    requests = pd.DataFrame(deployment.world.requests.columns())
    inside = requests[(requests["generated"] >= start) & (requests["generated"] < end)]
    finished = inside["completed"].fillna(end)
    rate = len(inside) / (end - start)
    expected = rate * (finished - inside["generated"]).mean()
    assert sum(present) / len(present) == pytest.approx(expected, rel=0.02)
