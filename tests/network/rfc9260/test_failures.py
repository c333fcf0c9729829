"""Failures of peers and paths, as RFC 9260 8 asks for it."""

from itertools import pairwise

import pytest

from rsim.network import (
    Chunk,
    Control,
    Event,
    Frame,
    SctpSettings,
)
from rsim.network.frame import Data

from .wire import Wire, chunk_of, kinds, once

requirement = pytest.mark.conformance


@requirement("SCTP-033")
@requirement("SCTP-052")
@requirement("SCTP-070")
@pytest.mark.parametrize(("most", "seconds"), [(10, 363), (2, 7)])
def test_a_peer_is_lost_after_more_errors_than_the_limit(pair, most, seconds):
    settings = SctpSettings(association_max_retrans=most, heartbeat_interval=None)
    two = pair(sctp=settings)
    association = two.established()
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
    association = two.established()
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
    association = two.established()
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
    association = two.established()
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
    association = two.established()
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
