"""State that a host keeps for its peers, and floods that want to exhaust it."""

import pytest

import rsim
from rsim.network import (
    Chunk,
    Control,
    Cpu,
    CpuSettings,
    Event,
    Frame,
    SctpSettings,
    StackSettings,
    StackTally,
)
from rsim.randomness import Streams

_INIT_OCTETS = 320


def watched(two, **settings):
    """The server with these limits, and what counts its state."""
    two.server_host.limit(StackSettings(**settings))
    tally = StackTally(two.clock)
    two.server_host.stack.share(tally.core)
    return tally


def flood(two, rate, duration, tcp=False):
    """INITs from sources that nobody has."""
    start, server = two.clock.now, (two.server_host.address, 7)

    def send(number):
        source = (f"198.18.{number // 250 % 250}.{number % 250}", 2000 + number % 50_000)
        chunk = Chunk(Control.INIT, tag=number + 1, tsn=1, window=1500)
        two.client_host.send_packet(Frame(source, server, 0, (chunk,), tcp=tcp))

    for number in range(round(rate * duration)):
        two.clock.call_at(start + number / rate, send, number)


@pytest.mark.conformance("SCTP-003")
@pytest.mark.parametrize("tcp", [False, True])
def test_with_cookies_an_init_leaves_nothing_behind(pair, tcp):
    two = pair(tcp=tcp)
    tally = watched(two, cookies=True)
    flood(two, 100, 50, tcp)
    two.run(30)
    two.connect(tcp=tcp).send(1, b"?hello")
    two.run(30)
    tally.settle()
    assert tally.counters.inits_received == 5001
    assert tally.counters.inits_refused == 0
    assert tally.counters.half_open_seconds == 0
    assert two.client.data == [b"hello"]


@pytest.mark.parametrize("tcp", [False, True])
def test_without_cookies_a_flood_takes_the_room_of_others(pair, tcp):
    """128 half-open associations for 60 s each: more than 2.1 INITs/s leave no room."""
    two = pair(tcp=tcp)
    tally = watched(two, cookies=False, half_open=128)
    flood(two, 100, 600, tcp)
    two.run(30)
    two.connect(tcp=tcp).send(1, b"?hello")
    two.run(400)
    tally.settle()
    assert two.server.data == []
    assert two.client.kinds == [Event.LOST]
    assert tally.counters.half_open_seconds / two.clock.now == pytest.approx(128, rel=0.01)
    assert tally.counters.inits_refused > 0.95 * tally.counters.inits_received


def test_half_open_associations_end_when_their_time_is_over(pair):
    two = pair()
    tally = watched(two, cookies=False, half_open=1000)
    flood(two, 10, 10)
    two.run(300)
    tally.settle()
    # Each of the hundred is kept for Valid.Cookie.Life.
    assert tally.counters.half_open_seconds == pytest.approx(100 * 60)
    assert tally.counters.memory_octet_seconds == pytest.approx(100 * 60 * _INIT_OCTETS)
    two.connect().send(1, b"?hello")
    two.run(1)
    assert two.client.data == [b"hello"]


def test_a_peer_that_goes_on_is_half_open_for_a_round_trip(pair):
    two = pair()
    tally = watched(two, cookies=False, half_open=1)
    for _ in range(3):
        two.connect().send(1, b"?x")
        two.run(1)
    tally.settle()
    assert two.client.data == [b"x"] * 3
    assert tally.counters.half_open_seconds == pytest.approx(3 * 0.1)


def test_there_are_no_more_associations_than_the_limit(pair):
    two = pair()
    tally = watched(two, associations=5)
    for _ in range(8):
        two.connect().send(1, b"?x")
    two.run(5)
    tally.settle()
    assert len(two.server_host.associations) == 5
    assert tally.counters.associations_refused == 3
    assert two.client.kinds.count(Event.ABORTED) == 3
    two.server_host.associations[0].close()
    two.run(5)
    two.connect().send(1, b"?y")
    two.run(5)
    assert two.client.data[-1] == b"y"


def test_memory_bounds_associations_and_is_given_back(pair):
    two = pair()
    tally = watched(two, memory=20_000, association_octets=8000)
    associations = [two.connect() for _ in range(4)]
    two.run(5)
    assert len(two.server_host.associations) == 2
    for association in associations:
        association.close()
    two.run(60)
    tally.settle()
    before = tally.counters.memory_octet_seconds
    two.run(100)
    tally.settle()
    assert tally.counters.memory_octet_seconds == before > 0


def test_a_packet_for_which_there_is_no_memory_is_sent_again(pair):
    two = pair()
    tally = watched(two, memory=12_000, association_octets=8000)
    settings = CpuSettings(service_time=5.0)
    two.server_host.cpu = Cpu(two.clock, settings, Streams(1).stream("server", "cpu"))
    association = two.connect()
    sent = [bytes([number]) * 1400 for number in range(12)]
    for data in sent:
        association.send(1, data)
    two.run(400)
    tally.settle()
    assert two.server.data == sent
    assert tally.counters.packets_refused > 0


def test_the_cpu_works_on_inits_and_cookies(pair):
    two = pair()
    settings = CpuSettings(service_times={"INIT": 0.01, "COOKIE_ECHO": 0.02})
    two.server_host.cpu = Cpu(two.clock, settings, Streams(1).stream("server", "cpu"))
    watched(two)
    two.connect().send(1, b"?x")
    two.run(5)
    assert two.client.seen == [(pytest.approx(0.23), 1, b"x")]
    assert two.server_host.cpu.counters.cpu_busy == pytest.approx(0.03)


@pytest.mark.parametrize(("cookies", "fails"), [(True, False), (False, True)])
def test_an_init_flood_shuts_out_users_where_there_are_no_cookies(cookies, fails):
    stack = {"cookies": cookies} | ({} if cookies else {"half_open": 128})
    table = {
        "profile": "rfc",
        "warm_up": "1min",
        "duration": "5min",
        "network": {"delay": "10ms"},
        "enrp_servers": {"server": {"stack": stack}},
        "pool_elements": {"element": {"count": 3, "start": 1}},
        "pool_users": {"user": {"count": 5, "start": 30}},
        "attackers": {"flood": {"kind": "init-flood", "interval": 0.02, "start": "1min"}},
    }
    attacked = rsim.run(rsim.scenario(table))
    quiet = rsim.run(rsim.scenario(table | {"attackers": {}}))
    assert attacked.counters["enrp_servers.inits_received"] > 14_000
    assert quiet.metrics["server_half_open"] < 1
    assert attacked.metrics["server_half_open"] == pytest.approx(128 if fails else 0, abs=2)
    assert (attacked.metrics["server_inits_refused"] > 10_000) == fails


def test_a_receive_buffer_holds_a_packet_at_least():
    SctpSettings(receive_buffer=1500)
    with pytest.raises(ValueError, match="receive_buffer"):
        SctpSettings(receive_buffer=1499)


def test_a_limit_that_does_nothing_is_refused():
    with pytest.raises(ValueError, match="does nothing with cookies"):
        StackSettings(cookies=True, half_open=5)
