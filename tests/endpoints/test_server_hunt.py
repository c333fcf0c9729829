"""The server hunt of pool elements and pool users (RFC 5352 3.6, 3.7)."""

import numpy as np
import pytest

from rsim import wire
from rsim.endpoints import (
    PoolElementEndpoint,
    PoolElementSettings,
    PoolUserEndpoint,
    PoolUserSettings,
    ServerHunt,
    ServerList,
)
from rsim.endpoints.settings import HuntSettings
from rsim.handlespace import Draws
from rsim.network import Event

requirement = pytest.mark.conformance
SERVERS = tuple(((f"10.0.0.{n}",), 3863) for n in range(1, 8))
HANDLE = b"pool"


class Attempts:
    """Connects to servers by a plan: which of them answer at once."""

    def __init__(self, clock, make_channel):
        self.clock = clock
        self.make_channel = make_channel
        self.channels = []
        self.times = []
        self.ready = ()
        self.answers = []

    def reach(self, address):
        channel = self.make_channel(*address[0], address[1])
        channel.ready = address in self.ready
        self.channels.append(channel)
        self.times.append(self.clock.now)
        return channel

    def found(self, channel):
        self.answers.append(channel)

    @property
    def addresses(self):
        return [channel.remote_address for channel in self.channels]

    @property
    def open(self):
        return [channel for channel in self.channels if not channel.closed]


@pytest.fixture
def attempts(clock, make_channel):
    return Attempts(clock, make_channel)


@pytest.fixture
def hunt(clock, attempts):
    """A hunt among some servers, and what it has found."""

    def make(number=7, **settings):
        chosen = HuntSettings(**settings)
        servers = ServerList(clock, chosen, SERVERS[:number])
        return ServerHunt(clock, chosen, servers, attempts), attempts.answers

    return make


@requirement("ASAP-127")
@requirement("ASAP-128")
@requirement("ASAP-186")
def test_three_servers_are_tried_at_once(clock, hunt, attempts):
    running, found = hunt()
    running.start()
    assert attempts.addresses == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert running.running and found == []
    clock.run_until(9.9)
    assert len(attempts.channels) == 3
    clock.run_until(10.1)
    assert len(attempts.channels) == 6 and len(attempts.open) == 3


@requirement("ASAP-129")
@requirement("ASAP-134")
@requirement("ASAP-141")
@requirement("ARC-007")
def test_the_first_that_answers_is_taken_and_the_others_are_left(clock, hunt, attempts):
    running, found = hunt()
    running.start()
    first = attempts.channels[1]
    assert running.notify(first, Event.UP)
    assert found == [first] and not running.running
    assert attempts.open == [first]
    clock.run_until(100)
    assert len(attempts.channels) == 3


@requirement("ASAP-131")
def test_a_refusal_is_followed_by_another_address_in_the_same_round(hunt, attempts):
    running, _ = hunt()
    running.start()
    assert running.notify(attempts.channels[0], Event.ABORTED)
    assert attempts.addresses[-1] == "10.0.0.4"
    assert running.running


@requirement("ASAP-127")
@requirement("ASAP-132")
@requirement("ASAP-133")
@requirement("ASAP-192")
def test_rounds_take_twice_as_long_each_and_turn_to_other_servers(clock, hunt, attempts):
    running, _ = hunt()
    running.start()
    clock.run_until(250)
    starts = attempts.times[::3]
    assert np.diff([*starts]).tolist() == [10, 20, 40, 60, 60]
    rounds = [set(attempts.addresses[i : i + 3]) for i in range(0, 9, 3)]
    assert rounds[0].isdisjoint(rounds[1])
    assert len(rounds[0] | rounds[1] | rounds[2]) == 7
    assert len(attempts.open) == 3


