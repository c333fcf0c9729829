"""Taps see, drop, delay, alter, inject, record and replay."""

import pytest

from rsim.clock import Clock
from rsim.network import LinkSettings, Network, RecordingTap, Tap
from rsim.randomness import Streams

from .conftest import Pair


class Liar(Tap):
    def message(self, seen):
        return seen.data.replace(b"true", b"lies")


class Censor(Tap):
    def message(self, seen):
        return None if b"bad" in seen.data else seen.data


class Slow(Tap):
    def hold(self, frame):
        return 0.3


def tapped(tap):
    two = Pair()
    association = two.connect()
    two.run(1)
    two.network.tap(two.links, tap)
    return two, association


def test_a_tap_alters_what_passes():
    two, association = tapped(Liar())
    association.send(1, b"?a true word")
    two.run(1)
    assert two.server.data == [b"?a lies word"]
    assert two.client.data == [b"a lies word"]


def test_what_a_tap_drops_is_sent_again_until_the_peer_is_given_up():
    two, association = tapped(Censor())
    association.send(1, b"good")
    association.send(1, b"bad")
    association.send(1, b"good too")
    two.run(30)
    assert two.server.data == [b"good"]
    assert two.client_host.counters.retransmissions >= 3


def test_a_tap_delays():
    two, association = tapped(Slow())
    start = two.clock.now
    association.send(1, b"x")
    two.run(2)
    assert two.server.seen == [(pytest.approx(start + 0.35), 1, b"x")]


def test_a_recorder_keeps_the_last_messages_only():
    two, association = tapped(tap := RecordingTap(limit=3))
    for number in range(10):
        association.send(1, bytes([number]))
        two.run(0.1)
    assert [seen.data for seen in tap.seen] == [b"\x07", b"\x08", b"\x09"]
    assert (tap.seen[0].ppid, tap.seen[0].protected) == (1, False)


def test_a_tap_at_a_host_sees_only_that_host():
    clock = Clock()
    network = Network(clock, Streams(1), LinkSettings(delay=0.01))
    hosts = [network.add_host(name, "lan") for name in ("one", "two", "three")]
    for host in hosts:
        host.listen_datagrams(5, lambda source, data: None)
    tap = RecordingTap()
    network.tap(network.host_links(hosts[1]), tap)
    hosts[0].send_datagram(5, (hosts[1].address, 5), b"to two")
    hosts[0].send_datagram(5, (hosts[2].address, 5), b"to three")
    hosts[1].send_datagram(5, (hosts[2].address, 5), b"from two")
    clock.run_until(1)
    assert {seen.data for seen in tap.seen} == {b"to two", b"from two"}


def test_a_tap_put_on_later_finds_associations_that_exist():
    two = Pair()
    association = two.connect()
    two.run(1)
    tap = RecordingTap()
    two.network.tap(two.network.host_links(two.client_host), tap)
    association.send(1, b"?seen")
    two.run(1)
    assert [seen.data for seen in tap.seen] == [b"?seen", b"seen"]


def test_instant_associations_pass_no_taps():
    network = Network(Clock(), Streams(1), instant=True)
    with pytest.raises(ValueError, match="instant"):
        network.tap([], Tap())
