"""Audits of what peers of an ENRP server are home of, and re-synchronisation (RFC 5353 3.6).

Timer of each re-synchronisation: MAX-TIME-NO-RESPONSE, until the peer answers.
"""

from __future__ import annotations

from rsim.endpoints.enrp.copies import Copies
from rsim.endpoints.enrp.counters import ServerCounters
from rsim.endpoints.enrp.node import Node
from rsim.endpoints.enrp.peers import Peer, Peers
from rsim.endpoints.enrp.store import ElementStore
from rsim.endpoints.ports import ClockPort, TimerPort
from rsim.endpoints.settings import ServerSettings
from rsim.wire import HandleTableRequest, HandleTableResponse


class Audits:
    """Compares checksums, and fetches the elements of a peer whose checksum differs.

    Parameters: `node` the server; `store` of its elements; `peers` of it; `copies` of what peers
    are home of; `settings` of the server; `clock` of the run; `counters` of the server.
    """

    def __init__(
        self,
        node: Node,
        store: ElementStore,
        peers: Peers,
        copies: Copies,
        *,
        settings: ServerSettings,
        clock: ClockPort,
        counters: ServerCounters,
    ) -> None:
        self._node = node
        self._store = store
        self._peers = peers
        self._copies = copies
        self._settings = settings
        self._clock = clock
        self._counters = counters
        self._timers: dict[int, TimerPort] = {}

    def stop(self) -> None:
        """Gives up all re-synchronisations."""
        for identifier in list(self._timers):
            self._end(identifier)

    def audit(self, peer: Peer, checksum: int) -> None:
        """Compares the checksum of a peer with the copies; if they differ, fetches its elements.

        Parameters: `peer` that has told its `checksum`, 16 bits.
        """
        self._counters.audits += 1
        if checksum == self._store.handlespace.checksum(peer.identifier):
            return
        self._counters.audit_mismatches += 1
        identifier = peer.identifier
        if identifier in self._timers:
            return
        self._store.handlespace.mark(identifier)
        self._timers[identifier] = self._clock.timer(lambda: self._give_up(identifier))
        self._copies.begin_table()
        self._request(peer)

    def _request(self, peer: Peer) -> None:
        self._timers[peer.identifier].start(self._settings.max_time_no_response)
        request = HandleTableRequest(
            sender=self._node.identifier, receiver=peer.identifier, own_only=True
        )
        self._peers.send(peer, request)

    def take_table(self, message: HandleTableResponse) -> bool:
        """Takes a piece of a table; False where no audit waits for one of that peer.

        Parameters: `message` with the piece.
        """
        identifier = message.sender
        timer = self._timers.get(identifier)
        if timer is None or not timer.running:
            return False
        peer = self._peers.get(identifier)
        if message.reject or peer is None:
            self._give_up(identifier)
            return True
        self._copies.take_table(message, owner=identifier)
        if message.more:
            self._request(peer)
            return True
        self._store.sweep(identifier)
        self._end(identifier)
        return True

    def _give_up(self, identifier: int) -> None:
        """Never removes on incomplete knowledge: the next PRESENCE tries again."""
        self._store.handlespace.unmark(identifier)
        self._end(identifier)

    def _end(self, identifier: int) -> None:
        self._timers.pop(identifier).stop()
        self._copies.end_table()
