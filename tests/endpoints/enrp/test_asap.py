import pytest

from rsim import wire
from rsim.endpoints import authorisations
from rsim.endpoints.session import has_control_channel
from rsim.handlespace import policy_kinds, policy_with
from rsim.network import Event, Principal
from rsim.wire import Cause

HANDLE = b"pool"
requirement = pytest.mark.conformance


def registration(element):
    return wire.Registration(pool_handle=HANDLE, pool_element=element)


def resolution():
    return wire.HandleResolution(pool_handle=HANDLE)


def report(identifier):
    return wire.EndpointUnreachable(pool_handle=HANDLE, pe_identifier=identifier)


@requirement("ASAP-014")
@requirement("ASAP-017")
@requirement("ASAP-063")
@requirement("ASAP-072")
@requirement("ASAP-099")
@requirement("ASAP-029")
@requirement("ASAP-157")
def test_registration_is_granted_and_resolved(make_server, make_channel, element, tell):
    server, channel = make_server(), make_channel()
    [granted] = tell(server, channel, registration(element(5)))
    assert granted == wire.RegistrationResponse(pool_handle=HANDLE, pe_identifier=5)
    [answer] = tell(server, channel, resolution())
    [listed] = answer.pool_elements
    assert listed == element(5).replace(home_server=77)
    assert answer.policy == wire.Policy("round_robin")


@requirement("COM-058")
@requirement("ASAP-102")
@requirement("ASAP-030")
def test_unknown_pool_is_answered_by_its_cause(make_server, make_channel, tell):
    [answer] = tell(make_server(), make_channel(), resolution())
    cause = wire.ErrorCause(Cause.UNKNOWN_POOL_HANDLE, b"")
    assert answer == wire.HandleResolutionResponse(pool_handle=HANDLE, error_causes=[cause])


@requirement("COM-053")
@requirement("COM-055")
@requirement("COM-056")
@requirement("ASAP-014")
@requirement("ASAP-064")
@requirement("ASAP-065")
@requirement("ASAP-071")
@requirement("ASAP-073")
@requirement("ASAP-074")
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
    first = server.handlespace.find(HANDLE, 5)
    [response] = tell(server, channel, registration(element(6, **second)))
    assert response.reject
    assert server.handlespace.find(HANDLE, 5) == first
    assert (response.pool_handle, response.pe_identifier) == (HANDLE, 6)
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


@requirement("ASAP-100")
@pytest.mark.parametrize(("number", "addresses", "all_fit"), [(900, 1, True), (1500, 4, False)])
def test_an_answer_lists_all_elements_or_as_many_as_a_message_holds(
    make_server, make_channel, element, tell, number, addresses, all_fit
):
    server, channel = make_server(check_addresses=False), make_channel()
    hosts = [f"2001:db8::{i:x}" for i in range(1, addresses + 1)]
    for identifier in range(1, number + 1):
        # Some are longer than others.
        used = hosts[: 1 + identifier % addresses]
        transport = wire.SctpTransport(port=1, addresses=used)
        tell(server, channel, registration(element(identifier, transport=transport)))
    [answer] = tell(server, channel, resolution())
    listed = answer.pool_elements
    assert [e.identifier for e in listed] == list(range(1, 1 + len(listed)))
    if all_fit:
        assert len(listed) == number
    else:
        octets = len(answer.encode())
        following = server.handlespace.find(HANDLE, len(listed) + 1)
        assert octets <= 65535 < octets + len(following.encode())


@requirement("ASAP-029")
def test_a_handle_that_leaves_no_room_for_elements_is_answered(
    make_server, make_channel, element, tell
):
    server, channel = make_server(), make_channel()
    handle = b"h" * 65_480
    message = wire.Registration(pool_handle=handle, pool_element=element(5))
    [granted] = tell(server, channel, message)
    assert not granted.reject
    [answer] = tell(server, channel, wire.HandleResolution(pool_handle=handle))
    assert [cause.code for cause in answer.error_causes] == [Cause.LACK_OF_RESOURCES]
    assert not answer.pool_elements


