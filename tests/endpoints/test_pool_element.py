import numpy as np
import pytest

from rsim import wire
from rsim.endpoints import (
    PoolElementEndpoint,
    PoolElementSettings,
    PoolUserEndpoint,
    PoolUserSettings,
    ServerList,
)
from rsim.endpoints.element_states import ElementState
from rsim.handlespace import Draws
from rsim.network import Event

HANDLE = b"pool"
requirement = pytest.mark.conformance
GRANTED = wire.RegistrationResponse(pool_handle=HANDLE, pe_identifier=5)
TRANSPORT = wire.SctpTransport(port=1, addresses=["10.0.0.9"])


@pytest.fixture
def make(clock, make_channel):
    def build(life=300, **settings):
        channels = []

        def connect(endpoint, address):
            channels.append(make_channel())
            return channels[-1]

        chosen = PoolElementSettings(**settings)
        servers = ServerList(clock, chosen, ((("10.0.0.1",), 3863),))
        endpoint = PoolElementEndpoint(HANDLE, life, chosen, clock, servers, connect)
        endpoint.register(5, TRANSPORT, wire.Policy("least_used", load=0))
        return endpoint, channels

    return build


@requirement("ASAP-049")
@requirement("ASAP-051")
@requirement("ASAP-056")
@requirement("ASAP-059")
@requirement("ASAP-060")
@requirement("ASAP-061")
@requirement("COM-038")
def test_registers_and_renews_after_t4(clock, make, tell):
    endpoint, channels = make()
    [first] = channels[0].take()
    assert first.pool_element.registration_life == 300
    assert first.pool_element.home_server == 0
    assert first.pool_element.policy == wire.Policy("least_used", load=0)
    tell(endpoint, channels[0], GRANTED)
    assert endpoint.state is ElementState.REGISTERED
    clock.run_until(279.9)
    assert channels[0].take() == []
    clock.run_until(280.1)
    assert channels[0].take() == [first]
    # T4 starts anew with each grant.
    tell(endpoint, channels[0], GRANTED)
    clock.run_until(559.9)
    assert channels[0].take() == []
    clock.run_until(560.3)
    assert channels[0].take() == [first]


@requirement("ASAP-049")
@requirement("ASAP-185")
@pytest.mark.parametrize(
    ("life", "t4"), [(300, 280), (30, 10), (21, 1), (20, 10), (1, 1), (-1, 600), (10000, 600)]
)
def test_t4_follows_from_the_life(make, life, t4):
    assert make(life)[0].t4 == t4
    # Above 20 s it ends before the life does.
    assert life <= 20 or t4 < life


@requirement("ASAP-053")
@requirement("ASAP-183")
def test_t2_tries_other_servers_then_gives_up(clock, make):
    endpoint, channels = make()
    given_up = []
    endpoint.on_given_up = lambda: given_up.append(clock.now)
    clock.run_until(29)
    assert len(channels) == 1
    clock.run_until(3600)
    assert [len(channel.take()) for channel in channels] == [1, 1, 1]
    assert given_up == [90] and all(channel.closed for channel in channels)
    # The application may try again; the count begins anew.
    endpoint.register_again()
    clock.run_until(7200)
    assert [len(channel.take()) for channel in channels] == [0, 0, 0, 1, 1, 1]
    assert given_up == [90, 3690]
    endpoint.deregister()
    endpoint.register_again()
    assert all(type(m) is not wire.Registration for m in channels[-1].take())


@requirement("ASAP-057")
@pytest.mark.parametrize("cause", [wire.Cause.INCONSISTENT_POLICY, wire.Cause.LACK_OF_RESOURCES])
@pytest.mark.parametrize("registered", [False, True])
def test_refusal_is_told_and_not_repeated(clock, make, tell, cause, registered):
    endpoint, channels = make()
    told = []
    endpoint.on_refused = told.append
    if registered:
        tell(endpoint, channels[0], GRANTED)
        clock.run_until(281)
    channels[0].take()
    assert endpoint._t2.running
    refusal = GRANTED.replace(reject=True, error_causes=[wire.ErrorCause(cause)])
    tell(endpoint, channels[0], refusal)
    clock.run_until(3600)
    assert told == [(cause,)]
    assert endpoint.state is ElementState.REFUSED
    # At no other server, either.
    assert len(channels) == 1 and channels[0].take() == []
    endpoint.register(6, TRANSPORT, wire.Policy("least_used", load=0))
    assert channels[0].take()[0].pool_element.identifier == 6


