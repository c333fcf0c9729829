"""Requirements of RFC 9260 that the network models, packet by packet, by their ids."""

from dataclasses import replace
from itertools import pairwise

import pytest

from rsim.network import (
    Chunk,
    Control,
    Cpu,
    CpuSettings,
    Event,
    Frame,
    LinkSettings,
    SctpSettings,
    Tap,
)
from rsim.network.frame import Data, Sack
from rsim.randomness import Streams

requirement = pytest.mark.conformance
QUIET = SctpSettings(heartbeat_interval=None)
DATA = 1452
"""Octets of a message in a full packet: 1,500 without headers of IPv4, SCTP and the chunk."""
PAYLOAD = 1468
"""Octets of a packet that chunks may take: 1,500 without headers of IPv4 and SCTP."""


def kinds(frame):
    """Names of the chunks of a packet, in their order."""
    return [
        chunk.kind.name if isinstance(chunk, Chunk) else type(chunk).__name__.upper()
        for chunk in frame.chunks
    ]


class Wire(Tap):
    """Notes all packets with their time, and drops those that `drop` names."""

    def __init__(self, two, drop=lambda frame: False):
        super().__init__()
        self.two = two
        self.drop = drop
        self.seen = []
        two.network.tap(two.links, self)

    def frame(self, frame):
        self.seen.append((self.network.clock.now, frame))
        return None if self.drop(frame) else frame

    def of(self, kind, host=None):
        """Times and packets with a kind of chunk, from one host or both."""
        address = host.address if host is not None else None
        return [
            (time, frame)
            for time, frame in self.seen
            if kind in kinds(frame) and address in (None, frame.source[0])
        ]

    def times(self, kind, host=None):
        """Times of packets with a kind of chunk."""
        return [time for time, _ in self.of(kind, host)]


def chunk_of(frame, kind):
    """The chunk of a kind."""
    return next(c for c, name in zip(frame.chunks, kinds(frame), strict=True) if name == kind)


def established(two):
    association = two.connect()
    two.run(2)
    two.client.events.clear()
    two.server.events.clear()
    return association


def once(kind):
    """Drops the first packet with a kind of chunk."""
    done = []

    def drop(frame):
        if kind in kinds(frame) and not done:
            done.append(frame)
            return True
        return False

    return drop


# Set-up (5) --------------------------------------------------------------------------------------


@requirement("SCTP-001")
@requirement("SCTP-004")
@requirement("SCTP-005")
@requirement("SCTP-007")
@requirement("SCTP-008")
@requirement("SCTP-058")
def test_the_handshake_and_its_tags(pair):
    two = pair()
    wire = Wire(two)
    two.connect()
    two.run(5)
    (_, init), (_, answer), (_, echo), (_, last) = wire.seen[:4]
    assert [kinds(f) for f in (init, answer, echo, last)] == [
        ["INIT"],
        ["INIT_ACK"],
        ["COOKIE_ECHO"],
        ["COOKIE_ACK"],
    ]
    assert [time for time, _ in wire.seen[:4]] == pytest.approx([0, 0.05, 0.1, 0.15])
    mine, yours = chunk_of(init, "INIT").tag, chunk_of(answer, "INIT_ACK").tag
    assert mine != 0 != yours
    assert [f.tag for f in (init, answer, echo, last)] == [0, mine, yours, mine]
    # The cookie goes back as it came.
    cookie = chunk_of(answer, "INIT_ACK").cookie
    assert chunk_of(echo, "COOKIE_ECHO").cookie == cookie
    assert (cookie.own_tag, cookie.peer_tag) == (yours, mine)
    assert (cookie.own_tsn, cookie.peer_tsn) == (
        chunk_of(answer, "INIT_ACK").tsn,
        chunk_of(init, "INIT").tsn,
    )
    assert (cookie.remote, cookie.window) == (
        (two.client_host.address,),
        chunk_of(init, "INIT").window,
    )
    assert two.client.kinds == two.server.kinds == [Event.UP]


@requirement("SCTP-003")
def test_an_init_allocates_nothing(pair):
    two = pair()
    wire = Wire(two, lambda frame: "COOKIE_ECHO" in kinds(frame))
    two.connect()
    two.run(300)
    assert len(wire.of("INIT_ACK")) >= 1
    assert two.server_host.associations == () and two.accepted == []
    assert two.server.kinds == []


