"""Queues before links: bounds, RED and CoDel against their formulas, and fair queueing."""

import gc
import weakref
from math import sqrt

import numpy as np
import pytest

from rsim import ScenarioError
from rsim.clock import Clock
from rsim.network import LinkSettings, Network, SctpSettings
from rsim.randomness import Streams

from .conftest import Pair
from .test_link import Wire

_HEADERS = 28
"""Octets of IPv4 and UDP."""
_SERVICE = 0.01
"""Time in s of a packet of 1,250 octets at 1 Mbit/s."""


class Funnel:
    """Hosts at one site that send datagrams of 1,250 octets over one path."""

    def __init__(self, hosts, **settings):
        self.clock = Clock()
        paths = {("a", "b"): LinkSettings(bandwidth=1e6, **settings)}
        self.network = Network(self.clock, Streams(3), paths=paths)
        self.sources = [self.network.add_host(f"host{n}", "a") for n in range(hosts)]
        self.sink = self.network.add_host("sink", "b")
        self.arrived = [0] * hosts
        self.sink.listen_datagrams(9, self._take)

    def _take(self, source, data):
        self.arrived[data[0]] += 1

    @property
    def link(self):
        return self.network.path_links("a", "b")[0]

    def send(self, number, size=1250):
        data = bytes([number]) + bytes(size - _HEADERS - 1)
        self.sources[number].send_datagram(1, (self.sink.address, 9), data)

    def flood(self, number, rate, duration, size=1250):
        for turn in range(round(rate * duration)):
            self.clock.call_at((turn + number / 7) / rate, self.send, number, size)

    def run(self, duration):
        self.clock.run_until(duration)
        return self.arrived


@pytest.mark.parametrize("fair", [False, True])
@pytest.mark.parametrize(
    ("bound", "through"),
    [
        # One is sent while the others wait.
        ({"queue_packets": 0}, 1),
        ({"queue_packets": 4}, 5),
        # A packet is let in if no more than the bound is before it, the one that is sent included.
        ({"queue": 0}, 1),
        ({"queue": 2500}, 3),
        ({"queue": 1e6, "queue_packets": 2}, 3),
    ],
)
def test_a_queue_holds_what_its_bounds_say(bound, through, fair):
    wire = Wire(bandwidth=1e6, fair=fair, **bound)
    arrivals = wire.run([0.0] * 10, 1250)
    assert arrivals == pytest.approx([_SERVICE * (n + 1) for n in range(through)])
    assert wire.link.counters.packets_overflowed == 10 - through
    assert wire.network.packets_lost == 10 - through


@pytest.mark.parametrize("settings", [{}, {"fair": True}, {"discipline": "codel"}])
def test_waiting_time_is_the_integral_of_the_queue(settings):
    wire = Wire(bandwidth=1e6, **settings)
    wire.run([0.0, 0.0, 0.005, 1.0], 1250)
    assert wire.link.counters.waiting_time == pytest.approx(0.01 + 0.015)


@pytest.mark.parametrize("settings", [{"fair": True}, {"discipline": "codel"}])
def test_a_cut_loses_what_waits(settings):
    wire = Wire(bandwidth=1e6, **settings)
    wire.clock.call_at(0.025, lambda: wire.network.cut([wire.link]))
    wire.clock.call_at(0.5, lambda: wire.network.cut([wire.link], up=True))
    assert wire.run([0.0] * 10 + [1.0], 1250) == pytest.approx([0.01, 0.02, 1.01])
    assert wire.link.counters.packets_cut == 8


