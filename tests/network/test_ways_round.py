"""Ways round a cut: packets take the shortest way that is left."""

import pytest

import rsim
from rsim.clock import Clock
from rsim.errors import ScenarioError
from rsim.network import LinkSettings, Network, topology
from rsim.randomness import Streams
from tests.network.conftest import End

RING = {
    ("a", "b"): LinkSettings(delay=0.1),
    ("b", "c"): LinkSettings(delay=0.1),
    ("c", "d"): LinkSettings(delay=0.2),
    ("d", "a"): LinkSettings(delay=0.2),
}


class Ring:
    """Four sites in a ring; hosts at `a` and `c`, which 0.2 s by `b` and 0.4 s by `d` part."""

    def __init__(self, reroute=True):
        self.clock = Clock()
        self.network = Network(
            self.clock,
            Streams(1),
            paths=RING,
            next_hops=topology.next_hops("abcd", RING),
            reroute=reroute,
        )
        self.one, self.two = (self.network.add_host(site, site) for site in "ac")
        self.seen = []
        self.two.listen_datagrams(9, lambda source, data: self.seen.append((self.clock.now, data)))

    def send(self, data, time):
        def act():
            self.one.send_datagram(9, (self.two.address, 9), data)

        self.clock.call_at(time, act)

    def cut(self, site, other, time, up=False):
        links = self.network.path_links(site, other)
        self.clock.call_at(time, lambda: self.network.cut(links, up))


def test_packets_go_round_a_cut_and_back_when_it_is_mended():
    ring = Ring()
    ring.cut("b", "c", 2)
    ring.cut("b", "c", 4, up=True)
    for time in (1, 3, 5):
        ring.send(b"%d" % time, time)
    ring.clock.run_until(10)
    assert ring.seen == [
        (pytest.approx(1.2), b"1"),
        (pytest.approx(3.4), b"3"),
        (pytest.approx(5.2), b"5"),
    ]
    assert ring.network.packets_lost == 0


def test_without_ways_round_what_the_way_loses_is_lost():
    ring = Ring(reroute=False)
    ring.cut("b", "c", 2)
    ring.cut("b", "c", 4, up=True)
    for time in (1, 3, 5):
        ring.send(b"%d" % time, time)
    ring.clock.run_until(10)
    assert [data for _, data in ring.seen] == [b"1", b"5"]
    assert ring.network.packets_lost == 1


def test_packets_on_their_way_go_on_on_it():
    ring = Ring()
    ring.cut("b", "c", 0.5)
    ring.send(b"round", 1.0)
    ring.cut("b", "c", 1.1, up=True)
    ring.send(b"direct", 1.15)
    ring.clock.run_until(10)
    assert ring.seen == [(pytest.approx(1.35), b"direct"), (pytest.approx(1.4), b"round")]


def test_a_path_that_is_not_in_use_may_be_cut_unnoticed():
    ring = Ring()
    ring.cut("c", "d", 0.5)
    ring.send(b"x", 1)
    ring.clock.run_until(10)
    assert ring.seen == [(pytest.approx(1.2), b"x")]


def test_where_no_way_is_left_packets_are_lost():
    ring = Ring()
    ring.cut("b", "c", 0.5)
    ring.cut("d", "a", 0.6)
    ring.send(b"lost", 1)
    ring.cut("d", "a", 2, up=True)
    ring.send(b"x", 3)
    ring.clock.run_until(10)
    assert ring.seen == [(pytest.approx(3.4), b"x")]


def test_one_direction_that_is_cut_leaves_the_other_as_it_is():
    ring = Ring()
    there = [link for link in ring.network.path_links("b", "c") if link.sites == ("b", "c")]
    ring.clock.call_at(0.5, lambda: ring.network.cut(there))
    answers = []
    ring.one.listen_datagrams(9, lambda source, data: answers.append(ring.clock.now))
    ring.send(b"x", 1)
    ring.clock.call_at(1, lambda: ring.two.send_datagram(9, (ring.one.address, 9), b"y"))
    ring.clock.run_until(10)
    assert ring.seen == [(pytest.approx(1.4), b"x")]
    assert answers == [pytest.approx(1.2)]