@requirement("SCTP-006")
def test_data_rides_behind_the_cookie_echo_and_not_before(pair):
    two = pair()
    wire = Wire(two)
    two.connect().send(1, b"early")
    two.run(5)
    first = wire.of("DATA")[0][1]
    assert kinds(first) == ["COOKIE_ECHO", "DATA"]
    assert kinds(wire.of("INIT")[0][1]) == ["INIT"]
    assert two.server.data == [b"early"]


@requirement("SCTP-002")
@requirement("SCTP-013")
@requirement("SCTP-070")
@pytest.mark.parametrize(("most", "times"), [(8, 9), (2, 3)])
def test_init_is_sent_again_by_t1_up_to_the_limit(pair, most, times):
    two = pair(sctp=SctpSettings(max_init_retransmits=most))
    wire = Wire(two, lambda frame: True)
    two.connect()
    two.run(1000)
    expected = [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]
    assert wire.times("INIT") == pytest.approx(expected[:times])
    assert two.client.events == [(pytest.approx(expected[times]), Event.LOST)]


@requirement("SCTP-014")
def test_cookie_echo_is_sent_again_by_t1_up_to_the_limit(pair):
    two = pair(sctp=SctpSettings(max_init_retransmits=3))
    wire = Wire(two, lambda frame: "COOKIE_ECHO" in kinds(frame))
    two.connect()
    two.run(100)
    assert wire.times("COOKIE_ECHO") == pytest.approx([0.1, 1.1, 3.1, 7.1])
    assert two.client.events == [(pytest.approx(15.1), Event.LOST)]


@requirement("SCTP-005")
@requirement("SCTP-014")
def test_t1_cookie_begins_anew_whatever_init_has_taken(pair):
    two = pair(sctp=SctpSettings(max_init_retransmits=2))
    first = once("INIT")
    wire = Wire(two, lambda frame: first(frame) or "COOKIE_ECHO" in kinds(frame))
    two.connect()
    two.run(100)
    assert wire.times("INIT") == pytest.approx([0, 1])
    assert wire.times("COOKIE_ECHO") == pytest.approx([1.1, 2.1, 4.1])
    assert two.client.events == [(pytest.approx(8.1), Event.LOST)]


@requirement("SCTP-005")
@requirement("SCTP-008")
def test_t1_ends_with_each_answer(pair):
    # A timer that goes on would count an error, and one is too many.
    two = pair(sctp=SctpSettings(association_max_retrans=0, heartbeat_interval=None))
    wire = Wire(two)
    two.connect()
    two.run(100)
    assert two.client.kinds == [Event.UP]
    assert [len(wire.of(kind)) for kind in ("INIT", "COOKIE_ECHO", "COOKIE_ACK")] == [1, 1, 1]


@requirement("SCTP-011")
def test_a_lost_cookie_ack_is_sent_again_and_makes_no_second_association(pair):
    two = pair()
    wire = Wire(two, once("COOKIE_ACK"))
    two.connect().send(1, b"?x")
    two.run(10)
    assert wire.times("COOKIE_ACK") == pytest.approx([0.15, 1.15])
    assert two.server.data == [b"?x"] and len(two.accepted) == 1
    assert two.client.kinds == [Event.UP]


@requirement("SCTP-009")
@pytest.mark.parametrize(
    ("life", "delay", "good"),
    [(60, 59.8, True), (60, 60, False), (5, 4.8, True), (5, 5, False), (200, 70, True)],
)
def test_a_cookie_is_good_for_its_life(pair, life, delay, good):
    """It is held back on its way, and is made 0.1 s before it is there by itself."""
    two = pair(sctp=SctpSettings(rto_initial=100, rto_max=100, cookie_life=life))

    class Late(Wire):
        def hold(self, frame):
            return delay if "COOKIE_ECHO" in kinds(frame) else 0.0

    wire = Late(two)
    two.connect()
    two.run(99)
    assert (len(two.accepted) == 1) is good
    assert bool(wire.of("COOKIE_ACK")) is good
    assert two.client.kinds == ([Event.UP] if good else [Event.ABORTED])