@pytest.mark.parametrize(
    ("settings", "times"),
    [
        # What waits takes its turn, and what comes is behind it.
        ({"bandwidth": 1e6}, [0.01, 0.02, 0.03, 0.04, 0.05]),
        ({"bandwidth": 1e6, "discipline": "codel"}, [0.01, 0.02, 0.03, 0.04, 0.05]),
        # What is on the link takes its time, and the rest goes at once.
        ({"jitter": 0}, [0.01, 0.02, 0.02, 0.02, 0.02]),
    ],
)
def test_what_waits_leaves_when_a_link_changes(settings, times):
    wire = Wire(bandwidth=1e6, fair=True)
    wire.clock.call_at(0.015, lambda: wire.network.change([wire.link], LinkSettings(**settings)))
    assert wire.run([0.0] * 4 + [0.016], 1250) == pytest.approx(times)
    assert wire.order == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("length", "share"),
    # Thresholds 20 and 60 of 100: below, between, above, and from twice the maximum on.
    [(10, 0.0), (30, 0.025), (40, 0.05), (90, 0.55)],
)
@pytest.mark.parametrize("fair", [False, True])
def test_red_drops_its_share_at_a_fixed_average(length, share, fair):
    """Each place that gets free is filled at once, so that each packet finds the same queue."""
    red = {"minimum": 0.2, "maximum": 0.6, "dropped": 0.1, "weight": 1.0}
    wire = Wire(bandwidth=1e6, queue_packets=100, discipline="red", red=red, fair=fair)
    offered = gap = 0
    gaps = []

    def offer():
        nonlocal offered, gap
        before = wire.link.counters.packets_dropped_early
        wire.send(0, 1250)
        offered += 1
        gap += 1
        if wire.link.counters.packets_dropped_early == before:
            return True
        gaps.append(gap)
        gap = 0
        return False

    while wire.link.counters.packets - wire.link.counters.packets_dropped_early < length + 2:
        wire.send(0, 1250)
    for turn in range(4000):
        wire.clock.run_until(_SERVICE * (turn + 1) + 1e-6)
        while not offer():
            pass
    # The distance between two that are dropped is uniform from 1 to 1 / share.
    expected = 2 * share / (1 + share)
    if not share:
        assert not gaps
    elif share < 0.5:
        assert len(gaps) / offered == pytest.approx(expected, rel=0.15)
        assert max(gaps) == round(1 / share)
    else:
        # From 1 to less than 2: the second is dropped if the first is not.
        assert len(gaps) / offered == pytest.approx(1 / (2 - share), rel=0.05)
        assert set(gaps) == {1, 2}


def test_the_average_of_red_follows_the_queue_with_its_weight():
    """Nothing is dropped until (1 - weight)^n has brought the average to the threshold."""
    red = {"minimum": 0.05, "maximum": 0.051, "dropped": 1.0, "weight": 0.01}
    wire = Wire(bandwidth=1e6, queue_packets=1000, discipline="red", red=red)
    average, first = 0.0, 0
    while average < 51:
        average += 0.01 * (max(0, first - 1) - average)
        first += 1
    arrivals = wire.run([0.0] * (first + 5), 1250)
    assert len(arrivals) < first + 5
    assert wire.order[: first - 2] == list(range(first - 2))
    assert first - 1 not in wire.order


def test_codel_drops_at_the_interval_by_the_square_root_of_their_number():
    """RFC 8289 5.5, of a queue that stands: 4,000 packets of 1 ms that come at once."""
    wire = Wire(bandwidth=1e7, discipline="codel")
    arrivals = wire.run([0.0] * 4000, 1250)
    service, interval = 0.001, 0.1
    # Above the target from the fifth packet on, an interval of which nothing is dropped.
    expected, due, time, count = [], 0.005 + interval, 0.0, 0
    left = 4000
    while left > 1:
        time = round(time, 9)
        while left > 1 and time >= due - 1e-9:
            expected.append(time)
            count += 1
            left -= 1
            due = (time if count == 1 else due) + interval / sqrt(count)
        left -= 1
        time += service
    lost = sorted(set(range(4000)) - set(wire.order))
    departures = dict(zip(wire.order, np.array(arrivals) - service, strict=True))
    times = [min(departures[kept] for kept in wire.order if kept > number) for number in lost]
    assert len(times) > 100
    assert np.abs(np.array(times) - expected[: len(times)]).max() < 2 * service
    assert abs(len(times) - len(expected)) <= 1
    assert wire.link.counters.packets_dropped_early == len(lost)


def test_codel_leaves_bursts_alone():
    """A queue that is gone before an interval has passed loses nothing."""
    wire = Wire(bandwidth=1e7, discipline="codel")
    bursts = [start * 0.2 for start in range(20) for _ in range(90)]
    assert len(wire.run(bursts, 1250)) == len(bursts)