@requirement("ASAP-074")
@requirement("ASAP-087")
@requirement("ASAP-072")
@requirement("ASAP-086")
@requirement("ASAP-006")
def test_a_registration_over_tcp_is_refused_and_a_deregistration_too(
    make_server, make_channel, make_peer, element, tell
):
    server, channel, tcp = make_server(), make_channel(), make_channel()
    peer = make_peer(server, 6)
    tcp.tcp = True
    [refusal] = tell(server, tcp, registration(element(5)))
    cause = wire.ErrorCause(Cause.UNSPECIFIED)
    assert refusal == wire.RegistrationResponse(
        pool_handle=HANDLE, pe_identifier=5, reject=True, error_causes=[cause]
    )
    assert len(server.handlespace) == 0
    tell(server, channel, registration(element(5)))
    peer.take()
    [refusal] = tell(server, tcp, wire.Deregistration(pool_handle=HANDLE, pe_identifier=5))
    assert refusal == wire.DeregistrationResponse(
        pool_handle=HANDLE, pe_identifier=5, error_causes=[cause]
    )
    assert len(server.handlespace) == 1 and peer.take(wire.HandleUpdate) == []


@requirement("ASAP-072")
@requirement("ASAP-074")
@requirement("COM-024")
@requirement("COM-051")
def test_a_registration_with_values_that_are_not_valid_is_answered_as_one(
    make_server, make_channel, element
):
    server, channel = make_server(), make_channel()
    good = registration(element(0x12345678))
    data = good.encode()
    use = element(5).user_transport.encode()
    at = data.index(use) + 6
    server.receive(channel, wire.PPID_ASAP, data[:at] + b"\x00\x02" + data[at + 2 :])
    [refusal] = channel.take()
    assert isinstance(refusal, wire.RegistrationResponse) and refusal.reject
    assert (refusal.pool_handle, refusal.pe_identifier) == (HANDLE, 0x12345678)
    [cause] = refusal.error_causes
    assert cause.code == Cause.INVALID_VALUES
    assert cause.information == use[:6] + b"\x00\x02" + use[8:]
    assert len(server.handlespace) == 0
    # What names no element can't be answered as a registration.
    server.receive(channel, wire.PPID_ASAP, data[:2] + b"\x00\x0c" + data[4:12])
    assert all(not isinstance(m, wire.RegistrationResponse) for m in channel.take())


def test_unknown_policy_and_identifier_zero_are_refused(make_server, make_channel, element, tell):
    server, channel = make_server(), make_channel()
    for bad in (element(0), element(1, policy=wire.Policy(0x80000077, data=b"xy"))):
        [response] = tell(server, channel, registration(bad))
        assert response.reject
    assert len(server.handlespace) == 0


@requirement("ASAP-074")
@requirement("ASAP-087")
@requirement("COM-052")
@requirement("ASAP-013")
@requirement("ASAP-085")
@requirement("ASAP-086")
def test_identifier_of_another_host_is_taken(make_server, make_channel, make_peer, element, tell):
    server = make_server()
    peer = make_peer(server, 6)
    tell(server, make_channel(), registration(element(5)))
    peer.take()
    other = make_channel(remote_address="10.0.0.8")
    [response] = tell(server, other, registration(element(5, address="10.0.0.8")))
    assert [c.code for c in response.error_causes] == [Cause.NON_UNIQUE_PE_IDENTIFIER]
    [answer] = tell(server, other, wire.Deregistration(pool_handle=HANDLE, pe_identifier=5))
    assert [c.code for c in answer.error_causes] == [Cause.SECURITY]
    assert server.handlespace.pool_size(HANDLE) == 1
    assert peer.take(wire.HandleUpdate) == []


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


@requirement("ASAP-115")
@requirement("ASAP-116")
@requirement("ASAP-118")
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


@requirement("ASAP-110")
def test_report_provokes_one_probe_at_once(make_server, make_channel, element, tell):
    server, channel, user = make_server(), make_channel(), make_channel("10.0.0.1")
    tell(server, channel, registration(element(5)))
    probe = wire.EndpointKeepAlive(server_identifier=77, pool_handle=HANDLE)
    tell(server, user, report(5))
    assert channel.take() == [probe]
    tell(server, user, report(5))
    assert channel.take() == []


