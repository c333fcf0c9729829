"""Links against closed formulas: delay, serialisation, queueing, loss."""

import numpy as np
import pytest

from rsim.clock import Clock
from rsim.network import Frame, LinkSettings, Network, SctpSettings
from rsim.randomness import Streams

from .conftest import Pair

_HEADERS = 28
"""Octets of IPv4 and UDP."""


class Wire:
    """One direction of a path, which datagrams take."""

    def __init__(self, **settings):
        self.clock = Clock()
        paths = {("a", "b"): LinkSettings(**settings)}
        self.network = Network(self.clock, Streams(3), paths=paths)
        self.source = self.network.add_host("a", "a")
        self.sink = self.network.add_host("b", "b")
        self.arrivals = []
        self.order = []
        self.sink.listen_datagrams(9, self._take)

    def _take(self, source, data):
        self.arrivals.append(self.clock.now)
        self.order.append(int.from_bytes(data[:4]))

    @property
    def link(self):
        return self.network.path_links("a", "b")[0]

    def send(self, number, size):
        data = number.to_bytes(4) + bytes(size - _HEADERS - 4)
        self.source.send_datagram(1, (self.sink.address, 9), data)

    def run(self, times, size):
        for number, time in enumerate(times):
            self.clock.call_at(time, self.send, number, size)
        self.clock.run_until(times[-1] + 1e6)
        return self.arrivals


def test_a_packet_takes_delay_and_the_time_of_its_bits():
    assert Wire(delay=0.02, bandwidth=1e6).run([1.0], 1250) == pytest.approx([1.0 + 0.01 + 0.02])


def test_packets_wait_for_those_before_them():
    wire = Wire(bandwidth=1e4)
    assert wire.run([0.0, 0.0, 0.0, 10.0], 1250) == pytest.approx([1, 2, 3, 11])


def test_directions_of_a_path_do_not_wait_for_each_other():
    wire = Wire(bandwidth=1e4)
    back = []
    wire.source.listen_datagrams(9, lambda source, data: back.append(wire.clock.now))
    wire.sink.send_datagram(1, (wire.source.address, 9), bytes(1250 - _HEADERS))
    assert wire.run([0.0], 1250) == back == pytest.approx([1])


class Lan:
    """Four hosts at one site, whose ports carry 1,250 octets in 1 s."""

    def __init__(self):
        self.clock = Clock()
        lan = LinkSettings(bandwidth=1e4, delay=0.5)
        self.network = Network(self.clock, Streams(3), lan)
        self.hosts = [self.network.add_host(name, "lan") for name in "abcd"]
        self.arrivals = []
        for name, host in zip("abcd", self.hosts, strict=True):
            host.listen_datagrams(9, lambda source, data, name=name: self.note(name, data))

    def note(self, name, data):
        self.arrivals.append((data[:1].decode() + name, round(self.clock.now, 6)))

    def run(self, *ways):
        for here, there in ways:
            source, sink = self.hosts["abcd".index(here)], self.hosts["abcd".index(there)]
            source.send_datagram(1, (sink.address, 9), here.encode() * (1250 - _HEADERS))
        self.clock.run_until(100)
        return dict(self.arrivals)


@pytest.mark.parametrize(
    ("ways", "times"),
    [
        # A packet alone takes its time once, though it passes two ports.
        (["ab"], [1.5]),
        (["ab", "ba"], [1.5, 1.5]),
        (["ab", "cd"], [1.5, 1.5]),
        # One port sends, or receives, two packets after each other.
        (["ab", "ac"], [1.5, 2.5]),
        (["ab", "cb"], [1.5, 2.5]),
    ],
)
def test_hosts_of_a_site_wait_for_their_own_ports_alone(ways, times):
    """W5: all directions of a site shared one link."""
    assert Lan().run(*ways) == dict(zip(ways, times, strict=True))