@requirement("ASAP-056")
@pytest.mark.parametrize("reject", [False, True])
def test_any_answer_stops_t2(clock, make, tell, reject):
    endpoint, channels = make()
    refusals = [wire.ErrorCause(wire.Cause.INCONSISTENT_POLICY)] if reject else []
    tell(endpoint, channels[0], GRANTED.replace(reject=reject, error_causes=refusals))
    clock.run_until(100)
    assert endpoint.counters.registration_timeouts == 0
    assert len(channels) == 1 and not channels[0].closed


@requirement("ASAP-058")
def test_a_registered_element_registers_again_at_will(clock, make, tell):
    endpoint, channels = make()
    tell(endpoint, channels[0], GRANTED)
    channels[0].take()
    clock.run_until(10)
    for load in (7, 8):
        endpoint.update_policy(wire.Policy("least_used", load=load))
        [update] = channels[0].take()
        assert update.pool_element.policy.load == load
        assert update.pool_element.identifier == 5
        tell(endpoint, channels[0], GRANTED)


@requirement("ASAP-126")
@requirement("ASAP-001")
@requirement("ASAP-054")
@requirement("ASAP-055")
def test_of_two_servers_one_is_home(clock, make, tell):
    endpoint, channels = make()
    [first] = channels[0].take()
    clock.run_until(30.1)
    # T2 has expired: the next server that answers is home in place of the first.
    assert channels[0].closed and not channels[1].closed
    assert channels[1].take() == [first]
    tell(endpoint, channels[1], GRANTED)
    endpoint.deregister()
    assert channels[0].data == [] and len(channels[1].take()) == 1


@requirement("ASAP-054")
@requirement("ASAP-062")
def test_a_send_failure_counts_as_an_attempt(clock, make):
    endpoint, channels = make()
    told = []
    endpoint.on_given_up = lambda: told.append(len(channels))
    for attempt in range(3):
        clock.run_until(attempt + 1)
        assert len(channels) == attempt + 1
        endpoint.notify(channels[-1], Event.LOST)
    assert told == [3]
    clock.run_until(1000)
    assert len(channels) == 3


@requirement("ASAP-062")
def test_a_new_registration_begins_with_a_count_of_zero(clock, make):
    endpoint, channels = make()
    told = []
    endpoint.on_given_up = lambda: told.append(clock.now)
    clock.run_until(61)
    assert len(channels) == 3
    endpoint.register(6, TRANSPORT, wire.Policy("least_used", load=0))
    clock.run_until(150)
    assert told == []
    clock.run_until(152)
    assert told == [151]


@requirement("ASAP-062")
def test_success_sets_the_count_of_attempts_to_zero(clock, make, tell):
    endpoint, channels = make()
    told = []
    endpoint.on_given_up = lambda: told.append(clock.now)
    for _ in range(4):
        # Two attempts fail, the third succeeds: else the next one would be too many.
        for _ in range(2):
            endpoint.notify(channels[-1], Event.LOST)
        tell(endpoint, channels[-1], GRANTED)
        assert endpoint.state is ElementState.REGISTERED
        clock.run_until(clock.now + 281)
    assert told == []
    for _ in range(3):
        endpoint.notify(channels[-1], Event.LOST)
    assert told == [clock.now]


@requirement("ASAP-080")
def test_a_send_failure_makes_it_deregister_elsewhere(clock, make, tell):
    endpoint, channels = make()
    tell(endpoint, channels[0], GRANTED)
    endpoint.deregister()
    clock.run_until(1)
    endpoint.notify(channels[0], Event.LOST)
    [again] = channels[1].take()
    assert again == wire.Deregistration(pool_handle=HANDLE, pe_identifier=5)


