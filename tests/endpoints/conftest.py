import numpy as np
import pytest

from rsim import wire
from rsim.clock import Clock
from rsim.endpoints import EnrpServer, ServerSettings
from rsim.handlespace import Draws
from rsim.randomness import Streams


class Ports:
    """A server's host: connections by address, and what it announces."""

    asap_port = 3863

    def __init__(self):
        self.connections = []
        self.identifiers = 1000
        self.announced = []
        self.distances = {}

    def connect(self, server, address, ppid):
        channel = Channel(address[0][0], address[1], ppid)
        self.connections.append(channel)
        return channel

    def new_identifier(self):
        self.identifiers += 1
        return self.identifiers

    def information(self):
        return (("10.0.0.77",), 9901)

    def announce(self, data, ppid):
        self.announced.append((ppid, data))

    def distance(self, address, other=None):
        return self.distances.get((other, address), 0.0)


class Channel:
    """The far end of an association: keeps what the endpoint sends."""

    ready = True
    tcp = False

    def __init__(self, remote_address="10.0.0.9", remote_port=49152, ppid=wire.PPID_ASAP):
        self.ppid = ppid
        self.remote_address = remote_address
        self.remote_port = remote_port
        self.remote_addresses = (remote_address,)
        self.principal = None
        self.protected = False
        self.data = []
        self.undelivered = 0
        self.closed = False

    def send(self, ppid, data):
        assert ppid == self.ppid
        self.data.append(data)

    def when_sent(self, sent):
        sent()

    def close(self):
        self.closed = True

    discard = close

    def take(self):
        """Messages sent since the last call."""
        protocol = "asap" if self.ppid == wire.PPID_ASAP else "enrp"
        messages = [wire.decode(data, protocol) for data in self.data]
        self.data.clear()
        return messages


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make_channel():
    return Channel


@pytest.fixture
def random():
    return Streams(1).stream("actor", "purpose")


@pytest.fixture
def make_server(clock, random):
    def make(mentors=(), authorisation=None, **settings):
        server = EnrpServer(
            77,
            ServerSettings(**settings),
            clock=clock,
            host=Ports(),
            draws=Draws(np.random.default_rng(1)),
            random=random,
            mentors=mentors,
            authorisation=authorisation,
        )
        server.start()
        return server

    return make


@pytest.fixture
def element():
    def make(identifier, address="10.0.0.9", policy=None, life=300, transport=None):
        return wire.PoolElement(
            identifier=identifier,
            registration_life=life,
            user_transport=transport or wire.SctpTransport(port=1, addresses=[address]),
            policy=policy or wire.Policy("round_robin"),
        )

    return make


@pytest.fixture
def tell():
    """Hands a message to an endpoint as bytes and takes what it answers on that channel."""

    def send(endpoint, channel, message):
        endpoint.receive(channel, channel.ppid, message.encode())
        return channel.take()

    return send
