"""Pool elements that leave in order: requests in progress are handed over, or finished."""

import pytest

from rsim.scenario import Deployment, Scenario

requirement = pytest.mark.conformance


def deploy(deregistration, serve=False, stale=300):
    """Three elements, of which the first leaves for good after 20 minutes; it is busy then."""
    element = {"deregistration": deregistration, "serve_after_deregistration": serve}
    return Deployment(
        Scenario.model_validate(
            {
                "warm_up": 0,
                "duration": "60min",
                "network": {"delay": "5ms"},
                "protocol": {"pool_user": {"stale_cache_value": stale}},
                "pools": {"pool": {"policy": "random"}},
                "pool_elements": {
                    "leaving": {**element, "failures": {"schedule": "down@20min"}},
                    "staying": {**element, "count": 2},
                },
                "pool_users": {
                    "user": {
                        "count": 40,
                        "request_size": {"distribution": "exponential", "mean": 5e6},
                        "target_utilisation": 0.9,
                        "request_timeout": "10s",
                    }
                },
            }
        )
    )


@requirement("ASAP-088")
@requirement("ARC-015")
@requirement("ASAP-163")
def test_what_was_begun_is_finished_after_deregistration():
    deployment = deploy("finish")
    element = deployment.elements[0]
    deployment.world.clock.run_until(20 * 60 - 1)
    begun = len(element._sessions)
    aborts = element.counters.aborts
    deployment.world.clock.run_until(20 * 60 + 1)
    assert begun > 0 and element.running
    assert deployment.servers[0][1].counters.deregistrations == 1
    deployment.world.clock.run_until(25 * 60)
    assert not element.running
    assert element.counters.aborts == aborts == 0
    assert sum(user.counters.failovers for user in deployment.users) == 0


def test_handing_over_moves_requests_at_once_and_loses_no_work():
    deployment = deploy("hand_over")
    element = deployment.elements[0]
    deployment.world.clock.run_until(20 * 60 + 1)
    assert not element.running
    deployment.run()
    failovers = sum(user.counters.failovers for user in deployment.users)
    assert failovers == element.counters.aborts > 0
    assert sum(user.counters.cookie_echoes for user in deployment.users) >= failovers


@requirement("ASAP-082")
@pytest.mark.parametrize("serve", [False, True])
def test_requests_after_deregistration_are_served_or_turned_down(serve):
    deployment = deploy("finish", serve)
    element = deployment.elements[0]
    deployment.world.clock.run_until(20 * 60)
    accepts, rejects = element.counters.accepts, element.counters.rejects
    deployment.world.clock.run_until(25 * 60)
    # Users with a cached answer still come.
    assert (element.counters.accepts > accepts) is serve
    assert (element.counters.rejects > rejects) is not serve
