"""Peers: discovery, presence, supervision (RFC 5353 2.1, 3.4)."""

import numpy as np
import pytest
from scipy.stats import kstest

import rsim
from rsim import wire
from rsim.endpoints.enrp.peers import PeerState
from rsim.network import Event
from rsim.scenario import Deployment

requirement = pytest.mark.conformance


@requirement("ENRP-061")
@requirement("ENRP-062")
@requirement("ENRP-063")
def test_any_message_of_a_stranger_makes_a_peer_that_is_asked_who_it_is(
    make_server, make_peer, element
):
    server = make_server()
    stranger = make_peer(server, 5, known=False)
    answers = stranger.say(stranger.add(element(1)))
    assert [peer.identifier for peer in server.peers] == [5]
    [asked] = answers
    assert isinstance(asked, wire.Presence)
    assert asked.reply_required and asked.receiver == 5
    assert server.peers.get(5).state is PeerState.ACTIVE
    assert server.peers.get(5).information is None


SAID = {
    "presence": wire.Presence(sender=5, receiver=0),
    "list request": wire.ListRequest(sender=5, receiver=77),
    "list response": wire.ListResponse(sender=5, receiver=77),
    "table request": wire.HandleTableRequest(sender=5, receiver=77),
    "table response": wire.HandleTableResponse(sender=5, receiver=77),
    "takeover": wire.InitTakeover(sender=5, receiver=0, target=1234),
    "acknowledgement": wire.InitTakeoverAck(sender=5, receiver=77, target=1234),
    "end of takeover": wire.TakeoverServer(sender=5, receiver=0, target=1234),
    "error": wire.EnrpError(
        sender=5, receiver=77, error_causes=[wire.ErrorCause(wire.Cause.UNSPECIFIED)]
    ),
}
"""Whatever a peer may say, beside updates."""


@requirement("ENRP-062")
@requirement("ENRP-063")
@pytest.mark.parametrize("said", SAID)
def test_a_stranger_becomes_a_peer_by_whatever_it_says(make_server, make_peer, said):
    server = make_server()
    stranger = make_peer(server, 5, known=False)
    answers = stranger.say(SAID[said])
    assert [peer.identifier for peer in server.peers] == [5]
    assert any(
        isinstance(m, wire.Presence) and m.reply_required and m.receiver == 5 for m in answers
    )


@requirement("ENRP-065")
@pytest.mark.parametrize("said", SAID)
def test_whatever_a_peer_says_ends_its_silence(clock, make_server, make_peer, said):
    server = make_server()
    peer = make_peer(server, 5)
    for time in (50, 100):
        clock.run_until(time)
        assert not any(m.reply_required for m in peer.take(wire.Presence))
        peer.say(SAID[said])
    clock.run_until(160.9)
    assert not any(m.reply_required for m in peer.take(wire.Presence))
    clock.run_until(161.1)
    assert any(m.reply_required for m in peer.take(wire.Presence))


@requirement("ENRP-006")
@requirement("ENRP-027")
def test_what_is_meant_for_many_names_no_receiver(clock, make_server, make_peer, register):
    """Octets 8 to 11 of each kind of message that goes to all peers."""
    server = make_server(announce=True)
    peers = [make_peer(server, number) for number in (5, 6)]
    target = make_peer(server, 50)
    channel, _ = register(server, 1, life=-1)
    message = wire.Deregistration(pool_handle=b"pool", pe_identifier=1)
    server.receive(channel, wire.PPID_ASAP, message.encode())
    false_alarm = wire.InitTakeover(sender=5, receiver=77, target=77)
    server.receive(peers[0].channel, wire.PPID_ENRP, false_alarm.encode())
    seen = {number: [] for number in (5, 6)}

    def collect():
        for peer in peers:
            seen[peer.identifier] += peer.channel.data
            peer.channel.data.clear()

    clock.run_until(30.1)
    collect()
    clock.run_until(62)
    for peer in peers:
        server.receive(peer.channel, wire.PPID_ENRP, peer.presence(None).encode())
    clock.run_until(66.1)
    for peer in peers:
        done = wire.InitTakeoverAck(sender=peer.identifier, receiver=77, target=50)
        server.receive(peer.channel, wire.PPID_ENRP, done.encode())
    collect()
    assert target.take(wire.InitTakeover)[0].receiver == 0
    for sent in seen.values():
        kinds = {data[0] for data in sent if data[8:12] == bytes(4)}
        # PRESENCE, HANDLE_UPDATE, INIT_TAKEOVER, TAKEOVER_SERVER.
        assert kinds == {1, 4, 7, 9}
        assert all(data[8:12] == bytes(4) for data in sent if data[0] in (4, 7, 9))
        # The registration and its end.
        assert [data[12:14] for data in sent if data[0] == 4] == [b"\0\0", b"\0\1"]
    announced = [data for ppid, data in server.host.announced if ppid == wire.PPID_ENRP]
    assert announced and all(data[8:12] == bytes(4) for data in announced)


