"""Datagrams and multicast groups."""

from rsim.clock import Clock
from rsim.network import LinkSettings, Network
from rsim.randomness import Streams

GROUP = "239.0.0.50"


def lan(count, **link):
    clock = Clock()
    network = Network(clock, Streams(1), LinkSettings(**link))
    return clock, network, [network.add_host(f"host-{n}", "lan") for n in range(count)]


def test_a_datagram_reaches_its_port_after_the_delay():
    clock, _, (one, two) = lan(2, delay=0.1)
    seen = []
    two.listen_datagrams(9, lambda source, data: seen.append((clock.now, source, data)))
    one.send_datagram(8, (two.address, 9), b"hello")
    one.send_datagram(8, (two.address, 10), b"nobody")
    clock.run_until(1)
    assert seen == [(0.1, (one.address, 8), b"hello")]


def test_a_group_reaches_all_members_but_the_sender():
    clock, _, hosts = lan(4)
    seen = []
    for host in hosts[:3]:
        host.listen_datagrams(9, lambda source, data, host=host: seen.append(host.name), GROUP)
    hosts[0].send_datagram(9, (GROUP, 9), b"hello")
    clock.run_until(1)
    assert seen == ["host-1", "host-2"]


def test_lost_datagrams_are_lost():
    clock, _, (one, two) = lan(2, loss=0.5)
    seen = []
    two.listen_datagrams(9, lambda source, data: seen.append(data))
    for _ in range(1000):
        one.send_datagram(8, (two.address, 9), b"x")
    clock.run_until(100)
    assert 400 < len(seen) < 600


def test_the_source_can_be_forged():
    clock, _, (one, two) = lan(2)
    seen = []
    two.listen_datagrams(9, lambda source, data: seen.append(source))
    one.send_datagram(8, (two.address, 9), b"x", source=("192.0.2.7", 1))
    clock.run_until(1)
    assert seen == [("192.0.2.7", 1)]


def test_hosts_that_are_down_send_and_take_nothing():
    clock, _, (one, two) = lan(2)
    seen = []
    two.listen_datagrams(9, lambda source, data: seen.append(data))
    one.fail()
    one.send_datagram(8, (two.address, 9), b"x")
    one.restore()
    two.fail()
    two.listen_datagrams(9, lambda source, data: seen.append(data))
    one.send_datagram(8, (two.address, 9), b"x")
    clock.run_until(1)
    assert seen == []
