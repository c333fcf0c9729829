"""Start-up: mentors, list, table (RFC 5353 3.2)."""

import pytest

from rsim import wire
from rsim.endpoints.enrp import ServerState
from rsim.endpoints.enrp.startup import StartupState
from rsim.network import Event

requirement = pytest.mark.conformance
HANDLE = b"pool"
FIRST, SECOND = (("10.0.1.5",), 9901), (("10.0.1.6",), 9901)


@pytest.fixture
def starting(make_server):
    """A server that has two mentors."""

    def make(mentors=(FIRST, SECOND), **settings):
        return make_server(mentors=mentors, **settings)

    return make


def answer(server, channel, message):
    server.receive(channel, wire.PPID_ENRP, message.encode())


def information(identifier):
    transport = wire.SctpTransport(port=9901, addresses=[f"10.0.1.{identifier}"])
    return wire.ServerInformation(server_identifier=identifier, transport=transport)


def listed(*others, reject=False):
    return wire.ListResponse(
        sender=5, receiver=77, servers=[information(n) for n in others], reject=reject
    )


def table(*elements, more=False, reject=False, sender=5):
    pools = [wire.PoolEntry(pool_handle=HANDLE, pool_elements=elements)] if elements else []
    return wire.HandleTableResponse(
        sender=sender, receiver=77, pools=pools, more=more, reject=reject
    )


@requirement("ENRP-032")
def test_a_server_that_knows_of_none_serves_at_once(make_server, register):
    server = make_server()
    _, [answer] = register(server, 1)
    assert not answer.reject
    assert server.host.connections == []


@requirement("ENRP-030")
@requirement("ENRP-033")
@requirement("ENRP-019")
def test_the_first_request_to_a_mentor_is_for_its_list(starting):
    server = starting(mentors=(FIRST,))
    [channel] = server.host.connections
    assert channel.remote_address == "10.0.1.5"
    assert channel.take() == [wire.ListRequest(sender=77, receiver=0)]
    assert wire.ListRequest(sender=77, receiver=0).encode()[:4] == bytes.fromhex("0500000c")


@requirement("ENRP-031")
@requirement("ENRP-034")
def test_a_silent_mentor_is_followed_by_the_next_after_5_s(clock, starting):
    server = starting()
    clock.run_until(4.9)
    assert len(server.host.connections) == 1
    clock.run_until(5.1)
    second = server.host.connections[1]
    assert second.remote_address == "10.0.1.6"
    assert second.take() == [wire.ListRequest(sender=77, receiver=0)]


@requirement("ENRP-031")
@requirement("ENRP-034")
def test_each_mentor_has_its_5_s(clock, starting):
    mentors = tuple(((f"10.0.1.{number}",), 9901) for number in (5, 6, 7))
    server = starting(mentors=mentors)
    for number, mentor in enumerate(mentors):
        clock.run_until(5 * number + 4.9)
        asked = [channel.remote_address for channel in server.host.connections]
        assert asked == [address for (address,), _ in mentors[: number + 1]]
        assert server.host.connections[-1].take() == [wire.ListRequest(sender=77, receiver=0)]
        assert asked[-1] == mentor[0][0]
    # The last one answers: it is asked on, and no other one.
    channel = server.host.connections[-1]
    answer(server, channel, listed().replace(sender=7))
    assert channel.take()[-1] == wire.HandleTableRequest(sender=77, receiver=7)
    answer(server, channel, table(sender=7))
    clock.run_until(60)
    assert server.state is ServerState.SERVING
    later = [m for other in server.host.connections for m in other.take()]
    assert not any(isinstance(m, wire.ListRequest) for m in later)


def test_a_mentor_that_is_gone_is_followed_at_once(starting):
    server = starting()
    server.notify(server.host.connections[0], Event.ABORTED)
    assert len(server.host.connections) == 2


@requirement("ENRP-036")
@requirement("ENRP-039")
@requirement("ENRP-011")
@requirement("ENRP-047")
@requirement("ENRP-010")
def test_list_then_table_then_service(starting, element):
    server = starting()
    channel = server.host.connections[0]
    channel.take()
    answer(server, channel, listed(6, 7))
    assert {peer.identifier for peer in server.peers} == {5, 6, 7}
    assert [server.peers.get(n).information for n in (6, 7)] == [information(6), information(7)]
    request = wire.HandleTableRequest(sender=77, receiver=5)
    asked, sent = channel.take()
    assert asked.reply_required and sent == request
    assert request.encode()[:4] == bytes.fromhex("0200000c")
    assert server.state is ServerState.STARTING
    answer(server, channel, table(element(1).replace(home_server=5)))
    assert server.state is ServerState.SERVING
    [presence] = channel.take()
    assert presence.reply_required and presence.server_information is not None


