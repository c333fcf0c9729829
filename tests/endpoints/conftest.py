import numpy as np
import pytest

from rsim import wire
from rsim.clock import Clock
from rsim.endpoints import EnrpServer, ServerSettings
from rsim.handlespace import Draws
from rsim.randomness import Streams


class Channel:
    """The far end of an association: keeps what the endpoint sends."""

    def __init__(self, remote_address="10.0.0.9", remote_port=49152):
        self.remote_address = remote_address
        self.remote_port = remote_port
        self.remote_addresses = (remote_address,)
        self.principal = None
        self.protected = False
        self.data = []
        self.closed = False

    def send(self, ppid, data):
        assert ppid == wire.PPID_ASAP
        self.data.append(data)

    def close(self):
        self.closed = True

    discard = close

    def take(self):
        """Messages sent since the last call."""
        messages = [wire.decode(data, "asap") for data in self.data]
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
    def make(**settings):
        draws = Draws(np.random.default_rng(1))
        server = EnrpServer(77, ServerSettings(**settings), clock, draws, random)
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
        endpoint.receive(channel, wire.PPID_ASAP, message.encode())
        return channel.take()

    return send
