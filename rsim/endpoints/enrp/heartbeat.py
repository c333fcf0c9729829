"""How an ENRP server tells its peers that it lives, and what it does with their PRESENCE
(RFC 5353 3.4, 3.6).

Timer: PEER-HEARTBEAT-CYCLE.
"""

from __future__ import annotations

from rsim.endpoints.enrp.audits import Audits
from rsim.endpoints.enrp.node import Node
from rsim.endpoints.enrp.peers import Peers
from rsim.endpoints.enrp.takeover import Takeovers
from rsim.endpoints.ports import Address, Channel, ClockPort
from rsim.endpoints.settings import ServerSettings
from rsim.wire import PPID_ENRP, Presence


class Heartbeat:
    """Sends and takes PRESENCE.

    Parameters: `node` the server; `peers` of it; `takeovers` that a PRESENCE ends; `audits` that it
    begins; `mentors` servers that should be peers; `settings` of the server; `clock` of the run.
    """

    def __init__(
        self,
        node: Node,
        peers: Peers,
        takeovers: Takeovers,
        audits: Audits,
        *,
        mentors: tuple[Address, ...],
        settings: ServerSettings,
        clock: ClockPort,
    ) -> None:
        self._node = node
        self._peers = peers
        self._takeovers = takeovers
        self._audits = audits
        self._mentors = mentors
        self._settings = settings
        self._attempts: dict[Address, Channel] = {}
        self._timer = clock.timer(self._expire)

    def begin(self) -> None:
        """Tells all peers that the server serves, and does so in each cycle from now on."""
        for peer in self._peers:
            self._peers.tell_presence(peer, reply_required=True)
        self._timer.start(self._settings.peer_heartbeat_cycle)

    def stop(self) -> None:
        """Falls silent."""
        self._timer.stop()
        self._attempts.clear()

    def announce(self) -> None:
        """Sends a PRESENCE to the group of the servers, for those that look for a mentor."""
        if self._settings.announce:
            presence = self._peers.make_presence(0, introduce=True)
            self._node.host.announce(presence.encode(self._node.dialect), PPID_ENRP)

    def _expire(self) -> None:
        self._peers.tell_all()
        if self._settings.rediscover:
            self._rediscover()
        self._timer.start(self._settings.peer_heartbeat_cycle)

    def _rediscover(self) -> None:
        """Speaks to configured servers that are no peers: both sides of a partition have taken the
        other over, and nothing else brings them together again."""
        node = self._node
        known = {
            str(address)
            for peer in self._peers
            if peer.information is not None
            for address in peer.information.transport.addresses
        }
        for address in self._mentors:
            if known.isdisjoint(address[0]):
                channel = self._attempts.get(address)
                if channel is None:
                    channel = self._attempts[address] = node.connect(address)
                presence = self._peers.make_presence(0, reply_required=True, introduce=True)
                node.send(channel, presence)

    def meet(self, message: Presence) -> None:
        """Takes a PRESENCE by multicast: speaks to a stranger.

        Parameters: `message` that tells where its sender is.
        """
        information = message.server_information
        if information is not None and self._peers.get(message.sender) is None:
            peer = self._peers.add(message.sender, information)
            self._peers.tell_presence(peer, reply_required=True)

    def take(self, channel: Channel, message: Presence) -> None:
        """Takes the PRESENCE of a peer: it lives, may want an answer, and tells its checksum.

        Parameters: `channel` it came on; `message` with its sender.
        """
        node = self._node
        peer = self._peers.get(message.sender)
        assert peer is not None, "a message makes its sender a peer"
        information = message.server_information
        if information is not None and information.server_identifier == peer.identifier:
            peer.information = information
        self._takeovers.hear_presence(peer)
        if message.reply_required:
            node.send(channel, self._peers.make_presence(peer.identifier, introduce=True))
        if message.pe_checksum is not None and node.serving:
            self._audits.audit(peer, message.pe_checksum)

    def lose_channel(self, channel: Channel) -> None:
        """An association has ended: a server that is no peer is spoken to over a new one.

        Parameters: `channel` that has ended.
        """
        for address in [a for a, attempt in self._attempts.items() if attempt is channel]:
            del self._attempts[address]