@requirement("ENRP-001")
@requirement("ENRP-063")
def test_a_stranger_that_has_told_who_it_is_gets_announcements(make_server, make_peer, register):
    server = make_server()
    others = [make_peer(server, number) for number in (5, 6)]
    stranger = make_peer(server, 7, known=False)
    register(server, 1)
    assert stranger.take(wire.HandleUpdate) == []
    stranger.say(stranger.presence())
    register(server, 2)
    assert len(stranger.take(wire.HandleUpdate)) == 1
    assert [len(peer.take(wire.HandleUpdate)) for peer in others] == [2, 2]


@requirement("ENRP-102")
@pytest.mark.parametrize(("interval", "errors"), [(1.0, 1), (0.0, 3)])
def test_an_address_gets_an_error_a_second_unless_the_letter_counts(
    make_server, make_peer, interval, errors
):
    server = make_server(error_interval=interval)
    peer = make_peer(server, 5)
    unknown = bytes([0x60, 0, 0, 12]) + bytes(8)
    for _ in range(3):
        server.receive(peer.channel, wire.PPID_ENRP, unknown)
    assert len(peer.take(wire.EnrpError)) == errors


@requirement("ENRP-004")
@requirement("ENRP-005")
@requirement("ENRP-009")
def test_a_presence_that_asks_is_answered_by_one_that_tells(make_server, make_peer):
    server = make_server()
    peer = make_peer(server, 5)
    [answer] = peer.say(peer.presence(reply_required=True))
    assert isinstance(answer, wire.Presence)
    assert (answer.sender, answer.receiver, answer.reply_required) == (77, 5, False)
    assert answer.server_information.server_identifier == 77
    transport = answer.server_information.transport
    assert (transport.hosts, transport.port) == (("10.0.0.77",), 9901)
    assert peer.say(peer.presence()) == []


@requirement("ENRP-006")
@requirement("ENRP-008")
@requirement("ENRP-027")
@requirement("ENRP-064")
@requirement("ENRP-103")
@requirement("ENRP-001")
def test_heartbeats_go_to_all_peers_every_30_s(clock, make_server, make_peer):
    server = make_server()
    peers = [make_peer(server, number) for number in (5, 6, 7)]
    for cycle in range(1, 4):
        clock.run_until(30 * cycle + 0.1)
        beats = [peer.take() for peer in peers]
        assert beats[0] == beats[1] == beats[2]
        [beat] = beats[0]
        assert (beat.receiver, beat.reply_required) == (0, False)
        assert beat.pe_checksum == 0xFFFF
        for peer in peers:
            peer.say(peer.presence())


@requirement("ENRP-064")
@pytest.mark.parametrize("state", [PeerState.ASKED, PeerState.SUSPENDED])
def test_heartbeats_go_to_peers_that_are_in_doubt(clock, make_server, make_peer, state):
    server = make_server(max_time_last_heard=28 if state is PeerState.ASKED else 61)
    peer, witness = make_peer(server, 5), make_peer(server, 6)
    clock.run_until(27)
    witness.say(witness.presence())
    clock.run_until(29)
    if state is PeerState.SUSPENDED:
        witness.say(wire.InitTakeover(sender=6, receiver=0, target=5))
    [doubted] = [one for one in server.peers if one.identifier == 5]
    assert doubted.state is state
    peer.take()
    clock.run_until(30.1)
    assert [m.reply_required for m in peer.take(wire.Presence)] == [False]


@requirement("ENRP-064")
@pytest.mark.parametrize(("check_peers", "beats"), [(True, 0), (False, 1)])
def test_a_peer_that_has_not_told_who_it_is_gets_heartbeats_by_the_letter(
    clock, make_server, make_peer, element, check_peers, beats
):
    server = make_server(check_peers=check_peers)
    stranger = make_peer(server, 5, known=False)
    stranger.say(stranger.add(element(1)))
    stranger.take()
    clock.run_until(30.1)
    heard = [m for m in stranger.take(wire.Presence) if not m.reply_required]
    assert len(heard) == beats


@requirement("ENRP-007")
def test_a_message_to_another_server_is_not_taken(make_server, make_peer):
    server = make_server()
    peer = make_peer(server, 5)
    for receiver, answers in ((0, 1), (77, 1), (78, 0)):
        message = peer.presence(reply_required=True, receiver=receiver)
        assert len(peer.say(message)) == answers


