"""What an ENRP server tells its peers of the elements that it is home of (RFC 5353 3.3)."""

from __future__ import annotations

from rsim.endpoints.enrp.counters import ServerCounters
from rsim.endpoints.enrp.node import Node
from rsim.endpoints.enrp.peers import Peer, Peers
from rsim.endpoints.enrp.store import ElementStore, StoreListener
from rsim.endpoints.settings import ServerSettings
from rsim.wire import ADD_PE, DEL_PE, HandleUpdate, PoolElement


class Announcements(StoreListener):
    """Sends ENRP_HANDLE_UPDATE to the peers.

    Parameters: `node` the server; `store` of its elements; `peers` that get them; `settings` of the
    server; `counters` of it.
    """

    def __init__(
        self,
        node: Node,
        store: ElementStore,
        peers: Peers,
        *,
        settings: ServerSettings,
        counters: ServerCounters,
    ) -> None:
        self._node = node
        self._store = store
        self._peers = peers
        self._settings = settings
        self._counters = counters

    def announce(self, handle: bytes, identifier: int) -> None:
        """Tells all peers what is listed of an element, if it is (3.3.1).

        Parameters: `handle` of its pool; `identifier` its PE identifier.
        """
        if self._peers.alone:
            return
        element = self._store.find(handle, identifier)
        if element is not None:
            self._add(handle, element)

    def _add(self, handle: bytes, element: PoolElement) -> None:
        peers = self._peers.introduced()
        if not peers:
            return
        nearest = self._nearest(element, peers)
        message = self._message(ADD_PE, handle, element)
        for peer in peers:
            suggested = peer is nearest
            chosen = message.replace(takeover_suggested=True) if suggested else message
            self._peers.send(peer, chosen, self._count)

    def own_removed(self, handle: bytes, element: PoolElement) -> None:
        """Tells all peers of the removal of an element of this server.

        Parameters: `handle` of its pool; `element` as it was listed.
        """
        self.announce_removal(handle, element)

    def announce_removal(self, handle: bytes, element: PoolElement) -> None:
        """Tells all peers of a removal, for whatever reason (3.3.2).

        Parameters: `handle` of its pool; `element` as it was listed.
        """
        peers = self._peers.introduced()
        if not peers:
            return
        message = self._message(DEL_PE, handle, element)
        for peer in peers:
            self._peers.send(peer, message, self._count)

    def _count(self) -> None:
        self._counters.updates_sent += 1

    def _message(self, action: int, handle: bytes, element: PoolElement) -> HandleUpdate:
        return HandleUpdate(
            sender=self._node.identifier,
            receiver=0,
            update_action=action,
            pool_handle=handle,
            pool_element=element,
        )

    def _nearest(self, element: PoolElement, peers: list[Peer]) -> Peer | None:
        """The peer that is nearer to an element than this server and all others, if wanted."""
        if not self._settings.takeover_suggestion or element.asap_transport is None:
            return None
        host = self._node.host
        there = str(element.asap_transport.addresses[0])
        best, nearest = host.distance(there), None
        for peer in peers:
            if peer.information is not None:
                here = str(peer.information.transport.addresses[0])
                distance = host.distance(there, here)
                if distance < best:
                    best, nearest = distance, peer
        return nearest
