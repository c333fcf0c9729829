"""Procedures and their races among real servers on the modelled network."""

import pytest

import rsim
from rsim import wire
from rsim.network import Tap
from rsim.workload import Membership

from .world import World

requirement = pytest.mark.conformance


class Messages(Tap):
    """Notes ENRP messages, and drops those that a test does not want to pass."""

    def __init__(self, drop=lambda message: False):
        super().__init__()
        self.drop = drop
        self.seen = []

    def message(self, seen):
        if seen.ppid != wire.PPID_ENRP:
            return seen.data
        message = wire.decode(seen.data, "enrp")
        self.seen.append((seen.time, message))
        return None if self.drop(message) else seen.data

    def kinds(self, kind):
        return [message for _, message in self.seen if isinstance(message, kind)]


def tapped(world, tap, *numbers):
    """A tap at the hosts of some servers, or of all."""
    chosen = numbers or range(len(world.servers))
    for number in chosen:
        world.network.tap(world.network.host_links(world.ports[number].host), tap)
    return tap


@requirement("ARC-001")
def test_all_servers_answer_alike(element, make_channel, tell):
    world = World(servers=4, elements=8).run(120)
    answers = []
    for server in world.servers:
        [answer] = tell(server, make_channel(), wire.HandleResolution(pool_handle=b"pool"))
        answers.append({e.identifier for e in answer.pool_elements})
    assert all(answer == answers[0] for answer in answers) and len(answers[0]) == 8


@requirement("ARC-017")
def test_answers_name_a_dead_element_no_longer_than_keep_alives_need(make_channel, tell):
    world = World(servers=3, elements=4).run(120)
    dead = world.elements[1].endpoint.identifier
    world.crash_element(1)
    naming = []
    for _ in range(60):
        world.run(1)
        for server in world.servers:
            [answer] = tell(server, make_channel(), wire.HandleResolution(pool_handle=b"pool"))
            naming.append(dead in {e.identifier for e in answer.pool_elements})
    # An interval of 5 s spread by half, and 5 s for the answer, of 60 s.
    assert 0 < sum(naming) / len(naming) <= 12.5 / 60
    assert not any(naming[3 * 13 :])


@requirement("ARC-019")
@pytest.mark.parametrize("leaves", [False, True])
def test_a_change_of_membership_is_at_all_servers_one_way_later(leaves):
    world = World(servers=3, elements=4).run(25 if not leaves else 60)
    if leaves:
        assert world.leave(3)
    before = [server.handlespace.pool_size(b"pool") for server in world.servers]
    changed = {}
    while len(changed) < 3:
        world.clock.step()
        for number, server in enumerate(world.servers):
            if server.handlespace.pool_size(b"pool") != before[number]:
                changed.setdefault(number, world.clock.now)
    propagation = max(changed.values()) - min(changed.values())
    assert propagation == pytest.approx(0.01)


@requirement("ARC-003")
def test_only_the_home_asks_an_element(clock):
    world = World(servers=3, elements=1).run(90)
    before = [server.counters.keep_alives_sent for server in world.servers]
    world.run(100)
    asked = [s.counters.keep_alives_sent - b for s, b in zip(world.servers, before, strict=True)]
    assert sorted(asked)[:2] == [0, 0] and sorted(asked)[2] > 10


@requirement("ASAP-004")
def test_two_scopes_on_one_network_never_meet():
    world = World(servers=3, elements=6, mentors=False).run(300)
    sizes = [len(server.handlespace) for server in world.servers]
    assert sum(sizes) == 6 and all(len(server.peers) == 0 for server in world.servers)


def test_three_servers_that_start_at_the_same_instant():
    world = World(servers=3, elements=3).run(60)
    world.check_converged()


def test_two_servers_find_the_same_death_at_once():
    world = World(servers=3, elements=6).run(90)
    tap = tapped(world, Messages(), 1, 2)
    world.crash_server(0)
    world.run(150)
    assert len({m.sender for m in tap.kinds(wire.InitTakeover)}) == 2
    assert len({m.sender for m in tap.kinds(wire.TakeoverServer)}) == 1
    winner = tap.kinds(wire.TakeoverServer)[0].sender
    assert winner == max(server.identifier for server in world.servers[1:])
    world.run(60)
    world.check_converged()


@requirement("ENRP-073")
def test_a_target_that_is_alive_but_slow_is_not_taken_over():
    """Its messages take 64 s for a while: long enough to be asked, and begun to be taken over."""

    class Slow(Tap):
        def hold(self, frame):
            return 64.0

    world = World(servers=3, elements=6).run(90)
    slow = Slow()
    links = world.network.host_links(world.ports[0].host)
    up = [link for link in links if link.name.endswith("up")]
    world.network.tap(up, slow)
    world.run(66)
    world.network.untap(up, slow)
    world.run(400)
    world.check_converged()