@requirement("SCTP-010")
@pytest.mark.parametrize(
    "wrong",
    [
        {"mac": 1},
        {"peer_tag": 1},
        {"own_tsn": 1},
        {"peer_tsn": 1},
        {"window": 1},
        {"created": 1.0},
        {"remote": ("10.9.9.9",)},
        {"own_tag": 1},
        {"own_tag": 1, "tag": 1},
        {"tag": 1},
        {"source": 1},
        {"destination": 1},
    ],
    ids=lambda wrong: " ".join(wrong),
)
def test_a_cookie_that_was_not_signed_here_creates_nothing(pair, wrong):
    two = pair()
    wire = Wire(two, lambda frame: "COOKIE_ECHO" in kinds(frame))
    two.connect()
    two.run(1)
    # At the next port somebody listens, too.
    two.server_host.listen(8, lambda association: two.accepted.append(association) or two.server)
    _, frame = wire.of("COOKIE_ECHO")[0]
    cookie = chunk_of(frame, "COOKIE_ECHO").cookie
    packet = {name: wrong.get(name, 0) for name in ("source", "destination", "tag")}
    changes = {name: getattr(cookie, name) + by for name, by in wrong.items() if name not in packet}
    source = (frame.source[0], frame.source[1] + packet["source"])
    destination = (frame.destination[0], frame.destination[1] + packet["destination"])
    chunk = Chunk(Control.COOKIE_ECHO, cookie=replace(cookie, **changes))
    wire.seen.clear()
    two.server_host.arrive(Frame(source, destination, frame.tag + packet["tag"], (chunk,)))
    assert two.accepted == [] and two.server_host.associations == ()
    # Nor is there an answer (5.1.5).
    assert [f for _, f in wire.seen if f.source[0] == two.server_host.address] == []
    chunk = Chunk(Control.COOKIE_ECHO, cookie=cookie)
    two.server_host.arrive(Frame(frame.source, frame.destination, frame.tag, (chunk,)))
    assert len(two.accepted) == 1


@requirement("SCTP-010")
def test_a_cookie_of_another_host_or_of_a_former_life_creates_nothing(pair):
    two = pair()
    wire = Wire(two, lambda frame: "COOKIE_ECHO" in kinds(frame))
    two.connect()
    two.run(1)
    _, frame = wire.of("COOKIE_ECHO")[0]
    other = two.network.add_host("other", "b0")
    other.listen(7, lambda association: two.accepted.append(association) or two.server)
    other.arrive(Frame(frame.source, (other.address, 7), frame.tag, frame.chunks))
    two.server_host.fail()
    two.server_host.restore()
    two.listen()
    two.server_host.arrive(Frame(frame.source, frame.destination, frame.tag, frame.chunks))
    assert two.accepted == []


@requirement("SCTP-012")
def test_a_restart_is_told_and_replaces_the_association(pair):
    two = pair()
    two.connect(local_port=5000).send(1, b"one")
    two.run(1)
    two.client_host.fail()
    two.client_host.restore()
    two.connect(local_port=5000).send(1, b"two")
    two.run(1)
    assert two.server.kinds == [Event.UP, Event.RESTARTED, Event.UP]
    assert two.server.data == [b"one", b"two"]
    assert len(two.server_host.associations) == 1


@requirement("SCTP-015")
def test_all_addresses_are_told_and_used(pair):
    two = pair(homes=2, sctp=QUIET)
    wire = Wire(two)
    association = two.client_host.connect(two.server_host.address, 7, two.client)
    two.run(2)
    assert chunk_of(wire.of("INIT")[0][1], "INIT").addresses == two.client_host.addresses
    assert association.remote_addresses == two.server_host.addresses
    assert two.accepted[0].remote_addresses == two.client_host.addresses
    two.network.cut(two.links)
    association.send(1, b"?over the other one")
    two.run(10)
    assert two.server.data == [b"?over the other one"]


@requirement("SCTP-016")
def test_a_port_without_a_listener_aborts_with_the_tag_of_the_init(pair):
    two = pair()
    two.server_host.close(7)
    wire = Wire(two)
    two.connect()
    two.run(10)
    [(_, abort)] = wire.of("ABORT")
    assert abort.tag == chunk_of(wire.of("INIT")[0][1], "INIT").tag
    assert two.client.kinds == [Event.ABORTED]


# Data (6) ----------------------------------------------------------------------------------------


@requirement("SCTP-023")
@requirement("SCTP-026")
def test_every_second_packet_is_acknowledged_and_a_lone_one_after_200_ms(pair):
    two = pair(sctp=QUIET)
    association = established(two)
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
    association = established(two)
    wire = Wire(two, once("SACK"))
    start = two.clock.now
    association.send(1, b"once")
    two.run(10)
    data, sacks = wire.times("DATA"), wire.times("SACK")
    assert [time - start for time in data] == pytest.approx([0, 1.0])
    assert [time - start for time in sacks] == pytest.approx([0.25, 1.05])
    assert two.server.data == [b"once"]