@requirement("ASAP-157")
def test_a_server_takes_all_that_its_role_needs(clock, make_server, make_channel, element, tell):
    server, channel, user = make_server(), make_channel(), make_channel("10.0.0.1")
    [granted] = tell(server, channel, registration(element(5)))
    assert isinstance(granted, wire.RegistrationResponse) and not granted.reject
    [answer] = tell(server, user, resolution())
    assert [e.identifier for e in answer.pool_elements] == [5]
    assert tell(server, user, report(5)) == []
    assert isinstance(channel.take()[0], wire.EndpointKeepAlive)
    ack = wire.EndpointKeepAliveAck(pool_handle=HANDLE, pe_identifier=5)
    assert tell(server, channel, ack) == []
    clock.run_until(5.1)
    # The acknowledgement counts: it is still there.
    assert server.handlespace.pool_size(HANDLE) == 1
    channel.take()
    error = wire.AsapError(error_causes=[wire.ErrorCause(Cause.UNSPECIFIED)])
    assert tell(server, channel, error) == []
    deregistration = wire.Deregistration(pool_handle=HANDLE, pe_identifier=5)
    [left] = tell(server, channel, deregistration)
    assert isinstance(left, wire.DeregistrationResponse) and not left.error_causes
    assert server.handlespace.pool_size(HANDLE) == 0


@requirement("ASAP-114")
def test_reports_are_counted_for_each_element(make_server, make_channel, element, tell):
    server, channel, user = make_server(), make_channel(), make_channel("10.0.0.1")
    for identifier in (5, 6):
        tell(server, channel, registration(element(identifier)))
    for identifier in (5, 6, 5, 6):
        tell(server, user, report(identifier))
    assert server.handlespace.pool_size(HANDLE) == 2
    tell(server, user, report(6))
    assert server.handlespace.find(HANDLE, 5) is not None
    assert server.handlespace.find(HANDLE, 6) is None


@requirement("ASAP-114")
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


@requirement("ASAP-074")
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


@requirement("ASAP-015")
@requirement("ASAP-018")
@requirement("ASAP-073")
def test_flags_of_answers(make_server, make_channel, element, tell):
    server, channel = make_server(), make_channel()
    server.receive(channel, wire.PPID_ASAP, registration(element(5)).encode())
    server.receive(channel, wire.PPID_ASAP, registration(element(6, life=0)).encode())
    deregistration = wire.Deregistration(pool_handle=HANDLE, pe_identifier=5)
    server.receive(channel, wire.PPID_ASAP, deregistration.encode())
    granted, refused, deregistered = channel.data
    assert (granted[:2], refused[:2], deregistered[:2]) == (b"\x03\x00", b"\x03\x01", b"\x04\x00")
    answer = wire.decode(deregistered, "asap")
    assert answer == wire.DeregistrationResponse(pool_handle=HANDLE, pe_identifier=5)


@requirement("ASAP-016")
def test_a_life_that_is_cut_is_granted_with_a_warning(make_server, make_channel, element, tell):
    server, channel = make_server(max_registration_life=100), make_channel()
    for life in (300, -1):
        [answer] = tell(server, channel, registration(element(5, life=life)))
        assert not answer.reject
        [cause] = answer.error_causes
        stored = server.handlespace.find(HANDLE, 5)
        assert (cause.code, cause.information) == (Cause.INVALID_VALUES, stored.encode())
        assert stored.registration_life == 100
    [answer] = tell(server, channel, registration(element(5, life=50)))
    assert answer.error_causes == ()


@requirement("ASAP-066")
@requirement("ASAP-068")
def test_a_renewal_replaces_all_that_was_stored(make_server, make_channel, element, tell):
    server, channel = make_server(), make_channel()
    channel.remote_addresses = ("10.0.0.9", "10.0.1.9")
    other = wire.Policy("weighted_round_robin", weight=1)
    tell(server, channel, registration(element(6, policy=other)))
    for n, addresses in enumerate((["10.0.0.9"], ["10.0.1.9", "10.0.0.9"], ["10.0.1.9"])):
        sent = element(
            5,
            life=100 + n,
            policy=wire.Policy("weighted_round_robin", weight=7 + n),
            transport=wire.SctpTransport(port=20 + n, addresses=addresses),
        )
        tell(server, channel, registration(sent))
        assert server.handlespace.pool_size(HANDLE) == 2
        [answer] = tell(server, channel, resolution())
        [listed] = [e for e in answer.pool_elements if e.identifier == 5]
        assert listed.replace(home_server=0, asap_transport=None) == sent
        stored = server.handlespace.find(HANDLE, 5)
        assert stored.replace(home_server=0, asap_transport=None) == sent


