"""Congestion control, as RFC 9260 7 asks for it."""

from itertools import pairwise

import pytest

from rsim.network import (
    SctpSettings,
)

from .wire import DATA, PAYLOAD, QUIET, Wire, once

requirement = pytest.mark.conformance


@requirement("SCTP-020")
@requirement("SCTP-041")
@requirement("SCTP-043")
def test_slow_start_begins_with_the_initial_window_and_grows_by_acknowledged_packets(pair):
    two = pair(sctp=SctpSettings(heartbeat_interval=None, max_burst=100))
    association = two.established()
    [path] = association.core.paths
    assert path["cwnd"] == min(4 * PAYLOAD, max(2 * PAYLOAD, 4404)) == 4404
    wire = Wire(two)
    start = two.clock.now
    association.send(1, bytes(40 * DATA))
    two.run(5)
    flights = {}
    for time, _ in wire.of("DATA", two.client_host):
        flights[round((time - start) / 0.1)] = flights.get(round((time - start) / 0.1), 0) + 1
    # 4404 octets: the fourth packet begins below the window. Each acknowledgement of two packets
    # opens it by one packet.
    assert flights[0] == 4
    assert flights[1] == 6
    [path] = association.core.paths
    assert path["cwnd"] > 8 * PAYLOAD


@requirement("SCTP-041")
@pytest.mark.parametrize(
    ("mtu", "ipv6", "window", "packets"),
    [
        (576, False, 4 * 544, 5),
        (1132, False, 4400, 5),
        (1134, False, 4404, 5),
        (1500, False, 4404, 4),
        (9000, False, 2 * 8968, 3),
        (1280, True, 4344, 4),
        (1500, True, 4344, 4),
        (9000, True, 2 * 8948, 3),
    ],
)
def test_the_first_window_follows_the_size_of_packets(pair, mtu, ipv6, window, packets):
    two = pair(mtu=mtu, ipv6=ipv6, sctp=SctpSettings(heartbeat_interval=None, max_burst=100))
    association = two.established()
    assert association.core.paths[0]["cwnd"] == window
    wire = Wire(two)
    association.send(1, bytes(10 * mtu))
    two.run(0.08)
    # The last one begins below the window (6.1 B).
    headers = 52 if ipv6 else 32
    assert [f.size for _, f in wire.of("DATA")] == [mtu - (mtu - headers) % 4] * packets


@requirement("SCTP-022")
@pytest.mark.parametrize("most", [2, 3])
def test_no_more_than_max_burst_packets_leave_at_once(pair, most):
    two = pair(sctp=SctpSettings(heartbeat_interval=None, max_burst=most), bandwidth=10e6)
    association = two.established()
    wire = Wire(two)
    association.send(1, bytes(60 * DATA))
    two.run(10)
    counts = {}
    for time, _ in wire.of("DATA", two.client_host):
        counts[time] = counts.get(time, 0) + 1
    # The last one begins below the limit (6.1 B).
    assert max(counts.values()) == most + 1


@requirement("SCTP-042")
def test_a_window_that_is_not_used_is_halved_with_each_time_out(pair):
    two = pair(sctp=QUIET)
    association = two.established()
    wire = Wire(two)
    association.send(1, bytes(60 * DATA))
    two.run(3)
    [path] = association.core.paths
    before = path["cwnd"]
    assert before > 10 * PAYLOAD
    last = wire.times("DATA", two.client_host)[-1]
    two.run(last + 2.5 - two.clock.now)
    association.send(1, b"x")
    [path] = association.core.paths
    assert path["cwnd"] == max(before / 4, 4 * PAYLOAD)


@requirement("SCTP-044")
@requirement("SCTP-045")
def test_congestion_avoidance_opens_the_window_by_a_packet_a_round_trip(pair):
    two = pair(sctp=QUIET)
    association = two.established()
    wire = Wire(two, once("DATA"))
    # A time-out sets the threshold to four packets.
    association.send(1, bytes(DATA))
    two.run(5)
    [path] = association.core.paths
    assert path["ssthresh"] == 4 * PAYLOAD
    wire.seen.clear()
    windows = []
    start = two.clock.now
    association.send(1, bytes(60 * DATA))
    for _ in range(40):
        two.run(0.05)
        windows.append(association.core.paths[0]["cwnd"])
    grown = [b - a for a, b in pairwise(windows) if a > 4 * PAYLOAD and b > a]
    assert grown and all(step == PAYLOAD for step in grown[:3])
    assert two.clock.now - start == pytest.approx(2.0)


