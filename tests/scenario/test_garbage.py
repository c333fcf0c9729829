"""Runs go without the garbage collector: what has ended must be freed by itself."""

import gc

import pytest

import rsim
from rsim.scenario import Deployment

FAILURES = {"uptime": 60, "downtime": 20, "clean_shutdown_probability": 0.5}
CHURN = {
    "profile": "rfc",
    "warm_up": "1min",
    "duration": "5min",
    "network": {"delay": "10ms"},
    "pool_elements": {"element": {"count": 5, "start": 1, "failures": FAILURES}},
    "pool_users": {"user": {"count": 10, "start": 2, "request_size": "3e6", "request_interval": 4}},
}
SECURITY = {"pe_enrp": "psk-aes128-cbc", "pu_enrp": "tls13-psk-ecdhe", "pu_pe": "tls13-rsa"}
# All users choose the same element, which turns most of them down: an association for each try.
STEPS = {"round_robin_increment": 5, "max_resolution_items": 5}
RUNS = {
    "churn": CHURN,
    "loss": CHURN | {"network": {"delay": "10ms", "loss": 0.05}},
    "instant": CHURN | {"network": {"transport": "instant"}},
    "secure": CHURN | {"network": {"delay": "10ms", "loss": 0.02}, "security": SECURITY},
    "rejected": CHURN | {"protocol": {"enrp_server": STEPS}},
    "servers": CHURN
    | {"enrp_servers": {"server": {"count": 3, "failures": {"uptime": 90, "downtime": 20}}}},
}


@pytest.mark.parametrize("table", RUNS.values(), ids=RUNS)
def test_a_run_leaves_nothing_to_the_garbage_collector(table):
    gc.collect()
    gc.disable()
    try:
        deployment = Deployment(rsim.scenario(table))
        assert deployment.run().counters["pool_users.accepts"] > 50
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = [kind for kind in map(type, gc.garbage) if kind.__module__.startswith("rsim")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left == []


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize(
    "start", [lambda scenario: Deployment(scenario).run(), rsim.run], ids=["deployment", "run"]
)
def test_every_way_to_run_collects_nothing_meanwhile_and_leaves_the_collector_as_it_was(
    start, enabled
):
    scenario = rsim.scenario(CHURN | {"duration": "1min"})
    states = []
    plain = Deployment.run_until

    def run_until(deployment, time):
        states.append(gc.isenabled())
        plain(deployment, time)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Deployment, "run_until", run_until)
        gc.enable() if enabled else gc.disable()
        try:
            start(scenario)
            assert gc.isenabled() == enabled
        finally:
            gc.enable()
    assert states == [False]


def test_the_collector_is_back_after_an_error():
    deployment = Deployment(rsim.scenario(CHURN))
    deployment.world.clock.call_at(5, lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        deployment.run()
    assert gc.isenabled()