@requirement("ASAP-066")
@requirement("ASAP-067")
@requirement("ASAP-068")
def test_a_renewal_replaces_what_was_stored_if_it_fits(make_server, make_channel, element, tell):
    server, channel = make_server(), make_channel()
    tell(server, channel, registration(element(5)))
    tell(server, channel, registration(element(5, life=77)))
    assert server.handlespace.pool_size(HANDLE) == 1
    assert server.handlespace.find(HANDLE, 5).registration_life == 77
    kept = server.handlespace.find(HANDLE, 5)
    # Alone in its pool or not: the checks are those of a first registration.
    for joins in (False, True):
        if joins:
            tell(server, channel, registration(element(6)))
        for change, cause in (
            ({"policy": wire.Policy("random")}, Cause.INCONSISTENT_POLICY),
            (
                {"transport": wire.UdpTransport(port=1, addresses=["10.0.0.9"])},
                Cause.INCONSISTENT_TRANSPORT_TYPE,
            ),
            (
                {"transport": wire.SctpTransport(port=1, addresses=["10.0.0.9"], use=1)},
                Cause.INCONSISTENT_DATA_CONTROL,
            ),
            ({"life": 0}, Cause.INVALID_VALUES),
            ({"address": "10.0.0.8"}, Cause.INVALID_VALUES),
        ):
            [refusal] = tell(server, channel, registration(element(5, **change)))
            assert refusal.reject and refusal.error_causes[0].code == cause
            assert server.handlespace.find(HANDLE, 5) == kept


@requirement("ASAP-029")
@requirement("ASAP-083")
@requirement("ASAP-086")
@requirement("ARC-002")
def test_the_pool_goes_with_its_last_element(make_server, make_channel, element, tell):
    server, channel = make_server(), make_channel()
    for identifier in (5, 6):
        tell(server, channel, registration(element(identifier)))
    for identifier, left in ((5, 1), (6, 0)):
        message = wire.Deregistration(pool_handle=HANDLE, pe_identifier=identifier)
        assert len(tell(server, channel, message)) == 1
        assert server.handlespace.pools == left
    [answer] = tell(server, channel, resolution())
    assert [cause.code for cause in answer.error_causes] == [Cause.UNKNOWN_POOL_HANDLE]


@requirement("ASAP-019")
def test_an_element_whose_registration_lapses_is_told(
    clock, make_server, make_channel, element, tell
):
    server, channel = make_server(keep_alive_interval=1000), make_channel()
    tell(server, channel, registration(element(5, life=30)))
    clock.run_until(30.1)
    lapse = wire.DeregistrationResponse(pool_handle=HANDLE, pe_identifier=5)
    assert channel.take() == [lapse]


@requirement("ASAP-101")
@requirement("ASAP-025")
@pytest.mark.parametrize("name", list(policy_kinds()))
def test_answers_name_the_policy_of_the_pool(make_server, make_channel, element, tell, name):
    server, channel = make_server(), make_channel()
    tell(server, channel, registration(element(5, policy=policy_with(name, {"weight": 3}))))
    [answer] = tell(server, channel, resolution())
    assert answer.policy.type == policy_kinds()[name].type_code
    assert answer.pool_handle == HANDLE
    assert [e.identifier for e in answer.pool_elements] == [5]
    data = answer.encode()
    positions = [data.find(p) for p in (b"\x00\x09", b"\x00\x08", b"\x00\x0a")]
    assert positions == sorted(positions)


@requirement("ASAP-111")
@requirement("ASAP-112")
@requirement("ASAP-113")
@requirement("ASAP-032")
@pytest.mark.parametrize("alive", [True, False])
def test_a_probe_after_a_report_decides(clock, make_server, make_channel, element, tell, alive):
    server, channel = make_server(keep_alive_interval=1000), make_channel()
    tell(server, channel, registration(element(5)))
    tell(server, make_channel("10.0.0.1"), report(5))
    assert channel.data[0][:2] == b"\x07\x00"
    assert channel.data[0][4:8] == (77).to_bytes(4)
    [probe] = channel.take()
    assert not probe.home and probe.pool_handle == HANDLE
    if alive:
        tell(server, channel, wire.EndpointKeepAliveAck(pool_handle=HANDLE, pe_identifier=5))
    clock.run_until(5.1)
    assert server.handlespace.pool_size(HANDLE) == alive