def test_each_address_of_a_host_has_ports_of_its_own():
    """A packet between the second addresses does not wait for one between the first ones."""
    clock = Clock()
    network = Network(clock, Streams(3), LinkSettings(bandwidth=1e4, fair=True))
    one, two = (network.add_host(name, "x", "y") for name in ("one", "two"))
    arrivals = []
    two.listen_datagrams(9, lambda source, data: arrivals.append((source[0], clock.now)))
    for here, there in zip(one.addresses, two.addresses, strict=True):
        frame = Frame((here, 1), (there, 9), data=bytes(1250 - _HEADERS))
        network.core.transmit(frame, here)
    clock.run_until(10)
    assert arrivals == [(address, pytest.approx(1)) for address in one.addresses]
    ports = {f"{address} out" for address in one.addresses}
    ports |= {f"{address} in" for address in two.addresses}
    assert network.packets_by_link() == dict.fromkeys([*ports, "x", "y"], 1)
    assert [link.name for link in network.path_links("x", "x")] == ["x"]


def test_a_full_queue_drops():
    wire = Wire(bandwidth=1e4, queue=2500)
    # One on the link, and two waiting once their bits no longer exceed the queue.
    assert wire.run([0.0] * 10, 1250) == pytest.approx([1, 2, 3])
    assert wire.link.counters.packets_overflowed == 7


def test_mean_wait_is_that_of_m_d_1():
    load, service, count = 0.7, 0.01, 60_000
    times = np.cumsum(np.random.default_rng(5).exponential(service / load, count))
    arrivals = np.array(Wire(bandwidth=1e6).run(times.tolist(), 1250))
    waits = arrivals - times - service
    batches = waits.reshape(30, -1).mean(axis=1)
    expected = load * service / (2 * (1 - load))
    assert abs(batches.mean() - expected) < 3 * batches.std(ddof=1) / np.sqrt(30)


@pytest.mark.parametrize("more", [{}, {"bandwidth": 1e6}, {"jitter": 0.01}])
def test_share_of_lost_packets_is_the_loss(more):
    wire = Wire(loss=0.1, **more)
    arrivals = wire.run([float(i) for i in range(20_000)], 100)
    assert abs(1 - len(arrivals) / 20_000 - 0.1) < 3 * np.sqrt(0.1 * 0.9 / 20_000)
    assert wire.link.counters.packets_lost == 20_000 - len(arrivals)


def test_jitter_has_the_mean_of_its_distribution_and_lets_packets_overtake():
    wire = Wire(delay=0.01, jitter={"distribution": "exponential", "mean": 0.02})
    times = [i * 0.001 for i in range(20_000)]
    arrivals = np.array(wire.run(times, 100))
    delays = arrivals - np.array(times)[wire.order]
    assert np.mean(delays) == pytest.approx(0.03, abs=3 * 0.02 / np.sqrt(20_000))
    assert wire.order != sorted(wire.order)


@pytest.mark.parametrize("rate", [1, 100, 1_000, 10_000])
@pytest.mark.parametrize(
    "law",
    [
        {"distribution": "exponential"},
        {"distribution": "uniform", "variation": 1.0},
        {"distribution": "lognormal", "variation": 0.5},
    ],
    ids=lambda law: law["distribution"],
)
def test_a_varying_delay_has_its_mean_at_every_rate_and_keeps_the_order_of_a_flow(rate, law):
    """W4: with all packets of a link in one order it was 116 ms instead of 20 at 10,000/s."""
    mean, count = 0.02, max(2000, 40 * rate)
    two = Pair(delay={**law, "mean": mean}, sctp=SctpSettings(congestion_control="none"))
    association = two.connect()
    two.run(60)
    start = two.clock.now
    for number in range(count):
        two.clock.call_at(start + number / rate, association.send, 1, number.to_bytes(4))
    two.run(count / rate + 60)
    assert two.server.data == [number.to_bytes(4) for number in range(count)]
    delays = [time - start - number / rate for number, (time, *_) in enumerate(two.server.seen)]
    # A level lasts 2.5 mean delays: as many as there are independent values.
    independent = min(count, 40 / (2.5 * mean)) if rate > 25 else count
    assert np.mean(delays) == pytest.approx(mean, abs=4 * mean / np.sqrt(independent) + 0.02 * mean)