def test_associations_keep_their_order_when_the_way_changes():
    ring = Ring()
    server = End(ring.clock)
    ring.two.listen(7, lambda association: server, ())
    association = ring.one.connect(ring.two.address, 7, End(ring.clock))
    ring.cut("b", "c", 5)
    ring.cut("b", "c", 10.1, up=True)
    times = [3, 6, 10, 10.15, 10.2, 12]
    for time in times:
        ring.clock.call_at(time, lambda time=time: association.send(11, str(time).encode()))
    ring.clock.run_until(60)
    assert server.data == [str(time).encode() for time in times]
    arrivals = [time for time, _, _ in server.seen]
    assert arrivals[:3] == pytest.approx([3.2, 6.4, 10.4])
    # What overtakes on the shorter way waits for what it has overtaken.
    assert min(arrivals[3:5]) >= 10.4
    assert arrivals[5] == pytest.approx(12.2)


def test_the_same_ways_again_and_again_take_no_more_routes():
    ring = Ring()
    counts = set()
    for turn in range(20):
        ring.cut("b", "c", 2 * turn + 0.5)
        ring.cut("b", "c", 2 * turn + 1.5, up=True)
        ring.send(b"x", 2 * turn + 1)
        ring.send(b"x", 2 * turn + 2)
        ring.clock.run_until(2 * turn + 2.4)
        counts.add(len(ring.network.core.packets_by_route()))
    assert len(ring.seen) == 40
    assert max(counts) == 2


def table(**network):
    return {
        "duration": "10min",
        "network": {
            "sites": ["a", "b", "c", "d"],
            "paths": [{"sites": sites, "delay": link.delay.mean} for sites, link in RING.items()],
            "outages": [{"path": ["a", "b"], "schedule": "down@12min"}],
            **network,
        },
        "enrp_servers": {"server": {"site": "a"}},
        "pool_elements": {"element": {"site": "b"}},
        "pool_users": {"user": {"site": "a", "count": 3}},
    }


def test_a_scenario_says_whether_packets_go_round_cuts():
    completed = [
        rsim.run(rsim.scenario(table(reroute=reroute)), seed=1).metrics["requests_completed"]
        for reroute in (True, False)
    ]
    assert completed[0] > 2 * completed[1]


@pytest.mark.parametrize("section", ["enrp_servers", "pool_elements", "pool_users", "attackers"])
def test_who_must_talk_needs_a_way(section):
    settings = table(paths=[{"sites": ["a", "b"]}], outages=[])
    settings["attackers"] = {"flood": {"kind": "report-flood", "site": "a"}}
    rsim.scenario(settings)
    settings[section]["far"] = {"site": ["a", "d"], "count": 2}
    if section == "attackers":
        settings[section]["far"]["kind"] = "report-flood"
    with pytest.raises(ScenarioError) as caught:
        rsim.scenario(settings)
    message = str(caught.value)
    assert "'a'" in message
    assert "'d'" in message
    assert "no way joins" in message
    assert "\n" not in message


def test_a_second_home_may_be_the_way():
    settings = table(paths=[{"sites": ["a", "b"]}], outages=[])
    settings["pool_users"]["user"] = {"site": "d", "also_at": ["b"]}
    rsim.scenario(settings)
    settings["pool_users"]["user"] = {"site": "d", "also_at": ["c"]}
    with pytest.raises(ScenarioError, match="no way joins 'd' and 'a'"):
        rsim.scenario(settings)


def test_a_group_without_hosts_needs_no_way():
    settings = table(paths=[{"sites": ["a", "b"]}], outages=[])
    settings["pool_users"]["none"] = {"site": "d", "count": 0}
    assert rsim.scenario(settings).pool_users["none"].site == "d"


def test_ways_round_need_paths():
    settings = table(paths=[], outages=[], reroute=False)
    with pytest.raises(ScenarioError, match="reroute: does nothing without paths"):
        rsim.scenario(settings)


def test_a_site_that_nothing_joins_cannot_be_cut_off():
    settings = table(
        paths=[{"sites": ["a", "b"]}], outages=[{"site": "d", "schedule": "down@5min"}]
    )
    with pytest.raises(ScenarioError, match="nothing joins 'd' with other sites"):
        rsim.scenario(settings)