@requirement("ASAP-127")
@pytest.mark.parametrize("event", [Event.ABORTED, Event.LOST, Event.REFUSED])
def test_attempts_that_fail_make_room_for_as_many_others(clock, hunt, attempts, event):
    running, _ = hunt()
    running.start()
    for _ in range(12):
        if attempts.open:
            failed = attempts.open[0]
            failed.closed = True
            running.notify(failed, event)
        else:
            clock.run_until(clock.now + 5)
        assert len(attempts.open) <= 3
    assert len(attempts.channels) >= 7


@requirement("ASAP-130")
def test_after_a_success_the_next_hunt_begins_with_t5_again(clock, hunt, attempts):
    running, _ = hunt()
    running.start()
    clock.run_until(35)
    running.notify(attempts.open[0], Event.UP)
    begin = len(attempts.channels)
    running.start()
    clock.run_until(44.9)
    assert len(attempts.channels) == begin + 3
    clock.run_until(45.1)
    assert len(attempts.channels) == begin + 6


def test_all_refusals_wait_for_t5(clock, hunt, attempts):
    running, _ = hunt(number=2)
    running.start()
    for channel in list(attempts.channels):
        running.notify(channel, Event.ABORTED)
    assert len(attempts.channels) == 2
    clock.run_until(10.1)
    assert len(attempts.channels) == 4


def test_a_server_that_is_up_at_once_ends_the_hunt_at_once(hunt, attempts):
    running, found = hunt()
    attempts.ready = SERVERS[1:2]
    running.start()
    assert found == [attempts.channels[1]] and not running.running


def test_news_of_other_associations_are_not_its_own(hunt, make_channel):
    running, _ = hunt()
    running.start()
    assert not running.notify(make_channel(), Event.ABORTED)


# Announcements -----------------------------------------------------------------------------------


def announcement(number, transports=True):
    transport = wire.SctpTransport(port=3863, addresses=[f"10.0.0.{number}"])
    return wire.ServerAnnounce(
        server_identifier=number, transports=[transport] if transports else []
    )


class TestAnnouncements:
    @pytest.fixture
    def servers(self, clock):
        def make(**settings):
            return ServerList(clock, HuntSettings(**settings))

        return make

    @requirement("ASAP-121")
    @requirement("ASAP-122")
    @requirement("ASAP-124")
    @requirement("ASAP-188")
    def test_an_announced_server_counts_for_t7_from_its_last_announcement(self, clock, servers):
        known = servers(t7_scaling=False)
        assert known.present() == []
        known.announced(announcement(1), "10.0.0.1")
        clock.run_until(4)
        known.announced(announcement(1), "10.0.0.1")
        clock.run_until(6)
        known.announced(announcement(2), "10.0.0.2")
        clock.run_until(8.9)
        assert known.present() == [SERVERS[0], SERVERS[1]]
        # Each address has a T7 of its own.
        clock.run_until(9.1)
        assert known.present() == [SERVERS[1]]
        clock.run_until(11.1)
        assert known.present() == []

    @requirement("ASAP-121")
    @requirement("ASAP-122")
    def test_each_address_of_an_announcement_has_its_t7(self, clock, servers):
        known = servers(t7_scaling=False)
        both = announcement(1).replace(transports=[announcement(n).transports[0] for n in (1, 2)])
        known.announced(both, "10.0.0.1")
        assert known.present() == [SERVERS[0], SERVERS[1]]
        clock.run_until(4)
        known.announced(announcement(2), "10.0.0.2")
        clock.run_until(5.1)
        assert known.present() == [SERVERS[1]]
        known.announced(both, "10.0.0.1")
        assert set(known.present()) == {SERVERS[0], SERVERS[1]}

    @requirement("ASAP-123")
    def test_without_transports_the_source_and_the_asap_port_count(self, servers):
        known = servers()
        known.announced(announcement(1, transports=False), "10.0.0.9")
        assert known.present() == [(("10.0.0.9",), 3863)]
        # With transports those alone count.
        known.announced(announcement(2), "10.0.0.8")
        assert known.present() == [(("10.0.0.9",), 3863), SERVERS[1]]

    @requirement("ASAP-038")
    def test_other_transports_than_sctp_are_not_listed(self, servers):
        known = servers()
        tcp = wire.TcpTransport(port=3863, addresses=["10.0.0.1"])
        known.announced(wire.ServerAnnounce(server_identifier=1, transports=[tcp]), "10.0.0.9")
        assert known.present() == [(("10.0.0.9",), 3863)]

    @requirement("SEC-035")
    def test_a_flood_of_announcements_does_not_displace_a_server_that_is_known(
        self, clock, servers
    ):
        known = servers(max_announced=50)
        known.announced(announcement(1), "10.0.0.1")
        for number in range(20_000):
            clock.run_until(number * 1e-3)
            source = f"10.{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
            known.announced(announcement(1, transports=False), source)
            if number % 2000 == 0:
                known.announced(announcement(1), "10.0.0.1")
        assert len(known.present()) <= 50
        assert SERVERS[0] in known.present()

    def test_servers_are_counted_as_they_are_present(self, clock, servers):
        known = servers()
        for number in range(1, 4):
            known.announced(announcement(number), f"10.0.0.{number}")
            clock.run_until(2.0 * number)
        assert known.count() == 3
        # Three intervals of as many servers as have announced themselves.
        clock.run_until(12)
        assert known.count() == 1
        assert known.present() == [SERVERS[2]]

    def test_configured_servers_never_expire(self, clock):
        known = ServerList(clock, HuntSettings(), SERVERS[:1])
        known.announced(announcement(2), "10.0.0.2")
        assert known.present() == list(SERVERS[:2])
        clock.run_until(100)
        assert known.present() == list(SERVERS[:1])


