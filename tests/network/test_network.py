import gc
import weakref

import pytest

from rsim.clock import Clock
from rsim.network import LinkSettings, Network, StackTally, Tap
from rsim.randomness import Streams


class Echo:
    def notify(self, association, event):
        pass

    def __init__(self, clock):
        self.clock = clock
        self.seen = []

    def receive(self, association, ppid, data):
        self.seen.append((self.clock.now, ppid, data))
        if data.startswith(b"?"):
            association.send(ppid, data[1:])


@pytest.fixture
def two():
    clock = Clock()
    paths = {("a", "b"): LinkSettings(delay=0.5)}
    network = Network(clock, Streams(1), LinkSettings(delay=0.01), paths, instant=True)
    hosts = network.add_host("one", "a"), network.add_host("two", "b")
    return clock, network, *hosts


def test_messages_arrive_in_order_after_the_path_delay(two):
    clock, network, one, other = two
    client, service = Echo(clock), Echo(clock)
    other.listen(7, lambda association: service)
    association = one.connect(other.address, 7, client)
    association.send(1, b"first")
    association.send(1, b"?second")
    clock.run_until(10)
    assert service.seen == [(0.5, 1, b"first"), (0.5, 1, b"?second")]
    assert client.seen == [(1.0, 1, b"second")]
    assert network.delay("b", "a") == 0.5
    assert network.delay("a", "a") == 0.01


def test_nobody_listens_or_nobody_there(two):
    clock, _, one, other = two
    client = Echo(clock)
    one.connect(other.address, 7, client).send(1, b"?lost")
    one.connect("192.0.2.1", 7, client).send(1, b"?lost")
    clock.run_until(10)
    assert client.seen == []


@pytest.mark.parametrize("down", ["one", "other"])
def test_a_host_that_is_down_sends_and_hears_nothing(two, down):
    clock, network, one, other = two
    client, service = Echo(clock), Echo(clock)
    other.listen(8, lambda association: service)
    association = one.connect(other.address, 8, client)
    association.send(1, b"heard")
    clock.run_until(10)
    failed = {"one": one, "other": other}[down]
    failed.fail()
    failed.fail()
    association.send(1, b"?lost")
    clock.run_until(20)
    failed.restore()
    failed.restore()
    assert network.hosts_down == 0
    association.send(1, b"heard again")
    clock.run_until(30)
    assert client.seen == []
    assert [data for _, _, data in service.seen] == [b"heard", b"heard again"]


def test_closed_association_carries_nothing(two):
    clock, _, one, other = two
    client, service = Echo(clock), Echo(clock)
    other.listen(8, lambda association: service)
    association = one.connect(other.address, 8, client)
    association.send(1, b"?under way")
    association.close()
    association.send(1, b"?after")
    clock.run_until(10)
    assert client.seen == []


def test_traffic_is_counted_by_protocol_and_type(two):
    _, network, one, other = two
    association = one.connect(other.address, 8, Echo(None))
    association.send(11, b"\x05abc")
    association.send(11, b"\x05")
    association.send(99, b"\x01")
    assert network.traffic.messages[11][5] == 2
    assert network.traffic.octets[11] == 5
    assert network.traffic.messages[99][1] == 1


def test_a_network_that_nobody_uses_any_more_is_freed(pair):
    """Native hosts and associations are part of cycles, which the garbage collector must see."""
    ends = []
    for settings in ({}, {"loss": 0.1}, {"delay": 0}):
        two = pair(**settings)
        two.network.tap(two.links, Tap())
        association = two.connect()
        two.run(1)
        association.send(1, bytes(5000))
        two.run(0.01)
        ends.append(weakref.ref(two.client))
        del two, association
    gc.collect()
    assert [end() for end in ends] == [None] * 3


def test_a_host_that_fails_loses_associations_that_are_shutting_down(pair):
    """What is left of a shutdown has no endpoint any more, and goes with the host all the same."""
    two = pair(loss=1e-9)
    tally = StackTally(two.clock)
    two.client_host.stack.share(tally.core)
    association = two.connect()
    two.run(1)
    two.server_host.fail()
    association.send(1, b"never")
    association.close()
    two.run(1)
    assert two.client_host.associations == ()
    assert tally.core.levels[1] == 1
    two.client_host.fail()
    assert tally.core.levels[1] == 0
    two.run(1000)
    assert two.client_host.counters.associations_lost == 0