@requirement("ASAP-033")
@requirement("ASAP-034")
@requirement("ASAP-104")
@requirement("ASAP-105")
@pytest.mark.parametrize("has_home", [False, True])
def test_every_keep_alive_is_answered_where_it_came_from_and_h_alone_changes_the_home(
    clock, make, make_channel, tell, has_home
):
    endpoint, channels = make()
    tell(endpoint, channels[0], GRANTED)
    if not has_home:
        nobody = make_channel()
        nobody.ready = False
        endpoint._connect = lambda *_: nobody
        endpoint.notify(channels[0], Event.LOST)
        assert endpoint._home is None
    ack = wire.EndpointKeepAliveAck(pool_handle=HANDLE, pe_identifier=5)
    probe = wire.EndpointKeepAlive(server_identifier=9, pool_handle=HANDLE)
    before = endpoint._home
    for home in (False, True, True):
        other = make_channel("10.0.0.7")
        for channel in channels:
            channel.data.clear()
        assert tell(endpoint, other, probe.replace(home=home)) == [ack]
        assert endpoint._home is (other if home else before)
        # Nobody else gets an acknowledgement.
        assert not any(
            isinstance(message, wire.EndpointKeepAliveAck)
            for channel in channels
            for message in channel.take()
        )


@requirement("ASAP-058")
@requirement("ASAP-169")
def test_policy_changes_during_a_registration_are_sent_after_its_response(make, tell):
    endpoint, channels = make()
    channels[0].take()
    for load in (1, 2):
        endpoint.update_policy(wire.Policy("least_used", load=load))
    assert channels[0].take() == []
    [update] = tell(endpoint, channels[0], GRANTED)
    assert update.pool_element.policy.load == 2


@requirement("ASAP-033")
@requirement("ASAP-035")
@requirement("ASAP-103")
def test_keep_alive_of_another_pool_is_ignored(make, make_channel, tell):
    endpoint, _ = make()
    other = make_channel()
    probe = wire.EndpointKeepAlive(server_identifier=1, pool_handle=HANDLE, home=True)
    assert tell(endpoint, other, probe.replace(pool_handle=b"other")) == []
    assert endpoint._home is not other
    [ack] = tell(endpoint, other, probe)
    assert ack == wire.EndpointKeepAliveAck(pool_handle=HANDLE, pe_identifier=5)
    assert endpoint._home is other


@requirement("ASAP-012")
@requirement("ASAP-077")
@requirement("ASAP-078")
@requirement("ASAP-079")
@requirement("ASAP-081")
@requirement("ASAP-184")
def test_deregisters_and_repeats_until_answered(clock, make, tell):
    endpoint, channels = make()
    tell(endpoint, channels[0], GRANTED)
    endpoint.deregister()
    [deregistration] = channels[0].take()
    assert deregistration == wire.Deregistration(pool_handle=HANDLE, pe_identifier=5)
    clock.run_until(31)
    assert channels[1].take() == [deregistration]
    tell(endpoint, channels[1], wire.DeregistrationResponse(pool_handle=HANDLE, pe_identifier=5))
    assert endpoint.state is ElementState.DOWN
    clock.run_until(1000)
    assert len(channels) == 2


def test_vanished_element_is_silent(clock, make, tell):
    endpoint, channels = make()
    channels[0].take()
    endpoint.vanish()
    assert channels[0].closed
    probe = wire.EndpointKeepAlive(server_identifier=1, pool_handle=HANDLE)
    assert tell(endpoint, channels[0], probe) == []
    clock.run_until(1000)
    assert len(channels) == 1


@requirement("ASAP-010")
@requirement("ASAP-162")
def test_a_registration_holds_handle_and_element_and_no_flags(make):
    _, channels = make()
    [data] = channels[0].data
    assert data[:2] == b"\x01\x00"
    assert int.from_bytes(data[2:4], "big") == len(data)
    assert data[4:6] == b"\x00\x09"
    padded = 8 + len(HANDLE) + -len(HANDLE) % 4
    assert data[padded : padded + 2] == b"\x00\x0a"
    [message] = channels[0].take()
    assert message.pool_element.user_transport == TRANSPORT


