"""How long runs take to settle, and that they say when they had no time to."""

from math import inf

import pytest

import rsim
from rsim.errors import RsimWarning
from rsim.scenario.relaxation import last_start, relaxation_time, settling_times
from tests.verification.warm_up_bias import bias


def scenario(size=10.0, load=0.8, **changes):
    """One user of one element, with the default times of all that is not given."""
    users = {
        "count": 1,
        "request_size": {"distribution": "exponential", "mean": size * 1e6},
        "request_interval": {"distribution": "exponential", "mean": size / load},
    }
    return rsim.scenario(
        {"pool_elements": {"element": {"count": 1}}, "pool_users": {"user": users}, **changes}
    )


def told(chosen):
    return [text for text in rsim.run(chosen).warnings if text.startswith("warm_up")]


def test_a_queue_forgets_at_the_pace_of_the_gap_in_its_spectrum():
    assert relaxation_time(10.0, 0.8) == pytest.approx(10 / (1 - 0.8**0.5) ** 2)
    assert relaxation_time(10.0, 0.0) == 10
    assert relaxation_time(10.0, 1.0) == inf


def test_the_default_warm_up_is_enough_for_ordinary_loads():
    found, error = bias(10.0, 0.8, 1800.0, runs=60_000)
    assert -1 < found < 0 and error < 0.2
    short, _ = bias(10.0, 0.8, 300.0, runs=60_000)
    assert short == pytest.approx(-2.4, abs=0.5)
    assert told(scenario(10.0, 0.8)) == []


@pytest.mark.parametrize(("size", "load"), [(100.0, 0.95), (100.0, 0.8), (10.0, 0.95)])
def test_a_warm_up_that_is_too_short_for_the_load_is_told(size, load):
    with pytest.warns(RsimWarning, match="warm_up: pool_users.user had not settled"):
        [text] = told(scenario(size, load))
    assert f"requests of {size:g} s at a load of {load:g} take" in text
    assert told(scenario(size, load, warm_up=0, duration="20min")) == []


def test_a_pool_that_balances_its_load_settles_as_one_queue():
    def slowest(policy):
        table = {
            "pools": {"pool": {"policy": policy}},
            "pool_elements": {"element": {"count": 10}},
            "pool_users": {
                "user": {"pu_to_pe_ratio": 10, "target_utilisation": 0.8, "request_size": 1e7}
            },
        }
        [(name, service, load, time)] = settling_times(rsim.scenario(table))
        assert (name, load) == ("user", pytest.approx(0.8))
        return time / service

    alone = relaxation_time(1.0, 0.8)
    assert slowest("random") == pytest.approx(alone)
    assert slowest("least_used") == pytest.approx(alone / 10)


def test_loads_that_nobody_knows_and_overloads_are_left_out():
    assert list(settling_times(scenario(10.0, 1.2))) == []
    none = {"pool_users": {"user": {"count": 0}}}
    assert list(settling_times(rsim.scenario(none))) == []


def test_the_last_group_to_start_is_that_of_users():
    assert last_start(scenario()) == 600
    late = scenario(enrp_servers={"server": {}, "late": {"start": "20min"}})
    assert last_start(late) == 1200


@pytest.mark.parametrize("seed", range(1, 7))
def test_mser5_searches_from_when_everybody_is_there(seed):
    """M/M/1 at a load of 0.8; a search from 0 on counts ten minutes in which nobody asks."""
    found = scenario(1.0, 0.8, warm_up="mser5", seed=seed)
    result = rsim.run(found)
    assert result.observation.begin >= 600
    assert result.metrics["utilisation_pct"] == pytest.approx(80, abs=4)
