import numpy as np
import pytest
from scipy.stats import chisquare

from rsim import wire
from rsim.endpoints import PoolUserEndpoint, PoolUserSettings, ServerList
from rsim.handlespace import Draws, policy_with
from rsim.network import Event

HANDLE = b"pool"
requirement = pytest.mark.conformance


@pytest.fixture
def make(clock, make_channel):
    def build(**settings):
        channels = []

        def connect(endpoint, address):
            channels.append(make_channel(*address[0]))
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
@requirement("ASAP-195")
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
@requirement("ASAP-106")
def test_reported_element_leaves_the_cache(make, answer, tell):
    endpoint, channels = make()
    resolve(endpoint)
    tell(endpoint, channels[0], answer(wire.Policy("priority", priority=1), 1, 2))
    endpoint.report_unreachable(HANDLE, 1)
    assert channels[0].take() == [wire.EndpointUnreachable(pool_handle=HANDLE, pe_identifier=1)]
    assert resolve(endpoint) == [2]


def test_an_error_is_told_after_the_last_t1(clock, make):
    endpoint, channels = make(t1_enrp_request=15, max_request_retransmit=2)
    chosen = resolve(endpoint)
    clock.run_until(44)
    assert chosen == []
    clock.run_until(46)
    assert chosen == [None]
    assert [len(channel.take()) for channel in channels] == [3]
    assert endpoint.counters.resolution_failures == 1


@requirement("ASAP-195")
@requirement("ASAP-167")
def test_an_answer_is_for_all_that_wait(clock, make, answer, tell):
    endpoint, channels = make()
    waiting = [resolve(endpoint) for _ in range(3)]
    assert len(channels[0].take()) == 1
    tell(endpoint, channels[0], answer(wire.Policy("round_robin"), 7, 8))
    assert waiting == [[7], [8], [7]]
    clock.run_until(100)
    assert endpoint.counters.resolution_timeouts == 0


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


@requirement("ASAP-108")
@requirement("SEC-014")
@requirement("SEC-023")
def test_one_failure_is_reported_once(clock, make, answer, tell):
    endpoint, channels = make(stale_cache_value=30)
    resolve(endpoint)
    tell(endpoint, channels[0], answer(wire.Policy("round_robin"), 1, 2))
    channels[0].take()
    for _ in range(5):
        endpoint.report_unreachable(HANDLE, 1)
    assert len(channels[0].take()) == 1
    assert endpoint.counters.reports_withheld == 4
    # Listed again, it counts anew.
    clock.run_until(31)
    resolve(endpoint)
    tell(endpoint, channels[0], answer(wire.Policy("round_robin"), 1, 2))
    channels[0].take()
    endpoint.report_unreachable(HANDLE, 1)
    assert len(channels[0].take()) == 1


@requirement("ASAP-097")
@pytest.mark.parametrize("serve_stale", [False, True])
def test_a_stale_entry_may_serve_while_a_new_one_is_fetched(clock, make, answer, tell, serve_stale):
    endpoint, channels = make(stale_cache_value=10, serve_stale=serve_stale)
    resolve(endpoint)
    tell(endpoint, channels[0], answer(wire.Policy("priority", priority=0), 1, 2))
    clock.run_until(11)
    channels[0].take()
    chosen = resolve(endpoint)
    assert chosen == ([1] if serve_stale else [])
    assert len(channels[0].take()) == 1
    tell(endpoint, channels[0], answer(wire.Policy("priority", priority=0), 3))
    assert chosen == ([1] if serve_stale else [3])
    assert resolve(endpoint) == [3]


@requirement("ASAP-189")
@pytest.mark.parametrize("age", [5, 20])
def test_the_stale_cache_value_bounds_the_age(clock, make, answer, tell, age):
    assert PoolUserSettings().stale_cache_value == 30
    endpoint, channels = make(stale_cache_value=age)
    resolve(endpoint)
    tell(endpoint, channels[0], answer(wire.Policy("round_robin"), 1))
    clock.run_until(age - 0.01)
    assert resolve(endpoint) == [1]
    clock.run_until(age)
    assert resolve(endpoint) == []