@requirement("ENRP-037")
@requirement("ENRP-021")
@requirement("ENRP-013")
@requirement("ENRP-048")
def test_a_server_that_is_starting_refuses_lists_and_tables(starting, make_peer):
    server = starting()
    make_peer(server, 8)
    other = make_peer(server, 9)
    [refused] = other.say(wire.ListRequest(sender=9, receiver=77))
    assert refused.reject and refused.servers == ()
    assert len(refused.encode()) == 12
    [refused] = other.say(wire.HandleTableRequest(sender=9, receiver=77))
    assert refused.reject and refused.pools == ()
    assert len(refused.encode()) == 12


@requirement("ENRP-063")
def test_a_server_that_is_starting_asks_a_stranger_at_once(starting, make_peer, element):
    server = starting()
    stranger = make_peer(server, 9, known=False)
    [asked] = stranger.say(stranger.add(element(1)))
    assert isinstance(asked, wire.Presence)
    assert (asked.receiver, asked.reply_required) == (9, True)
    assert asked.server_information.server_identifier == 77


@requirement("ENRP-038")
@requirement("ENRP-049")
@pytest.mark.parametrize("step", [StartupState.LIST, StartupState.TABLE])
def test_after_a_refusal_another_mentor_is_asked(starting, step):
    server = starting()
    channel = server.host.connections[0]
    if step is StartupState.TABLE:
        answer(server, channel, listed())
        answer(server, channel, table(reject=True))
    else:
        answer(server, channel, listed(reject=True))
    assert server.host.connections[1].take() == [wire.ListRequest(sender=77, receiver=0)]


@requirement("ENRP-038")
def test_between_two_rounds_there_is_a_pause(clock, starting):
    server = starting(mentors=(FIRST,), mentor_rounds=2)
    answer(server, server.host.connections[0], listed(reject=True))
    clock.run_until(2.4)
    assert len(server.host.connections) == 1
    clock.run_until(7.6)
    assert len(server.host.connections) == 2
    answer(server, server.host.connections[1], listed(reject=True))
    assert server.state is ServerState.SERVING


@requirement("ENRP-032")
def test_without_any_answer_a_server_takes_itself_as_the_first_and_says_so(clock, starting):
    server = starting(mentor_rounds=1)
    clock.run_until(10.1)
    assert server.state is ServerState.SERVING
    presences = [channel.take() for channel in server.host.connections[2:]]
    assert [len(p) for p in presences] == [1, 1]
    assert all(p[0].reply_required for p in presences)


@requirement("ENRP-043")
@requirement("ENRP-044")
@requirement("ENRP-045")
@requirement("ENRP-046")
@requirement("ENRP-047")
def test_pieces_are_stored_and_asked_for_one_by_one(starting, element, register):
    server = starting()
    channel = server.host.connections[0]
    answer(server, channel, listed())
    channel.take()
    again = [wire.HandleTableRequest(sender=77, receiver=5)]
    policy = wire.Policy("weighted_round_robin", weight=1)
    one, two, three = (element(n, policy=policy).replace(home_server=5) for n in (1, 2, 3))
    # Of all attributes there is another value.
    changed = wire.PoolElement(
        identifier=1,
        home_server=6,
        registration_life=9,
        user_transport=wire.SctpTransport(port=99, addresses=["10.0.7.7"]),
        policy=wire.Policy("weighted_round_robin", weight=44),
        asap_transport=wire.SctpTransport(port=98, addresses=["10.0.8.8"]),
    )
    for stored, known in (([one], [one]), ([two, changed], [changed, two])):
        answer(server, channel, table(*stored, more=True))
        assert channel.take() == again
        assert [server.handlespace.find(HANDLE, e.identifier) for e in known] == known
        assert server.handlespace.pool_size(HANDLE) == len(known)
        _, [refusal] = register(server, 9)
        assert refusal.reject and server.state is ServerState.STARTING
    answer(server, channel, table(three))
    known = [server.handlespace.find(HANDLE, n) for n in (1, 2, 3)]
    assert known == [changed, two, three]
    assert server.state is ServerState.SERVING
    assert not any(isinstance(m, wire.HandleTableRequest) for m in channel.take())
    _, [granted] = register(server, 9, handle=b"new")
    assert not granted.reject


@requirement("ENRP-044")
def test_a_pool_of_a_table_has_the_policy_of_its_first_element(starting, element):
    server = starting()
    channel = server.host.connections[0]
    answer(server, channel, listed())
    first = element(1, policy=wire.Policy("random")).replace(home_server=5)
    answer(server, channel, table(first, element(2).replace(home_server=5)))
    assert server.handlespace.pool_policy_type(HANDLE) == wire.Policy("random").type
    assert server.handlespace.find(HANDLE, 1) == first


