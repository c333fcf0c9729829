"""Divergence of handlespaces over time."""

import pytest

import rsim
from rsim.scenario import Deployment
from rsim.threats import threat

from .comparison import compare


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
    deployment.run_until(100)
    servers = [server for _, server in deployment.servers]
    state = deployment.observer.state
    assert (state.divergence, state.orphans, state.elements) == compare(servers) == (0.0, 0, 6)
    owner = servers[0].identifier
    handle, element = next(
        (pool.pool_handle, e)
        for pool in servers[0].store.listed()
        for e in pool.pool_elements
        if e.home_server != owner
    )
    # One of 18 entries is missing, then one has another life.
    servers[0].store.remove(handle, element.identifier)
    found = (state.divergence, state.orphans, state.elements)
    assert found == compare(servers) == (pytest.approx(1 / 18), 0, 6)
    servers[0].store.add_copy(handle, element.replace(registration_life=5))
    found = (state.divergence, state.orphans, state.elements)
    assert found == compare(servers) == (pytest.approx(1 / 18), 0, 6)


@pytest.mark.parametrize("interval", [0.37, 5.0, 50.0])
def test_averages_do_not_depend_on_when_somebody_looks(interval):
    """Elements return with T4 every 5 s: looks in step with that would see none, or all."""
    attack = {"kind": "report-flood", "interval": 0.1, "start": 60}
    flood = rsim.scenario(
        {
            "warm_up": "100s",
            "duration": "400s",
            "observe_interval": interval,
            "profile": "rspsim",
            "protocol": {"pool_element": {"t4_reregistration": 5}},
            "pool_elements": {"element": {"count": 10, "start": 30}},
            "attackers": {"flood": attack},
        }
    )
    metrics = rsim.run(flood).metrics
    assert metrics["listed_pct"] == pytest.approx(10 * metrics["mean_pool_elements"], abs=1e-9)
    assert 5 < metrics["listed_pct"] < 95


@pytest.mark.parametrize("name", ["2.5c", "2.12c"])
def test_who_looks_changes_nothing(name):
    def messages(interval):
        short = {"warm_up": 60.0, "duration": 300.0, "observe_interval": interval}
        return rsim.run(threat(name).scenario("attack", short)).fingerprints[1]

    assert messages(0.37) == messages(5.0)


def test_without_comparisons_there_is_no_series():
    quiet = scenario().model_copy(update={"observe_interval": None})
    result = rsim.run(quiet)
    assert result.series.empty
    assert result.converged_after(0) != result.converged_after(0)
    assert result.metrics["divergence_pct"] != result.metrics["divergence_pct"]
