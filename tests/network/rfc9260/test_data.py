"""Transfer of user data, as RFC 9260 6 asks for it."""

from itertools import pairwise

import pytest

from rsim.network import (
    Frame,
    LinkSettings,
    SctpSettings,
    Tap,
)
from rsim.network.frame import Sack

from .wire import DATA, PAYLOAD, QUIET, Wire, busy, chunk_of, kinds, lost, once

requirement = pytest.mark.conformance


@requirement("SCTP-023")
@requirement("SCTP-026")
def test_every_second_packet_is_acknowledged_and_a_lone_one_after_200_ms(pair):
    two = pair(sctp=QUIET)
    association = two.established()
    wire = Wire(two)
    start = two.clock.now
    association.send(1, bytes(100))
    two.run(5)
    assert [time - start for time in wire.times("SACK")] == pytest.approx([0.25])
    wire.seen.clear()
    for _ in range(3):
        association.send(1, bytes(DATA))
    start = two.clock.now
    two.run(5)
    sacks = wire.of("SACK")
    assert [time - start for time, _ in sacks] == pytest.approx([0.05, 0.25])
    assert all(kinds(frame).count("SACK") == 1 for _, frame in sacks)


@requirement("SCTP-024")
def test_a_duplicate_is_acknowledged_at_once_and_handed_on_once(pair):
    two = pair(sctp=QUIET)
    association = two.established()
    wire = Wire(two, once("SACK"))
    start = two.clock.now
    association.send(1, b"once")
    two.run(10)
    data, sacks = wire.times("DATA"), wire.times("SACK")
    assert [time - start for time in data] == pytest.approx([0, 1.0])
    assert [time - start for time in sacks] == pytest.approx([0.25, 1.05])
    assert two.server.data == [b"once"]


@requirement("SCTP-025")
def test_each_gap_is_told(pair):
    two = pair(sctp=QUIET)
    association = two.established()
    wire = Wire(two, lost(0, 2))
    for number in range(4):
        association.send(1, bytes([number]) * DATA)
    two.run(0.3)
    first = wire.of("DATA")[0][1].messages[0].tsn
    last = chunk_of(wire.of("SACK")[-1][1], "SACK")
    assert last.cumulative == first - 1
    assert last.gaps == ((first + 1, first + 1), (first + 3, first + 3))


@requirement("SCTP-043")
def test_reports_that_do_not_advance_do_not_open_the_window(pair):
    two = pair(sctp=SctpSettings(heartbeat_interval=None, max_burst=100))
    association = two.established()
    wire = Wire(two, lost(0, 1))
    for _ in range(4):
        association.send(1, bytes(DATA))
    two.run(0.3)
    assert len(wire.of("SACK")) == 2
    assert association.core.paths[0]["cwnd"] == 4404


@requirement("SCTP-047")
def test_a_loss_after_the_recovery_halves_the_window_again(pair):
    two = pair(sctp=QUIET)
    association = two.established()
    wire = Wire(two)
    association.send(1, bytes(60 * DATA))
    two.run(0.9)
    for _ in range(2):
        before = association.core.paths[0]["cwnd"]
        assert before > 8 * PAYLOAD
        wire.drop = lost(0)
        for _ in range(6):
            association.send(1, bytes(DATA))
        two.run(0.5)
        [path] = association.core.paths
        assert path["ssthresh"] == max(before / 2, 4 * PAYLOAD)
        # All is acknowledged, and the window opens again; soon, or it would be taken for unused.
        wire.drop = lambda frame: False
        association.send(1, bytes(60 * DATA))
        two.run(0.9)
        assert association.core.unacknowledged == 0


