"""Takeover: arbitration and its end (RFC 5353 3.5)."""

import pytest

from rsim import wire
from rsim.endpoints.enrp.peers import PeerState
from rsim.wire import InitTakeover, InitTakeoverAck, TakeoverServer

requirement = pytest.mark.conformance
HANDLE = b"pool"
TARGET = 50


def transport(identifier):
    return wire.SctpTransport(port=7, addresses=[f"10.0.2.{identifier}"])


@pytest.fixture
def scene(make_server, make_peer, element):
    """A server (77), a target (50) that owns elements 1 and 2, and peers, one of whom owns 3."""

    def make(*others, **settings):
        server = make_server(**settings)
        target = make_peer(server, TARGET)
        peers = [make_peer(server, number) for number in others]
        for number in (1, 2):
            known = element(number).replace(asap_transport=transport(number))
            target.say(target.add(known))
        if peers:
            peers[0].say(peers[0].add(element(3).replace(asap_transport=transport(3))))
        for peer in (target, *peers):
            peer.take()
        return server, target, peers

    return make


def die(clock, peers):
    """The target is silent for 66 s, the others speak."""
    clock.run_until(62)
    for peer in peers:
        peer.say(peer.presence(None))
    clock.run_until(66.1)


def ack(peer, target=TARGET):
    return peer.say(InitTakeoverAck(sender=peer.identifier, receiver=77, target=target))


@requirement("ENRP-006")
@requirement("ENRP-069")
@requirement("ENRP-070")
@requirement("ENRP-022")
def test_it_begins_with_a_question_to_all_peers_and_the_target(clock, scene):
    _, target, peers = scene(5, 6)
    die(clock, peers)
    for peer in (target, *peers):
        [question] = peer.take(InitTakeover)
        assert (question.sender, question.receiver, question.target) == (77, 0, TARGET)
        assert question.encode()[:4] == bytes.fromhex("07000010")


@requirement("ARC-012")
@requirement("ENRP-006")
@requirement("ENRP-071")
@requirement("ENRP-078")
@requirement("ENRP-080")
@requirement("ENRP-081")
@requirement("ENRP-082")
@requirement("ENRP-083")
@requirement("ENRP-024")
@requirement("ARC-008")
def test_the_last_acknowledgement_wins(clock, scene):
    server, _, peers = scene(5, 6)
    die(clock, peers)
    assert [m for m in ack(peers[0]) if isinstance(m, TakeoverServer)] == []
    assert server.peers.get(TARGET) is not None
    peers[1].take()
    heard = [ack(peers[1]), peers[0].take()]
    for said in heard:
        [won] = [m for m in said if isinstance(m, TakeoverServer)]
        assert (won.sender, won.receiver, won.target) == (77, 0, TARGET)
        assert won.encode()[:4] == bytes.fromhex("09000010")
    assert server.peers.get(TARGET) is None
    assert [server.handlespace.find(HANDLE, n).home_server for n in (1, 2, 3)] == [77, 77, 5]
    clock.run_until(72)
    claims = {
        channel.remote_address: message
        for channel in server.host.connections
        for message in channel.take()
        if isinstance(message, wire.EndpointKeepAlive)
    }
    claim = wire.EndpointKeepAlive(server_identifier=77, pool_handle=HANDLE, home=True)
    assert {address: c.replace(pe_identifier=None) for address, c in claims.items()} == {
        "10.0.2.1": claim,
        "10.0.2.2": claim,
    }
    assert server.counters.takeovers_won == 1
    assert server.counters.elements_taken_over == 2


@requirement("ARC-012")
@requirement("ASAP-117")
@requirement("ENRP-083")
def test_claims_are_spread_over_an_interval(clock, make_server, make_peer, element):
    server = make_server()
    target = make_peer(server, TARGET)
    for number in range(1, 101):
        target.say(target.add(element(number).replace(asap_transport=transport(number))))
    die(clock, [])
    start = clock.now
    times = []
    for step in range(50):
        clock.run_until(start + (step + 1) * 0.1)
        times.append(len(server.host.connections))
    assert times[4] < 25 and 40 < times[24] < 75 and times[-1] == 100


@requirement("ENRP-083")
def test_an_element_that_does_not_answer_its_new_home_is_removed(clock, scene):
    server, _, peers = scene(5)
    die(clock, peers)
    ack(peers[0])
    clock.run_until(80)
    assert server.handlespace.find(HANDLE, 1) is None
    removed = [m for m in peers[0].take(wire.HandleUpdate) if m.update_action == 1]
    assert {m.pool_element.identifier for m in removed} == {1, 2}


