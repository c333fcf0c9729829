"""Handle updates (RFC 5353 2.4, 3.3)."""

import pytest

from rsim import wire
from rsim.endpoints.enrp.copies import with_distance
from rsim.handlespace import SelectionPolicy, policy, policy_with

requirement = pytest.mark.conformance
HANDLE = b"pool"


@requirement("ENRP-016")
@requirement("ENRP-006")
@requirement("ENRP-017")
@requirement("ENRP-018")
@requirement("ENRP-052")
@requirement("ENRP-053")
@requirement("ASAP-075")
@requirement("ASAP-052")
@requirement("ASAP-070")
def test_registrations_and_renewals_are_told_to_all_peers(make_server, make_peer, register):
    server = make_server()
    peers = [make_peer(server, number) for number in (5, 6)]
    for _ in range(2):
        register(server, 1)
        updates = [peer.take(wire.HandleUpdate) for peer in peers]
        assert updates[0] == updates[1]
        [update] = updates[0]
        assert (update.sender, update.receiver, update.update_action) == (77, 0, 0)
        element = update.pool_element
        assert element.home_server == 77
        assert element.asap_transport.hosts == ("10.0.2.1",)
        assert (element.registration_life, element.identifier) == (300, 1)
        assert element.user_transport == wire.SctpTransport(port=1, addresses=["10.0.2.1"])
        assert element.policy == wire.Policy("round_robin")


@requirement("ENRP-016")
@requirement("ENRP-052")
@requirement("ENRP-057")
def test_announcements_hold_all_data_of_the_element(
    make_server, make_peer, make_channel, element, tell
):
    server = make_server()
    peers = [make_peer(server, number) for number in (5, 6, 7)]
    channel = make_channel("10.0.2.1", 40_000)
    channel.remote_addresses = ("10.0.2.1", "10.0.3.1")
    transport = wire.SctpTransport(port=4711, addresses=["10.0.3.1", "10.0.2.1"], use=1)
    policy = wire.Policy("weighted_round_robin", weight=9)
    sent = element(1, policy=policy, life=77, transport=transport)
    tell(server, channel, wire.Registration(pool_handle=b"one pool", pool_element=sent))
    kept = sent.replace(
        home_server=77,
        asap_transport=wire.SctpTransport(port=40_000, addresses=["10.0.2.1", "10.0.3.1"]),
    )
    tell(server, channel, wire.Deregistration(pool_handle=b"one pool", pe_identifier=1))
    for peer in peers:
        added, removed = peer.take(wire.HandleUpdate)
        assert (added.pool_handle, added.pool_element) == (b"one pool", kept)
        assert (removed.pool_handle, removed.pool_element) == (b"one pool", kept)


@requirement("ASAP-075")
def test_refusals_are_not_told(make_server, make_peer, register):
    server = make_server()
    peer = make_peer(server, 5)
    for known in (False, True):
        if known:
            register(server, 1)
            peer.take()
        _, [refusal] = register(server, 1, life=0)
        assert refusal.reject
        assert peer.take(wire.HandleUpdate) == []


@requirement("ASAP-070")
@requirement("ASAP-052")
def test_the_asap_transport_is_where_the_last_registration_came_from(
    make_server, make_peer, make_channel, element, tell
):
    server = make_server()
    peer = make_peer(server, 5)
    for port in (40_000, 40_001):
        channel = make_channel("10.0.2.1", port)
        channel.remote_addresses = ("10.0.2.1", "10.0.3.1")
        # What the element itself says does not count.
        stated = wire.SctpTransport(port=9, addresses=["10.9.9.9"])
        sent = element(1, "10.0.2.1").replace(asap_transport=stated)
        tell(server, channel, wire.Registration(pool_handle=HANDLE, pool_element=sent))
        [update] = peer.take(wire.HandleUpdate)
        real = wire.SctpTransport(port=port, addresses=["10.0.2.1", "10.0.3.1"])
        assert update.pool_element.asap_transport == real
        assert server.handlespace.find(HANDLE, 1).asap_transport == real