@requirement("ASAP-020")
@requirement("ASAP-023")
def test_subscriptions_are_asked_for_with_each_question(clock, make, answer, tell):
    endpoint, channels = make(subscribe=True, stale_cache_value=30)
    resolve(endpoint)
    [question] = channels[0].take()
    assert question == wire.HandleResolution(pool_handle=HANDLE, send_updates=True)
    assert question.encode()[:2] == b"\x05\x01"
    listed = answer(wire.Policy("round_robin"), 1).replace(accept_updates=True)
    tell(endpoint, channels[0], listed)
    # What the server tells unasked renews the cache.
    clock.run_until(25)
    told = answer(wire.Policy("round_robin"), 7).replace(accept_updates=True)
    tell(endpoint, channels[0], told)
    clock.run_until(50)
    assert resolve(endpoint) == [7]
    # Another server knows nothing of the subscription; it is asked anew.
    endpoint.notify(channels[0], Event.LOST)
    clock.run_until(60)
    resolve(endpoint)
    [question] = channels[1].take()
    assert question.send_updates


def test_an_answer_that_was_not_asked_for_is_ignored(clock, make, answer, tell):
    endpoint, channels = make(stale_cache_value=30)
    resolve(endpoint)
    tell(endpoint, channels[0], answer(wire.Policy("round_robin"), 1))
    tell(endpoint, channels[0], answer(wire.Policy("round_robin"), 7))
    assert resolve(endpoint) == [1]


@requirement("ASAP-027")
@requirement("ASAP-028")
@requirement("POL-010")
def test_the_overall_policy_alone_decides_how_the_list_is_used(make, answer, tell):
    loads = answer(wire.Policy("least_used", load=0), 1, 2, 3)
    for overall in (
        None,
        wire.Policy("round_robin"),
        wire.Policy("weighted_round_robin", weight=1),
    ):
        endpoint, channels = make()
        first = resolve(endpoint)
        tell(endpoint, channels[0], loads.replace(policy=overall))
        assert first + [resolve(endpoint)[0] for _ in range(3)] == [1, 2, 3, 1]


@requirement("POL-010")
def test_the_weights_of_a_list_are_not_looked_at_again(make, element, tell):
    endpoint, channels = make()
    first = resolve(endpoint)
    listed = [
        element(n, policy=wire.Policy("weighted_round_robin", weight=weight))
        for n, weight in ((3, 1), (1, 9), (2, 4))
    ]
    overall = wire.Policy("weighted_round_robin", weight=9)
    response = wire.HandleResolutionResponse(
        pool_handle=HANDLE, policy=overall, pool_elements=listed
    )
    tell(endpoint, channels[0], response)
    assert first + [resolve(endpoint)[0] for _ in range(5)] == [3, 1, 2, 3, 1, 2]


@requirement("POL-013")
@requirement("POL-016")
@pytest.mark.parametrize("policy", ["random", "weighted_random"])
def test_random_policies_leave_a_uniform_draw_to_the_user(make, answer, tell, policy):
    endpoint, channels = make()
    resolve(endpoint)
    tell(endpoint, channels[0], answer(policy_with(policy, {}), 1, 2, 3, 4))
    draws = [resolve(endpoint)[0] for _ in range(20_000)]
    assert chisquare([draws.count(i) for i in (1, 2, 3, 4)]).pvalue > 1e-4
    # Each draw is independent of the one before.
    pairs = list(zip(draws[::2], draws[1::2], strict=True))
    counts = [pairs.count((i, j)) for i in (1, 2, 3, 4) for j in (1, 2, 3, 4)]
    assert chisquare(counts).pvalue > 1e-4


