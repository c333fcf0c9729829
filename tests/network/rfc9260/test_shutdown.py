"""The end of associations, as RFC 9260 9 asks for it."""

import pytest

from rsim.network import (
    Chunk,
    Control,
    Event,
    Frame,
    SctpSettings,
)

from .wire import DATA, QUIET, Wire, chunk_of, kinds, once

requirement = pytest.mark.conformance


@requirement("SCTP-059")
@requirement("SCTP-060")
def test_an_abort_ends_both_sides_at_once_and_is_not_answered(pair):
    two = pair()
    association = two.established()
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
    association = two.established()
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
    association = two.established()
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
    association = two.established()
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
    association = two.established()
    wire = Wire(two, lambda frame: "SHUTDOWN" in kinds(frame))
    association.close()
    two.run(0.2)
    start = two.clock.now
    two.accepted[0].send(1, b"on its way")
    two.run(0.2)
    assert [round(time - start, 3) for time in wire.times("SHUTDOWN")[1:]] == [0.05]
    assert two.client.data == []