# Pool elements and pool users on the hunt --------------------------------------------------------


@pytest.fixture
def make_element(clock, attempts):
    def make(number=3, ready=1, life=300, **settings):
        chosen = PoolElementSettings(**settings)
        attempts.ready = SERVERS[:ready]
        servers = ServerList(clock, chosen, SERVERS[:number])
        endpoint = PoolElementEndpoint(
            HANDLE,
            life,
            chosen,
            clock,
            servers,
            lambda endpoint, address: attempts.reach(address),
        )
        transport = wire.SctpTransport(port=1, addresses=["10.0.0.9"])
        endpoint.register(5, transport, wire.Policy("round_robin"))
        return endpoint

    return make


@pytest.fixture
def make_user(clock, attempts):
    def make(number=3, ready=1, **settings):
        chosen = PoolUserSettings(**settings)
        attempts.ready = SERVERS[:ready]
        servers = ServerList(clock, chosen, SERVERS[:number])
        return PoolUserEndpoint(
            chosen,
            clock,
            servers,
            lambda endpoint, address: attempts.reach(address),
            Draws(np.random.default_rng(1)),
        )

    return make


GRANTED = wire.RegistrationResponse(pool_handle=HANDLE, pe_identifier=5)


def grant(endpoint, channel):
    channel.take()
    endpoint.receive(channel, wire.PPID_ASAP, GRANTED.encode())


@requirement("ASAP-046")
@requirement("ASAP-126")
def test_an_element_hunts_before_it_registers(make_element, attempts):
    endpoint = make_element(ready=0)
    assert [channel.data for channel in attempts.channels] == [[], [], []]
    endpoint.notify(attempts.channels[2], Event.UP)
    [registration] = attempts.channels[2].take()
    assert isinstance(registration, wire.Registration)


@requirement("ASAP-054")
@requirement("ASAP-055")
def test_an_element_without_answer_registers_elsewhere(clock, make_element, attempts):
    endpoint = make_element(ready=1)
    attempts.ready = ()
    clock.run_until(30.1)
    assert attempts.addresses == ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1"]
    endpoint.notify(attempts.channels[1], Event.UP)
    [registration] = attempts.channels[1].take()
    assert registration.pool_element.identifier == 5