@requirement("SEC-015")
@requirement("SEC-038")
@pytest.mark.parametrize(("limited", "most"), [(True, 5), (False, 1000)])
def test_reports_provoke_no_flood_of_probes(
    clock, make_server, make_channel, element, tell, limited, most
):
    server = make_server(limit_probes=limited, keep_alive_interval=4, max_bad_pe_reports=10**6)
    channel, user = make_channel(), make_channel("10.0.0.1")
    tell(server, channel, registration(element(5)))
    probes = 0
    for step in range(1000):
        clock.run_until(step * 0.01)
        tell(server, user, report(5))
        probes += len(channel.take())
        tell(server, channel, wire.EndpointKeepAliveAck(pool_handle=HANDLE, pe_identifier=5))
    assert most * 0.9 <= probes <= most + 5


@requirement("ASAP-117")
def test_probes_of_many_elements_are_spread(clock, make_server, make_channel, element, tell):
    server = make_server(keep_alive_interval=10, check_identity=False)
    channel = make_channel()
    for identifier in range(1, 1001):
        tell(server, channel, registration(element(identifier)))
    acks = [
        wire.EndpointKeepAliveAck(pool_handle=HANDLE, pe_identifier=identifier).encode()
        for identifier in range(1, 1001)
    ]
    # Per 50 ms. An element is asked once in 10 s, which makes 5 on average; all answer at once in
    # each second, as after a start of all of them.
    counts = []
    for step in range(1, 801):
        clock.run_until(step / 20)
        counts.append(len(channel.data))
        channel.data.clear()
        if step % 20 == 0:
            for ack in acks:
                server.receive(channel, wire.PPID_ASAP, ack)
    assert sum(counts[:100]) == 0
    assert max(counts) < 25
    assert all(sum(counts[at : at + 20]) < 170 for at in range(0, 800, 20))
    assert sum(counts) > 3000


class TestSubscriptions:
    """Automatic updates of resolutions."""

    @pytest.fixture
    def scene(self, make_server, make_channel, element, tell):
        server, channel, user = make_server(), make_channel(), make_channel("10.0.0.1")
        tell(server, channel, registration(element(5)))
        return server, channel, user

    @requirement("ASAP-021")
    @requirement("ASAP-026")
    def test_joining_and_leaving_are_told(self, clock, scene, element, tell):
        server, channel, user = scene
        [answer] = tell(server, user, resolution().replace(send_updates=True))
        assert answer.accept_updates
        tell(server, channel, registration(element(6)))
        clock.run_until(1.1)
        [news] = user.take()
        assert {e.identifier for e in news.pool_elements} == {5, 6} and news.accept_updates
        tell(server, channel, wire.Deregistration(pool_handle=HANDLE, pe_identifier=5))
        clock.run_until(2.3)
        assert [e.identifier for e in user.take()[0].pool_elements] == [6]

    def test_changes_within_a_second_are_told_at_once(self, clock, scene, element, tell):
        server, channel, user = scene
        tell(server, user, resolution().replace(send_updates=True))
        for identifier in range(10, 30):
            tell(server, channel, registration(element(identifier)))
        clock.run_until(2)
        [news] = user.take()
        assert len(news.pool_elements) == 21

    @requirement("ASAP-022")
    def test_without_the_wish_nothing_is_told(self, clock, scene, element, tell):
        server, channel, user = scene
        [answer] = tell(server, user, resolution())
        assert not answer.accept_updates
        tell(server, channel, registration(element(6)))
        clock.run_until(5)
        assert user.take() == []

    @requirement("ASAP-026")
    def test_the_wish_can_be_refused(self, clock, make_server, make_channel, element, tell):
        server = make_server(accept_subscriptions=False)
        tell(server, make_channel(), registration(element(5)))
        user = make_channel("10.0.0.1")
        [answer] = tell(server, user, resolution().replace(send_updates=True))
        assert not answer.accept_updates

    @requirement("ASAP-024")
    def test_a_negative_answer_ends_the_wish(self, clock, make_server, make_channel, element, tell):
        server, user = make_server(), make_channel("10.0.0.1")
        tell(server, user, resolution().replace(send_updates=True))
        tell(server, make_channel(), registration(element(5)))
        clock.run_until(5)
        assert user.take() == []

    def test_a_pool_that_vanishes_ends_the_subscription(self, clock, scene, element, tell):
        server, channel, user = scene
        tell(server, user, resolution().replace(send_updates=True))
        tell(server, channel, wire.Deregistration(pool_handle=HANDLE, pe_identifier=5))
        clock.run_until(1.1)
        [end] = user.take()
        assert end.error_causes[0].code == Cause.UNKNOWN_POOL_HANDLE and not end.accept_updates
        tell(server, channel, registration(element(6)))
        clock.run_until(5)
        assert user.take() == []

    @requirement("ASAP-021")
    def test_it_ends_with_its_association_alone(self, clock, scene, element, make_channel, tell):
        server, channel, user = scene
        other = make_channel("10.0.0.2")
        for one in (user, other):
            tell(server, one, resolution().replace(send_updates=True))
        server.notify(user, Event.SHUT_DOWN)
        for number in (6, 7):
            tell(server, channel, registration(element(number)))
            clock.run_until(clock.now + 5)
            assert user.take() == []
            news = other.take()
            assert number in {e.identifier for m in news for e in m.pool_elements}