@requirement("SCTP-025")
@requirement("SCTP-046")
def test_a_gap_is_told_at_once_with_what_is_beyond_it(pair):
    two = pair(sctp=QUIET)
    association = two.established()
    wire = Wire(two, once("DATA"))
    start = two.clock.now
    for number in range(3):
        association.send(1, bytes([number]) * DATA)
    two.run(0.3)
    first = wire.of("DATA")[0][1].messages[0].tsn
    told = [(round(time - start, 3), chunk_of(frame, "SACK")) for time, frame in wire.of("SACK")]
    assert [time for time, _ in told] == [0.05, 0.05]
    assert [(sack.cumulative, sack.gaps) for _, sack in told] == [
        (first - 1, ((first + 1, first + 1),)),
        (first - 1, ((first + 1, first + 2),)),
    ]
    # Two reports are not enough: T3 sends it again.
    two.run(5)
    assert [time - start for time in wire.times("DATA")] == pytest.approx([0, 0, 0, 1.0])
    # What fills the gap is told at once, too.
    assert [time - start for time in wire.times("SACK")] == pytest.approx([0.05, 0.05, 1.05])


@requirement("SCTP-019")
@requirement("SCTP-027")
@requirement("SCTP-029")
def test_the_window_is_told_heeded_and_probed(pair):
    two = pair(sctp=SctpSettings(receive_buffer=4000, heartbeat_interval=None))
    busy(two, 5.0)
    association = two.established()
    wire = Wire(two)
    for _ in range(6):
        association.send(1, bytes(1000))
    two.run(3)
    windows = [chunk_of(frame, "SACK").window for _, frame in wire.of("SACK")]
    # What the CPU works on is out of the buffer; of the others 1,000 octets each are in it.
    assert windows[:3] == [3000, 1000, 0] and windows[-1] == 0
    start = two.clock.now - 3
    probes = [(round(time - start, 2), f) for time, f in wire.of("DATA")[4:]]
    # One chunk, sent again with a time-out that doubles, while nothing else leaves.
    assert [time for time, _ in probes] == [0.1, 1.1]
    assert [len(f.messages) for _, f in probes] == [1, 1]
    assert len({f.messages[0].tsn for _, f in probes}) == 1
    arrived = sum(len(m.data) for _, f in wire.of("DATA", two.client_host) for m in f.messages)
    # What fits, and one packet that asks.
    assert 4000 <= arrived <= 6000
    before = len(wire.of("DATA"))
    two.run(60)
    later = wire.of("DATA")[before:]
    assert later and all(len(f.messages) == 1 for _, f in later)
    two.run(600)
    assert len(two.server.data) == 6 and two.client.kinds == []


@requirement("SCTP-019")
def test_what_rides_with_the_cookie_fits_the_window(pair):
    two = pair(sctp=SctpSettings(receive_buffer=1500, heartbeat_interval=None), mtu=4000)
    wire = Wire(two)
    association = two.connect()
    for _ in range(20):
        association.send(1, bytes(100))
    two.run(5)
    [(_, echo)] = wire.of("COOKIE_ECHO")
    assert sum(len(m.data) for m in echo.messages) == 1500
    assert len(two.server.data) == 20


@requirement("SCTP-019")
def test_a_window_without_room_is_asked_by_one_packet_at_once(pair):
    two = pair(sctp=SctpSettings(receive_buffer=1500, heartbeat_interval=None))
    busy(two, 50.0)
    association = two.established()
    wire = Wire(two)
    # The CPU works on the first, and the second fills the buffer.
    for _ in range(2):
        association.send(1, bytes(1400))
        two.run(1)
    assert chunk_of(wire.of("SACK")[-1][1], "SACK").window <= 100
    assert association.core.unacknowledged == 0
    before = len(wire.of("DATA"))
    for _ in range(2):
        association.send(1, bytes(500))
    two.run(0.5)
    assert len(wire.of("DATA")) == before + 1


@requirement("SCTP-028")
def test_an_old_acknowledgement_is_dropped(pair):
    two = pair(sctp=QUIET)
    association = two.established()
    wire = Wire(two)
    association.send(1, bytes(100))
    two.run(5)
    _, last = wire.of("SACK")[-1]
    sack = chunk_of(last, "SACK")
    old = Sack(sack.cumulative - 2, (), 0)
    two.client_host.arrive(Frame(last.source, last.destination, last.tag, (old,)))
    # Its window of 0 counts for nothing.
    for _ in range(3):
        association.send(1, bytes(DATA))
    start = two.clock.now
    two.run(5)
    assert [time for time, *_ in two.server.seen[-3:]] == pytest.approx([start + 0.05] * 3)