@requirement("SCTP-044")
@pytest.mark.parametrize("used", [True, False])
def test_a_packet_for_each_window_of_octets_and_none_for_a_window_that_is_not_used(pair, used):
    two = pair(sctp=SctpSettings(heartbeat_interval=None, sack_delay=0, max_burst=100))
    association = two.established()
    Wire(two, once("DATA"))
    association.send(1, bytes(DATA))
    two.run(5)
    # A time-out has set the threshold to four packets: in slow start up to there, and beyond it.
    association.send(1, bytes(200 * DATA))
    two.run(0.45)
    before = association.core.paths[0]["cwnd"]
    assert before > 4 * PAYLOAD == association.core.paths[0]["ssthresh"]
    if used:
        windows = []
        for _ in range(6):
            windows.append(association.core.paths[0]["cwnd"])
            two.run(0.1)
        # A round trip is 0.1 s: each of them brings a window, and opens it by a packet.
        assert [b - a for a, b in pairwise(windows)] == [PAYLOAD] * 5
    else:
        while len(two.server.data) < 2:
            two.run(0.1)
        before = association.core.paths[0]["cwnd"]
        # Something is under way all the time, but never a window of it.
        for _ in range(1000):
            association.send(1, bytes(100))
            two.run(0.03)
        assert association.core.paths[0]["flight"] > 0
        assert association.core.paths[0]["cwnd"] == before


@requirement("SCTP-021")
@requirement("SCTP-046")
@requirement("SCTP-047")
@requirement("SCTP-048")
def test_the_third_report_sends_again_once_and_halves_the_window_once(pair):
    two = pair(sctp=QUIET)
    association = two.established()
    wire = Wire(two)
    association.send(1, bytes(60 * DATA))
    two.run(0.9)
    window = association.core.paths[0]["cwnd"]
    wire.seen.clear()
    numbers = []

    def drop(frame):
        # The first and the second packet, and the first one's retransmission.
        for message in frame.messages:
            if message.tsn not in numbers:
                numbers.append(message.tsn)
        tsns = [numbers.index(m.tsn) for m in frame.messages]
        lost = {0, 1} & set(tsns) and drop.left > 0
        drop.left -= bool(lost)
        return bool(lost)

    drop.left = 3
    wire.drop = drop
    start = two.clock.now
    for _ in range(10):
        association.send(1, bytes(DATA))
    two.run(0.5)
    [path] = association.core.paths
    assert path["ssthresh"] == max(window / 2, 4 * PAYLOAD)
    assert path["ssthresh"] <= path["cwnd"] <= path["ssthresh"] + PAYLOAD
    again = [
        (round(time - start, 2), sorted(numbers.index(m.tsn) for m in f.messages))
        for time, f in wire.of("DATA", two.client_host)[10:]
    ]
    # The first goes out again after the third report; its loss is left to T3.
    assert again[0] == (0.1, [0])
    assert [tsns for _, tsns in again].count([0]) == 1
    two.run(10)
    assert len(two.server.data) == 11


@requirement("SCTP-049")
def test_t3_starts_anew_when_the_earliest_is_sent_again(pair):
    two = pair(sctp=QUIET)
    association = two.established()
    wire = Wire(two)
    association.send(1, bytes(60 * DATA))
    two.run(0.9)
    start = two.clock.now
    lost = []

    def drop(frame):
        # The first packet and its retransmission.
        tsns = [m.tsn for m in frame.messages]
        if tsns and (not lost or tsns[0] == lost[0]) and len(lost) < 2:
            lost.append(tsns[0])
            return True
        return False

    wire.drop = drop
    wire.seen.clear()
    for _ in range(6):
        association.send(1, bytes(DATA))
    two.run(5)
    times = [round(t - start, 2) for t, f in wire.of("DATA") if f.messages[0].tsn == lost[0]]
    # Sent at 0, again after a round trip, and a time-out of 1 s later.
    assert times == [0, 0.1, 1.1]