def lost(*numbers):
    """Drops the DATA packets with these numbers, from 0."""

    def drop(frame):
        drop.seen += bool(frame.messages)
        return bool(frame.messages) and drop.seen - 1 in numbers

    drop.seen = 0
    return drop


@requirement("SCTP-025")
def test_each_gap_is_told(pair):
    two = pair(sctp=QUIET)
    association = established(two)
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
    association = established(two)
    wire = Wire(two, lost(0, 1))
    for _ in range(4):
        association.send(1, bytes(DATA))
    two.run(0.3)
    assert len(wire.of("SACK")) == 2
    assert association.core.paths[0]["cwnd"] == 4404


@requirement("SCTP-047")
def test_a_loss_after_the_recovery_halves_the_window_again(pair):
    two = pair(sctp=QUIET)
    association = established(two)
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
    association = established(two)
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
    two.server_host.cpu = Cpu(
        two.clock, CpuSettings(service_time=5.0), Streams(1).stream("server", "cpu")
    )
    association = established(two)
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
    two.server_host.cpu = Cpu(
        two.clock, CpuSettings(service_time=50.0), Streams(1).stream("server", "cpu")
    )
    association = established(two)
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
    association = established(two)
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
    association = established(two)
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
    association = established(two)
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
    association = established(two)
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
    association = established(two)
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
    association = established(two)
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


# Congestion (7) ----------------------------------------------------------------------------------


@requirement("SCTP-020")
@requirement("SCTP-041")
@requirement("SCTP-043")
def test_slow_start_begins_with_the_initial_window_and_grows_by_acknowledged_packets(pair):
    two = pair(sctp=SctpSettings(heartbeat_interval=None, max_burst=100))
    association = established(two)
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
    association = established(two)
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
    association = established(two)
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
    association = established(two)
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
    association = established(two)
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
    association = established(two)
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
    association = established(two)
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
    association = established(two)
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
    association = established(two)
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
    association = established(two)
    wire = Wire(two, once("DATA"))
    start = two.clock.now
    for number in range(4):
        association.send(1, bytes([number]) * DATA)
    two.run(5)
    assert [round(time - start, 2) for time in wire.times("DATA")] == [0, 0, 0, 0, 0.1]


@requirement("SCTP-043")
def test_a_window_that_is_not_used_does_not_open(pair):
    two = pair(sctp=SctpSettings(heartbeat_interval=None, sack_delay=0))
    association = established(two)
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
    association = established(two)
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
    association = established(two)
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
    association = established(two)
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


# Failures (8) ------------------------------------------------------------------------------------


@requirement("SCTP-033")
@requirement("SCTP-052")
@requirement("SCTP-070")
@pytest.mark.parametrize(("most", "seconds"), [(10, 363), (2, 7)])
def test_a_peer_is_lost_after_more_errors_than_the_limit(pair, most, seconds):
    settings = SctpSettings(association_max_retrans=most, heartbeat_interval=None)
    two = pair(sctp=settings)
    association = established(two)
    wire = Wire(two)
    # An acknowledgement sets the count to zero.
    wire.drop = once("DATA")
    for _ in range(2):
        association.send(1, b"one")
        two.run(5)
    wire.drop = lambda frame: bool(frame.messages)
    start = two.clock.now
    association.send(1, b"two")
    two.run(1000)
    assert two.client.events == [(pytest.approx(start + seconds), Event.LOST)]
    assert len(wire.of("DATA")) == 3 + most + 1


@requirement("SCTP-053")
@pytest.mark.parametrize("most", [5, 1])
def test_a_path_is_inactive_after_more_errors_than_its_limit(pair, most):
    settings = SctpSettings(path_max_retrans=most, heartbeat_interval=None)
    two = pair(homes=2, sctp=settings)
    association = established(two)
    two.network.cut(two.links)
    failures = []
    for _ in range(8):
        association.send(1, b"x")
        two.run(200)
        failures.append(two.client_host.counters.path_failures)
    assert failures.index(1) == most and failures[-1] == 1
    assert association.core.paths[0]["active"] is False
    assert two.client.kinds == []