def test_a_target_that_returns_in_the_middle_stops_the_takeover():
    world = World(servers=3, elements=6).run(90)
    tap = tapped(world, Messages(drop=lambda m: isinstance(m, wire.InitTakeoverAck)), 1, 2)
    homes = world.table(world.servers[1])
    world.partition("a")
    while not tap.kinds(wire.InitTakeover):
        world.run(0.5)
    world.partition("a", up=True)
    world.run(6)
    assert tap.kinds(wire.TakeoverServer) == []
    assert world.table(world.servers[1]) == homes
    tap.drop = lambda message: False
    world.run(200)
    world.check_converged()


def test_the_winner_dies_before_it_has_said_so():
    world = World(servers=3, elements=6).run(90)
    strong = max((1, 2), key=lambda n: world.servers[n].identifier)
    tap = tapped(world, Messages(drop=lambda m: isinstance(m, wire.TakeoverServer)), 1, 2)
    world.crash_server(0)
    while world.servers[strong].counters.takeovers_won == 0:
        world.run(0.1)
    world.crash_server(strong)
    tap.drop = lambda message: False
    world.run(500)
    world.check_converged()
    assert len(world.living) == 1


@requirement("ENRP-050")
def test_a_mentor_that_dies_in_mid_download_is_replaced():
    world = World(servers=3, elements=12, max_table_elements=1)
    world.run(90)
    world.crash_server(2)
    world.run(200)
    newcomer = world.servers[2]
    world.restart_server(2)
    while len(newcomer.handlespace) < 3:
        world.clock.step()
    [mentor] = [n for n in (0, 1) if world.servers[n].identifier == newcomer.startup.mentor]
    world.crash_server(mentor)
    world.run(10)
    assert newcomer.serving
    assert set(world.table(newcomer)) == world.registered()
    world.run(500)
    world.check_converged()


@requirement("ENRP-085")
def test_lost_updates_are_found_by_the_audit():
    world = World(servers=2, elements=6).run(90)
    one, two = world.servers
    server, other = (one, two) if one.handlespace.owned(one.identifier) else (two, one)
    key = next(k for k, home in world.table(server).items() if home == server.identifier)
    other.handlespace.remove(*key)
    assert key not in world.table(other)
    world.run(31)
    assert key in world.table(other)
    assert other.counters.audit_mismatches == 1
    world.check_converged()


@requirement("ENRP-085")
def test_removals_that_were_lost_are_swept():
    world = World(servers=2, elements=6).run(90)
    server = world.servers[0]
    ghost = wire.PoolElement(
        identifier=4711,
        home_server=world.servers[1].identifier,
        user_transport=wire.SctpTransport(port=1, addresses=["10.9.9.9"], use=1),
        policy=wire.Policy("round_robin"),
    )
    server.handlespace.add(b"pool", ghost)
    world.run(31)
    world.check_converged()


def test_both_sides_of_a_partition_register_elements_and_heal():
    world = World(servers=3, elements=6).run(90)
    world.partition("a")
    world.run(150)
    for number in range(6):
        world.crash_element(number)
        world.restart_element(number)
    world.run(150)
    tables = [set(world.table(server)) for server in world.servers]
    assert tables[1] == tables[2] != tables[0]
    assert tables[0].isdisjoint(tables[1])
    world.partition("a", up=True)
    world.run(400)
    world.check_converged()


def test_without_rediscovery_the_sides_of_a_long_partition_never_meet_again():
    """RFC 5353 has no way back: each side has taken the other one over and forgotten it."""
    world = World(servers=3, elements=6, rediscover=False).run(90)
    world.partition("a")
    world.run(600)
    world.partition("a", up=True)
    world.run(1000)
    assert len(world.servers[0].peers) == 0


def test_identifiers_that_collide():
    """One of the two takes a new one, and nothing is lost."""
    world = World(servers=3, elements=6)
    world.servers[1].node.identifier = world.servers[0].identifier
    world.run(200)
    assert len({server.identifier for server in world.servers}) == 3
    world.check_converged()


@pytest.mark.parametrize("keep", [False, True])
def test_a_server_that_returns_learns_everything(keep):
    world = World(servers=3, elements=6, keep_identifier=keep).run(90)
    world.crash_server(1)
    world.run(20)
    world.restart_server(1)
    identifier = world.servers[1].identifier
    world.run(500)
    world.check_converged()
    assert world.servers[1].identifier == identifier