@pytest.mark.parametrize(
    ("settings", "least", "most"),
    [({}, 0.05, 0.2), ({"discipline": "codel"}, 0.001, 0.015)],
    ids=["drop_tail", "codel"],
)
def test_codel_keeps_the_standing_queue_of_a_responsive_source_near_its_target(
    settings, least, most
):
    """Control: without it the queue takes all that the receiver's window lets under way."""
    sctp = SctpSettings(receive_buffer=131_072)
    two = Pair(delay=0.01, bandwidth=1e7, sctp=sctp, **settings)
    association = two.connect()
    two.run(1)
    for _ in range(20_000):
        association.send(1, bytes(1400))
    two.run(3)
    link = two.links[0]
    before = link.counters
    two.run(15)
    after = link.counters
    mean_wait = (after.waiting_time - before.waiting_time) / (after.packets - before.packets)
    assert least < mean_wait < most
    # The link still carries what it can.
    assert (after.octets - before.octets) * 8 / 15 > 0.85e7


@pytest.mark.parametrize("discipline", ["drop_tail", "codel"])
def test_fair_queueing_leaves_others_their_share_beside_a_flood(discipline):
    funnel = Funnel(3, fair=True, queue_packets=60, discipline=discipline)
    # Of 100 packets/s that the path carries the flood alone would take ten times as many.
    funnel.flood(0, 1000, 20)
    funnel.flood(1, 30, 20)
    funnel.flood(2, 30, 20)
    flood, *others = funnel.run(20)
    assert all(arrived >= 0.98 * 30 * 20 for arrived in others)
    assert flood == pytest.approx(40 * 20, rel=0.05)


@pytest.mark.parametrize("discipline", ["drop_tail", "codel"])
def test_without_fair_queueing_a_flood_shuts_others_out(discipline):
    funnel = Funnel(3, queue_packets=60, discipline=discipline)
    funnel.flood(0, 1000, 20)
    funnel.flood(1, 30, 20)
    funnel.flood(2, 30, 20)
    _, *others = funnel.run(20)
    assert all(arrived < 0.3 * 30 * 20 for arrived in others)


def test_turns_share_octets_not_packets():
    funnel = Funnel(2, fair=True, queue_packets=100)
    funnel.flood(0, 400, 20, size=1250)
    funnel.flood(1, 2000, 20, size=250)
    large, small = funnel.run(20)
    assert large * 1250 == pytest.approx(small * 250, rel=0.02)


def test_a_full_fair_queue_drops_the_last_of_the_longest():
    funnel = Funnel(2, fair=True, queue_packets=10)
    for _ in range(20):
        funnel.send(0)
    funnel.send(1)
    assert funnel.link.counters.packets_overflowed == 10
    assert funnel.run(10) == [10, 1]


def test_sources_that_have_nothing_waiting_take_no_memory():
    """A flood with a false source in each packet leaves nothing behind."""
    funnel = Funnel(200, fair=True, queue_packets=5)
    for number in range(200):
        funnel.send(number)
    assert funnel.link.core.sources <= 6
    funnel.run(10)
    funnel.send(0)
    assert funnel.link.core.sources <= 1


@pytest.mark.parametrize("settings", [{"fair": True}, {"discipline": "codel"}])
def test_a_network_with_packets_in_queues_is_freed(settings):
    two = Pair(bandwidth=1e4, sctp=SctpSettings(congestion_control="none"), **settings)
    association = two.connect()
    two.run(10)
    for _ in range(50):
        association.send(1, bytes(1000))
    two.run(1)
    assert two.links[0].core.sources == 1
    ends = [weakref.ref(end) for end in (two.client, two.network.clock)]
    del two, association
    gc.collect()
    assert [end() for end in ends] == [None, None]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"queue_packets": 5}, "queue_packets: only a link with a bandwidth has a queue"),
        ({"fair": True}, "fair: only a link with a bandwidth has a queue"),
        ({"discipline": "codel"}, "discipline: only a link with a bandwidth has a queue"),
        ({"bandwidth": 1e6, "discipline": "red"}, "discipline: red needs queue_packets"),
        ({"bandwidth": 1e6, "codel": {"target": 0.01}}, "codel: does nothing without discipline"),
        ({"bandwidth": 1e6, "red": {"minimum": 0.5}}, "must be below maximum"),
    ],
)
def test_settings_that_would_do_nothing_are_refused(settings, told):
    with pytest.raises(ScenarioError, match=told) as error:
        LinkSettings(**settings)
    assert "\n" not in str(error.value)