@requirement("SCTP-054")
@requirement("SCTP-055")
@requirement("SCTP-056")
def test_heartbeats_on_idle_paths_are_answered_and_count_errors_where_they_are_not(pair):
    two = pair(loss=1e-12)
    association = established(two)
    wire = Wire(two)
    two.run(400)
    beats = wire.of("HEARTBEAT", two.client_host)
    answers = wire.of("HEARTBEAT_ACK", two.server_host)
    gaps = [b - a for a, b in pairwise(time for time, _ in beats)]
    assert len(beats) >= 11 and all(30.5 <= gap <= 31.5 for gap in gaps)
    assert max(gaps) - min(gaps) > 0.4
    assert [chunk_of(f, "HEARTBEAT_ACK").number for _, f in answers] == [
        chunk_of(f, "HEARTBEAT").number for _, f in beats
    ]
    assert all(
        (f.source, f.destination) == (g.destination, g.source)
        for (_, f), (_, g) in zip(answers, beats, strict=True)
    )
    wire.drop = lambda frame: "HEARTBEAT_ACK" in kinds(frame)
    two.run(65)
    assert association.core.paths[0]["errors"] >= 1
    wire.drop = lambda frame: False
    two.run(65)
    assert association.core.paths[0]["errors"] == 0
    two.server_host.fail()
    two.run(3000)
    assert two.client.kinds == [Event.LOST]


@requirement("SCTP-054")
def test_a_path_in_use_gets_no_heartbeat(pair):
    two = pair(loss=1e-12)
    association = established(two)
    wire = Wire(two)
    for _ in range(20):
        association.send(1, b"x")
        two.run(20)
    assert wire.of("HEARTBEAT", two.client_host) == []


@requirement("SCTP-070")
def test_parameters_have_the_values_of_the_rfc():
    assert SctpSettings().model_dump() == {
        "rto_initial": 1,
        "rto_min": 1,
        "rto_max": 60,
        "association_max_retrans": 10,
        "path_max_retrans": 5,
        "max_init_retransmits": 8,
        "heartbeat_interval": 30,
        "sack_delay": 0.2,
        "cookie_life": 60,
        "congestion_control": "rfc9260",
        "max_burst": 4,
        "receive_buffer": 131_072,
    }


@requirement("SCTP-057")
@requirement("SCTP-058")
@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("SHUTDOWN_ACK", "SHUTDOWN_COMPLETE"),
        ("HEARTBEAT", "ABORT"),
        ("SHUTDOWN", "ABORT"),
        ("ABORT", None),
        ("SHUTDOWN_COMPLETE", None),
        ("COOKIE_ACK", None),
    ],
)
def test_packets_out_of_the_blue(pair, kind, answer):
    two = pair()
    wire = Wire(two)
    here, there = (two.client_host.address, 5000), (two.server_host.address, 7)
    chunk = Chunk(Control[kind])
    two.server_host.arrive(Frame(here, there, 4242, (chunk,)))
    two.run(1)
    told = [(kinds(frame), frame.tag) for _, frame in wire.seen]
    assert told == ([([answer], 4242)] if answer else [])


@requirement("SCTP-058")
@requirement("SCTP-059")
def test_the_verification_tag_guards_the_association(pair):
    two = pair()
    association = established(two)
    wire = Wire(two)
    association.send(1, b"x")
    two.run(1)
    here, there = (two.client_host.address, association.local_port), (two.server_host.address, 7)
    good = wire.of("DATA")[0][1].tag
    other = wire.of("SACK")[0][1].tag
    for kind in (Control.ABORT, Control.SHUTDOWN, Control.SHUTDOWN_COMPLETE):
        two.server_host.arrive(Frame(here, there, good + 1, (Chunk(kind),)))
    for kind in (Control.SHUTDOWN, Control.SHUTDOWN_ACK):
        two.server_host.arrive(Frame(here, there, other, (Chunk(kind),)))
    for tag in (other, good + 1, 0):
        two.server_host.arrive(Frame(here, there, tag, (Data(1, 0, 0, 1, b"forged"),)))
    two.run(1)
    assert two.server.kinds == [] and two.server.data == [b"x"]
    assert two.server_host.counters.packets_with_wrong_tag == 8
    # ABORT with the tag of either side ends it (8.5.1).
    two.server_host.arrive(Frame(here, there, other, (Chunk(Control.ABORT),)))
    assert two.server.kinds == [Event.ABORTED]


# The end (9) -------------------------------------------------------------------------------------