@requirement("ENRP-061")
@requirement("ENRP-066")
@requirement("ENRP-067")
@requirement("ENRP-104")
@requirement("ENRP-105")
@requirement("ENRP-068")
def test_a_silent_peer_is_asked_at_61_s_and_dead_at_66_s(clock, make_server, make_peer):
    server = make_server()
    peer = make_peer(server, 5)
    witness = make_peer(server, 6)
    clock.run_until(60.9)
    witness.say(witness.presence())
    assert not any(m.reply_required for m in peer.take(wire.Presence))
    clock.run_until(61.1)
    assert [m.reply_required for m in peer.take(wire.Presence)] == [True]
    assert server.peers.get(5).state is PeerState.ASKED
    clock.run_until(65.9)
    assert witness.take(wire.InitTakeover) == []
    clock.run_until(66.1)
    [begun] = witness.take(wire.InitTakeover)
    assert begun.target == 5
    assert server.counters.peers_found_dead == 1


@requirement("ENRP-065")
def test_any_message_ends_the_silence(clock, make_server, make_peer, element):
    server = make_server()
    peer = make_peer(server, 5)
    for time in (50, 100, 150):
        clock.run_until(time)
        peer.say(peer.add(element(1)))
    clock.run_until(210.9)
    assert not any(m.reply_required for m in peer.take(wire.Presence))
    clock.run_until(211.1)
    assert any(m.reply_required for m in peer.take(wire.Presence))


@requirement("ENRP-061")
def test_an_answer_keeps_a_peer_alive(clock, make_server, make_peer):
    server = make_server()
    peer = make_peer(server, 5)
    clock.run_until(62)
    peer.say(peer.presence())
    clock.run_until(120)
    assert server.peers.get(5).state is PeerState.ACTIVE
    assert server.counters.peers_found_dead == 0


@requirement("ENRP-067")
def test_a_failed_send_means_dead_at_once(clock, make_server, make_peer):
    server = make_server()
    peer = make_peer(server, 5)
    clock.run_until(62)
    server.notify(peer.channel, Event.LOST)
    assert server.counters.peers_found_dead == 1


@requirement("ENRP-026")
@requirement("ENRP-067")
def test_an_association_that_ends_makes_the_server_ask(clock, make_server, make_peer):
    server = make_server()
    peer = make_peer(server, 5)
    server.notify(peer.channel, Event.ABORTED)
    [channel] = server.host.connections
    assert channel.remote_address == "10.0.1.5"
    [asked] = channel.take()
    assert asked.reply_required
    server.notify(channel, Event.ABORTED)
    assert server.counters.peers_found_dead == 1


@requirement("ENRP-010")
@requirement("ENRP-028")
def test_identifiers_are_constant_for_a_life_and_new_in_the_next():
    from .world import World

    world = World(servers=3, elements=0).run(30)
    first = [server.identifier for server in world.servers]
    assert len(set(first)) == 3 and 0 not in first
    world.run(100)
    assert [server.identifier for server in world.servers] == first
    world.crash_server(0)
    world.run(5)
    world.restart_server(0)
    assert world.servers[0].identifier not in (0, *first)


@requirement("ENRP-028")
def test_identifiers_are_spread_like_chance():
    from rsim.randomness import Streams

    drawn = [Streams(seed).stream("server-1", "identifier").identifier() for seed in range(10_000)]
    assert 0 not in drawn
    # The chance of one collision among 10,000 draws of 32 bits is 1.2%.
    assert len(set(drawn)) >= 9_999


@requirement("ENRP-010")
@requirement("ENRP-028")
def test_the_identifiers_of_servers_are_those_of_chance():
    drawn = []
    for seed in range(4):
        table = {"seed": seed, "enrp_servers": {"server": {"count": 60}}}
        deployment = Deployment(rsim.scenario(table))
        deployment.world.clock.run_until(0.001)
        drawn += [server.identifier for _, server in deployment.servers]
    assert len(set(drawn)) == 240 and 0 not in drawn
    identifiers = np.array(drawn)
    assert kstest(identifiers / 2**32, "uniform").pvalue > 1e-3
    for bit in range(32):
        assert abs(np.mean(identifiers >> bit & 1) - 0.5) < 0.16


@requirement("ENRP-029")
def test_server_and_element_identifiers_do_not_meet(make_server, make_peer, register):
    server = make_server()
    peer = make_peer(server, 5)
    register(server, 5)
    peer.take()
    assert server.handlespace.checksum(5) == 0xFFFF
    assert server.handlespace.owned(77) == 1


