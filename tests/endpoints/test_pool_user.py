import numpy as np
import pytest

from rsim import wire
from rsim.endpoints import PoolUserEndpoint, PoolUserSettings, ServerList
from rsim.handlespace import Draws

HANDLE = b"pool"
requirement = pytest.mark.conformance


@pytest.fixture
def make(clock, make_channel):
    def build(**settings):
        channels = []

        def connect(endpoint, address):
            channels.append(make_channel())
            return channels[-1]

        draws = Draws(np.random.default_rng(1))
        chosen = PoolUserSettings(**settings)
        servers = ServerList(clock, chosen, ((("10.0.0.1",), 3863),))
        return PoolUserEndpoint(chosen, clock, servers, connect, draws), channels

    return build


@pytest.fixture
def answer(element):
    def build(policy, *identifiers):
        return wire.HandleResolutionResponse(
            pool_handle=HANDLE,
            policy=policy,
            pool_elements=[element(i, policy=policy) for i in identifiers],
        )

    return build


def resolve(endpoint):
    chosen = []
    endpoint.resolve(HANDLE, lambda e: chosen.append(e.identifier if e else None))
    return chosen


@requirement("ASAP-093")
@requirement("ASAP-094")
@requirement("ASAP-095")
@requirement("ASAP-096")
@requirement("ASAP-170")
@requirement("POL-005")
def test_cache_serves_until_stale(clock, make, answer, tell):
    endpoint, channels = make(stale_cache_value=30)
    first = resolve(endpoint)
    tell(endpoint, channels[0], answer(wire.Policy("round_robin"), 1, 2))
    assert first == [1]
    assert resolve(endpoint) == [2]
    assert resolve(endpoint) == [1]
    assert channels[0].take() == []
    clock.run_until(30)
    assert resolve(endpoint) == []
    assert len(channels[0].take()) == 1


def test_zero_means_ask_every_time(make, answer, tell):
    endpoint, channels = make(stale_cache_value=0)
    for _ in range(3):
        chosen = resolve(endpoint)
        assert len(channels[0].take()) == 1
        tell(endpoint, channels[0], answer(wire.Policy("round_robin"), 1))
        assert chosen == [1]


def test_user_side_rule_follows_the_policy(make, answer, tell):
    endpoint, channels = make()
    resolve(endpoint)
    tell(endpoint, channels[0], answer(wire.Policy("least_used", load=0), 3, 1, 2))
    assert [resolve(endpoint)[0] for _ in range(3)] == [3, 3, 3]
    endpoint, channels = make()
    resolve(endpoint)
    tell(endpoint, channels[0], answer(wire.Policy("random"), 3, 1, 2))
    draws = [resolve(endpoint)[0] for _ in range(3000)]
    assert all(900 < draws.count(identifier) < 1100 for identifier in (1, 2, 3))


@requirement("ASAP-036")
def test_reported_element_leaves_the_cache(make, answer, tell):
    endpoint, channels = make()
    resolve(endpoint)
    tell(endpoint, channels[0], answer(wire.Policy("priority", priority=1), 1, 2))
    endpoint.report_unreachable(HANDLE, 1)
    assert channels[0].take() == [wire.EndpointUnreachable(pool_handle=HANDLE, pe_identifier=1)]
    assert resolve(endpoint) == [2]


def test_t1_hunts_and_asks_again(clock, make, answer, tell):
    endpoint, channels = make(t1_enrp_request=15, max_request_retransmit=2)
    chosen = resolve(endpoint)
    clock.run_until(16)
    assert [len(channel.take()) for channel in channels] == [1, 1]
    tell(endpoint, channels[1], answer(wire.Policy("round_robin"), 4))
    assert chosen == [4]


def test_an_error_is_told_after_the_last_t1(clock, make):
    endpoint, channels = make(t1_enrp_request=15, max_request_retransmit=2)
    chosen = resolve(endpoint)
    clock.run_until(44)
    assert chosen == []
    clock.run_until(46)
    assert chosen == [None]
    assert [len(channel.take()) for channel in channels] == [1, 1, 1]
    assert endpoint.counters.resolution_failures == 1


@requirement("ASAP-031")
def test_error_is_told_as_no_element(make, tell):
    endpoint, channels = make()
    chosen = resolve(endpoint)
    error = wire.ErrorCause(wire.Cause.UNKNOWN_POOL_HANDLE)
    refusal = wire.HandleResolutionResponse(pool_handle=HANDLE, error_causes=[error])
    tell(endpoint, channels[0], refusal)
    assert chosen == [None]


def test_answer_nobody_waits_for_is_dropped(make, answer, tell):
    endpoint, channels = make()
    chosen = resolve(endpoint)
    tell(endpoint, channels[0], answer(wire.Policy("round_robin"), 1))
    tell(endpoint, channels[0], answer(wire.Policy("round_robin"), 9))
    assert chosen == [1]
    assert resolve(endpoint) == [1]