def element_and_user(clock, make_channel):
    """A pool element that is a pool user, too, and what it sends."""
    channels = []

    def connect(endpoint, address):
        channels.append(make_channel())
        return channels[-1]

    chosen = PoolElementSettings()
    servers = ServerList(clock, chosen, ((("10.0.0.1",), 3863),))
    mine = PoolUserSettings()
    user = PoolUserEndpoint(
        mine, clock, ServerList(clock, mine), connect, Draws(np.random.default_rng(1))
    )
    endpoint = PoolElementEndpoint(HANDLE, 300, chosen, clock, servers, connect, user=user)
    endpoint.register(5, TRANSPORT, wire.Policy("least_used", load=0))
    return endpoint, user, channels


@pytest.fixture
def with_user(clock, make_channel):
    return element_and_user(clock, make_channel)


@pytest.fixture(params=["element alone", "element and user"])
def either(request, clock, make, make_channel):
    """An element, which may be a user as well, and what it sends."""
    if request.param == "element alone":
        return make()
    endpoint, _, channels = element_and_user(clock, make_channel)
    return endpoint, channels


@requirement("ASAP-090")
@requirement("ASAP-107")
@requirement("ASAP-155")
@requirement("ASAP-158")
def test_an_element_that_is_a_user_asks_and_reports_where_it_is_registered(with_user, tell):
    endpoint, user, channels = with_user
    tell(endpoint, channels[0], GRANTED)
    found = []
    user.resolve(b"other", found.append)
    assert channels[0].take() == [wire.HandleResolution(pool_handle=b"other")]
    element = wire.PoolElement(
        identifier=8, user_transport=TRANSPORT, policy=wire.Policy("round_robin")
    )
    response = wire.HandleResolutionResponse(pool_handle=b"other", pool_elements=[element])
    tell(endpoint, channels[0], response)
    assert [e.identifier for e in found] == [8]
    user.report_unreachable(b"other", 8)
    report = wire.EndpointUnreachable(pool_handle=b"other", pe_identifier=8)
    assert channels[0].take() == [report]
    keep_alive = wire.EndpointKeepAlive(server_identifier=7, pool_handle=HANDLE)
    [ack] = tell(endpoint, channels[0], keep_alive)
    assert ack == wire.EndpointKeepAliveAck(pool_handle=HANDLE, pe_identifier=5)
    assert len(channels) == 1


def test_a_new_home_is_asked_as_well(with_user, tell, make_channel):
    endpoint, user, channels = with_user
    tell(endpoint, channels[0], GRANTED)
    other = make_channel()
    tell(
        endpoint, other, wire.EndpointKeepAlive(server_identifier=8, pool_handle=HANDLE, home=True)
    )
    user.populate(b"other")
    assert other.take() == [wire.HandleResolution(pool_handle=b"other")]


@requirement("ASAP-155")
@requirement("ASAP-158")
def test_an_element_takes_what_its_role_needs_and_leaves_the_rest(either, tell):
    endpoint, channels = either
    assert isinstance(channels[0].take()[0], wire.Registration)
    assert endpoint.state is ElementState.REGISTERING
    tell(endpoint, channels[0], GRANTED)
    assert endpoint.state is ElementState.REGISTERED
    keep_alive = wire.EndpointKeepAlive(server_identifier=7, pool_handle=HANDLE)
    [ack] = tell(endpoint, channels[0], keep_alive)
    assert ack == wire.EndpointKeepAliveAck(pool_handle=HANDLE, pe_identifier=5)
    leave = [
        wire.HandleResolution(pool_handle=HANDLE),
        wire.HandleResolutionResponse(
            pool_handle=HANDLE, error_causes=[wire.ErrorCause(wire.Cause.UNKNOWN_POOL_HANDLE)]
        ),
        wire.Registration(
            pool_handle=HANDLE,
            pool_element=wire.PoolElement(
                identifier=8, user_transport=TRANSPORT, policy=wire.Policy("round_robin")
            ),
        ),
        wire.AsapError(error_causes=[wire.ErrorCause(wire.Cause.INVALID_VALUES)]),
    ]
    for message in leave:
        assert tell(endpoint, channels[0], message) == []
        assert endpoint.state is ElementState.REGISTERED
    endpoint.deregister()
    [message] = channels[0].take()
    assert message == wire.Deregistration(pool_handle=HANDLE, pe_identifier=5)
    tell(endpoint, channels[0], wire.DeregistrationResponse(pool_handle=HANDLE, pe_identifier=5))
    assert endpoint.state is ElementState.DOWN