@requirement("ENRP-057")
@requirement("ENRP-058")
@requirement("ASAP-087")
@pytest.mark.parametrize("cause", ["deregistration", "lapse", "silence", "reports"])
def test_every_removal_is_told_with_all_data(clock, make_server, make_peer, register, tell, cause):
    server = make_server(max_bad_pe_reports=1)
    peer, witness = make_peer(server, 5), make_peer(server, 6)
    channel, _ = register(server, 1, life=8 if cause == "lapse" else 300)
    [added] = peer.take(wire.HandleUpdate)
    witness.take()
    if cause == "deregistration":
        tell(server, channel, wire.Deregistration(pool_handle=HANDLE, pe_identifier=1))
    elif cause == "reports":
        report = wire.EndpointUnreachable(pool_handle=HANDLE, pe_identifier=1)
        tell(server, channel, report)
    elif cause == "silence":
        clock.run_until(20)
    else:
        for time in (2, 4, 6, 8.1):
            clock.run_until(time)
            ack = wire.EndpointKeepAliveAck(pool_handle=HANDLE, pe_identifier=1)
            tell(server, channel, ack)
    [update] = peer.take(wire.HandleUpdate)
    assert (update.sender, update.receiver, update.update_action) == (77, 0, 1)
    assert update == added.replace(update_action=1)
    assert witness.take(wire.HandleUpdate) == [update]


@requirement("ASAP-086")
@requirement("ASAP-084")
@requirement("ASAP-087")
def test_deregistering_what_is_not_there_is_granted_and_told_to_nobody(
    make_server, make_peer, make_channel, register, tell
):
    server = make_server()
    peer = make_peer(server, 5)
    message = wire.Deregistration(pool_handle=HANDLE, pe_identifier=1)
    [answer] = tell(server, make_channel(), message)
    assert answer == wire.DeregistrationResponse(pool_handle=HANDLE, pe_identifier=1)
    # In a pool that is known as well.
    register(server, 2)
    peer.take()
    [answer] = tell(server, make_channel(), message)
    assert answer == wire.DeregistrationResponse(pool_handle=HANDLE, pe_identifier=1)
    assert peer.take(wire.HandleUpdate) == []
    assert server.handlespace.pool_size(HANDLE) == 1


@requirement("ENRP-054")
@requirement("ENRP-055")
@requirement("ENRP-056")
@requirement("ENRP-059")
@requirement("ENRP-060")
def test_updates_create_add_overwrite_and_remove(make_server, make_peer, element):
    server = make_server()
    peer = make_peer(server, 5)
    random = wire.Policy("random")
    assert peer.say(peer.delete(element(1))) == []
    peer.say(peer.add(element(1, policy=random)))
    assert server.handlespace.pool_policy_type(HANDLE) == random.type
    peer.say(peer.add(element(2, policy=random)))
    assert server.handlespace.pool_size(HANDLE) == 2
    peer.say(peer.add(element(2, policy=random, life=77)))
    assert server.handlespace.find(HANDLE, 2).registration_life == 77
    assert server.handlespace.find(HANDLE, 2).home_server == 5
    # Of a known pool an unknown element, of an unknown pool a known one: nothing happens.
    assert peer.say(peer.delete(element(3, policy=random))) == []
    assert peer.say(peer.delete(element(1, policy=random), b"other")) == []
    assert server.handlespace.pool_size(HANDLE) == 2 and server.handlespace.pools == 1
    for identifier in (1, 2):
        assert peer.say(peer.delete(element(identifier, policy=random))) == []
        assert server.handlespace.pool_size(HANDLE) == 2 - identifier
    assert server.handlespace.pools == 0


@requirement("ENRP-108")
@requirement("ENRP-109")
@requirement("ENRP-054")
@requirement("ENRP-055")
@requirement("ENRP-056")
def test_a_peer_copies_all_attributes(make_server, make_peer, element):
    server = make_server()
    peers = [make_peer(server, number) for number in (5, 6)]

    def variant(identifier, n):
        return wire.PoolElement(
            identifier=identifier,
            home_server=peers[n % 2].identifier,
            registration_life=1000 + n,
            user_transport=wire.SctpTransport(port=2000 + n, addresses=[f"10.1.0.{n + 1}"]),
            policy=wire.Policy("weighted_round_robin", weight=10 + n),
            asap_transport=wire.SctpTransport(port=3000 + n, addresses=[f"10.2.0.{n + 1}"]),
        )

    # Into a new pool, into a known one, and over what is known, from another home too.
    for n, identifier in enumerate((1, 2, 1, 1, 2)):
        sent = variant(identifier, n)
        peers[n % 2].say(peers[n % 2].add(sent))
        assert server.handlespace.find(HANDLE, identifier) == sent


