"""No metric asks for a counter that no actor has: it would be 0 for ever, and nobody would know."""

import pytest

import rsim
from rsim.results import METRICS
from rsim.results.metric import count
from rsim.results.observation import Observation

EVERYTHING = {
    "warm_up": 1,
    "duration": 20,
    "observe_interval": 5,
    "network": {"delay": 0.01, "loss": 0.01},
    "enrp_servers": {"server": {"count": 2, "cpu": {"service_time": 1e-5}}},
    "pool_elements": {"element": {"count": 2, "start": 1}},
    "pool_users": {"user": {"start": 2, "request_size": 1e5, "request_interval": 5}},
    "security": {"pe_enrp": "psk-aes128-cbc", "proof_of_choice": True, "statements": True},
    "attackers": {
        "flood": {"kind": "registration-flood", "interval": 5, "start": 1},
        "path": {"kind": "eavesdropper", "start": 1, "position": {"at": "user"}},
    },
}


@pytest.fixture(scope="module")
def observation():
    return rsim.run(rsim.scenario(EVERYTHING)).observation.unchecked()


@pytest.fixture
def missing(observation, monkeypatch):
    """Names of counters that metrics ask for and no actor has."""

    def found(metrics):
        asked = set()
        plain = Observation.counter

        def counter(self, name):
            asked.add(name)
            return plain(self, name)

        monkeypatch.setattr(Observation, "counter", counter)
        for metric in metrics:
            metric.compute(observation)
        names = [f"*.{name.partition('.')[2]}" for name in observation.counters]
        return asked - {*observation.counters, *names}

    return found


def test_metrics_ask_for_counters_that_there_are(missing):
    assert missing(METRICS.values()) == set()


@pytest.mark.parametrize("name", ["pool_users.acepts", "pool_user.accepts", "*.retransmision"])
def test_a_misspelt_counter_is_found(missing, name):
    assert missing([count("x", "x", name)]) == {name}
