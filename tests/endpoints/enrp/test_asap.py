import pytest

from rsim import wire
from rsim.wire import Cause

HANDLE = b"pool"


def registration(element):
    return wire.Registration(pool_handle=HANDLE, pool_element=element)


def resolution():
    return wire.HandleResolution(pool_handle=HANDLE)


def report(identifier):
    return wire.EndpointUnreachable(pool_handle=HANDLE, pe_identifier=identifier)


def test_registration_is_granted_and_resolved(make_server, make_channel, element, tell):
    server, channel = make_server(), make_channel()
    [granted] = tell(server, channel, registration(element(5)))
    assert granted == wire.RegistrationResponse(pool_handle=HANDLE, pe_identifier=5)
    [answer] = tell(server, channel, resolution())
    [listed] = answer.pool_elements
    assert listed == element(5).replace(home_server=77)
    assert answer.policy == wire.Policy("round_robin")


def test_unknown_pool_is_answered_by_its_cause(make_server, make_channel, tell):
    [answer] = tell(make_server(), make_channel(), resolution())
    assert [cause.code for cause in answer.error_causes] == [Cause.UNKNOWN_POOL_HANDLE]


@pytest.mark.parametrize(
    ("second", "cause"),
    [
        ({"policy": wire.Policy("random")}, Cause.INCONSISTENT_POLICY),
        (
            {"transport": wire.TcpTransport(port=1, addresses=["10.0.0.9"])},
            Cause.INCONSISTENT_TRANSPORT_TYPE,
        ),
        (
            {"transport": wire.SctpTransport(port=1, addresses=["10.0.0.9"], use=1)},
            Cause.INCONSISTENT_DATA_CONTROL,
        ),
        ({"life": 0}, Cause.INVALID_VALUES),
        ({"life": -2}, Cause.INVALID_VALUES),
        ({"address": "10.0.0.8"}, Cause.INVALID_VALUES),
    ],
)
def test_registrations_that_do_not_fit_are_refused(
    make_server, make_channel, element, tell, second, cause
):
    server, channel = make_server(), make_channel()
    tell(server, channel, registration(element(5)))
    [response] = tell(server, channel, registration(element(6, **second)))
    assert response.reject
    assert [c.code for c in response.error_causes] == [cause]
    assert server.handlespace.pool_size(HANDLE) == 1
    # The cause shows what the pool has, or what was wrong.
    shown = {
        Cause.INCONSISTENT_POLICY: element(5).policy.encode(),
        Cause.INCONSISTENT_TRANSPORT_TYPE: element(5).user_transport.encode(),
        Cause.INCONSISTENT_DATA_CONTROL: b"",
    }
    misfit = element(6, **second)
    wrong = misfit.user_transport.encode() if "address" in second else misfit.encode()
    assert response.error_causes[0].information == shown.get(cause, wrong)


def test_answer_is_cut_to_what_a_message_holds(make_server, make_channel, element, tell):
    server, channel = make_server(check_addresses=False), make_channel()
    many = wire.SctpTransport(port=1, addresses=[f"2001:db8::{i:x}" for i in range(1, 6)])
    for identifier in range(1, 1501):
        tell(server, channel, registration(element(identifier, transport=many)))
    [answer] = tell(server, channel, resolution())
    assert len(answer.encode()) <= 65535 + 3
    assert [e.identifier for e in answer.pool_elements] == list(
        range(1, 1 + len(answer.pool_elements))
    )
    assert len(answer.pool_elements) > 300


def test_unknown_policy_and_identifier_zero_are_refused(make_server, make_channel, element, tell):
    server, channel = make_server(), make_channel()
    for bad in (element(0), element(1, policy=wire.Policy(0x80000077, data=b"xy"))):
        [response] = tell(server, channel, registration(bad))
        assert response.reject
    assert len(server.handlespace) == 0


def test_identifier_of_another_host_is_taken(make_server, make_channel, element, tell):
    server = make_server()
    tell(server, make_channel(), registration(element(5)))
    other = make_channel(remote_address="10.0.0.8")
    [response] = tell(server, other, registration(element(5, address="10.0.0.8")))
    assert [c.code for c in response.error_causes] == [Cause.NON_UNIQUE_PE_IDENTIFIER]
    [answer] = tell(server, other, wire.Deregistration(pool_handle=HANDLE, pe_identifier=5))
    assert [c.code for c in answer.error_causes] == [Cause.SECURITY]
    assert server.handlespace.pool_size(HANDLE) == 1


def test_literally_any_sender_may_use_any_identifier(make_server, make_channel, element, tell):
    server = make_server(check_identity=False)
    tell(server, make_channel(), registration(element(5)))
    other = make_channel(remote_address="10.0.0.8")
    [answer] = tell(server, other, wire.Deregistration(pool_handle=HANDLE, pe_identifier=5))
    assert answer.error_causes == ()
    assert server.handlespace.pool_size(HANDLE) == 0