@requirement("SCTP-030")
@pytest.mark.parametrize(("low", "high"), [(1.0, 60.0), (0.2, 60.0), (0.2, 0.9)])
def test_the_time_out_follows_the_round_trips(pair, low, high):
    settings = SctpSettings(rto_min=low, rto_max=high, sack_delay=0, heartbeat_interval=None)
    two = pair(delay=0.3, sctp=settings)
    Wire(two)
    association = two.connect()
    two.run(10)
    smooth = vary = None
    for delay in (0.3, 0.3, 0.1, 0.4, *[0.01] * 20):
        for link in two.links:
            two.network.change([link], LinkSettings(delay=delay))
        association.send(1, b"x")
        two.run(10)
        time = 2 * delay
        if smooth is None:
            smooth, vary = time, time / 2
        else:
            vary = 0.75 * vary + 0.25 * abs(smooth - time)
            smooth = 0.875 * smooth + 0.125 * time
        rto = min(max(smooth + 4 * vary, low), high)
        assert association.core.paths[0]["rto"] == pytest.approx(rto)


@requirement("SCTP-031")
def test_what_was_sent_again_gives_no_round_trip_time(pair):
    two = pair(sctp=SctpSettings(rto_min=0.01, sack_delay=0, heartbeat_interval=None))
    association = two.established()
    wire = Wire(two)
    for _ in range(3):
        association.send(1, b"measured")
        two.run(5)
    before = association.core.paths[0]["rto"]
    wire.drop = once("DATA")
    association.send(1, b"lost")
    two.run(5)
    assert two.client_host.counters.retransmissions == 1
    # It is twice the time-out still, as the acknowledgement may be that of either.
    assert association.core.paths[0]["rto"] == 2 * before
    association.send(1, b"measured")
    two.run(5)
    assert association.core.paths[0]["rto"] < before


@requirement("SCTP-032")
def test_t3_starts_with_data_restarts_with_progress_and_ends_with_the_last(pair):
    settings = SctpSettings(heartbeat_interval=None, sack_delay=0)
    two = pair(delay=0.3, sctp=settings)
    association = two.connect()
    two.run(5)
    wire = Wire(two)
    start = two.clock.now
    lost = []

    def drop(frame):
        return any(m.data == b"second" for m in frame.messages) and not lost and not lost.append(1)

    wire.drop = drop
    association.send(1, b"first")
    two.clock.call_at(start + 0.5, association.send, 1, b"second")
    two.run(0.65)
    rto = association.core.paths[0]["rto"]
    two.run(10)
    # The acknowledgement of the first at 0.6 s starts it anew for the second.
    again = [time - start for time, f in wire.of("DATA") if f.messages[0].data == b"second"]
    assert again == pytest.approx([0.5, 0.6 + rto])
    assert two.server.data == [b"first", b"second"]
    count = len(wire.of("DATA"))
    two.run(100)
    assert len(wire.of("DATA")) == count


@requirement("SCTP-033")
@requirement("SCTP-045")
def test_t3_backs_off_shrinks_the_window_and_sends_one_packet(pair):
    two = pair(sctp=QUIET)
    association = two.established()
    wire = Wire(two)
    association.send(1, bytes(60 * DATA))
    two.run(0.9)
    wire.drop = lambda frame: bool(frame.messages)
    wire.seen.clear()
    start = two.clock.now
    for _ in range(4):
        association.send(1, bytes(DATA))
    window = association.core.paths[0]["cwnd"]
    assert window >= 9 * PAYLOAD
    two.run(1.5)
    times = [round(time - start, 3) for time in wire.times("DATA")]
    assert times == [0, 0, 0, 0, 1.0]
    # The earliest of them goes again.
    first, *_, again = (frame.messages[0].tsn for _, frame in wire.of("DATA"))
    assert again == first
    [path] = association.core.paths
    assert path["cwnd"] == PAYLOAD
    assert path["ssthresh"] == max(window / 2, 4 * PAYLOAD)
    assert path["rto"] == 2.0
    two.run(6)
    assert [round(time - start, 3) for time in wire.times("DATA")][5:] == [3.0, 7.0]


