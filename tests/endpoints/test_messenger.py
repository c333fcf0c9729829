"""Sending by pool handle (RFC 5352 6.3 to 6.9)."""

import numpy as np
import pytest

from rsim import wire
from rsim.endpoints import (
    ElementHandle,
    Messenger,
    PoolUserEndpoint,
    PoolUserSettings,
    ServerList,
    TransportAddress,
)
from rsim.handlespace import Draws
from rsim.network import Event

POOL = b"pool"
requirement = pytest.mark.conformance


class World:
    """A messenger, its server, and a channel for each destination."""

    def __init__(self, clock, make_channel, element, own=(), **settings):
        self.server = make_channel()
        chosen = PoolUserSettings(**settings)
        servers = ServerList(clock, chosen, ((("10.0.0.1",), 3863),))
        draws = Draws(np.random.default_rng(1))
        self.endpoint = PoolUserEndpoint(chosen, clock, servers, lambda *_: self.server, draws)
        self.element = element
        self.links = {}
        self.log = []

        def connect(link, target):
            name = link.where.identifier if isinstance(link.where, ElementHandle) else link.where
            channel = make_channel()
            channel.sent = []
            channel.send = lambda ppid, data: self.log.append((name, data))
            self.links[name] = (link, channel)
            return channel

        self.messenger = Messenger(self.endpoint, connect, frozenset(own))
        self.failures = []
        self.failovers = []
        self.messenger.on_failure = self.failures.append
        self.messenger.on_failover = self.allow

    def allow(self, failed, following):
        self.failovers.append((failed.identifier, following.identifier, len(self.log)))
        return True

    def answer(self, *identifiers, policy="round_robin"):
        response = wire.HandleResolutionResponse(
            pool_handle=POOL,
            policy=wire.Policy(policy) if identifiers else None,
            pool_elements=[self.element(i) for i in identifiers],
            error_causes=() if identifiers else [wire.ErrorCause(wire.Cause.UNKNOWN_POOL_HANDLE)],
        )
        self.endpoint.receive(self.server, wire.PPID_ASAP, response.encode())

    def end(self, name, undelivered, event=Event.LOST):
        link, channel = self.links[name]
        channel.undelivered = undelivered
        link.notify(channel, event)


@pytest.fixture
def world(clock, make_channel, element):
    def make(**options):
        return World(clock, make_channel, element, **options)

    return make


def send(it, *names, **options):
    for name in names:
        it.messenger.send(POOL, 1, name, **options)


@requirement("ASAP-166")
@requirement("ASAP-167")
def test_messages_wait_for_the_resolution_in_one_queue(world):
    it = world()
    send(it, b"a", b"b", b"c")
    assert it.log == []
    assert it.server.take() == [wire.HandleResolution(pool_handle=POOL)]
    it.answer(1, 2)
    assert [data for _, data in it.log] == [b"a", b"b", b"c"]


@requirement("ASAP-168")
def test_each_message_selects_by_the_policy(world):
    it = world()
    send(it, b"a", b"b", b"c")
    it.answer(1, 2)
    send(it, b"d")
    assert [name for name, _ in it.log] == [1, 2, 1, 2]
    assert it.endpoint.counters.server_selections == 4
    assert it.endpoint.counters.resolutions_sent == 1


@requirement("ASAP-171")
def test_an_element_handle_is_sticky_and_renews_a_stale_cache_only(clock, world):
    it = world(stale_cache_value=30)
    send(it, b"a")
    it.answer(1, 2)
    it.server.take()
    for _ in range(3):
        it.messenger.send(ElementHandle(POOL, 1), 1, b"x")
    assert it.server.take() == []
    clock.run_until(31)
    it.messenger.send(ElementHandle(POOL, 1), 1, b"y")
    assert it.server.take() == [wire.HandleResolution(pool_handle=POOL)]
    assert [name for name, _ in it.log] == [1] * 5


def test_an_element_that_nobody_knows_is_told(world):
    it = world()
    it.messenger.send(ElementHandle(POOL, 9), 1, b"x")
    [failure] = it.failures
    assert failure.destination == ElementHandle(POOL, 9) and failure.data == b"x"


@requirement("ASAP-172")
@requirement("ASAP-179")
def test_a_bare_address_has_no_failover(world):
    it = world()
    there = TransportAddress("10.0.0.8", 5)
    it.messenger.send(there, 1, b"x")
    assert it.log == [(there, b"x")]
    it.end(there, 1)
    [failure] = it.failures
    assert (failure.destination, failure.data) == (there, b"x")
    assert failure.reason
    assert it.server.take() == []


@requirement("ARC-010")
@requirement("ASAP-106")
@requirement("ASAP-137")
@requirement("ASAP-173")
def test_what_is_not_delivered_goes_to_another_element_unasked(world):
    it = world()
    send(it, b"a", b"b", b"c", b"d")
    it.answer(1, 2)
    it.log.clear()
    it.end(1, undelivered=1)
    # Element 1 had a and c; it has confirmed a.
    assert it.log == [(2, b"c")]
    assert it.failures == []
    assert it.server.take()[-1] == wire.EndpointUnreachable(pool_handle=POOL, pe_identifier=1)