def test_registration_life_ends(clock, make_server, make_channel, element, tell):
    server, channel = make_server(keep_alive_interval=1000), make_channel()
    tell(server, channel, registration(element(5, life=30)))
    clock.call_at(20, tell, server, channel, registration(element(6, life=100)))
    clock.run_until(30.1)
    assert server.handlespace.find(HANDLE, 5) is None
    assert server.handlespace.find(HANDLE, 6) is not None
    clock.run_until(119)
    clock.run_until(121)
    assert len(server.handlespace) == 0


def test_keep_alives_are_spread_and_silence_removes(
    clock, make_server, make_channel, element, tell
):
    server, channel = make_server(), make_channel()
    tell(server, channel, registration(element(5, life=-1)))
    sent = []
    for _ in range(200):
        while not channel.data:
            clock.step()
        sent.append(clock.now)
        [probe] = channel.take()
        assert probe == wire.EndpointKeepAlive(server_identifier=77, pool_handle=HANDLE)
        ack = wire.EndpointKeepAliveAck(pool_handle=HANDLE, pe_identifier=5)
        tell(server, channel, ack)
    gaps = [b - a for a, b in zip([0, *sent], sent, strict=False)]
    assert 2.5 <= min(gaps) < 3
    assert 7 < max(gaps) <= 7.5
    while not channel.data:
        clock.step()
    last = clock.now
    clock.run_until(last + 4.9)
    assert server.handlespace.pool_size(HANDLE) == 1
    clock.run_until(last + 5.1)
    assert server.handlespace.pool_size(HANDLE) == 0


def test_report_provokes_one_probe_at_once(make_server, make_channel, element, tell):
    server, channel, user = make_server(), make_channel(), make_channel("10.0.0.1")
    tell(server, channel, registration(element(5)))
    tell(server, user, report(5))
    tell(server, user, report(5))
    assert [type(m) for m in channel.take()] == [wire.EndpointKeepAlive]


@pytest.mark.parametrize(("rule", "needed"), [("reaches", 3), ("exceeds", 4)])
def test_reports_remove_at_the_limit(make_server, make_channel, element, tell, rule, needed):
    server = make_server(bad_pe_reports_rule=rule)
    channel, user = make_channel(), make_channel("10.0.0.1")
    tell(server, channel, registration(element(5)))
    for number in range(1, needed + 1):
        assert server.handlespace.pool_size(HANDLE) == 1, number
        tell(server, user, report(5))
    assert server.handlespace.pool_size(HANDLE) == 0


def test_answered_probe_and_registration_clear_reports(make_server, make_channel, element, tell):
    server, channel, user = make_server(), make_channel(), make_channel("10.0.0.1")
    tell(server, channel, registration(element(5)))
    ack = wire.EndpointKeepAliveAck(pool_handle=HANDLE, pe_identifier=5)
    for clear in (ack, registration(element(5))):
        for _ in range(2):
            tell(server, user, report(5))
        tell(server, channel, clear)
    tell(server, user, report(5))
    assert server.handlespace.pool_size(HANDLE) == 1


def test_distinct_reporters_count_once_each(make_server, make_channel, element, tell):
    server, channel = make_server(distinct_reporters=True), make_channel()
    tell(server, channel, registration(element(5)))
    user = make_channel("10.0.0.1")
    for _ in range(10):
        tell(server, user, report(5))
    assert server.handlespace.pool_size(HANDLE) == 1
    for last in (2, 3):
        tell(server, make_channel(f"10.0.0.{last}"), report(5))
    assert server.handlespace.pool_size(HANDLE) == 0


def test_server_without_mentor_serves_after_discovery(
    clock, make_server, make_channel, element, tell
):
    server, channel = make_server(mentor_discovery_time=30), make_channel()
    [response] = tell(server, channel, registration(element(5)))
    assert [c.code for c in response.error_causes] == [Cause.LACK_OF_RESOURCES]
    [answer] = tell(server, channel, resolution())
    assert [c.code for c in answer.error_causes] == [Cause.LACK_OF_RESOURCES]
    clock.run_until(31)
    [response] = tell(server, channel, registration(element(5)))
    assert not response.reject


def test_unknown_content_is_answered_by_an_error(make_server, make_channel):
    server, channel = make_server(), make_channel()
    server.receive(channel, wire.PPID_ASAP, bytes.fromhex("6d000004"))
    [error] = channel.take()
    assert error.error_causes[0].code == Cause.UNRECOGNIZED_MESSAGE


def test_answer_size_and_round_robin_increment(make_server, make_channel, element, tell):
    server, channel = make_server(max_resolution_items=2), make_channel()
    for identifier in (1, 2, 3):
        tell(server, channel, registration(element(identifier)))
    answers = []
    for _ in range(3):
        [answer] = tell(server, channel, resolution())
        answers.append([e.identifier for e in answer.pool_elements])
    assert answers == [[1, 2], [2, 3], [3, 1]]