UNKNOWN = bytes([0xC0, 0x77, 0, 8]) + b"what"
"""A parameter of unknown type that is to be skipped and reported (RFC 5354 3)."""


def with_unknown(message):
    data = message.encode() + UNKNOWN
    return data[:2] + len(data).to_bytes(2) + data[4:]


@requirement("ASAP-043")
@requirement("ASAP-155")
@requirement("ASAP-158")
def test_unknown_messages_and_parameters_are_reported(either):
    endpoint, channels = either
    channels[0].take()
    endpoint.receive(channels[0], wire.PPID_ASAP, bytes([0x4F, 0, 0, 4]))
    [error] = channels[0].take()
    assert error.error_causes == (
        wire.ErrorCause(wire.Cause.UNRECOGNIZED_MESSAGE, bytes([0x4F, 0, 0, 4])),
    )
    endpoint.receive(channels[0], wire.PPID_ASAP, with_unknown(GRANTED))
    [error] = channels[0].take()
    assert error.error_causes == (wire.ErrorCause(wire.Cause.UNRECOGNIZED_PARAMETER, UNKNOWN),)
    # The rest of the message counts.
    assert endpoint.state is ElementState.REGISTERED


@requirement("ASAP-158")
def test_an_element_that_is_a_user_takes_what_a_user_takes(with_user, tell):
    endpoint, user, channels = with_user
    tell(endpoint, channels[0], GRANTED)
    found = []
    for handle in (b"one", b"two"):
        user.resolve(handle, lambda element: found.append(element and element.identifier))
    assert channels[0].take() == [
        wire.HandleResolution(pool_handle=b"one"),
        wire.HandleResolution(pool_handle=b"two"),
    ]
    invalid = wire.AsapError(error_causes=[wire.ErrorCause(wire.Cause.INVALID_VALUES)])
    assert tell(endpoint, channels[0], invalid) == [] and found == []
    # What is unknown in an answer is reported once, and the rest counts.
    element = wire.PoolElement(
        identifier=8, user_transport=TRANSPORT, policy=wire.Policy("round_robin")
    )
    answer = wire.HandleResolutionResponse(pool_handle=b"one", pool_elements=[element])
    endpoint.receive(channels[0], wire.PPID_ASAP, with_unknown(answer))
    [error] = channels[0].take()
    assert error.error_causes == (wire.ErrorCause(wire.Cause.UNRECOGNIZED_PARAMETER, UNKNOWN),)
    assert found == [8]
    # What the home leaves open is asked at the next one.
    endpoint.notify(channels[0], Event.LOST)
    assert wire.HandleResolution(pool_handle=b"two") in channels[1].take()
    refusal = wire.HandleResolutionResponse(
        pool_handle=b"two", error_causes=[wire.ErrorCause(wire.Cause.UNKNOWN_POOL_HANDLE)]
    )
    tell(endpoint, channels[1], refusal)
    assert found == [8, None]
    # It leaves as an element does, at another server if its home does not answer.
    endpoint.deregister()
    leaving = wire.Deregistration(pool_handle=HANDLE, pe_identifier=5)
    assert channels[1].take() == [leaving]
    endpoint.clock.run_until(31)
    assert channels[2].take() == [leaving]


@requirement("ASAP-139")
@requirement("ASAP-158")
def test_an_element_that_asks_as_a_user_in_vain_hunts_for_another_home(clock, with_user, tell):
    endpoint, user, channels = with_user
    tell(endpoint, channels[0], GRANTED)
    channels[0].take()
    user.resolve(b"other", lambda element: None)
    question = wire.HandleResolution(pool_handle=b"other")
    assert channels[0].take() == [question]
    clock.run_until(15.1)
    assert channels[0].take() == [question]
    # The next server is its home from now on, and is asked.
    assert [type(m) for m in channels[1].take()] == [wire.HandleResolution, wire.Registration]