@requirement("SCTP-021")
@requirement("SCTP-033")
def test_what_is_marked_goes_before_new_data(pair):
    two = pair(sctp=QUIET)
    association = two.established()
    wire = Wire(two)
    association.send(1, bytes(60 * DATA))
    two.run(0.9)
    window = association.core.paths[0]["cwnd"]
    count = int(window / DATA)
    assert count >= 12
    wire.drop = lambda frame: bool(frame.messages)
    for _ in range(count + 1):
        association.send(1, bytes(DATA))
    two.run(0.5)
    association.send(1, b"new" + bytes(DATA - 3))
    wire.drop = lambda frame: False
    wire.seen.clear()
    two.run(10)
    sent = [m.data[:3] for _, f in wire.of("DATA", two.client_host) for m in f.messages]
    assert sent[-1] == b"new" and sent.count(b"new") == 1
    assert len(two.server.data) == count + 3


@requirement("SCTP-046")
def test_three_reports_are_enough(pair):
    two = pair(sctp=QUIET)
    association = two.established()
    wire = Wire(two, once("DATA"))
    start = two.clock.now
    for number in range(4):
        association.send(1, bytes([number]) * DATA)
    two.run(5)
    assert [round(time - start, 2) for time in wire.times("DATA")] == [0, 0, 0, 0, 0.1]


@requirement("SCTP-043")
def test_a_window_that_is_not_used_does_not_open(pair):
    two = pair(sctp=SctpSettings(heartbeat_interval=None, sack_delay=0))
    association = two.established()
    Wire(two)
    for _ in range(20):
        association.send(1, bytes(1000))
        two.run(0.2)
    assert association.core.paths[0]["cwnd"] == 4404
    # One that is used opens by what is acknowledged, by a packet at most.
    before = association.core.paths[0]["cwnd"]
    for _ in range(4):
        association.send(1, bytes(DATA))
    two.run(1)
    grown = association.core.paths[0]["cwnd"] - before
    assert 0 < grown <= 4 * PAYLOAD
    assert grown % DATA == 0


@requirement("SCTP-042")
def test_a_window_that_is_not_used_for_long_keeps_four_packets(pair):
    two = pair(sctp=QUIET)
    association = two.established()
    Wire(two)
    association.send(1, bytes(60 * DATA))
    two.run(60)
    assert association.core.paths[0]["cwnd"] > 10 * PAYLOAD
    association.send(1, b"x")
    assert association.core.paths[0]["cwnd"] == 4 * PAYLOAD


@requirement("SCTP-032")
@requirement("SCTP-053")
def test_a_lone_packet_has_its_time_out_and_success_forgives_errors(pair):
    two = pair(sctp=QUIET)
    association = two.established()
    wire = Wire(two)
    for _ in range(2):
        wire.drop = once("DATA")
        wire.seen.clear()
        start = two.clock.now
        rto = association.core.paths[0]["rto"]
        association.send(1, b"x")
        two.run(rto + 0.02)
        assert association.core.paths[0]["errors"] == 1
        two.run(10)
        assert [time - start for time in wire.times("DATA")] == pytest.approx([0, rto])
        assert association.core.paths[0]["errors"] == 0
    # Nothing is out: no time-out comes, which would double the RTO.
    wire.drop = lambda frame: False
    association.send(1, b"x")
    two.run(0.5)
    before = association.core.paths[0]["rto"]
    two.run(100)
    assert association.core.paths[0]["rto"] == before


@requirement("SCTP-039")
def test_a_message_is_handed_on_when_its_last_part_is_there(pair):
    two = pair(sctp=QUIET)
    association = two.established()
    seen = []

    def last(frame):
        parts = [m for m in frame.messages if m.ends and not m.begins]
        seen.extend(parts)
        return bool(parts) and len(seen) == 1

    Wire(two, last)
    association.send(1, bytes(3 * DATA))
    two.run(0.5)
    assert two.server.data == []
    two.run(5)
    assert [len(data) for data in two.server.data] == [3 * DATA]


@requirement("SCTP-039")
def test_messages_that_fit_into_a_packet_are_not_cut(pair):
    two = pair(sctp=QUIET)
    association = two.connect()
    wire = Wire(two)
    for _ in range(6):
        association.send(1, bytes(1000))
    two.run(5)
    parts = [m for _, f in wire.of("DATA", two.client_host) for m in f.messages]
    assert [(len(m.data), m.begins, m.ends) for m in parts] == [(1000, True, True)] * 6