@requirement("SCTP-034")
@requirement("SCTP-035")
def test_data_goes_to_the_primary_again_elsewhere_and_acknowledgements_where_it_came_from(pair):
    two = pair(homes=2, sctp=QUIET)
    association = two.established()
    first = Wire(two, once("DATA"))
    second = Wire.__new__(Wire)
    Tap.__init__(second)
    second.two, second.drop, second.seen = two, lambda frame: False, []
    two.network.tap(two.network.path_links("a1", "b1"), second)
    association.send(1, b"one")
    two.run(10)
    assert len(first.of("DATA")) == 1 and len(second.of("DATA")) == 1
    [(_, again)], [(_, sack)] = second.of("DATA"), second.of("SACK")
    assert again.destination[0] == two.server_host.addresses[1]
    assert sack.destination[0] == again.source[0] == two.client_host.addresses[1]
    association.send(1, b"two")
    two.run(10)
    assert len(first.of("DATA")) == 2 and len(second.of("DATA")) == 1
    assert first.of("SACK")[-1][1].destination[0] == two.client_host.addresses[0]


@requirement("SCTP-036")
@requirement("SCTP-037")
def test_streams_order_their_own_messages_and_unordered_ones_wait_for_nothing(pair):
    two = pair()
    association = two.established()
    wire = Wire(two, once("DATA"))
    association.send(1, b"a1", stream=1)
    association.send(1, b"b1", stream=2)
    association.send(1, b"a2", stream=1)
    association.send(1, b"u", stream=1, unordered=True)
    association.send(1, b"b2", stream=2)
    two.run(10)
    sent = [(m.stream, m.sequence, m.data) for _, f in wire.of("DATA")[1:] for m in f.messages]
    assert (2, 0, b"b1") in sent and (2, 1, b"b2") in sent and (1, 1, b"a2") in sent
    assert two.server.data == [b"b1", b"u", b"b2", b"a1", b"a2"]


@requirement("SCTP-039")
def test_long_messages_are_cut_by_the_path_and_put_together(pair):
    two = pair()
    association = two.established()
    wire = Wire(two)
    message = bytes(range(256)) * 17
    association.send(1, message)
    association.send(1, b"whole")
    two.run(5)
    parts = [m for _, f in wire.of("DATA", two.client_host) for m in f.messages]
    assert [(len(m.data), m.begins, m.ends) for m in parts] == [
        (1452, True, False),
        (1452, False, False),
        (1448, False, True),
        (5, True, True),
    ]
    assert [b.tsn - a.tsn for a, b in pairwise(parts)] == [1, 1, 1]
    assert len({m.sequence for m in parts[:3]}) == 1
    assert two.server.data == [message, b"whole"]


@requirement("SCTP-040")
def test_chunks_are_bundled_up_to_the_mtu_with_control_first(pair):
    two = pair()
    association = two.connect()
    wire = Wire(two)
    for _ in range(60):
        association.send(1, bytes(100))
    two.run(5)
    packets = wire.of("DATA", two.client_host)
    assert len(packets) < 10
    assert all(frame.size <= 1500 for _, frame in packets)
    # Twelve chunks of 116 octets fit beside the headers of 32, and thirteen do not.
    counts = [len(frame.messages) for _, frame in packets]
    assert counts[0] == 11 and counts.count(12) >= 3 and sum(counts) == 60
    for _, frame in packets:
        names = kinds(frame)
        assert names == sorted(names, key=lambda name: name == "DATA")
    assert kinds(packets[0][1])[0] == "COOKIE_ECHO"
    assert len(two.server.data) == 60