@requirement("ASAP-173")
@pytest.mark.parametrize("listed", [(1, 2), (2, 1)])
def test_what_is_not_delivered_passes_over_a_dead_element_that_is_still_listed(world, listed):
    it = world()
    send(it, b"a")
    it.answer(1)
    it.log.clear()
    it.end(1, undelivered=1)
    assert it.log == [] and it.failures == []
    it.answer(*listed)
    assert it.log == [(2, b"a")] and it.failures == []


@requirement("ASAP-174")
def test_what_the_dead_element_had_confirmed_is_not_sent_again(world):
    it = world()
    send(it, b"a")
    it.answer(1, 2)
    it.log.clear()
    it.end(1, undelivered=0)
    assert it.log == [] and it.failures == []


@requirement("ASAP-174")
def test_only_what_the_dead_element_had_not_confirmed_is_sent_again(world):
    it = world()
    send(it, b"a", b"b", b"c")
    it.answer(1)
    assert it.log == [(1, b"a"), (1, b"b"), (1, b"c")]
    it.log.clear()
    it.end(1, undelivered=2)
    it.answer(2)
    assert it.log == [(2, b"b"), (2, b"c")] and it.failures == []


@requirement("ASAP-179")
@requirement("ASAP-175")
def test_without_failover_the_application_gets_its_message_back(world):
    it = world()
    send(it, b"a", failover=False)
    it.answer(1, 2)
    it.end(1, undelivered=1)
    [failure] = it.failures
    assert (failure.destination, failure.ppid, failure.data) == (POOL, 1, b"a")
    assert [name for name, _ in it.log] == [1]


def test_failover_ends_when_no_element_is_left(world):
    it = world()
    send(it, b"a")
    it.answer(1)
    it.end(1, undelivered=1)
    it.answer()
    [failure] = it.failures
    assert failure.data == b"a"


@requirement("SEC-010")
def test_the_application_hears_of_the_next_element_first_and_may_refuse(world):
    it = world()
    send(it, b"a")
    it.answer(1, 2)
    it.end(1, undelivered=1)
    assert it.failovers == [(1, 2, 1)]
    it.messenger.on_failover = lambda failed, following: False
    it.end(2, undelivered=1)
    it.answer(3, 4)
    assert [failure.data for failure in it.failures] == [b"a"]
    assert [name for name, _ in it.log] == [1, 2]


@requirement("ASAP-176")
def test_to_the_last_one(world):
    it = world()
    send(it, b"a")
    it.answer(1, 2, 3)
    send(it, b"b", b"c", to="last")
    assert [name for name, _ in it.log] == [1, 1, 1]


@requirement("ASAP-177")
def test_to_all_leaves_the_sender_out_unless_told(world):
    it = world(own=[2])
    send(it, b"a", to="all")
    it.answer(1, 2, 3)
    assert it.log == [(1, b"a"), (3, b"a")]
    it.log.clear()
    send(it, b"b", to="all", to_self=True)
    assert it.log == [(1, b"b"), (2, b"b"), (3, b"b")]


@requirement("ASAP-164")
@requirement("ASAP-165")
def test_populate_and_purge(world):
    it = world()
    it.messenger.populate(POOL)
    assert it.server.take() == [wire.HandleResolution(pool_handle=POOL)]
    it.answer(1, 2)
    send(it, b"a")
    assert it.log == [(1, b"a")]
    it.messenger.purge(POOL)
    send(it, b"b")
    assert it.server.take() == [wire.HandleResolution(pool_handle=POOL)]
    without = world(stale_cache_value=0)
    without.messenger.populate(POOL)
    without.messenger.purge(POOL)
    assert without.server.take() == []


@requirement("ASAP-180")
def test_translation_gives_addresses(world):
    it = world()
    found = []
    it.messenger.translate(POOL, found.append)
    assert found == []
    it.answer(1, 2)
    assert found == [(TransportAddress("10.0.0.9", 1), TransportAddress("10.0.0.9", 1))]
    it.messenger.translate(ElementHandle(POOL, 2), found.append)
    assert found[1] == (TransportAddress("10.0.0.9", 1),)


@requirement("ASAP-109")
@requirement("ASAP-181")
def test_word_from_outside_counts_only_of_elements_that_were_used(world):
    it = world()
    send(it, b"a")
    it.answer(1, 2)
    it.server.take()
    it.messenger.transport_failure(ElementHandle(POOL, 2))
    assert it.server.take() == []
    it.messenger.transport_failure(ElementHandle(POOL, 1))
    report = wire.EndpointUnreachable(pool_handle=POOL, pe_identifier=1)
    assert it.server.take() == [report]


def test_answers_reach_the_application(world):
    it = world()
    got = []
    it.messenger.on_message = lambda *what: got.append(what)
    send(it, b"a")
    it.answer(1)
    link, channel = it.links[1]
    link.receive(channel, 5, b"hi")
    assert got == [(ElementHandle(POOL, 1), 5, b"hi")]
    it.messenger.close()
    assert channel.closed
