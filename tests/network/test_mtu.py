"""The largest packet of a link: messages in fragments, and packets that IP splits."""

import pytest

from rsim.clock import Clock
from rsim.network import LinkSettings, Network, Tap, topology
from rsim.randomness import Streams

from .conftest import End


class Sizes(Tap):
    """Keeps the size of each packet with data."""

    def __init__(self):
        self.seen = []

    def frame(self, frame):
        if frame.messages:
            self.seen.append(frame.size)
        return frame


class Way:
    """Two hosts with a path between them, and a tap that sees sizes of packets to the second."""

    def __init__(self, access=None, ipv6=False, **settings):
        self.clock = Clock()
        paths = {("a", "b"): LinkSettings(**{"delay": 0.01, **settings})}
        self.network = Network(self.clock, Streams(1), paths=paths, ipv6=ipv6)
        self.source = self.network.add_host("source", "a", access=access)
        self.sink = self.network.add_host("sink", "b")
        self.end, self.sizes = End(self.clock), Sizes()
        self.network.tap(self.network.path_links("a", "b", "towards"), self.sizes)

    @property
    def link(self):
        return self.network.path_links("a", "b")[0]

    def send(self, octets, tcp=False):
        self.sink.listen(7, lambda association: self.end, tcp=tcp)
        association = self.source.connect(self.sink.address, 7, End(self.clock), tcp=tcp)
        self.clock.run_until(1)
        association.send(1, bytes(octets))
        self.clock.run_until(60)
        assert self.end.data == [bytes(octets)]
        return self.sizes.seen


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize(
    ("ipv6", "mtu"), [(False, 1500), (False, 576), (False, 1001), (True, 1280), (False, 9000)]
)
def test_messages_are_fragmented_by_the_mtu(ipv6, mtu, tcp):
    sizes = Way(ipv6=ipv6, mtu=mtu).send(20_000, tcp)
    # Beside each part an SCTP packet has headers of IP, 12 octets and 16 of a DATA chunk, whose
    # size is a multiple of 4; a TCP segment has headers of IP and 20 octets.
    header = (40 if ipv6 else 20) + (20 if tcp else 28)
    part = mtu - header if tcp else (mtu - header) // 4 * 4
    assert sizes[:-1] == [part + header] * (-(-20_000 // part) - 1)
    assert sizes[-1] <= mtu


def test_the_smallest_mtu_of_a_way_counts():
    narrow = LinkSettings(mtu=600)
    assert max(Way(access=narrow, mtu=9000).send(20_000)) == 600
    assert max(Way(access=LinkSettings(mtu=9000), mtu=600).send(20_000)) == 600


def test_a_tap_on_a_host_leaves_the_mtu_alone():
    way = Way(mtu=9000)
    way.network.tap(way.network.host_links(way.source), Sizes())
    assert max(way.send(20_000)) == 9000


def test_an_mtu_that_changes_holds_from_then_on():
    way = Way()
    way.network.change([way.link], LinkSettings(delay=0.01, mtu=700))
    assert max(way.send(20_000)) == 700


@pytest.mark.parametrize(
    ("ipv6", "mtu", "octets", "carried"),
    [
        (False, 576, 576, 576),
        # 1,230 octets behind the header of IP, 552 in a fragment: two headers more.
        (False, 576, 1250, 1290),
        # 1,460 octets, 1,232 in a fragment: two headers of 48 octets in place of one of 40.
        (True, 1280, 1500, 1556),
    ],
)
def test_ip_splits_datagrams_above_the_mtu(ipv6, mtu, octets, carried):
    way = Way(ipv6=ipv6, delay=0, mtu=mtu, bandwidth=1e6)
    arrivals = []
    way.sink.listen_datagrams(9, lambda source, data: arrivals.append((way.clock.now, len(data))))
    size = octets - (48 if ipv6 else 28)
    way.source.send_datagram(1, (way.sink.address, 9), bytes(size))
    way.clock.run_until(1)
    assert arrivals == [(pytest.approx(8 * carried / 1e6), size)]
    assert way.link.counters.packets_fragmented == (carried > octets)
    assert way.link.counters.octets == carried


def test_fragments_that_are_sent_again_on_a_narrower_way_are_split_by_ip():
    """RFC 9260 6.9: a message is not fragmented anew, so that IP does it."""
    paths = {
        ("a", "b"): LinkSettings(delay=0.05),
        ("a", "c"): LinkSettings(delay=0.1, mtu=576),
        ("c", "b"): LinkSettings(delay=0.1),
    }
    clock = Clock()
    way = topology.next_hops("abc", paths)
    network = Network(clock, Streams(1), paths=paths, next_hops=way)
    source, sink = network.add_host("source", "a"), network.add_host("sink", "b")
    end = End(clock)
    sink.listen(7, lambda association: end)
    association = source.connect(sink.address, 7, End(clock))
    clock.run_until(1)
    clock.call_at(1.02, lambda: network.cut(network.path_links("a", "b")))
    # One packet of three fragments is under way at the cut; the rest follows by c.
    association.send(1, bytes(3000))
    clock.run_until(2)
    narrow = network.path_links("a", "c", "towards")[0]
    clock.run_until(60)
    association.send(1, bytes(3000))
    clock.run_until(120)
    assert end.data == [bytes(3000)] * 2
    # Of the first message two fragments fill packets of 1,500 octets; the second fits the way.
    assert narrow.counters.packets_fragmented == 2