def test_a_pool_that_was_born_twice_heals():
    """Two elements with different policies register at two servers at the same moment."""
    world = World(servers=2, elements=2, policies={"pool": "round_robin"})
    element = world.elements[1]
    element.memberships = (Membership(element.endpoint, "random"),)
    world.partition("b")
    world.run(300)
    types = {server.handlespace.pool_policy_type(b"pool") for server in world.servers}
    assert len(types) == 2
    world.partition("b", up=True)
    world.run(600)
    types = {server.handlespace.pool_policy_type(b"pool") for server in world.servers}
    assert len(types) == 1
    assert world.table(world.servers[0]) == world.table(world.servers[1])


def test_announcements_alone_are_enough(monkeypatch):
    from rsim.scenario import Deployment

    table = {
        "discovery": "multicast",
        "network": {"delay": "5ms"},
        "protocol": {"enrp_server": {"announce": True, "mentor_discovery_time": "5s"}},
        "enrp_servers": {
            "first": {"mentors": False},
            "second": {"mentors": False, "start": "20s", "count": 2},
        },
        "pool_elements": {"element": {"count": 4, "start": "60s"}},
        "pool_users": {
            "user": {"count": 2, "start": "70s", "request_size": "1e6", "request_interval": 5}
        },
    }
    deployment = Deployment(rsim.scenario(table))
    deployment.world.clock.run_until(150)
    for _, server in deployment.servers:
        assert len(server.handlespace) == 4
        assert len(server.peers) == 2
    assert sum(user.counters.requests_completed for user in deployment.users) > 20


@pytest.mark.parametrize(("scaling", "flaps"), [(True, False), (False, True)])
def test_announced_servers_flap_with_the_default_timers_from_five_servers_on(scaling, flaps):
    from rsim.scenario import Deployment

    table = {
        "discovery": "multicast",
        "protocol": {
            "enrp_server": {"announce": True},
            "pool_element": {"t7_scaling": scaling},
        },
        "enrp_servers": {"server": {"count": 8}},
        "pool_elements": {"element": {"count": 1, "start": "0s"}},
    }
    deployment = Deployment(rsim.scenario(table))
    servers = deployment.elements[0].endpoint.servers
    deployment.world.clock.run_until(60)
    known = []
    for second in range(60):
        deployment.world.clock.run_until(60 + second)
        known.append(len(servers.present()))
    assert (min(known) < 8) is flaps


@requirement("ENRP-026")
@requirement("ENRP-106")
@requirement("ENRP-107")
def test_enrp_between_servers_in_a_capture(tmp_path):
    import rsim
    from rsim.wire import read_capture

    table = {"warm_up": 0, "duration": "2min", "enrp_servers": {"server": {"count": 2}}}
    file = tmp_path / "enrp.pcapng"
    rsim.run(rsim.scenario(table), pcap=file)
    captured = list(read_capture(file))
    assert len(captured) > 5
    assert all(c.ppid == 12 and 9901 in (c.source[1], c.destination[1]) for c in captured)


@requirement("SEC-027")
def test_servers_that_authenticate_each_other():
    from rsim.scenario import Deployment

    table = {
        "security": {"enrp_enrp": "psk-aes128-cbc", "pe_enrp": "psk-aes128-cbc"},
        "enrp_servers": {
            "server": {"count": 2},
            "stranger": {"credential": "unknown_identity", "start": "30s"},
        },
        "pool_elements": {"element": {"count": 3, "start": "60s"}},
    }
    deployment = Deployment(rsim.scenario(table))
    deployment.world.clock.run_until(200)
    (_, one), (_, two), (_, stranger) = deployment.servers
    assert len(one.handlespace) == len(two.handlespace) == 3
    assert [p.identifier for p in one.peers] == [two.identifier]
    assert len(stranger.handlespace) == 0


def test_the_end_of_an_association_concerns_its_elements_alone(monkeypatch):
    """No server looks through all its elements when the process of one has died."""
    world = World(servers=2, elements=8).run(120)
    stores = [server.store for server in world.servers]
    channels = {own.channel for store in stores for own in store.owned()}
    for store in stores:
        for own in store.owned():
            assert store.owned_over(own.channel) == [own]

    def look(store):
        raise AssertionError("looks through all elements")

    with monkeypatch.context() as patch:
        patch.setattr(type(stores[0]), "owned", look)
        world.elements[1].vanish()
        world.run(60)
    gone = [channel for channel in channels if not any(s.owned_over(channel) for s in stores)]
    assert len(gone) == 1