def test_an_element_that_answers_stays(clock, scene):
    server, _, peers = scene(5)
    die(clock, peers)
    ack(peers[0])
    for step in range(60):
        clock.run_until(66.1 + step * 0.5)
        for number in (1, 2):
            message = wire.EndpointKeepAliveAck(pool_handle=HANDLE, pe_identifier=number)
            channel = next(
                (c for c in server.host.connections if c.remote_address == f"10.0.2.{number}"),
                None,
            )
            if channel is not None:
                server.receive(channel, wire.PPID_ASAP, message.encode())
    assert server.handlespace.owned(77) == 2


@requirement("ENRP-073")
@requirement("ENRP-079")
def test_a_presence_of_the_target_stops_it_at_any_time(clock, scene):
    server, target, peers = scene(5, 6)
    die(clock, peers)
    ack(peers[0])
    target.say(target.presence(None))
    ack(peers[1])
    assert peers[0].take(TakeoverServer) == []
    assert server.peers.get(TARGET).state is PeerState.ACTIVE
    assert server.counters.takeovers_given_up == 1
    assert server.handlespace.find(HANDLE, 1).home_server == TARGET


@requirement("ENRP-072")
def test_a_living_target_tells_all_its_peers(make_server, make_peer):
    server = make_server()
    peers = [make_peer(server, number) for number in (5, 6)]
    peers[0].channel.data.clear()
    server.receive(
        peers[0].channel,
        wire.PPID_ENRP,
        InitTakeover(sender=5, receiver=77, target=77).encode(),
    )
    for peer in peers:
        [alive] = peer.take(wire.Presence)
        assert (alive.sender, alive.receiver) == (77, 0)


@requirement("ENRP-074")
@requirement("ENRP-076")
def test_the_smaller_identifier_gives_way(clock, scene):
    server, target, peers = scene(99)
    die(clock, peers)
    peers[0].take()
    assert server.takeovers._initiated
    [given] = peers[0].say(InitTakeover(sender=99, receiver=0, target=TARGET))
    assert given == InitTakeoverAck(sender=77, receiver=99, target=TARGET)
    assert server.peers.get(TARGET).state is PeerState.SUSPENDED
    # It has given up: no acknowledgement makes it the winner any more.
    assert ack(peers[0]) == []
    assert server.handlespace.owned(77) == 0
    target.take()
    clock.run_until(80)
    assert target.take(wire.Presence) == []
    assert peers[0].take(TakeoverServer) == []


@requirement("ENRP-075")
def test_the_larger_identifier_does_not_react(clock, scene):
    _, _, peers = scene(5)
    die(clock, peers)
    peers[0].take()
    assert peers[0].say(InitTakeover(sender=5, receiver=0, target=TARGET)) == []
    [won] = ack(peers[0])
    assert isinstance(won, TakeoverServer)


@requirement("ENRP-077")
@requirement("ENRP-023")
def test_who_has_no_part_in_it_acknowledges(scene):
    server, _, peers = scene(5)
    [answer] = peers[0].say(InitTakeover(sender=5, receiver=0, target=TARGET))
    assert answer == InitTakeoverAck(sender=77, receiver=5, target=TARGET)
    assert answer.encode()[:4] == bytes.fromhex("08000010")
    assert server.peers.get(TARGET).state is PeerState.SUSPENDED


def test_an_unknown_target_is_acknowledged(scene):
    _, _, peers = scene(5)
    [answer] = peers[0].say(InitTakeover(sender=5, receiver=0, target=1234))
    assert isinstance(answer, InitTakeoverAck)


@requirement("ENRP-084")
def test_a_takeover_elsewhere_re_homes_the_elements_of_the_target(scene, element):
    server, _, peers = scene(5, 6)
    peers[1].say(peers[1].add(element(4)))
    peers[0].say(InitTakeover(sender=5, receiver=0, target=TARGET))
    peers[0].say(TakeoverServer(sender=5, receiver=0, target=TARGET))
    assert server.peers.get(TARGET) is None
    assert [server.handlespace.find(HANDLE, n).home_server for n in (1, 2, 3, 4)] == [5, 5, 5, 6]
    assert server.handlespace.owned(77) == 0


def test_silent_peers_are_asked_and_then_do_not_count(clock, scene):
    server, _, peers = scene(5, 6)
    die(clock, peers)
    ack(peers[0])
    peers[1].take()
    clock.run_until(71.2)
    [asked] = peers[1].take(wire.Presence)
    assert asked.reply_required
    assert server.counters.takeovers_won == 0
    clock.run_until(76.3)
    assert server.counters.takeovers_won >= 1
    assert peers[0].take(TakeoverServer)[0].target == TARGET