@requirement("POL-020")
@requirement("POL-025")
@pytest.mark.parametrize("policy", ["priority", "least_used"])
def test_sorted_policies_try_in_the_order_received(make, answer, tell, policy):
    endpoint, channels = make()
    first = resolve(endpoint)
    tell(endpoint, channels[0], answer(policy_with(policy, {}), 4, 2, 9))
    assert first + resolve(endpoint) == [4, 4]
    for failed, following in ((4, 2), (2, 9)):
        endpoint.report_unreachable(HANDLE, failed)
        assert resolve(endpoint) == [following]


@requirement("ASAP-153")
def test_a_pool_user_takes_answers_and_errors_and_leaves_the_rest(clock, make, answer, tell):
    endpoint, channels = make()
    chosen = resolve(endpoint)
    question = wire.HandleResolution(pool_handle=HANDLE)
    assert channels[0].take() == [question]
    clock.run_until(14)
    keep_alive = wire.EndpointKeepAlive(server_identifier=7, pool_handle=HANDLE, home=True)
    assert tell(endpoint, channels[0], keep_alive) == []
    assert (
        tell(
            endpoint,
            channels[0],
            wire.AsapError(error_causes=[wire.ErrorCause(wire.Cause.INVALID_VALUES)]),
        )
        == []
    )
    # Neither of them is an answer, nor does T1 begin anew with them.
    assert chosen == [] and len(channels) == 1
    clock.run_until(15.1)
    assert channels[0].take() == [question]
    tell(endpoint, channels[0], answer(wire.Policy("round_robin"), 1))
    assert chosen == [1]


@requirement("ASAP-043")
@requirement("ASAP-153")
def test_unknown_messages_and_parameters_are_reported_to_the_server(make, answer):
    endpoint, channels = make()
    chosen = resolve(endpoint)
    channels[0].take()
    endpoint.receive(channels[0], wire.PPID_ASAP, bytes([0x4F, 0, 0, 4]))
    [error] = channels[0].take()
    assert [cause.code for cause in error.error_causes] == [wire.Cause.UNRECOGNIZED_MESSAGE]
    unknown = bytes([0xC0, 0x77, 0, 8]) + b"what"
    data = answer(wire.Policy("round_robin"), 1).encode() + unknown
    data = data[:2] + len(data).to_bytes(2) + data[4:]
    endpoint.receive(channels[0], wire.PPID_ASAP, data)
    [error] = channels[0].take()
    assert error.error_causes == (wire.ErrorCause(wire.Cause.UNRECOGNIZED_PARAMETER, unknown),)
    assert chosen == [1]


@requirement("POL-020")
def test_the_highest_priority_is_taken_whatever_the_order(make, element, tell):
    endpoint, channels = make()
    first = resolve(endpoint)
    ranks = {1: 5, 2: 9, 3: 0, 4: 9, 5: 7}
    listed = [element(i, policy=wire.Policy("priority", priority=p)) for i, p in ranks.items()]
    response = wire.HandleResolutionResponse(
        pool_handle=HANDLE, policy=wire.Policy("priority", priority=0), pool_elements=listed
    )
    tell(endpoint, channels[0], response)
    assert first + resolve(endpoint) == [2, 2]
    for failed, following in ((2, 4), (4, 5), (5, 1), (1, 3)):
        endpoint.report_unreachable(HANDLE, failed)
        assert resolve(endpoint) == [following]


@requirement("ARC-009")
def test_the_next_element_is_asked_for_after_reporting_the_last(make, answer, tell):
    endpoint, channels = make(stale_cache_value=0)
    chosen = resolve(endpoint)
    tell(endpoint, channels[0], answer(wire.Policy("round_robin"), 1))
    channels[0].take()
    endpoint.report_unreachable(HANDLE, chosen[0])
    again = resolve(endpoint)
    assert channels[0].take() == [
        wire.EndpointUnreachable(pool_handle=HANDLE, pe_identifier=1),
        wire.HandleResolution(pool_handle=HANDLE),
    ]
    tell(endpoint, channels[0], answer(wire.Policy("round_robin"), 2))
    assert again == [2]