@pytest.mark.parametrize("rate", [25, 50, 75, 100])
@pytest.mark.parametrize("law", ["exponential", "uniform", "gamma", "lognormal"])
def test_packets_as_regular_as_the_mean_delay_have_it_too(rate, law):
    """With levels of a fixed length packets met the same part of each: 25 ms at 25/s, not 20."""
    mean, count = 0.02, 30_000
    variation = {"uniform": 1.0, "gamma": 1.0, "lognormal": 1.0}.get(law)
    delay = {"distribution": law, "mean": mean, "variation": variation}
    two = Pair(delay=delay, sctp=SctpSettings(congestion_control="none"))
    association = two.connect()
    two.run(60)
    start = two.clock.now
    for number in range(count):
        two.clock.call_at(start + number / rate, association.send, 1, number.to_bytes(4))
    two.run(count / rate + 60)
    delays = [time - start - number / rate for number, (time, *_) in enumerate(two.server.seen)]
    assert len(delays) == count
    assert np.mean(delays) == pytest.approx(mean, rel=0.04)


def test_datagrams_have_delays_of_their_own_and_may_overtake():
    wire = Wire(delay={"distribution": "exponential", "mean": 0.02})
    times = [number * 1e-4 for number in range(20_000)]
    delays = np.array(wire.run(times, 100)) - np.array(times)[wire.order]
    assert np.mean(delays) == pytest.approx(0.02, abs=3 * 0.02 / np.sqrt(20_000))
    assert wire.order != sorted(wire.order)


def test_a_flood_does_not_change_the_delay_of_others():
    """Control of W4: the same quiet association with and without 5,000 packets/s beside it."""
    means = []
    for flood in (False, True):
        two = Pair(delay={"distribution": "exponential", "mean": 0.02})
        quiet, loud = two.connect(), two.connect()
        two.run(60)
        start = two.clock.now
        for number in range(600):
            two.clock.call_at(start + number / 10, quiet.send, 1, b"q")
        if flood:
            for number in range(100_000):
                two.clock.call_at(start + number / 5000, loud.send, 1, b"!" * 40)
        two.run(120)
        arrivals = [time for time, _, data in two.server.seen if data == b"q"]
        means.append(np.mean([t - start - n / 10 for n, t in enumerate(arrivals)]))
    assert means[0] == pytest.approx(means[1], rel=0.2) == pytest.approx(0.02, rel=0.2)


@pytest.mark.parametrize("kind", ["exponential", "uniform", "pareto", "gamma", "lognormal"])
def test_native_draws_are_those_of_the_sampler(kind):
    law = {"distribution": kind, "mean": 0.02}
    wire = Wire(delay=law)
    arrivals = wire.run([float(number) for number in range(50)], 100)
    stream = Streams(3).stream("network", "link", "path", "a", "b")
    sampler = wire.link.settings.delay.sampler
    expected = [number + sampler.draw(stream) for number in range(50)]
    assert arrivals == pytest.approx(expected, rel=1e-15)


def test_a_cut_loses_what_is_under_way_and_what_comes():
    wire = Wire(delay=1.0)
    # A tap would see each packet by itself; here they go as one event, and are lost all the same.
    wire.clock.call_at(1.2, lambda: wire.network.cut([wire.link]))
    wire.clock.call_at(2.0, lambda: wire.network.cut([wire.link], up=True))
    assert wire.run([0.0, 0.9, 1.5, 3.0], 100) == [1.0, 4.0]
    assert wire.network.packets_lost == 2


@pytest.mark.parametrize(
    ("settings", "plain"),
    [
        ({"delay": 0.1}, 0.1),
        ({}, 0.0),
        ({"delay": 0.1, "loss": 0.01}, None),
        ({"bandwidth": 1e6}, None),
        ({"jitter": 0.1}, None),
        ({"delay": {"distribution": "uniform", "mean": 0.1}}, None),
    ],
)
def test_a_link_that_only_delays_is_plain(settings, plain):
    wire = Wire(**settings)
    assert wire.network.plain_delay(wire.source.address, wire.sink.address) == plain