UNKNOWN_PARAMETERS = {0x3F00: (False, False), 0x7F00: (False, True)} | {
    0xBF00: (True, False),
    0xFF00: (True, True),
}
"""Whether a message with it counts, and whether it is reported, by the type of a parameter."""


@requirement("COM-011")
@requirement("COM-012")
@requirement("COM-013")
@requirement("COM-014")
@requirement("COM-015")
@pytest.mark.parametrize("kind", UNKNOWN_PARAMETERS)
def test_the_high_bits_of_an_unknown_parameter_decide_what_a_server_does(
    make_server, make_channel, make_peer, element, tell, kind
):
    server, channel = make_server(), make_channel()
    peer = make_peer(server, 5)
    tell(server, channel, registration(element(5)))
    peer.take()
    unknown = kind.to_bytes(2) + b"\0\x08what"
    data = wire.Deregistration(pool_handle=HANDLE, pe_identifier=5).encode() + unknown
    data = data[:2] + len(data).to_bytes(2) + data[4:]
    server.receive(channel, wire.PPID_ASAP, data)
    counts, reported = UNKNOWN_PARAMETERS[kind]
    told = channel.take()
    errors = [m for m in told if isinstance(m, wire.AsapError)]
    cause = wire.ErrorCause(Cause.UNRECOGNIZED_PARAMETER, unknown)
    assert errors == ([wire.AsapError(error_causes=[cause])] if reported else [])
    answers = [m for m in told if m not in errors]
    answer = wire.DeregistrationResponse(pool_handle=HANDLE, pe_identifier=5)
    assert answers == ([answer] if counts else [])
    assert len(server.handlespace) == (not counts)
    assert len(peer.take()) == counts


@requirement("COM-069")
@requirement("COM-070")
@requirement("COM-071")
@requirement("COM-072")
@pytest.mark.parametrize(("kind", "reported"), [(0x1F, False), (0x5F, True), (0xBF, False)])
def test_an_unknown_message_changes_nothing_at_a_server(
    make_server, make_channel, make_peer, element, tell, kind, reported
):
    server, channel = make_server(), make_channel()
    peer = make_peer(server, 5)
    tell(server, channel, registration(element(5)))
    known = server.handlespace.find(HANDLE, 5)
    peer.take()
    # What it holds would be a deregistration.
    data = wire.Deregistration(pool_handle=HANDLE, pe_identifier=5).encode()
    data = bytes([kind]) + data[1:]
    server.receive(channel, wire.PPID_ASAP, data)
    cause = wire.ErrorCause(Cause.UNRECOGNIZED_MESSAGE, data)
    assert channel.take() == ([wire.AsapError(error_causes=[cause])] if reported else [])
    assert server.handlespace.find(HANDLE, 5) == known and peer.take() == []


@requirement("ASAP-071")
@requirement("COM-054")
def test_a_full_server_refuses(make_server, make_channel, element, tell):
    server, channel = make_server(max_elements=1), make_channel()
    tell(server, channel, registration(element(5)))
    [refusal] = tell(server, channel, registration(element(6)))
    [cause] = refusal.error_causes
    assert (cause.code, cause.information) == (Cause.LACK_OF_RESOURCES, b"")
    [renewed] = tell(server, channel, registration(element(5)))
    assert not renewed.reject


