"""Sessions with a pool: cookies, business cards, failover (RFC 5352 3.8, 3.9)."""

import numpy as np
import pytest

from rsim import wire
from rsim.endpoints import PoolUserEndpoint, PoolUserSettings, ServerList, Session
from rsim.handlespace import Draws
from rsim.network import Event

HANDLE = b"pool"
APPLICATION = 77
requirement = pytest.mark.conformance


class Application:
    """Keeps what the session tells, in its order."""

    def __init__(self):
        self.told = []
        self.refused = set()

    def choosing(self, element, failover):
        self.told.append(("choosing", element.identifier, failover))
        return element.identifier not in self.refused

    def no_element(self):
        self.told.append("no element")

    def opened(self, element, echoed):
        self.told.append(("opened", element.identifier, echoed))

    def cookie(self, content):
        self.told.append(("cookie", content))

    def message(self, ppid, data):
        self.told.append(("message", ppid, data))

    def lost(self, event):
        self.told.append(event)


class World:
    """A session, its server, and a channel for each element that it turns to."""

    def __init__(self, clock, make_channel, element, use=1, pool=(1, 2, 3), **settings):
        self.server = make_channel()
        chosen = PoolUserSettings(**settings)
        servers = ServerList(clock, chosen, ((("10.0.0.1",), 3863),))
        draws = Draws(np.random.default_rng(1))
        self.endpoint = PoolUserEndpoint(chosen, clock, servers, lambda *_: self.server, draws)
        self.application = Application()
        self.channels = {}
        self.pool = pool
        self.use = use

        def connect(session, element):
            channel = self.channels[element.identifier] = make_channel()
            channel.sent = []
            channel.send = lambda ppid, data: channel.sent.append((ppid, data))
            return channel

        self.application.connect = connect
        self.element = lambda identifier: element(
            identifier, transport=wire.SctpTransport(port=1, addresses=["10.0.0.9"], use=self.use)
        )
        self.session = Session(self.endpoint, HANDLE, self.application)

    def answer(self, *identifiers):
        response = wire.HandleResolutionResponse(
            pool_handle=HANDLE,
            policy=wire.Policy("priority", priority=0),
            pool_elements=[self.element(i) for i in identifiers or self.pool],
        )
        self.endpoint.receive(self.server, wire.PPID_ASAP, response.encode())

    def asked(self):
        return self.server.take()

    def hear(self, identifier, message):
        self.session.receive(self.channels[identifier], wire.PPID_ASAP, message.encode())


@pytest.fixture
def world(clock, make_channel, element):
    def make(**options):
        return World(clock, make_channel, element, **options)

    return make


def opened(world):
    world.session.start()
    world.answer()
    return world


@requirement("ARC-004")
@requirement("ASAP-040")
@requirement("ASAP-143")
@requirement("ASAP-144")
@requirement("ASAP-145")
def test_the_latest_cookie_goes_to_the_next_element_ahead_of_all(world):
    it = opened(world())
    for content in (b"first", b"\x00second\xff"):
        it.hear(1, wire.Cookie(cookie=content))
    assert it.session.cookie == b"\x00second\xff"
    it.session.failed()
    it.session.fail_over()
    it.session.send(APPLICATION, b"and on")
    echo = wire.CookieEcho(cookie=b"\x00second\xff")
    assert it.channels[2].sent == [(wire.PPID_ASAP, echo.encode()), (APPLICATION, b"and on")]
    assert echo.encode()[:2] == b"\x0c\x00"


def test_a_new_session_knows_no_cookie_of_the_one_before(world):
    it = opened(world())
    it.hear(1, wire.Cookie(cookie=b"old"))
    it.session.close()
    it.session.start()
    assert it.application.told[-1] == ("opened", 1, False)
    assert it.channels[1].sent == []


@requirement("SEC-010")
def test_the_application_hears_of_a_failover_before_the_first_byte(world):
    it = opened(world())
    it.session.failed()
    it.session.fail_over()
    assert it.application.told == [
        ("choosing", 1, False),
        ("opened", 1, False),
        ("choosing", 2, True),
        ("opened", 2, False),
    ]


@requirement("SEC-010")
def test_an_element_that_the_application_refuses_gets_nothing(world):
    it = opened(world())
    it.application.refused = {2}
    it.session.failed()
    it.session.fail_over()
    assert it.application.told[-1] == "no element"
    assert 2 not in it.channels
    it.session.fail_over()
    assert it.application.told[-1] == ("opened", 3, False)


def card(it, *identifiers, pool=HANDLE):
    return wire.BusinessCard(pool_handle=pool, pool_elements=[it.element(i) for i in identifiers])


