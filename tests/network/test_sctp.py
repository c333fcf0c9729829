"""SCTP associations at message level, by RFC 9260."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsim.clock import Clock
from rsim.network import Event, LinkSettings, Network, SctpSettings, Tap, topology
from rsim.randomness import Streams

from .conftest import End


class Nothing(Tap):
    """Lets everything pass, and so takes messages off the short way."""


class Drop(Tap):
    """Drops the packets whose number, counted from 0, is in a set; notes when packets pass."""

    def __init__(self, which=(), wanted=lambda frame: True):
        super().__init__()
        self.which = which
        self.wanted = wanted
        self.times = []

    def frame(self, frame):
        if not self.wanted(frame):
            return frame
        self.times.append(self.network.clock.now)
        return None if len(self.times) - 1 in self.which else frame


def with_data(frame):
    return bool(frame.messages)


def test_set_up_takes_a_round_trip_and_data_rides_along(pair):
    two = pair()
    two.connect().send(1, b"?hello")
    two.run(1)
    # INIT and INIT ACK: 0.1 s; COOKIE ECHO with the message: 0.05 s more.
    assert two.server.seen == [(pytest.approx(0.15), 1, b"?hello")]
    assert two.client.seen == [(pytest.approx(0.2), 1, b"hello")]
    assert two.client.events == [(pytest.approx(0.2), Event.UP)]
    assert two.server.events == [(pytest.approx(0.15), Event.UP)]


def test_without_delay_an_association_is_there_at_once(pair):
    two = pair(delay=0)
    two.connect().send(1, b"?hello")
    two.run(1)
    assert two.server.seen == [(0, 1, b"?hello")]
    assert two.client.seen == [(0, 1, b"hello")]
    assert two.client.kinds == two.server.kinds == [Event.UP]


def test_a_port_where_nobody_listens_refuses(pair):
    two = pair()
    two.server_host.close(7)
    two.connect().send(1, b"?")
    two.run(10)
    assert two.client.events == [(pytest.approx(0.1), Event.ABORTED)]


def test_who_takes_an_association_may_end_it_at_once(pair):
    two = pair()

    def accept(association):
        association.close()
        return two.server

    two.server_host.close(7)
    two.server_host.listen(7, accept)
    two.connect().send(1, b"?")
    two.run(300)
    assert two.client.events == [(pytest.approx(0.2), Event.ABORTED)]
    assert two.server.events == [] and two.server.data == []
    assert two.client_host.associations == two.server_host.associations == ()


def test_init_is_repeated_with_doubled_time_outs(pair):
    two = pair()
    tap = Drop(range(100))
    two.network.tap(two.links, tap)
    two.connect()
    two.run(1000)
    assert tap.times == [0, 1, 3, 7, 15, 31, 63, 123, 183]
    assert two.client.events == [(243, Event.LOST)]


def test_lost_cookie_echo_is_repeated_with_its_data(pair):
    two = pair()
    # 0 INIT, 1 INIT ACK, 2 COOKIE ECHO
    two.network.tap(two.links, Drop({2}))
    two.connect().send(1, b"?hello")
    two.run(10)
    assert two.server.seen == [(pytest.approx(1.15), 1, b"?hello")]
    assert two.client.data == [b"hello"]


def test_lost_cookie_ack_is_asked_for_again(pair):
    two = pair()
    two.network.tap(two.links, Drop({3, 4}))
    two.connect().send(1, b"?hello")
    two.run(10)
    assert two.server.data == [b"?hello"]
    assert two.client.data == [b"hello"]
    assert len(two.accepted) == 1


def test_a_silent_peer_is_given_up_after_363_s(pair):
    """RTO 1, 2, 4 ... 60 s and ten retransmissions (RFC 9260 6.3.3, 8.1)."""
    two = pair(sctp=SctpSettings(heartbeat_interval=None))
    association = two.established(1)
    tap = Drop(range(1000), with_data)
    two.network.tap(two.links, tap)
    association.send(1, b"anybody")
    start = two.clock.now
    two.run(1000)
    since = [time - start for time in tap.times]
    assert since == pytest.approx([0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303])
    assert two.client.events == [(pytest.approx(start + 363), Event.LOST)]


def test_round_trip_times_set_the_time_out(pair):
    """RFC 9260 6.3.1: SRTT + 4 RTTVAR, at least RTO.Min."""
    two = pair(delay=0.4, sctp=SctpSettings(sack_delay=0, heartbeat_interval=None))
    association = two.connect()
    two.run(10)
    tap = Drop((), with_data)
    two.network.tap(two.links, tap)
    for _ in range(2):
        association.send(1, b"x")
        two.run(10)
    # R = 0.8 s: SRTT 0.8, RTTVAR 0.4, then 0.3: RTO 0.8 + 4 * 0.3.
    tap.which = {2}
    sent = two.clock.now
    association.send(1, b"y")
    two.run(20)
    assert [time - sent for time in tap.times[-2:]] == pytest.approx([0, 2.0])


def test_a_lost_message_is_sent_again_after_the_time_out_and_order_is_kept(pair):
    two = pair(sctp=SctpSettings(heartbeat_interval=None))
    association = two.established(1)
    two.network.tap(two.links, Drop({0}, with_data))
    start = two.clock.now
    association.send(1, b"first")
    association.send(1, b"second")
    two.run(10)
    assert [(time - start, data) for time, _, data in two.server.seen] == [
        (pytest.approx(1.05), b"first"),
        (pytest.approx(1.05), b"second"),
    ]


def test_three_missing_reports_send_again_at_once(pair):
    two = pair()
    association = two.established(1)
    two.network.tap(two.links, Drop({0}, with_data))
    start = two.clock.now
    for number in range(5):
        association.send(1, bytes([number]))
    two.run(10)
    assert two.server.seen[0][0] - start == pytest.approx(0.15)
    assert two.server.data == [bytes([number]) for number in range(5)]


def test_streams_do_not_wait_for_each_other(pair):
    two = pair()
    association = two.established(1)
    two.network.tap(two.links, Drop({0}, with_data))
    association.send(1, b"a1", stream=1)
    association.send(1, b"b1", stream=2)
    association.send(1, b"a2", stream=1)
    two.run(10)
    assert two.server.data == [b"b1", b"a1", b"a2"]


@pytest.mark.conformance("ASAP-178")
def test_unordered_messages_wait_for_nothing(pair):
    two = pair()
    association = two.established(1)
    two.network.tap(two.links, Drop({0}, with_data))
    association.send(1, b"slow")
    association.send(1, b"fast", unordered=True)
    two.run(10)
    assert two.server.data == [b"fast", b"slow"]


@settings(max_examples=60)
@given(
    st.integers(1, 2**31),
    st.floats(0, 0.3),
    st.floats(0, 0.5),
    st.lists(st.tuples(st.floats(0, 0.5), st.integers(0, 3000)), min_size=1, max_size=30),
)
def test_everything_arrives_once_and_in_order_under_loss_and_jitter(seed, loss, jitter, messages):
    from .conftest import Pair

    two = Pair(seed=seed, loss=loss, jitter={"distribution": "exponential", "mean": jitter})
    association = two.connect()
    time = 0.0
    for number, (pause, size) in enumerate(messages):
        time += pause
        data = b"?" + number.to_bytes(2) + bytes(size)
        two.clock.call_at(time, association.send, 1, data)
    two.run(2000)
    if two.client.kinds[:1] != [Event.UP]:
        return
    sent = [b"?" + number.to_bytes(2) + bytes(size) for number, (_, size) in enumerate(messages)]
    lost = Event.LOST in two.client.kinds + two.server.kinds
    assert two.server.data == (sent[: len(two.server.data)] if lost else sent)
    answers = [data[1:] for data in sent]
    assert two.client.data == (answers[: len(two.client.data)] if lost else answers)


@settings(max_examples=60)
@given(
    st.floats(0, 0.2),
    st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.integers(1, 50)), max_size=20),
    st.booleans(),
)
def test_the_short_way_has_the_outcome_of_packets(delay, messages, close):
    """With a tap that does nothing each message is a packet with SACKs; nobody sees it."""
    from .conftest import Pair

    outcomes = []
    for tapped in (False, True):
        two = Pair(delay=delay, sctp=SctpSettings(heartbeat_interval=None))
        if tapped:
            two.network.tap(two.links, Nothing())
        association = two.connect()
        time = 1.0
        for pause, question, size in messages:
            time += pause
            data = (b"?" if question else b"!") + bytes(size)
            two.clock.call_at(time, association.send, 1, data)
        if close:
            two.clock.call_at(time + 5, association.close)
        two.run(100)
        events = [[e for _, e in end.events] for end in (two.client, two.server)]
        outcomes.append((two.client.seen, two.server.seen, events))
    for plain, tapped in zip(outcomes[0][:2], outcomes[1][:2], strict=True):
        assert [entry[1:] for entry in plain] == [entry[1:] for entry in tapped]
        assert [entry[0] for entry in plain] == pytest.approx([entry[0] for entry in tapped])
    assert outcomes[0][2] == outcomes[1][2]


# Several addresses ------------------------------------------------------------------------------


def test_a_second_path_takes_over_and_the_first_one_comes_back(pair):
    two = pair(homes=2)
    association = two.established(1)
    two.network.cut(two.links)
    association.send(1, b"one")
    start = two.clock.now
    two.run(10)
    # Lost on the first path, sent again on the second one after the time-out (RFC 9260 6.4.1).
    assert two.server.seen == [(pytest.approx(start + 1.05), 1, b"one")]
    for number in range(8):
        association.send(1, bytes([number]))
        two.run(100)
    assert two.client_host.counters.path_failures == 1
    assert len(two.server.data) == 9
    association.send(1, b"at once")
    two.run(1)
    assert two.server.data[-1] == b"at once"
    two.network.cut(two.links, up=True)
    two.run(200)
    tap = Drop((), with_data)
    two.network.tap(two.links, tap)
    association.send(1, b"back")
    two.run(1)
    assert len(tap.times) == 1
    assert two.client.kinds == []


def test_all_paths_dead_ends_the_association(pair):
    two = pair(homes=2)
    association = two.established(1)
    two.network.cut(two.links)
    two.network.cut(two.network.path_links("a1", "b1"))
    association.send(1, b"one")
    two.run(2000)
    assert two.client.kinds == [Event.LOST]


# Failures ----------------------------------------------------------------------------------------


def test_heartbeats_find_out_that_an_idle_peer_is_gone(pair):
    two = pair()
    two.established(1)
    two.server_host.fail()
    two.run(2000)
    assert two.client.kinds == [Event.LOST]
    assert 300 < two.client.events[0][0] < 1500


def test_a_process_that_died_is_told_by_abort(pair):
    two = pair()
    association = two.established(1)
    two.server_host.close(7, silently=True)
    start = two.clock.now
    association.send(1, b"hello")
    two.run(10)
    assert two.client.events == [(pytest.approx(start + 0.1), Event.ABORTED)]


def test_a_partition_that_heals_loses_nothing(pair):
    two = pair()
    association = two.established(1)
    two.network.cut(two.links)
    for number in range(5):
        association.send(1, bytes([number]))
        two.run(5)
    assert two.server.data == []
    two.network.cut(two.links, up=True)
    two.run(100)
    assert two.server.data == [bytes([number]) for number in range(5)]
    assert two.client.kinds == two.server.kinds == []


def test_a_message_under_way_when_the_path_is_cut_is_sent_again(pair):
    two = pair(delay=1.0)
    association = two.connect()
    two.run(10)
    association.send(1, b"under way")
    two.run(0.5)
    two.network.cut(two.links)
    two.run(0.4)
    two.network.cut(two.links, up=True)
    two.run(0.2)
    assert two.server.data == []
    two.run(20)
    assert two.server.data == [b"under way"]
    assert two.network.packets_lost == 1


def test_a_restart_is_told_by_the_verification_tag(pair):
    """RFC 9260 5.2.4.1: the same ports, new tags."""
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


def test_a_message_that_nobody_takes_is_none_of_the_next_association(pair):
    """Its sequence number may be billions from those of who has the ports now."""
    two = pair()
    first = two.connect(local_port=5000)
    first.send(1, b"one")
    two.run(1)
    # Nothing else is under way: the message is one event.
    first.send(1, b"under way")
    two.accepted[0].discard()
    two.client_host.fail()
    two.client_host.restore()
    second = two.connect(local_port=5000)
    assert second.backlog == 0
    two.run(0.07)
    assert second.backlog == 0
    second.send(1, b"two")
    two.run(2)
    assert two.server.data == [b"one", b"two"]


def test_packets_with_a_wrong_tag_do_nothing(pair):
    from rsim.network.frame import Chunk, Control, Data, Frame

    two = pair()
    association = two.established(1)
    here = (two.client_host.address, association.local_port)
    there = (two.server_host.address, 7)
    for chunk in (Data(1, 0, 0, 1, b"forged"), Chunk(Control.ABORT), Chunk(Control.SHUTDOWN)):
        two.server_host.arrive(Frame(here, there, 12345, (chunk,)))
    two.run(1)
    assert two.server.data == [] and two.server.kinds == []
    assert two.server_host.counters.packets_with_wrong_tag == 3


def test_a_forged_cookie_creates_nothing(pair):
    from rsim.network.frame import Chunk, Control, Cookie, Frame

    two = pair()
    cookie = Cookie(99, 1, 2, 3, 4, (two.client_host.address,), 0.0)
    chunk = Chunk(Control.COOKIE_ECHO, cookie=cookie)
    here, there = (two.client_host.address, 5000), (two.server_host.address, 7)
    two.server_host.arrive(Frame(here, there, 1, (chunk,)))
    two.run(1)
    assert two.accepted == [] and two.server_host.associations == ()


def test_init_alone_keeps_no_state(pair):
    from rsim.network.frame import Chunk, Control, Frame

    two = pair()
    here, there = (two.client_host.address, 5000), (two.server_host.address, 7)
    for tag in range(1, 1000):
        two.server_host.arrive(Frame(here, there, 0, (Chunk(Control.INIT, tag, 1),)))
    assert two.server_host.associations == ()


def test_a_full_buffer_drops_and_sctp_sends_again(pair):
    from rsim.network import Cpu, CpuSettings
    from rsim.randomness import Streams

    two = pair()
    two.server_host.cpu = Cpu(
        two.clock, CpuSettings(service_time=0.4, buffer=2), Streams(1).stream("c", "c")
    )
    association = two.established(1)
    for number in range(6):
        association.send(1, bytes([number]))
    two.run(100)
    assert two.server.data == [bytes([number]) for number in range(6)]
    assert two.server_host.cpu.counters.cpu_dropped > 0


@pytest.mark.parametrize("tapped", [False, True])
def test_shutdown_delivers_and_tells_the_peer(pair, tapped):
    two = pair()
    association = two.established(1)
    if tapped:
        two.network.tap(two.links, Nothing())
    association.send(1, b"last")
    association.close()
    two.run(10)
    assert two.server.data == [b"last"]
    assert two.server.kinds == [Event.SHUT_DOWN]
    assert two.client_host.associations == two.server_host.associations == ()


def test_shutdown_survives_loss(pair):
    for lost in range(8):
        two = pair()
        association = two.established(1)
        two.network.tap(two.links, Drop({lost}))
        association.send(1, b"last")
        association.close()
        two.run(200)
        assert two.server.data == [b"last"]
        assert two.server.kinds == [Event.SHUT_DOWN]
        assert two.client_host.associations == two.server_host.associations == ()


class Look(Tap):
    """Looks at messages, and lets them pass."""

    def __init__(self):
        super().__init__()
        self.times = []

    def message(self, seen):
        self.times.append(self.network.clock.now)
        return seen.data


@pytest.mark.parametrize("loss", [0.0, 1e-9])
def test_packets_of_one_instant_keep_their_order_over_several_links(loss):
    """The answer must not overtake the COOKIE ACK, and come again after a time-out."""
    clock = Clock()
    paths = dict.fromkeys([("a", "b"), ("b", "c"), ("c", "d")], LinkSettings(delay=0.1, loss=loss))
    hops = topology.next_hops("abcd", paths)
    network = Network(clock, Streams(1), paths=paths, next_hops=hops)
    here, there = network.add_host("here", "a"), network.add_host("there", "d")
    tap = Look()
    network.tap(network.path_links("c", "d")[1:], tap)
    client, server = End(clock), End(clock)
    there.listen(7, lambda association: server)
    here.connect(there.address, 7, client).send(1, b"?x")
    clock.run_until(10)
    assert client.seen == [(pytest.approx(1.2), 1, b"x")]
    assert tap.times == pytest.approx([0.9])
    assert there.counters.retransmissions == here.counters.retransmissions == 0
