"""Which ENRP server is home of an element: changes of home, and elements that two servers claim
(RFC 5353 3.5.2, 3.6.3)."""

from __future__ import annotations

from rsim.endpoints.enrp.announcements import Announcements
from rsim.endpoints.enrp.keep_alives import KeepAlives
from rsim.endpoints.enrp.node import Node
from rsim.endpoints.enrp.store import ElementStore, OwnElement
from rsim.wire import PoolElement


class Homes:
    """Takes elements over, gives them away, and settles who is their home.

    Parameters: `node` the server; `store` of its elements; `keep_alives` by which elements hear of
    their home; `announcements` to the peers.
    """

    def __init__(
        self,
        node: Node,
        store: ElementStore,
        keep_alives: KeepAlives,
        announcements: Announcements,
    ) -> None:
        self._node = node
        self._store = store
        self._keep_alives = keep_alives
        self._announcements = announcements

    def take_all(self, target: int) -> int:
        """Becomes home of all elements of a server that is gone; gives their number.

        Parameters: `target` identifier of that server.
        """
        count = 0
        for pool in self._store.listed(target):
            for element in pool.pool_elements:
                own = self._take(pool.pool_handle, element)
                own.taken_from = target
                count += 1
        return count

    def take(self, handle: bytes, identifier: int) -> None:
        """Becomes home of one element, as its present home suggests, and tells all.

        Parameters: `handle` of its pool; `identifier` its PE identifier.
        """
        element = self._store.find(handle, identifier)
        if element is not None and self._store.own(handle, identifier) is None:
            self._take(handle, element)
            self._announcements.announce(handle, identifier)

    def adopt_own(self) -> None:
        """Becomes home of its elements from before a restart under the same identifier."""
        for pool in self._store.listed(self._node.identifier):
            for element in pool.pool_elements:
                if self._store.own(pool.pool_handle, element.identifier) is None:
                    self._take(pool.pool_handle, element)

    def _take(self, handle: bytes, element: PoolElement) -> OwnElement:
        own = self._keep_alives.make_own(handle, element.identifier, None, element.asap_transport)
        self._store.add_own(own, element)
        self._keep_alives.claim_spread(own)
        return own

    def rename(self, old: int) -> None:
        """Stays home of its elements under another identifier.

        Parameters: `old` identifier of this server.
        """
        for pool in self._store.listed(old):
            for element in pool.pool_elements:
                own = self._store.own(pool.pool_handle, element.identifier)
                if own is not None:
                    self._store.add_own(own, element)
                    self._announcements.announce(pool.pool_handle, element.identifier)

    def rehome(self, target: int, winner: int) -> None:
        """Lists all elements of one server under another one.

        Parameters: `target` that was taken over; `winner` that is their home now.
        """
        for pool in self._store.listed(target):
            for element in pool.pool_elements:
                self._store.add_copy(pool.pool_handle, element.replace(home_server=winner))

    def yield_taken(self, target: int, winner: int) -> None:
        """Gives up what it took over from a server that another one has taken over too.

        Parameters: `target` that was taken over; `winner` that is home of its elements.
        """
        for own in self._store.owned():
            if own.taken_from == target:
                element = self._store.find(own.handle, own.identifier)
                if element is not None:
                    self._store.add_copy(own.handle, element.replace(home_server=winner))

    def claims(self, handle: bytes, element: PoolElement) -> bool:
        """Whether this server stays home of an element that a peer's table claims as well.

        Both may be wrong, as after a partition; the higher identifier keeps it, tells the peers and
        the element.

        Parameters: `handle` of its pool; `element` as the peer lists it.
        """
        own = self._store.own(handle, element.identifier)
        if own is None or element.home_server > self._node.identifier:
            return False
        self._announcements.announce(handle, element.identifier)
        if not own.claiming:
            self._keep_alives.claim(own, 0.0)
        return True

    def clear_pool(self, handle: bytes, home: int) -> bool:
        """Empties a pool in favour of one with another policy, if that has the lower home; tells
        whether it is empty.

        Parameters: `handle` of the pool; `home` server of the other pool.
        """
        pool = [
            element
            for pool in self._store.listed()
            if pool.pool_handle == handle
            for element in pool.pool_elements
        ]
        if any(element.home_server <= home for element in pool):
            return False
        for element in pool:
            own = self._store.own(handle, element.identifier)
            if own is None:
                self._store.remove(handle, element.identifier)
            else:
                self._store.remove_own(own, lapsed=True)
        return self._store.handlespace.pool_size(handle) == 0