def test_rsplib_drops_a_takeover_with_missing_acknowledgements(clock, scene):
    server, _, peers = scene(5, 6, missing_acks="drop")
    die(clock, peers)
    ack(peers[0])
    clock.run_until(71.2)
    assert server.counters.takeovers_won == 0
    assert server.peers.get(TARGET) is None
    assert server.handlespace.find(HANDLE, 1).home_server == TARGET


def test_a_stranger_cannot_block_a_takeover_unless_the_letter_counts(clock, scene, make_peer):
    for literal in (False, True):
        server, _, peers = scene(5, check_peers=not literal)
        make_peer(server, 1000, known=False).say(InitTakeoverAck(sender=1000, receiver=0, target=1))
        start = clock.now
        clock.run_until(start + 60)
        for peer in peers:
            peer.say(peer.presence(None))
        server.peers.hear(1000, server.peers.get(1000).channel)
        clock.run_until(start + 66.1)
        ack(peers[0])
        assert server.counters.takeovers_won == (0 if literal else 1)


@requirement("ENRP-076")
@requirement("ENRP-111")
@pytest.mark.parametrize("literal", [False, True])
def test_who_has_acknowledged_does_not_watch_the_target_meanwhile(clock, scene, literal):
    server, target, peers = scene(99, 5, resume_watch=not literal)
    peers[0].say(InitTakeover(sender=99, receiver=0, target=TARGET))
    target.take()
    last = 600 if literal else 14.9
    while clock.now + 20 < last:
        clock.run_until(clock.now + 20)
        for peer in peers:
            peer.say(peer.presence(None))
    clock.run_until(last)
    assert not any(m.reply_required for m in target.take(wire.Presence))
    assert server.peers.get(TARGET).state is PeerState.SUSPENDED
    # A message of the target ends it.
    target.say(target.presence(None))
    assert server.peers.get(TARGET).state is PeerState.ACTIVE


def test_watching_resumes_where_the_winner_dies_before_it_says_so(clock, scene):
    _, target, peers = scene(99)
    peers[0].say(InitTakeover(sender=99, receiver=0, target=TARGET))
    target.take()
    clock.run_until(14.9)
    assert target.take(wire.Presence) == []
    clock.run_until(15.1)
    assert any(m.reply_required for m in target.take(wire.Presence))
    clock.run_until(20.2)
    assert peers[0].take(InitTakeover)[0].target == TARGET


def test_a_living_server_that_is_taken_over_gives_its_elements_to_the_winner(
    clock, make_server, make_peer, register
):
    server = make_server()
    winner, other = make_peer(server, 99), make_peer(server, 5)
    channel, _ = register(server, 1, life=20)
    other.take()
    answers = winner.say(TakeoverServer(sender=99, receiver=0, target=77))
    assert server.handlespace.find(HANDLE, 1).home_server == 99
    assert isinstance(other.take()[-1], wire.Presence)
    requests = [m for m in answers if isinstance(m, wire.HandleTableRequest)]
    assert requests == [wire.HandleTableRequest(sender=77, receiver=99)]
    channel.take()
    clock.run_until(60)
    assert channel.take() == []
    assert [m for m in other.take(wire.HandleUpdate) if m.update_action == 1] == []


def test_of_two_winners_the_higher_identifier_has_it(clock, scene):
    server, _, peers = scene(5, 99)
    die(clock, peers)
    for peer in peers:
        ack(peer)
    assert server.handlespace.owned(77) == 2
    peers[0].say(TakeoverServer(sender=5, receiver=0, target=TARGET))
    assert server.handlespace.owned(77) == 2
    peers[1].say(TakeoverServer(sender=99, receiver=0, target=TARGET))
    assert server.handlespace.owned(77) == 0
    assert server.handlespace.owned(99) == 2


def test_equal_identifiers_are_told_apart_by_address(clock, scene):
    server, _, peers = scene(5)
    die(clock, peers)
    channel = peers[0].channel
    assert server.takeovers._stronger(77, channel) is (channel.remote_address > "10.0.0.77")


def test_an_element_that_registers_elsewhere_meanwhile_is_not_claimed(clock, scene, element):
    server, _, peers = scene(5)
    die(clock, peers)
    peers[0].say(peers[0].add(element(1).replace(asap_transport=transport(1))))
    ack(peers[0])
    assert server.handlespace.find(HANDLE, 1).home_server == 5
    assert server.handlespace.find(HANDLE, 2).home_server == 77
