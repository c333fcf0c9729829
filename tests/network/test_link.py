"""Links against closed formulas: delay, serialisation, queueing, loss."""

import numpy as np
import pytest

from rsim.clock import Clock
from rsim.network import Frame, Link, LinkSettings
from rsim.randomness import Streams


@pytest.fixture
def link():
    clock = Clock()

    def make(**settings):
        return clock, Link("a -> b", clock, LinkSettings(**settings), Streams(3).stream("l", "l"))

    return make


def datagram(size):
    return Frame(("10.0.0.1", 1), ("10.0.0.2", 2), data=bytes(size - 28))


def send(clock, link, times, size):
    arrivals = []
    for time in times:
        clock.call_at(
            time, lambda: link.carry(datagram(size), lambda frame: arrivals.append(clock.now))
        )
    clock.run_until(times[-1] + 1e6)
    return arrivals


def test_a_packet_takes_delay_and_the_time_of_its_bits(link):
    clock, one = link(delay=0.02, bandwidth=1e6)
    assert send(clock, one, [1.0], 1250) == pytest.approx([1.0 + 0.01 + 0.02])


def test_packets_wait_for_those_before_them(link):
    clock, one = link(bandwidth=1e4)
    assert send(clock, one, [0.0, 0.0, 0.0, 10.0], 1250) == pytest.approx([1, 2, 3, 11])


def test_a_full_queue_drops(link):
    clock, one = link(bandwidth=1e4, queue=2500)
    # One on the link, and two waiting once their bits no longer exceed the queue.
    arrivals = send(clock, one, [0.0] * 10, 1250)
    assert arrivals == pytest.approx([1, 2, 3])
    assert one.counters.frames_overflowed == 7


def test_mean_wait_is_that_of_m_d_1(link):
    load, service, count = 0.7, 0.01, 60_000
    clock, one = link(bandwidth=1e6)
    times = np.cumsum(np.random.default_rng(5).exponential(service / load, count))
    arrivals = np.array(send(clock, one, times.tolist(), 1250))
    waits = arrivals - times - service
    batches = waits.reshape(30, -1).mean(axis=1)
    expected = load * service / (2 * (1 - load))
    assert abs(batches.mean() - expected) < 3 * batches.std(ddof=1) / np.sqrt(30)


def test_share_of_lost_packets_is_the_loss(link):
    clock, one = link(loss=0.1)
    arrivals = send(clock, one, [float(i) for i in range(20_000)], 100)
    assert abs(1 - len(arrivals) / 20_000 - 0.1) < 3 * np.sqrt(0.1 * 0.9 / 20_000)
    assert one.counters.frames_lost == 20_000 - len(arrivals)


def test_delays_that_vary_keep_the_order(link):
    clock, one = link(delay={"distribution": "uniform", "mean": 0.05, "variation": 1.0})
    arrived = []
    for number in range(200):
        packet = Frame(("a", 1), ("b", 1), data=bytes([number]))
        clock.call_at(
            number / 100, one.carry, packet, lambda f: arrived.append((clock.now, f.data[0]))
        )
    clock.run_until(10)
    assert [number for _, number in arrived] == list(range(200))
    delays = [time - number / 100 for time, number in arrived]
    assert 0.05 < sum(delays) / 200 < 0.1
    assert max(delays) <= 0.1 + 1e-9


def test_jitter_has_the_mean_of_its_distribution_and_lets_packets_overtake(link):
    clock, one = link(delay=0.01, jitter={"distribution": "exponential", "mean": 0.02})
    times = [i * 0.001 for i in range(20_000)]
    delays = []
    order = []
    for number, time in enumerate(times):
        clock.call_at(
            time,
            lambda number=number, time=time: one.carry(
                datagram(100),
                lambda frame: (delays.append(clock.now - time), order.append(number)),
            ),
        )
    clock.run_until(1e6)
    assert np.mean(delays) == pytest.approx(0.03, abs=3 * 0.02 / np.sqrt(20_000))
    assert order != sorted(order)


def test_a_cut_loses_what_is_under_way_and_what_comes(link):
    clock, one = link(delay=1.0)
    arrivals = []

    def carry():
        one.carry(datagram(100), lambda frame: arrivals.append(clock.now))

    for time in (0.0, 0.9, 1.5, 3.0):
        clock.call_at(time, carry)
    clock.call_at(1.2, lambda: setattr(one, "up", False))
    clock.call_at(2.0, lambda: setattr(one, "up", True))
    clock.run_until(10)
    assert arrivals == [1.0, 4.0]
    assert one.counters.frames_cut == 2


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
def test_a_link_that_only_delays_is_plain(link, settings, plain):
    assert link(**settings)[1].plain_delay == plain