@requirement("SEC-006")
@requirement("SEC-017")
@requirement("SEC-039")
def test_a_secured_server_takes_nothing_from_one_that_is_not(make_server, make_peer, element):
    server = make_server()
    server.secured = True
    stranger = make_peer(server, 5, known=False)
    [refusal] = stranger.say(stranger.add(element(1)))
    assert isinstance(refusal, wire.EnrpError)
    assert [cause.code for cause in refusal.error_causes] == [wire.Cause.SECURITY]
    assert len(server.peers) == 0 and len(server.handlespace) == 0
    assert stranger.say(refusal) == []
    stranger.channel.protected = True
    stranger.say(stranger.presence())
    assert len(server.peers) == 1


@requirement("ASAP-119")
@requirement("ASAP-120")
@requirement("ASAP-037")
@requirement("ASAP-187")
@pytest.mark.parametrize("others", [0, 1, 4])
def test_announcements_come_every_n_plus_1_t6(clock, make_server, others):
    server = make_server(announce=True)
    announcement = None
    for tick in range(60):
        clock.run_until(float(tick + 1))
        for number in range(others):
            message = wire.ServerAnnounce(server_identifier=100 + number)
            server.receive_datagram(wire.PPID_ASAP, "10.0.0.3", message.encode())
    sent = [wire.decode(data, "asap") for ppid, data in server.host.announced if ppid == 11]
    assert len(sent) == pytest.approx(60 / (others + 1), abs=1.5)
    announcement = sent[0]
    assert announcement.server_identifier == 77
    assert [(t.hosts, t.port) for t in announcement.transports] == [(("10.0.0.77",), 3863)]


@requirement("ASAP-120")
def test_announcements_list_all_addresses_of_a_server(clock, make_server):
    server = make_server(announce=True)
    addresses = ("10.0.0.77", "10.0.1.77", "2001:db8::77")
    server.host.information = lambda: (addresses, 9901)
    server.host.asap_port = 4000
    clock.run_until(2)
    sent = [wire.decode(data, "asap") for ppid, data in server.host.announced if ppid == 11]
    assert [(t.hosts, t.port) for t in sent[-1].transports] == [(addresses, 4000)]


@requirement("ASAP-038")
def test_announcements_hold_no_udp_transport():
    with pytest.raises(wire.FieldError):
        wire.ServerAnnounce(
            server_identifier=1, transports=[wire.UdpTransport(port=1, addresses=["10.0.0.1"])]
        ).encode()


@requirement("COM-070")
@requirement("COM-071")
@requirement("ENRP-025")
@requirement("ENRP-102")
@pytest.mark.parametrize(("kind", "reported"), [(0x60, True), (0x1F, False)])
def test_unknown_messages_go_by_their_high_bits(make_server, make_peer, kind, reported):
    server = make_server()
    peer = make_peer(server, 5)
    server.receive(peer.channel, wire.PPID_ENRP, bytes([kind, 0, 0, 12]) + bytes(8))
    errors = peer.take(wire.EnrpError)
    assert bool(errors) is reported
    assert [one.identifier for one in server.peers] == [5] and len(server.handlespace) == 0
    # Of a stranger, too, it is not taken: nobody becomes a peer by it.
    stranger = make_peer(server, 6, known=False)
    data = bytes([kind, 0, 0, 12]) + (6).to_bytes(4) + bytes(4)
    server.receive(stranger.channel, wire.PPID_ENRP, data)
    assert [one.identifier for one in server.peers] == [5]
    if errors:
        assert errors[0].sender == 77
        assert errors[0].error_causes[0].code == wire.Cause.UNRECOGNIZED_MESSAGE


def test_an_error_is_not_answered(make_server, make_peer):
    server = make_server()
    peer = make_peer(server, 5)
    cause = wire.ErrorCause(wire.Cause.UNSPECIFIED)
    assert peer.say(wire.EnrpError(sender=5, receiver=77, error_causes=[cause])) == []


def test_the_identifier_zero_is_ignored(make_server, make_peer):
    server = make_server()
    stranger = make_peer(server, 5, known=False)
    message = stranger.presence(reply_required=True, tell=False)
    assert stranger.say(message.replace(sender=0)) == []
    assert len(server.peers) == 0


@pytest.mark.parametrize(("address", "renamed"), [("10.0.0.9", True), ("10.0.1.1", False)])
def test_of_two_with_one_identifier_the_higher_address_takes_a_new_one(
    make_server, make_peer, make_channel, register, address, renamed
):
    server = make_server()
    peer = make_peer(server, 5)
    register(server, 1)
    peer.take()
    channel = make_channel(address, 9901, wire.PPID_ENRP)
    twin = wire.Presence(sender=77, receiver=0)
    server.receive(channel, wire.PPID_ENRP, twin.encode())
    assert server.identifier == (1001 if renamed else 77)
    homes = [m.pool_element.home_server for m in peer.take(wire.HandleUpdate)]
    assert homes == ([1001] if renamed else [])
    assert bool(channel.take()) is not renamed
