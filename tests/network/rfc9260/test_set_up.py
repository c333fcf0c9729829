"""Set-up of associations, as RFC 9260 5 asks for it."""

from dataclasses import replace

import pytest

from rsim.network import (
    Chunk,
    Control,
    Event,
    Frame,
    SctpSettings,
)

from .wire import QUIET, Wire, chunk_of, kinds, once

requirement = pytest.mark.conformance


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
