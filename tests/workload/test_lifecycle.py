"""Pool elements that fail and return, and what becomes of the work."""

import pytest

from rsim.scenario import Deployment, Scenario, run


def deploy(clean, cookies=1e6, uptime=60.0, delay=0.0, seed=1):
    return Deployment(
        Scenario.model_validate(
            {
                "seed": seed,
                "profile": "rspsim",
                "warm_up": 0,
                "duration": 3600,
                "network": {"delay": delay},
                "protocol": {
                    "enrp_server": {
                        "max_bad_pe_reports": 1,
                        "keep_alive_interval": 1,
                        "keep_alive_timeout": 1,
                    }
                },
                "pools": {"pool": {"policy": "least_used"}},
                "pool_elements": {
                    "element": {
                        "count": 4,
                        "cookie_interval": cookies,
                        "keep_alive_interval": 1,
                        "keep_alive_timeout": 1,
                        "failures": {
                            "uptime": {"distribution": "exponential", "mean": uptime},
                            "clean_shutdown_probability": clean,
                        },
                    }
                },
                "pool_users": {
                    "user": {
                        "pu_to_pe_ratio": 5,
                        "request_size": {"distribution": "exponential", "mean": 1e7},
                        "target_utilisation": 0.5,
                        "request_timeout": 1,
                        "keep_alive_interval": 1,
                        "keep_alive_timeout": 1,
                    }
                },
            }
        )
    )


def work_in_hand(deployment):
    """Calculations done so far on requests that are in progress."""
    return sum(
        server._processor.progress(session.task)
        for server in deployment.elements
        for session in server._sessions.values()
    )


def test_clean_shutdown_loses_no_work():
    deployment = deploy(clean=1.0)
    result = deployment.run()
    done = result.requests.dropna(subset="completed")
    assert result.counters["pool_elements.clean_shutdowns"] > 100
    assert result.counters["pool_users.failovers"] > 30
    useful = done["size"].sum() + work_in_hand(deployment)
    assert result.counters["pool_elements.work"] == pytest.approx(useful, rel=1e-6)
    assert result.counters["pool_users.cookie_echoes"] == result.counters["pool_users.failovers"]
    assert result.counters["pool_users.failover_time"] == 0
    assert result.counters["enrp_servers.deregistrations"] > 100


def test_element_returns_under_a_new_identifier_at_a_new_port():
    deployment = deploy(clean=1.0)
    seen = set()
    for _ in range(50):
        deployment.world.clock.run_until(deployment.world.clock.now + 30)
        element = deployment.elements[0]
        seen.add((element.endpoint.identifier, element._port))
    assert len({identifier for identifier, _ in seen}) > 10
    assert len({port for _, port in seen}) > 10
    assert deployment.servers[0][1].handlespace.pool_size(b"pool") == 4


@pytest.mark.parametrize("cookies", [None, 1e6, 1e5])
def test_unclean_failure_costs_work_and_time_but_no_request(cookies):
    deployment = deploy(clean=0.0, cookies=cookies, delay=0.01)
    result = deployment.run()
    done = result.requests.dropna(subset="completed")
    counters = result.counters
    assert counters["pool_elements.unclean_shutdowns"] > 100
    assert counters["pool_users.failovers"] > 30
    assert done["completed"].gt(done["accepted"]).all()
    assert len(done) == counters["pool_users.requests_completed"]
    lost = counters["pool_elements.work"] - done["size"].sum() - work_in_hand(deployment)
    assert lost > 0
    # Who is gone is noticed by a keep-alive that nobody answers.
    assert counters["pool_users.failover_time"] / counters["pool_users.failovers"] > 1
    if cookies is None:
        assert counters["pool_users.cookie_echoes"] == 0


def test_more_cookies_lose_less_work():
    def lost(cookies):
        deployment = deploy(clean=0.0, cookies=cookies)
        result = deployment.run()
        useful = result.requests.dropna(subset="completed")["size"].sum()
        return result.counters["pool_elements.work"] - useful - work_in_hand(deployment)

    assert lost(1e5) < lost(3e6) < lost(None)


def test_dead_elements_leave_the_handlespace_within_interval_and_timeout():
    deployment = deploy(clean=0.0, uptime=5.0)
    deployment.world.clock.run_until(2000)
    server = deployment.servers[0][1]
    for _ in range(200):
        deployment.world.clock.run_until(deployment.world.clock.now + 1)
        alive = {element.endpoint.identifier for element in deployment.elements}
        assert server.handlespace.pool_size(b"pool") <= len(alive) + 4 * 2
    assert server.counters.keep_alive_timeouts > 100


@pytest.mark.parametrize(("clean", "kind"), [(1.0, "clean"), (0.0, "unclean")])
def test_a_schedule_shuts_elements_down_and_starts_them_anew(clean, kind):
    scenario = Scenario.model_validate(
        {
            "warm_up": 0,
            "duration": "20min",
            "observe_interval": "10s",
            "pool_elements": {
                "element": {
                    "count": 2,
                    "start": "1min",
                    "failures": {
                        "schedule": "down@5min, up@+2min, down@10min",
                        "clean_shutdown_probability": clean,
                    },
                }
            },
        }
    )
    result = run(scenario)
    assert result.counters[f"pool_elements.{kind}_shutdowns"] == 4
    elements = result.series.set_index("time")["elements"]
    assert elements[290] == 2 and elements[330] == 0
    assert elements[430] == 2 and elements[630] == 0 and elements[1190] == 0


def test_a_schedule_and_random_failures_live_together():
    scenario = Scenario.model_validate(
        {
            "warm_up": 0,
            "duration": "20min",
            "pool_elements": {
                "element": {
                    "start": "1min",
                    "failures": {"uptime": 50, "downtime": 10, "schedule": "down@5min, up@10min"},
                }
            },
        }
    )
    shutdowns = run(scenario).counters["pool_elements.clean_shutdowns"]
    # One each minute, but none in the five minutes of the schedule.
    assert 12 <= shutdowns <= 15