@requirement("ARC-005")
@requirement("ASAP-152")
def test_a_business_card_guides_the_choice(world):
    it = opened(world())
    it.hear(1, card(it, 3, 2))
    it.session.failed()
    it.session.fail_over()
    assert it.application.told[-1] == ("opened", 3, False)
    # The next of the card, and then the one that it does not name.
    it.session.failed()
    it.session.fail_over()
    assert it.application.told[-1] == ("opened", 2, False)


@requirement("ASAP-154")
def test_a_session_may_do_without_cards(world):
    it = world()
    it.session.use_cards = False
    opened(it)
    it.hear(1, card(it, 3, 2))
    it.session.failed()
    it.session.fail_over()
    assert it.application.told[-1] == ("opened", 2, False)


@requirement("ASAP-150")
def test_a_later_card_displaces_the_earlier_one(world):
    it = opened(world())
    it.hear(1, card(it, 3, 2))
    it.hear(1, card(it, 2, 3))
    it.session.failed()
    it.session.fail_over()
    assert it.application.told[-1] == ("opened", 2, False)
    it.session.failed()
    it.session.fail_over()
    assert it.application.told[-1] == ("opened", 3, False)


@requirement("ASAP-151")
def test_a_card_for_a_pool_that_is_not_cached_leads_to_its_resolution(world):
    it = opened(world())
    it.asked()
    it.hear(1, card(it, 2))
    assert it.asked() == []
    it.hear(1, card(it, 8, pool=b"other"))
    assert it.asked() == [wire.HandleResolution(pool_handle=b"other")]


@requirement("ASAP-142")
@requirement("ASAP-149")
@requirement("COM-028")
@requirement("COM-022")
@requirement("COM-030")
@requirement("COM-032")
@pytest.mark.parametrize(
    "make_transport",
    [
        lambda: wire.SctpTransport(port=1, addresses=["10.0.0.9"], use=0),
        lambda: wire.TcpTransport(port=1, addresses=["10.0.0.9"], use=1),
        lambda: wire.UdpTransport(port=1, addresses=["10.0.0.9"]),
        lambda: wire.UdpLiteTransport(port=1, addresses=["10.0.0.9"]),
        lambda: wire.DccpTransport(port=1, service_code=7, addresses=["10.0.0.9"]),
    ],
)
def test_without_a_control_channel_no_cookie_is_echoed(world, element, make_transport):
    it = world()
    it.element = lambda identifier: element(identifier, transport=make_transport())
    opened(it)
    it.hear(1, wire.Cookie(cookie=b"one"))
    it.session.failed()
    it.session.fail_over()
    assert it.application.told[-1] == ("opened", 2, False)
    assert it.channels[2].sent == []


def test_what_the_network_tells_and_late_messages(world):
    it = opened(world())
    first = it.channels[1]
    it.session.notify(first, Event.UP)
    it.session.notify(first, Event.LOST)
    assert it.application.told[-1] is Event.LOST
    it.session.failed()
    it.session.fail_over()
    it.session.receive(first, APPLICATION, b"late")
    it.session.notify(first, Event.ABORTED)
    assert it.application.told[-1] == ("opened", 2, False)


def test_an_empty_pool_is_told(world):
    it = world()
    it.session.start()
    error = wire.ErrorCause(wire.Cause.UNKNOWN_POOL_HANDLE)
    response = wire.HandleResolutionResponse(pool_handle=HANDLE, error_causes=[error])
    it.endpoint.receive(it.server, wire.PPID_ASAP, response.encode())
    assert it.application.told == ["no element"]


@requirement("ASAP-043")
def test_unknown_content_is_reported_on_the_same_association(world):
    it = opened(world())
    unknown = bytes([0x4F, 0, 0, 4])
    it.session.receive(it.channels[1], wire.PPID_ASAP, unknown)
    [(ppid, data)] = it.channels[1].sent
    assert ppid == wire.PPID_ASAP
    [cause] = wire.decode(data, "asap").error_causes
    assert cause == wire.ErrorCause(wire.Cause.UNRECOGNIZED_MESSAGE, unknown)
    # The rest of a message with an unknown parameter counts.
    it.channels[1].sent.clear()
    parameter = bytes([0xC0, 0x77, 0, 8]) + b"what"
    data = wire.Cookie(cookie=b"ever").encode() + parameter
    data = data[:2] + len(data).to_bytes(2) + data[4:]
    it.session.receive(it.channels[1], wire.PPID_ASAP, data)
    [(_, data)] = it.channels[1].sent
    [cause] = wire.decode(data, "asap").error_causes
    assert cause == wire.ErrorCause(wire.Cause.UNRECOGNIZED_PARAMETER, parameter)
    assert it.session.cookie == b"ever"