class TestAuthorisation:
    """Who may register what, where keys are in use."""

    @pytest.fixture
    def secured(self, make_server, make_channel):
        server = make_server(authorisation=authorisations()["identity"]())

        def connect(name, *pools, address="10.0.0.9"):
            channel = make_channel(address)
            channel.principal = Principal(name, frozenset(pools))
            return channel

        return server, connect

    @requirement("ASAP-074")
    @requirement("ASAP-087")
    @requirement("COM-057")
    @requirement("SEC-001")
    @requirement("SEC-003")
    @requirement("SEC-016")
    @requirement("SEC-017")
    def test_without_a_key_nothing_is_kept(self, secured, make_channel, make_peer, element, tell):
        server, _ = secured
        peer = make_peer(server, 5)
        for _ in range(100):
            [refusal] = tell(server, make_channel(), registration(element(5)))
            assert refusal.reject
            assert [c.code for c in refusal.error_causes] == [Cause.SECURITY]
        deregistration = wire.Deregistration(pool_handle=HANDLE, pe_identifier=5)
        [refusal] = tell(server, make_channel(), deregistration)
        assert [c.code for c in refusal.error_causes] == [Cause.SECURITY]
        assert len(server.handlespace) == 0
        assert peer.take() == [] and server.counters.elements_expired == 0

    @requirement("SEC-001")
    @requirement("SEC-003")
    @requirement("SEC-017")
    def test_without_a_key_nothing_that_is_known_changes(
        self, secured, make_channel, make_peer, element, tell
    ):
        server, connect = secured
        peer = make_peer(server, 5)
        tell(server, connect("a", "pool"), registration(element(5)))
        known = server.handlespace.find(HANDLE, 5)
        peer.take()
        deregistration = wire.Deregistration(pool_handle=HANDLE, pe_identifier=5)
        for message in (registration(element(5, life=9)), deregistration):
            [refusal] = tell(server, make_channel(), message)
            assert [c.code for c in refusal.error_causes] == [Cause.SECURITY]
            assert server.handlespace.find(HANDLE, 5) == known
        assert peer.take() == []

    @requirement("SEC-016")
    @pytest.mark.parametrize("first", [False, True])
    def test_a_handlespace_is_fed_by_protected_elements_or_by_others_alone(
        self, make_server, make_channel, element, tell, first
    ):
        server = make_server()

        def ask(identifier, protected):
            channel = make_channel()
            channel.protected = protected
            return tell(server, channel, registration(element(identifier)))[0]

        assert not ask(5, first).reject
        refusal = ask(6, not first)
        assert refusal.reject
        assert [cause.code for cause in refusal.error_causes] == [Cause.SECURITY]
        assert ask(5, not first).reject
        assert not ask(7, first).reject
        assert server.handlespace.pool_size(HANDLE) == 2
        # An empty handlespace can be fed by either.
        for identifier in (5, 7):
            channel = make_channel()
            channel.protected = first
            tell(server, channel, wire.Deregistration(pool_handle=HANDLE, pe_identifier=identifier))
        assert not ask(6, not first).reject
        assert ask(5, first).reject

    def test_protected_elements_and_others_share_a_handlespace_where_that_is_allowed(
        self, make_server, make_channel, element, tell
    ):
        server = make_server(mix_protection=True)
        for identifier, protected in ((5, False), (6, True), (7, False)):
            channel = make_channel()
            channel.protected = protected
            assert not tell(server, channel, registration(element(identifier)))[0].reject
        assert server.handlespace.pool_size(HANDLE) == 3

    @requirement("ASAP-071")
    @requirement("SEC-005")
    def test_a_key_holds_in_its_pools(self, secured, make_peer, element, tell):
        server, connect = secured
        peer = make_peer(server, 5)
        [refusal] = tell(server, connect("a", "other"), registration(element(5)))
        assert refusal.reject
        assert [c.code for c in refusal.error_causes] == [Cause.SECURITY]
        assert len(server.handlespace) == 0 and peer.take() == []
        [granted] = tell(server, connect("a", "other", "pool"), registration(element(5)))
        assert not granted.reject
        known = server.handlespace.find(HANDLE, 5)
        peer.take()
        # The same key where it is none for this pool changes nothing that is known, either.
        deregistration = wire.Deregistration(pool_handle=HANDLE, pe_identifier=5)
        for message in (registration(element(5, life=9)), deregistration):
            [refusal] = tell(server, connect("a", "other"), message)
            assert [c.code for c in refusal.error_causes] == [Cause.SECURITY]
            assert server.handlespace.find(HANDLE, 5) == known
        assert peer.take() == []
        [left] = tell(server, connect("a", "pool"), deregistration)
        assert left.error_causes == () and len(server.handlespace) == 0

    @requirement("SEC-004")
    def test_an_identifier_belongs_to_its_first_key(self, secured, element, tell):
        server, connect = secured
        tell(server, connect("a", "pool"), registration(element(5)))
        [refusal] = tell(server, connect("b", "pool"), registration(element(5)))
        assert refusal.error_causes[0].code == Cause.SECURITY
        deregistration = wire.Deregistration(pool_handle=HANDLE, pe_identifier=5)
        [refusal] = tell(server, connect("b", "pool"), deregistration)
        assert refusal.error_causes[0].code == Cause.SECURITY
        [granted] = tell(server, connect("a", "pool"), registration(element(5)))
        assert not granted.reject

    @requirement("SEC-004")
    def test_an_element_registers_no_other_one(self, secured, element, tell):
        server, connect = secured
        tell(server, connect("a", "pool"), registration(element(5)))
        known = server.handlespace.find(HANDLE, 5)
        other = connect("b", "pool", address="10.0.0.8")
        # Neither under its identifier nor at its address.
        for wrong in (element(5, address="10.0.0.8"), element(6)):
            [refusal] = tell(server, other, registration(wrong))
            assert refusal.reject
            assert server.handlespace.find(HANDLE, 5) == known
            assert server.handlespace.pool_size(HANDLE) == 1
        [granted] = tell(server, other, registration(element(6, address="10.0.0.8")))
        assert not granted.reject


