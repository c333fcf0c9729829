"""Divergence of handlespaces over time."""

import pytest

import rsim
from rsim.scenario import Deployment
from rsim.scenario.observer import compare


def scenario(**failures):
    return rsim.scenario(
        {
            "warm_up": "60s",
            "duration": "300s",
            "observe_interval": "1s",
            "network": {"delay": "10ms"},
            "enrp_servers": {"server": {"count": 2}, "victim": {"failures": failures}},
            "pool_elements": {"element": {"count": 6, "start": "20s"}},
        },
    )


def test_servers_that_agree_do_not_diverge():
    result = rsim.run(scenario())
    assert len(result.series) == 359
    assert result.metrics["divergence_pct"] == 0
    assert result.metrics["orphans"] == 0
    assert result.converged_after(100) == 0


@pytest.mark.conformance("ARC-012")
def test_a_dead_server_leaves_orphans_until_it_is_taken_over():
    result = rsim.run(scenario(schedule="down@100s"))
    orphaned = result.series[result.series["orphans"] > 0]["time"]
    assert orphaned.min() == 100
    assert orphaned.max() <= 170
    assert 30 < result.converged_after(100) <= 72
    assert result.metrics["takeovers"] == 1
    assert result.metrics["takeover_time_s"] == pytest.approx(0.02)
    assert result.metrics["divergence_pct"] > 0


def test_divergence_is_the_share_of_entries_that_differ():
    deployment = Deployment(scenario())
    deployment.world.clock.run_until(100)
    servers = [server for _, server in deployment.servers]
    assert compare(servers) == (0.0, 0, 6)
    owner = servers[0].identifier
    key = next(
        (pool.pool_handle, e)
        for pool in servers[0].handlespace.table(limit=100, octets=10**6)[0]
        for e in pool.pool_elements
        if e.home_server != owner
    )
    # One of 18 entries is missing, then one has another life.
    servers[0].handlespace.remove(key[0], key[1].identifier)
    assert compare(servers) == (pytest.approx(1 / 18), 0, 6)
    servers[0].handlespace.add(key[0], key[1].replace(registration_life=5))
    assert compare(servers) == (pytest.approx(1 / 18), 0, 6)


def test_without_comparisons_there_is_no_series():
    quiet = scenario().model_copy(update={"observe_interval": None})
    result = rsim.run(quiet)
    assert result.series.empty
    assert result.converged_after(0) != result.converged_after(0)
    assert result.metrics["divergence_pct"] != result.metrics["divergence_pct"]
