"""The peers of an ENRP server: who they are, and whether they live (RFC 5353 3.4).

A peer is ACTIVE; ASKED, when it has been silent and a PRESENCE with reply required is out; or
SUSPENDED, while another server takes it over. Timer of each: MAX-TIME-LAST-HEARD, then
MAX-TIME-NO-RESPONSE, or the guard of a suspension. Timer of all: PEER-HEARTBEAT-CYCLE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from rsim.endpoints.ports import Channel, TimerPort, count_sent
from rsim.wire import PPID_ENRP, EnrpError, Message, Presence, ServerInformation

if TYPE_CHECKING:
    from rsim.endpoints.enrp.server import Address, EnrpServer


class PeerState(Enum):
    """States of a peer, as another server sees it."""

    ACTIVE = auto()
    ASKED = auto()
    SUSPENDED = auto()


@dataclass(slots=True, eq=False)
class Peer:
    """A peer: `information` once it has told it, `channel` while there is an association."""

    identifier: int
    timer: TimerPort
    state: PeerState = PeerState.ACTIVE
    information: ServerInformation | None = None
    channel: Channel | None = None


class Peers:
    """The peer list."""

    def __init__(self, server: EnrpServer) -> None:
        self._server = server
        self._peers: dict[int, Peer] = {}
        self._attempts: dict[Address, Channel] = {}
        self._heartbeat = server.clock.timer(self._heartbeat_due)

    def handlers(self) -> dict[type, Callable[[Channel, Any], None]]:
        """Handlers by type of message."""
        return {Presence: self._presence, EnrpError: self._error}

    def __iter__(self) -> Iterator[Peer]:
        return iter(list(self._peers.values()))

    def __len__(self) -> int:
        return len(self._peers)

    @property
    def alone(self) -> bool:
        """Whether no peer is known."""
        return not self._peers

    def get(self, identifier: int) -> Peer | None:
        """The peer with that identifier, if it is known."""
        return self._peers.get(identifier)

    def begin(self) -> None:
        """The server serves: says so to all peers, and beats from now on."""
        for peer in self:
            self.tell_presence(peer, reply_required=True)
        self._heartbeat.start(self._server.settings.peer_heartbeat_cycle)

    def stop(self) -> None:
        """Forgets all."""
        self._heartbeat.stop()
        for peer in self:
            peer.timer.stop()
        self._peers.clear()
        self._attempts.clear()

    # Discovery (3.4.1) ----------------------------------------------------------------------------

    def heard(self, identifier: int, channel: Channel) -> None:
        """Any message makes a stranger a peer, and sets a peer's silence back to nothing."""
        peer = self._peers.get(identifier)
        if peer is None:
            peer = self.add(identifier)
            peer.channel = channel
            if self._server.serving:
                self.tell_presence(peer, reply_required=True)
            return
        if peer.channel is None:
            peer.channel = channel
        if peer.state is not PeerState.SUSPENDED:
            self.active(peer)

    def add(self, identifier: int, information: ServerInformation | None = None) -> Peer:
        """A peer, new if it was not known."""
        peer = self._peers.get(identifier)
        if peer is None:
            timer = self._server.clock.timer(lambda: self._expired(identifier))
            peer = self._peers[identifier] = Peer(identifier, timer)
            timer.start(self._server.settings.max_time_last_heard)
        if information is not None and peer.information is None and not self._is_me(information):
            peer.information = information
        return peer

    def _is_me(self, information: ServerInformation) -> bool:
        """Whether that is this very host: what is left of a server that ran here before."""
        own = self._server.ports.information()
        transport = information.transport
        return transport.port == own[1] and not set(own[0]).isdisjoint(transport.hosts)

    def remove(self, identifier: int) -> None:
        """Takes a peer off the list."""
        peer = self._peers.pop(identifier, None)
        if peer is not None:
            peer.timer.stop()

    def told(self) -> list[Peer]:
        """Peers that count: they have told who they are (or all, by the letter of the RFC)."""
        literal = not self._server.settings.check_peers
        return [peer for peer in self if literal or peer.information is not None]

    # Sending --------------------------------------------------------------------------------------

    def send(self, peer: Peer, message: Message, count: Callable[[], None] | None = None) -> None:
        """Sends a message, over a new association if there is none; `count` when it leaves."""
        if peer.channel is None:
            if peer.information is None:
                return
            transport = peer.information.transport
            address = (tuple(map(str, transport.addresses)), transport.port)
            peer.channel = self._server.ports.connect(self._server, address, PPID_ENRP)
        self._server.send(peer.channel, message)
        if count is not None:
            count_sent(peer.channel, count)

    def send_all(self, message: Message) -> None:
        """One copy to each peer that counts (RFC 5353 1.1, 3.1)."""
        for peer in self.told():
            self.send(peer, message)

    # Presence (3.4.2, 2.1) ------------------------------------------------------------------------

    def presence(self, receiver: int, reply_required: bool, tell: bool) -> Presence:
        """A PRESENCE with the present checksum of what this server owns (3.6.1)."""
        server = self._server
        return Presence(
            sender=server.identifier,
            receiver=receiver,
            reply_required=reply_required,
            pe_checksum=server.handlespace.checksum(server.identifier),
            server_information=server.information() if tell else None,
        )

    def tell_presence(self, peer: Peer, reply_required: bool = False) -> None:
        """Sends a peer a PRESENCE that tells who this server is."""
        self.send(peer, self.presence(peer.identifier, reply_required, True))

    def tell_all(self) -> None:
        """Says that this server is alive."""
        self.send_all(self.presence(0, False, False))

    def announce(self) -> None:
        """A PRESENCE to the multicast group of the servers, for those that look for a mentor."""
        if self._server.settings.announce:
            data = self.presence(0, False, True).encode(self._server.dialect)
            self._server.ports.announce(data, PPID_ENRP)

    def _heartbeat_due(self) -> None:
        self.tell_all()
        if self._server.settings.rediscover:
            self._rediscover()
        self._heartbeat.start(self._server.settings.peer_heartbeat_cycle)

    def _rediscover(self) -> None:
        """Speaks to configured servers that are no peers: both sides of a partition have taken the
        other over, and nothing else brings them together again."""
        server = self._server
        known = {
            str(address)
            for peer in self
            if peer.information is not None
            for address in peer.information.transport.addresses
        }
        for address in server.mentors:
            if known.isdisjoint(address[0]):
                channel = self._attempts.get(address)
                if channel is None:
                    channel = server.ports.connect(server, address, PPID_ENRP)
                    self._attempts[address] = channel
                server.send(channel, self.presence(0, True, True))

    def met(self, message: Presence) -> None:
        """A PRESENCE by multicast: a stranger is spoken to."""
        information = message.server_information
        if information is not None and message.sender not in self._peers:
            self.tell_presence(self.add(message.sender, information), reply_required=True)

    def _presence(self, channel: Channel, message: Presence) -> None:
        server = self._server
        peer = self._peers[message.sender]
        information = message.server_information
        if information is not None and information.server_identifier == peer.identifier:
            peer.information = information
        server.takeovers.alive(peer)
        if message.reply_required:
            server.send(channel, self.presence(peer.identifier, False, True))
        if message.pe_checksum is not None and server.serving:
            server.tables.audit(peer, message.pe_checksum)

    def _error(self, channel: Channel, message: EnrpError) -> None:
        """What a peer did not understand has no effect, and no error answers an error."""

    # Supervision (3.4.3) --------------------------------------------------------------------------

    def active(self, peer: Peer) -> None:
        """The peer lives."""
        peer.state = PeerState.ACTIVE
        peer.timer.start(self._server.settings.max_time_last_heard)

    def suspend(self, peer: Peer) -> None:
        """Another server takes the peer over; if nothing comes of that, watching resumes."""
        peer.state = PeerState.SUSPENDED
        peer.timer.start(3 * self._server.settings.max_time_no_response)

    def ask(self, peer: Peer) -> None:
        """Asks whether a silent peer is there."""
        peer.state = PeerState.ASKED
        peer.timer.start(self._server.settings.max_time_no_response)
        self.tell_presence(peer, reply_required=True)

    def _expired(self, identifier: int) -> None:
        peer = self._peers[identifier]
        if not self._server.serving:
            peer.timer.start(self._server.settings.max_time_last_heard)
        elif peer.state is PeerState.ASKED:
            self._dead(peer)
        else:
            self.ask(peer)

    def ended(self, channel: Channel) -> None:
        """An association has ended: a peer that was asked is dead, another one is asked."""
        for address in [a for a, attempt in self._attempts.items() if attempt is channel]:
            del self._attempts[address]
        for peer in self:
            if peer.channel is channel:
                peer.channel = None
                if peer.state is PeerState.ASKED:
                    self._dead(peer)
                elif peer.state is PeerState.ACTIVE and self._server.serving:
                    self.ask(peer)

    def _dead(self, peer: Peer) -> None:
        self._server.counters.peers_found_dead += 1
        if self._server.vigilant():
            self._server.takeovers.begin(peer)
        else:
            self.remove(peer.identifier)