@requirement("ENRP-050")
def test_a_mentor_that_stops_in_mid_table_is_left_after_5_s(clock, starting, element):
    server = starting()
    channel = server.host.connections[0]
    answer(server, channel, listed())
    channel.take()
    random = wire.Policy("random")
    one, two = (element(n, policy=random).replace(home_server=5) for n in (1, 2))
    answer(server, channel, table(one, more=True))
    assert server.handlespace.pool_policy_type(HANDLE) == random.type
    assert channel.take() == [wire.HandleTableRequest(sender=77, receiver=5)]
    answer(server, channel, table(two, one.replace(registration_life=9), more=True))
    assert server.handlespace.pool_size(HANDLE) == 2
    assert server.handlespace.find(HANDLE, 1).registration_life == 9
    clock.run_until(4.9)
    assert server.state is ServerState.STARTING
    clock.run_until(5.1)
    assert server.host.connections[1].take() == [wire.ListRequest(sender=77, receiver=0)]


@requirement("ENRP-050")
def test_each_request_for_a_piece_has_5_s_of_its_own(clock, starting, element):
    server = starting()
    channel = server.host.connections[0]
    answer(server, channel, listed())
    for number, time in enumerate((3, 6, 9), 1):
        clock.run_until(time)
        one = element(number).replace(home_server=5)
        answer(server, channel, table(one, more=True))
    clock.run_until(13.9)
    assert len(server.host.connections) == 1
    clock.run_until(14.1)
    assert server.host.connections[1].take() == [wire.ListRequest(sender=77, receiver=0)]


@requirement("ENRP-050")
def test_a_mentor_that_sends_no_table_is_left_after_5_s(clock, starting):
    server = starting()
    clock.run_until(3)
    answer(server, server.host.connections[0], listed())
    clock.run_until(7.9)
    assert len(server.host.connections) == 1
    clock.run_until(8.1)
    assert server.host.connections[1].take() == [wire.ListRequest(sender=77, receiver=0)]


@requirement("ASAP-071")
@requirement("COM-054")
def test_elements_and_users_are_refused_before_service_starts(
    starting, register, tell, make_channel
):
    server = starting()
    _, [refusal] = register(server, 1)
    assert refusal.reject
    assert refusal.error_causes[0].code == wire.Cause.LACK_OF_RESOURCES
    [refusal] = tell(server, make_channel(), wire.HandleResolution(pool_handle=HANDLE))
    assert refusal.error_causes[0].code == wire.Cause.LACK_OF_RESOURCES


def test_service_while_starting_is_an_option(starting, register):
    server = starting(serve_while_starting=True)
    _, [answer] = register(server, 1)
    assert not answer.reject


def test_what_changes_during_the_download_is_not_overwritten_or_revived(
    starting, make_peer, element
):
    server = starting()
    channel = server.host.connections[0]
    answer(server, channel, listed())
    one, two = (element(n).replace(home_server=5) for n in (1, 2))
    answer(server, channel, table(one, more=True))
    update = wire.HandleUpdate(
        sender=5, receiver=0, update_action=1, pool_handle=HANDLE, pool_element=one
    )
    answer(server, channel, update)
    newer = two.replace(registration_life=55)
    answer(server, channel, update.replace(update_action=0, pool_element=newer))
    answer(server, channel, table(one, two))
    assert server.handlespace.find(HANDLE, 1) is None
    assert server.handlespace.find(HANDLE, 2).registration_life == 55


def test_what_is_left_of_an_earlier_life_is_not_spoken_to(starting):
    """A restarted server finds itself in its mentor's list, under the identifier that it had."""
    server = starting()
    channel = server.host.connections[0]
    transport = wire.SctpTransport(port=9901, addresses=["10.0.0.77"])
    ghost = wire.ServerInformation(server_identifier=70, transport=transport)
    answer(server, channel, listed().replace(servers=[ghost]))
    answer(server, channel, table())
    assert server.peers.get(70).information is None
    assert [c.remote_address for c in server.host.connections] == ["10.0.1.5"]


def test_elements_from_before_a_restart_are_claimed_again(clock, starting, element):
    server = starting()
    channel = server.host.connections[0]
    answer(server, channel, listed())
    transport = wire.SctpTransport(port=7, addresses=["10.0.2.1"])
    mine = element(1, "10.0.2.1").replace(home_server=77, asap_transport=transport)
    answer(server, channel, table(mine))
    clock.run_until(6)
    claim = server.host.connections[-1].take()[0]
    assert isinstance(claim, wire.EndpointKeepAlive) and claim.home
