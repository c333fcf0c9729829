"""TCP connections at message level."""

import shutil
import subprocess

import pytest

import rsim
from rsim.network import Event, Tap
from rsim.scenario import Deployment
from rsim.wire import (
    PPID_ASAP,
    HandleResolution,
    Policy,
    PoolElement,
    Registration,
    SctpTransport,
    decode,
)

from ..scenario.test_network import SECURE, scenario

requirement = pytest.mark.conformance


class LoseEveryThird(Tap):
    """Drops a third of the packets, in turn, and notes their sizes."""

    def __init__(self):
        super().__init__()
        self.count = 0
        self.sizes = []

    def frame(self, frame):
        assert frame.tcp
        self.sizes.append(frame.size)
        self.count += 1
        return None if self.count % 3 == 0 else frame


@pytest.fixture
def over_tcp(pair):
    """A pair whose server takes TCP at port 7."""

    def make(**options):
        two = pair(**options)
        two.server_host.listen(7, lambda association: two.server, two.offers, tcp=True)
        return two

    return make


def test_data_follows_a_round_trip_of_set_up(over_tcp):
    two = over_tcp()
    two.connect(tcp=True).send(1, b"?hello")
    two.run(1)
    assert two.server.seen == [(pytest.approx(0.15), 1, b"?hello")]
    assert two.client.seen == [(pytest.approx(0.2), 1, b"hello")]


def test_a_port_for_sctp_alone_refuses(pair):
    two = pair()
    two.connect(tcp=True)
    two.run(1)
    assert two.client.kinds == [Event.ABORTED]


def test_everything_arrives_once_and_in_order_in_spite_of_loss(over_tcp):
    two = over_tcp()
    two.network.tap(two.links, LoseEveryThird())
    connection = two.connect(tcp=True)
    sent = [bytes([number]) * 10 for number in range(40)]
    for number, data in enumerate(sent):
        two.clock.call_at(float(number), connection.send, 1, data)
    two.run(600)
    assert two.server.data == sent
    assert two.client_host.counters.retransmissions > 5


def test_segments_have_tcps_sizes_and_no_heartbeats_follow(over_tcp):
    two = over_tcp()
    tap = LoseEveryThird()
    tap.frame = lambda frame: tap.sizes.append(frame.size) or frame
    two.network.tap(two.links, tap)
    two.connect(tcp=True).send(1, b"x" * 100)
    two.run(300)
    # SYN, SYN and ACK, ACK with data, ACK of the set-up, ACK of the data.
    assert tap.sizes[:3] == [60, 60, 140]
    assert len(tap.sizes) <= 5


def test_a_host_with_several_addresses_uses_one(over_tcp):
    two = over_tcp(homes=2)
    connection = two.connect(tcp=True)
    two.run(1)
    assert connection.remote_addresses == (two.server_host.address,)
    [there] = two.server_host.associations
    assert there.remote_addresses == (two.client_host.address,)


@requirement("ASAP-007")
@requirement("ASAP-098")
def test_pool_users_resolve_over_tcp_as_over_sctp():
    results = [
        rsim.run(scenario(pool_users__user__asap_over=transport)) for transport in ("sctp", "tcp")
    ]
    assert results[0].requests.equals(results[1].requests)
    assert results[1].metrics["requests_completed"] > 500


@requirement("ASAP-090")
@requirement("ASAP-107")
def test_an_element_asks_and_reports_over_sctp_where_users_use_tcp():
    changes = {"pool_users__user__asap_over": "tcp", "pool_elements__element__business_cards": True}
    deployment = Deployment(scenario(**changes))
    deployment.world.clock.run_until(11 * 60)
    for user in deployment.users:
        assert user.endpoint._server is None or user.endpoint._server.tcp
    before = deployment.world.recorder.totals()["network.asap_endpoint_unreachable"]
    for element in deployment.elements:
        side = element.endpoint.user
        side.report_unreachable(b"pool", element.endpoint.identifier)
        assert side._server is element.endpoint._home and not side._server.tcp
    deployment.world.clock.run_until(11 * 60 + 1)
    assert deployment.world.recorder.totals()["network.asap_endpoint_unreachable"] >= before + 3