@requirement("ASAP-126")
@requirement("ASAP-135")
@requirement("ASAP-136")
@requirement("ASAP-138")
def test_what_was_not_delivered_is_made_anew_for_another_server_alone(
    clock, make_element, make_user, attempts
):
    for make in (make_element, make_user):
        del attempts.channels[:], attempts.times[:]
        endpoint = make(ready=1)
        if make is make_user:
            endpoint.resolve(HANDLE, lambda element: None)
        [lost] = attempts.channels
        [request] = lost.take()
        attempts.ready = ()
        lost.undelivered = 1
        endpoint.notify(lost, Event.LOST)
        assert lost.data == [] and len(attempts.channels) == 4
        new = attempts.channels[2]
        endpoint.notify(new, Event.UP)
        assert new.take() == [request]
        clock.run_until(clock.now + 10)
        assert lost.data == []


@requirement("ASAP-054")
@requirement("ASAP-055")
@requirement("ASAP-126")
@requirement("ASAP-136")
def test_a_lost_association_makes_an_element_hunt_at_once(clock, make_element, attempts):
    endpoint = make_element(ready=1)
    home = attempts.channels[0]
    grant(endpoint, home)
    clock.run_until(5)
    attempts.ready = ()
    endpoint.notify(home, Event.LOST)
    assert attempts.times[1:] == [5, 5, 5]
    endpoint.notify(attempts.channels[2], Event.UP)
    assert len(attempts.channels[2].take()) == 1
    assert home.data == []


def test_a_late_answer_of_the_old_home_ends_the_hunt(clock, make_element, attempts):
    endpoint = make_element(ready=1)
    home = attempts.channels[0]
    attempts.ready = ()
    clock.run_until(31)
    assert len(attempts.open) == 4
    grant(endpoint, home)
    assert attempts.open == [home]
    assert endpoint.state.name == "REGISTERED"


@requirement("ASAP-062")
@requirement("ASAP-190")
def test_an_element_gives_up_after_three_attempts_in_vain_and_says_so(
    clock, make_element, attempts
):
    endpoint = make_element(number=1, ready=1)
    told = []
    endpoint.on_given_up = lambda: told.append(clock.now)
    # A granted registration sets the count to zero.
    clock.run_until(59)
    grant(endpoint, attempts.channels[-1])
    for channel in attempts.channels:
        channel.take()
    clock.run_until(3600)
    # T4 expires 280 s after the grant; then come three attempts, 30 s apart.
    sent = [len(channel.take()) for channel in attempts.channels]
    assert sum(sent) == 3
    assert told == [59 + 280 + 90]
    assert attempts.open == []


@requirement("ASAP-126")
@requirement("ASAP-196")
@requirement("ASAP-080")
def test_an_element_deregisters_elsewhere_if_its_home_does_not_answer(
    clock, make_element, attempts
):
    endpoint = make_element(ready=1)
    grant(endpoint, attempts.channels[0])
    attempts.ready = SERVERS[1:2]
    endpoint.deregister()
    assert isinstance(attempts.channels[0].take()[0], wire.Deregistration)
    clock.run_until(30.1)
    assert isinstance(attempts.channels[-1].take()[0], wire.Deregistration)
    assert attempts.channels[-1].remote_address == "10.0.0.2"


@requirement("ASAP-057")
def test_by_the_letter_no_refusal_is_followed_by_another_registration(
    clock, make_element, attempts
):
    endpoint = make_element(ready=3, register_elsewhere=False)
    told = []
    endpoint.on_refused = told.append
    [home] = [channel for channel in attempts.channels if channel.take()]
    refusal = GRANTED.replace(
        reject=True, error_causes=[wire.ErrorCause(wire.Cause.LACK_OF_RESOURCES)]
    )
    endpoint.receive(home, wire.PPID_ASAP, refusal.encode())
    clock.run_until(3600)
    assert told == [(wire.Cause.LACK_OF_RESOURCES,)]
    assert all(channel.data == [] for channel in attempts.channels)