@requirement("SCTP-059")
@requirement("SCTP-060")
def test_an_abort_ends_both_sides_at_once_and_is_not_answered(pair):
    two = pair()
    association = established(two)
    wire = Wire(two)
    association.send(1, b"x")
    association.core.abort()
    assert two.client_host.associations == ()
    start = two.clock.now
    two.run(10)
    assert len(wire.of("ABORT")) == 1
    assert two.server.events == [(pytest.approx(start + 0.05), Event.ABORTED)]
    assert two.client_host.associations == two.server_host.associations == ()


@requirement("SCTP-061")
@requirement("SCTP-062")
@requirement("SCTP-063")
@requirement("SCTP-064")
def test_shutdown_waits_for_what_was_sent_and_takes_three_packets(pair):
    two = pair(sctp=QUIET)
    association = established(two)
    wire = Wire(two)
    association.send(1, bytes(20 * DATA))
    association.close()
    association.send(1, b"too late")
    two.run(20)
    assert [len(data) for data in two.server.data] == [20 * DATA]
    order = [kinds(f)[-1] for _, f in wire.seen if "SHUTDOWN" in "".join(kinds(f))]
    assert order == ["SHUTDOWN", "SHUTDOWN_ACK", "SHUTDOWN_COMPLETE"]
    shutdown = wire.times("SHUTDOWN")[0]
    assert shutdown >= wire.times("SACK", two.server_host)[-1] + 0.05 - 1e-9
    assert two.server.kinds == [Event.SHUT_DOWN] and two.client.kinds == []
    assert two.client_host.associations == two.server_host.associations == ()


@requirement("SCTP-062")
@requirement("SCTP-063")
@requirement("SCTP-064")
@pytest.mark.parametrize("kind", ["SHUTDOWN", "SHUTDOWN_ACK", "SHUTDOWN_COMPLETE"])
def test_what_is_lost_of_a_shutdown_is_sent_again_by_t2(pair, kind):
    two = pair(sctp=QUIET)
    association = established(two)
    wire = Wire(two, once(kind))
    association.close()
    start = two.clock.now
    two.run(30)
    # The time-out is 1 s, and runs on both sides.
    times = sorted({round(time - start, 3) for time in wire.times(kind)})
    first = {"SHUTDOWN": 0, "SHUTDOWN_ACK": 0.05, "SHUTDOWN_COMPLETE": 0.1}[kind]
    assert times == [first, first + 1]
    assert two.client_host.associations == two.server_host.associations == ()


@requirement("SCTP-062")
def test_a_shutdown_that_nobody_answers_ends_after_the_limit(pair):
    two = pair(sctp=SctpSettings(association_max_retrans=3, heartbeat_interval=None))
    association = established(two)
    wire = Wire(two, lambda frame: "SHUTDOWN" in kinds(frame))
    association.close()
    start = two.clock.now
    two.run(100)
    assert [time - start for time in wire.times("SHUTDOWN")] == pytest.approx([0, 1, 3, 7])
    assert two.client_host.associations == ()


@requirement("SCTP-065")
@pytest.mark.parametrize("state", ["COOKIE-WAIT", "COOKIE-ECHOED"])
def test_a_shutdown_during_the_set_up_is_dropped(pair, state):
    two = pair()
    wire = Wire(two, once("INIT_ACK" if state == "COOKIE-WAIT" else "COOKIE_ACK"))
    association = two.connect()
    two.run(0.5)
    _, init = wire.of("INIT")[0]
    assert bool(wire.of("COOKIE_ECHO")) == (state == "COOKIE-ECHOED")
    tag = chunk_of(init, "INIT").tag
    shutdown = Frame(init.destination, init.source, tag, (Chunk(Control.SHUTDOWN),))
    two.client_host.arrive(shutdown)
    two.run(5)
    assert wire.of("SHUTDOWN_ACK") == []
    assert two.client.kinds == [Event.UP] and association.core.established


@requirement("SCTP-066")
def test_data_in_shutdown_sent_is_answered_by_shutdown_at_once(pair):
    two = pair(sctp=QUIET)
    association = established(two)
    wire = Wire(two, lambda frame: "SHUTDOWN" in kinds(frame))
    association.close()
    two.run(0.2)
    start = two.clock.now
    two.accepted[0].send(1, b"on its way")
    two.run(0.2)
    assert [round(time - start, 3) for time in wire.times("SHUTDOWN")[1:]] == [0.05]
    assert two.client.data == []