@requirement("ENRP-017")
def test_an_unknown_action_does_nothing(make_server, make_peer, element):
    server = make_server()
    peer = make_peer(server, 5)
    data = bytearray(peer.add(element(1)).encode())
    data[13] = 7
    server.receive(peer.channel, wire.PPID_ENRP, bytes(data))
    assert len(server.handlespace) == 0


@requirement("ENRP-018")
def test_reserved_bits_are_not_looked_at(make_server, make_peer, element):
    server = make_server()
    peer = make_peer(server, 5)
    data = bytearray(peer.add(element(1)).encode())
    data[14:16] = b"\xff\xff"
    server.receive(peer.channel, wire.PPID_ENRP, bytes(data))
    assert len(server.handlespace) == 1


@requirement("ENRP-056")
@requirement("ARC-003")
@requirement("ASAP-069")
def test_an_element_that_moves_takes_its_timers_along(
    clock, make_server, make_peer, register, element
):
    """The old home stops all timers and tells nobody anything."""
    server = make_server()
    peer = make_peer(server, 5)
    channel, _ = register(server, 1, life=20)
    peer.say(peer.add(element(1, "10.0.2.1")))
    channel.take()
    clock.run_until(60)
    assert channel.take() == []
    assert peer.take(wire.HandleUpdate) == []
    assert server.handlespace.find(HANDLE, 1).home_server == 5
    assert server.handlespace.owned(77) == 0


@requirement("ASAP-069")
def test_a_registration_here_makes_this_server_the_home(make_server, make_peer, register, element):
    server = make_server()
    peer = make_peer(server, 5)
    old = element(1, "10.0.2.1")
    transport = wire.SctpTransport(port=1, addresses=["10.0.2.1"])
    peer.say(peer.add(old.replace(asap_transport=transport)))
    register(server, 1)
    [update] = peer.take(wire.HandleUpdate)
    assert update.pool_element.home_server == 77
    assert server.handlespace.owned(77) == 1


@requirement("COM-052")
@requirement("ASAP-013")
def test_identifier_of_an_element_of_another_server_is_taken(
    make_server, make_peer, register, element, make_channel, tell
):
    server = make_server()
    peer = make_peer(server, 5)
    transport = wire.SctpTransport(port=1, addresses=["10.0.9.9"])
    peer.say(peer.add(element(1).replace(asap_transport=transport)))
    _, [refusal] = register(server, 1)
    assert refusal.error_causes[0].code == wire.Cause.NON_UNIQUE_PE_IDENTIFIER
    deregistration = wire.Deregistration(pool_handle=HANDLE, pe_identifier=1)
    [answer] = tell(server, make_channel("10.0.2.1"), deregistration)
    assert answer.error_causes[0].code == wire.Cause.SECURITY
    assert len(server.handlespace) == 1


def test_a_deregistration_at_another_server_makes_that_one_the_home_first(
    make_server, make_peer, element, make_channel, tell
):
    server = make_server()
    peer = make_peer(server, 5)
    transport = wire.SctpTransport(port=1, addresses=["10.0.2.1"])
    peer.say(peer.add(element(1).replace(asap_transport=transport)))
    message = wire.Deregistration(pool_handle=HANDLE, pe_identifier=1)
    tell(server, make_channel("10.0.2.1"), message)
    assert [m.update_action for m in peer.take(wire.HandleUpdate)] == [0, 1]
    assert len(server.handlespace) == 0