@requirement("ASAP-057")
def test_a_server_that_is_starting_is_left_for_another_one(make_element, attempts):
    endpoint = make_element(ready=2)
    cause = wire.ErrorCause(wire.Cause.LACK_OF_RESOURCES)
    attempts.ready = SERVERS[1:2]
    refusal = GRANTED.replace(reject=True, error_causes=[cause])
    endpoint.receive(attempts.channels[0], wire.PPID_ASAP, refusal.encode())
    assert attempts.channels[-1].remote_address == "10.0.0.2"
    assert len(attempts.channels[-1].take()) == 1


@requirement("ASAP-056")
def test_a_refusal_for_want_of_room_stops_t2_as_well(clock, make_element, attempts):
    endpoint = make_element(ready=1)
    attempts.ready = ()
    cause = wire.ErrorCause(wire.Cause.LACK_OF_RESOURCES)
    refusal = GRANTED.replace(reject=True, error_causes=[cause])
    endpoint.receive(attempts.channels[0], wire.PPID_ASAP, refusal.encode())
    clock.run_until(100)
    assert endpoint.counters.registration_timeouts == 0


@requirement("ASAP-105")
@requirement("ASAP-034")
@requirement("ASAP-104")
@pytest.mark.parametrize("at_once", [False, True])
def test_a_keep_alive_with_h_changes_the_home(clock, make_element, attempts, make_channel, at_once):
    endpoint = make_element(ready=1, register_on_adoption=at_once)
    grant(endpoint, attempts.channels[0])
    new = make_channel("10.0.0.7", 3863)
    claim = wire.EndpointKeepAlive(server_identifier=9, pool_handle=HANDLE, home=True)
    endpoint.receive(new, wire.PPID_ASAP, claim.encode())
    answer, *rest = new.take()
    assert answer == wire.EndpointKeepAliveAck(pool_handle=HANDLE, pe_identifier=5)
    assert len(rest) == at_once
    if not at_once:
        clock.run_until(280.1)
        assert isinstance(new.take()[0], wire.Registration)
    assert attempts.channels[0].data == []


@requirement("ASAP-103")
def test_a_keep_alive_for_another_pool_is_dropped_whatever_h_says(
    make_element, attempts, make_channel
):
    endpoint = make_element(ready=1)
    grant(endpoint, attempts.channels[0])
    rogue = make_channel("10.0.0.7", 3863)
    claim = wire.EndpointKeepAlive(server_identifier=9, pool_handle=b"other", home=True)
    endpoint.receive(rogue, wire.PPID_ASAP, claim.encode())
    assert rogue.data == []
    endpoint.update_policy(wire.Policy("round_robin"))
    assert len(attempts.channels[0].take()) == 1


def test_a_registration_that_lapsed_is_renewed(make_element, attempts):
    endpoint = make_element(ready=1)
    home = attempts.channels[0]
    grant(endpoint, home)
    lapse = wire.DeregistrationResponse(pool_handle=HANDLE, pe_identifier=5)
    endpoint.receive(home, wire.PPID_ASAP, lapse.encode())
    assert isinstance(home.take()[0], wire.Registration)


@requirement("ASAP-089")
@requirement("ASAP-002")
def test_a_user_hunts_before_it_resolves(make_user, attempts):
    endpoint = make_user(ready=0)
    endpoint.resolve(HANDLE, lambda element: None)
    assert [channel.data for channel in attempts.channels] == [[], [], []]
    endpoint.notify(attempts.channels[1], Event.UP)
    assert isinstance(attempts.channels[1].take()[0], wire.HandleResolution)
    endpoint.resolve(b"other", lambda element: None)
    assert len(attempts.channels[1].take()) == 1


@requirement("ASAP-092")
@requirement("ASAP-138")
def test_a_user_whose_server_is_lost_asks_another_one_at_once(clock, make_user, attempts):
    endpoint = make_user(ready=1)
    endpoint.resolve(HANDLE, lambda element: None)
    clock.run_until(3)
    attempts.ready = SERVERS[2:3]
    endpoint.notify(attempts.channels[0], Event.ABORTED)
    assert attempts.times[-1] == 3
    assert isinstance(attempts.channels[-1].take()[0], wire.HandleResolution)