@requirement("ASAP-011")
@requirement("ASAP-047")
def test_user_transports_hold_addresses_of_the_association_only(
    make_server, make_channel, element, tell
):
    server = make_server()
    channel = make_channel("10.0.0.9")
    channel.remote_addresses = ("10.0.0.9", "10.0.1.9")
    for addresses, granted in (
        (["10.0.0.9"], True),
        (["10.0.1.9", "10.0.0.9"], True),
        (["10.0.0.9", "10.0.2.9"], False),
    ):
        transport = wire.SctpTransport(port=1, addresses=addresses)
        [response] = tell(server, channel, registration(element(5, transport=transport)))
        assert response.reject is not granted


@requirement("COM-022")
@requirement("COM-028")
@requirement("COM-030")
@requirement("COM-032")
@pytest.mark.parametrize(
    "make_transport",
    [
        lambda: wire.DccpTransport(port=1, service_code=7, addresses=["10.0.0.9"]),
        lambda: wire.TcpTransport(port=1, addresses=["10.0.0.9"], use=1),
        lambda: wire.UdpTransport(port=1, addresses=["10.0.0.9"]),
        lambda: wire.UdpLiteTransport(port=1, addresses=["10.0.0.9"]),
    ],
)
def test_ports_without_a_control_channel_count_as_data_only(
    make_server, make_channel, element, tell, make_transport
):
    server, channel = make_server(), make_channel()
    transport = make_transport()
    [first] = tell(server, channel, registration(element(5, transport=transport)))
    plain = transport.replace(use=0) if isinstance(transport, wire.TcpTransport) else transport
    [second] = tell(server, channel, registration(element(6, transport=plain)))
    assert (first.reject, second.reject) == (False, False)
    assert not has_control_channel(transport)


@requirement("COM-022")
@requirement("COM-028")
@requirement("COM-030")
@requirement("COM-032")
def test_only_sctp_with_its_use_has_a_control_channel():
    for use in (0, 1):
        sctp = wire.SctpTransport(port=1, addresses=["10.0.0.9"], use=use)
        assert has_control_channel(sctp) is bool(use)


@requirement("ASAP-050")
def test_an_element_conforms_to_type_and_mode_of_its_pool(make_server, make_channel, element, tell):
    server, channel = make_server(), make_channel()
    control = wire.SctpTransport(port=1, addresses=["10.0.0.9"], use=1)
    data = wire.SctpTransport(port=1, addresses=["10.0.0.9"], use=0)
    other = wire.UdpTransport(port=1, addresses=["10.0.0.9"])
    answers = [
        tell(server, channel, registration(element(5 + n, transport=transport)))[0]
        for n, transport in enumerate((control, control, data, other))
    ]
    assert [answer.reject for answer in answers] == [False, False, True, True]
    causes = [cause.code for answer in answers for cause in answer.error_causes]
    assert causes == [Cause.INCONSISTENT_DATA_CONTROL, Cause.INCONSISTENT_TRANSPORT_TYPE]