class TestWhoMayUpdate:
    def test_only_the_home_may_delete_while_it_lives(self, make_server, make_peer, element):
        server = make_server()
        home, other = make_peer(server, 5), make_peer(server, 6)
        home.say(home.add(element(1)))
        other.say(other.delete(element(1).replace(home_server=5)))
        assert len(server.handlespace) == 1
        assert server.counters.updates_refused == 1

    def test_literally_anybody_may(self, make_server, make_peer, element):
        server = make_server(check_updates=False)
        home, other = make_peer(server, 5), make_peer(server, 6)
        home.say(home.add(element(1)))
        other.say(other.delete(element(1).replace(home_server=5)))
        assert len(server.handlespace) == 0

    def test_nobody_may_add_in_the_name_of_another(self, make_server, make_peer, element):
        server = make_server()
        peer = make_peer(server, 5)
        peer.say(peer.add(element(1).replace(home_server=6)))
        assert len(server.handlespace) == 0

    def test_the_owner_objects_once_in_5_s(self, clock, make_server, make_peer, register, element):
        server = make_server()
        peer = make_peer(server, 5)
        register(server, 1)
        peer.take()
        for _ in range(3):
            peer.say(peer.delete(element(1).replace(home_server=77)))
        peer.take()
        assert len(server.handlespace) == 1
        assert server.counters.updates_sent == 2
        clock.run_until(5.1)
        peer.say(peer.delete(element(1).replace(home_server=77)))
        assert server.counters.updates_sent == 3


class TestSplitPools:
    """One pool, born at two servers with different policies."""

    def test_the_policy_of_the_lower_home_stays(self, make_server, make_peer, element, register):
        server = make_server()
        lower, higher = make_peer(server, 5), make_peer(server, 99)
        channel, _ = register(server, 1)
        random = wire.Policy("random")
        higher.say(higher.add(element(2, policy=random)))
        assert server.handlespace.pool_policy_type(HANDLE) == wire.Policy("round_robin").type
        assert server.counters.updates_refused == 1
        lower.take()
        lower.say(lower.add(element(3, policy=random)))
        assert server.handlespace.pool_policy_type(HANDLE) == random.type
        assert server.handlespace.find(HANDLE, 1) is None
        lapse = channel.take()[-1]
        assert isinstance(lapse, wire.DeregistrationResponse)

    def test_it_can_be_left_split(self, make_server, make_peer, element, register):
        server = make_server(heal_split_pools=False)
        lower = make_peer(server, 5)
        register(server, 1)
        lower.say(lower.add(element(3, policy=wire.Policy("random"))))
        assert server.counters.updates_refused == 1


def test_distance_grows_by_the_way_of_the_update(make_server, make_peer, element):
    server = make_server(measure_distance=True)
    peer = make_peer(server, 5)
    server.host.distances[None, "10.0.1.5"] = 12.3
    policy = policy_with("least_used_dpf", {"load": 7, "distance": 10})
    peer.say(peer.add(element(1, policy=policy)))
    assert server.handlespace.find(HANDLE, 1).policy.distance == 23
    assert server.handlespace.find(HANDLE, 1).policy.load == 7


def test_distance_grows_for_a_policy_in_python_too(element):
    class FarLast(SelectionPolicy):
        name = "far_last"
        type_code = 0x80000F10
        values = ("load", "distance")

    policy(FarLast)
    near = element(1, policy=policy_with("far_last", {"load": 7, "distance": 10}))
    assert FarLast.values_of(with_distance(near, 13)) == {"load": 7, "distance": 23}


def test_policies_without_distance_are_left_alone(element):
    assert with_distance(element(1), 5) == element(1)


def test_takeover_is_suggested_to_the_nearest_peer_which_takes_over(
    make_server, make_peer, register, element
):
    server = make_server(takeover_suggestion=True)
    near, far = make_peer(server, 5), make_peer(server, 6)
    server.host.distances = {
        (None, "10.0.2.1"): 50.0,
        ("10.0.1.5", "10.0.2.1"): 1.0,
        ("10.0.1.6", "10.0.2.1"): 80.0,
    }
    register(server, 1)
    assert [m.takeover_suggested for m in near.take(wire.HandleUpdate)] == [True]
    assert [m.takeover_suggested for m in far.take(wire.HandleUpdate)] == [False]


def test_a_suggestion_is_followed(clock, make_server, make_peer, element):
    server = make_server(takeover_suggestion=True)
    peer = make_peer(server, 5)
    transport = wire.SctpTransport(port=7, addresses=["10.0.2.1"])
    update = peer.add(element(1).replace(asap_transport=transport))
    answers = peer.say(update.replace(takeover_suggested=True))
    [told] = [m for m in answers if isinstance(m, wire.HandleUpdate)]
    assert told.pool_element.home_server == 77
    clock.run_until(6)
    [channel] = server.host.connections
    assert (channel.remote_address, channel.remote_port) == ("10.0.2.1", 7)
    assert channel.take()[0].home