@requirement("ASAP-140")
@requirement("ASAP-182")
@requirement("ASAP-191")
@requirement("ASAP-091")
def test_a_user_asks_at_0_15_and_30_s_and_gives_up_at_45_s(clock, make_user, attempts):
    endpoint = make_user(number=1)
    answers = []
    endpoint.resolve(HANDLE, lambda element: answers.append((clock.now, element)))
    asked = []
    for second in range(61):
        clock.run_until(second + 0.5)
        asked += [second] * sum(len(channel.take()) for channel in attempts.channels)
    assert asked == [0, 15, 30]
    assert answers == [(45, None)]
    assert len(attempts.channels) == 1


RESOLUTION = wire.HandleResolution(pool_handle=HANDLE)


@requirement("ASAP-139")
@requirement("ASAP-126")
def test_at_t1_a_user_asks_the_same_server_again_and_hunts_for_others_beside_it(
    clock, make_user, attempts
):
    endpoint = make_user(number=3, ready=1)
    endpoint.resolve(HANDLE, lambda element: None)
    [home] = attempts.channels
    assert home.take() == [RESOLUTION]
    clock.run_until(15.1)
    assert home.take() == [RESOLUTION]
    assert attempts.addresses == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert [channel.data for channel in attempts.channels[1:]] == [[], []]
    # T1 was started again.
    clock.run_until(30.1)
    assert home.take() == [RESOLUTION] and home in attempts.open


@requirement("ASAP-141")
@requirement("ASAP-134")
@requirement("ASAP-138")
def test_another_server_that_answers_first_becomes_home_and_gets_the_request(
    clock, make_user, attempts
):
    endpoint = make_user(number=3, ready=1)
    endpoint.resolve(HANDLE, lambda element: None)
    clock.run_until(15.1)
    home, second, third = attempts.channels
    home.take()
    endpoint.notify(third, Event.UP)
    assert third.take() == [RESOLUTION]
    assert attempts.open == [third]
    assert second.data == home.data == []
    # All further requests go there.
    endpoint.resolve(b"other", lambda element: None)
    assert third.take() == [wire.HandleResolution(pool_handle=b"other")]


@requirement("ASAP-139")
def test_an_answer_of_the_home_ends_the_hunt_beside_it(clock, make_user, attempts):
    endpoint = make_user(number=3, ready=1)
    endpoint.resolve(HANDLE, lambda element: None)
    clock.run_until(15.1)
    home = attempts.channels[0]
    cause = wire.ErrorCause(wire.Cause.UNKNOWN_POOL_HANDLE)
    answer = wire.HandleResolutionResponse(pool_handle=HANDLE, error_causes=[cause])
    endpoint.receive(home, wire.PPID_ASAP, answer.encode())
    assert attempts.open == [home]
    clock.run_until(300)
    assert len(attempts.channels) == 3


@requirement("ASAP-106")
def test_a_report_waits_for_a_server(make_user, attempts):
    endpoint = make_user(ready=0)
    endpoint.report_unreachable(HANDLE, 7)
    endpoint.notify(attempts.channels[0], Event.UP)
    report = wire.EndpointUnreachable(pool_handle=HANDLE, pe_identifier=7)
    assert attempts.channels[0].take() == [report]


def test_a_starting_server_is_left_for_another_one_by_users_too(clock, make_user, attempts):
    endpoint = make_user(ready=1)
    answers = []
    endpoint.resolve(HANDLE, answers.append)
    cause = wire.ErrorCause(wire.Cause.LACK_OF_RESOURCES)
    refusal = wire.HandleResolutionResponse(pool_handle=HANDLE, error_causes=[cause])
    attempts.ready = SERVERS[1:2]
    endpoint.receive(attempts.channels[0], wire.PPID_ASAP, refusal.encode())
    clock.run_until(15.1)
    assert answers == []
    assert attempts.channels[-1].remote_address == "10.0.0.2"
    assert isinstance(attempts.channels[-1].take()[0], wire.HandleResolution)