@requirement("ASAP-007")
@requirement("ASAP-098")
def test_a_server_answers_questions_at_3863_over_sctp_and_tcp_but_not_over_udp():
    deployment = Deployment(scenario(network__delay=0))
    deployment.world.clock.run_until(11 * 60)
    [(ports, _)] = deployment.servers
    stranger = deployment.world.network.add_host("stranger", "lan")
    question = HandleResolution(pool_handle=b"pool").encode()
    seen = {}

    class Asker:
        def __init__(self, name):
            self.name = name

        def receive(self, _, ppid, data):
            seen[self.name] = (ppid, decode(data, "asap"))

        def notify(self, *_):
            pass

    stranger.listen_datagrams(4000, lambda *seen_there: seen.update(udp=seen_there))
    stranger.send_datagram(4000, (ports.host.address, 3863), question)
    for name in ("sctp", "tcp"):
        there = stranger.connect(ports.host.address, 3863, Asker(name), tcp=name == "tcp")
        there.send(PPID_ASAP, question)
    deployment.world.clock.run_until(11 * 60 + 5)
    assert seen.keys() == {"sctp", "tcp"}
    for ppid, answer in seen.values():
        assert ppid == PPID_ASAP and len(answer.pool_elements) == 3


@requirement("ASAP-006")
def test_registrations_over_udp_and_tcp_count_for_nothing():
    deployment = Deployment(scenario(network__delay=0))
    deployment.world.clock.run_until(11 * 60)
    [(ports, server)] = deployment.servers
    stranger = deployment.world.network.add_host("stranger", "lan")
    element = PoolElement(
        identifier=5,
        registration_life=300,
        user_transport=SctpTransport(port=1, addresses=(stranger.address,), use=1),
        policy=Policy("round_robin"),
    )
    data = Registration(pool_handle=b"pool", pool_element=element).encode()
    stranger.send_datagram(3863, (ports.host.address, 3863), data)

    class Nobody:
        def receive(self, *_):
            pass

        def notify(self, *_):
            pass

    stranger.connect(ports.host.address, 3863, Nobody(), tcp=True).send(PPID_ASAP, data)
    deployment.world.clock.run_until(11 * 60 + 1)
    assert server.handlespace.find(b"pool", 5) is None
    stranger.connect(ports.host.address, 3863, Nobody()).send(PPID_ASAP, data)
    deployment.world.clock.run_until(11 * 60 + 2)
    assert server.handlespace.find(b"pool", 5) is not None


@requirement("SEC-034")
@pytest.mark.parametrize("transport", ["sctp", "tcp"])
def test_tls_runs_over_both(transport):
    result = rsim.run(
        scenario(warm_up="9min", security=SECURE, pool_users__user__asap_over=transport)
    )
    assert result.counters["pool_users.handshakes"] > 6
    assert result.counters["pool_users.handshakes_refused"] == 0
    assert result.metrics["requests_completed"] > 10


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("loss", [0, 0.05])
def test_tshark_reads_asap_over_tcp(tmp_path, loss):
    file = tmp_path / "run.pcapng"
    settings = {"pool_users__user__asap_over": "tcp", "network__loss": loss, "duration": "2min"}
    rsim.run(scenario(**settings), pcap=file)
    fields = ["asap.message_type", "tcp.checksum.status", "_ws.malformed", "_ws.expert.message"]
    command = ["tshark", "-r", file, "-n", "-Y", "tcp", "-T", "fields"]
    command += ["-o", "tcp.check_checksum:TRUE", "-d", "tcp.port==3863,asap"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    kinds = {row[0] for row in rows}
    assert {"0x05", "0x06"} <= kinds or {"5", "6"} <= kinds
    assert {row[1] for row in rows} == {"1"}
    assert {row[2] for row in rows} == {""}
    unseen = [row[3] for row in rows if "unseen" in row[3] or "not captured" in row[3]]
    assert unseen == []
