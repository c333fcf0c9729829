import pytest

from rsim import wire
from rsim.wire import Presence, SctpTransport, ServerInformation

ME = 77


class Far:
    """A peer as a test plays it: says what it likes, keeps what it is told."""

    def __init__(self, server, channel, identifier, address):
        self.server = server
        self.channel = channel
        self.identifier = identifier
        self.information = ServerInformation(
            server_identifier=identifier,
            transport=SctpTransport(port=9901, addresses=[address]),
        )

    def say(self, message):
        """Sends a message and returns what comes back on the channel."""
        self.server.receive(
            self.channel, wire.PPID_ENRP, message.encode(wire.Dialect.TAKEOVER_SUGGESTED)
        )
        return self.take()

    def take(self, kind=None):
        """Messages since the last call, of one kind or all."""
        messages = self.channel.take()
        return [m for m in messages if kind is None or isinstance(m, kind)]

    def presence(self, checksum=0xFFFF, reply_required=False, tell=True, receiver=0):
        """A PRESENCE of this peer."""
        return Presence(
            sender=self.identifier,
            receiver=receiver,
            reply_required=reply_required,
            pe_checksum=checksum,
            server_information=self.information if tell else None,
        )

    def add(self, element, handle=b"pool"):
        """A HANDLE_UPDATE that adds an element with this peer as home, unless it names another."""
        if element.home_server == 0:
            element = element.replace(home_server=self.identifier)
        return wire.HandleUpdate(
            sender=self.identifier,
            receiver=0,
            update_action=0,
            pool_handle=handle,
            pool_element=element,
        )

    def delete(self, element, handle=b"pool"):
        """A HANDLE_UPDATE that deletes an element."""
        return self.add(element, handle).replace(update_action=1)


@pytest.fixture
def make_peer(make_channel):
    """A peer that the server knows: it has told who it is."""

    def make(server, identifier, known=True):
        address = f"10.0.1.{identifier % 250}"
        channel = make_channel(address, 9901, wire.PPID_ENRP)
        peer = Far(server, channel, identifier, address)
        if known:
            peer.say(peer.presence())
            peer.take()
        return peer

    return make


@pytest.fixture
def register(element, make_channel, tell):
    """Registers an element at a server, from an address of its own."""

    def make(server, identifier, handle=b"pool", life=300):
        address = f"10.0.2.{identifier % 250}"
        channel = make_channel(address, 49152)
        message = wire.Registration(
            pool_handle=handle, pool_element=element(identifier, address, life=life)
        )
        return channel, tell(server, channel, message)

    return make
