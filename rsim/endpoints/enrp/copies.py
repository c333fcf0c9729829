"""What an ENRP server takes over of its peers' elements, from updates and from tables
(RFC 5353 3.2.3, 3.3, 3.6.3)."""

from __future__ import annotations

from rsim.endpoints.enrp.counters import ServerCounters
from rsim.endpoints.enrp.homes import Homes
from rsim.endpoints.enrp.node import Node
from rsim.endpoints.enrp.peers import Peers
from rsim.endpoints.enrp.store import ElementStore, Key
from rsim.endpoints.settings import ServerSettings
from rsim.handlespace import LARGEST, Outcome, policy_kinds, policy_with
from rsim.wire import HandleTableResponse, PoolElement, policy_values


class Copies:
    """Stores copies of what peers are home of.

    While a table is under way, elements that have changed since are remembered: the table must not
    overwrite what an update says, or bring back what has left.

    Parameters: `node` the server; `store` of its elements; `peers` of it; `homes` that settles
    claims; `settings` of the server; `counters` of it.
    """

    def __init__(
        self,
        node: Node,
        store: ElementStore,
        peers: Peers,
        homes: Homes,
        *,
        settings: ServerSettings,
        counters: ServerCounters,
    ) -> None:
        self._node = node
        self._store = store
        self._peers = peers
        self._homes = homes
        self._settings = settings
        self._counters = counters
        self._tables = 0
        self._changed: set[Key] = set()

    def begin_table(self) -> None:
        """A table is under way from now on."""
        self._tables += 1

    def end_table(self) -> None:
        """A table is not under way any more; without any, changes need not be remembered."""
        self._tables -= 1
        if self._tables == 0:
            self._changed.clear()

    def note_change(self, handle: bytes, identifier: int) -> None:
        """Remembers an element that changes while a table is under way.

        Parameters: `handle` of its pool; `identifier` its PE identifier.
        """
        if self._tables:
            self._changed.add((handle, identifier))

    def take_table(self, message: HandleTableResponse, owner: int | None = None) -> None:
        """Takes over the elements of a piece of a table.

        Parameters: `message` with the piece; `owner` whose elements alone are taken, None for all.
        """
        node = self._node
        for pool in message.pools:
            handle = pool.pool_handle
            for element in pool.pool_elements:
                if (handle, element.identifier) in self._changed:
                    continue
                if owner is not None and element.home_server != owner:
                    continue
                if element.home_server == node.identifier:
                    # From before a restart under the same identifier: mine, if nobody knows better.
                    if not node.serving:
                        self._store.add_copy(handle, element)
                    continue
                if owner is not None and self._homes.claims(handle, element):
                    continue
                self.take(handle, element)

    def take(self, handle: bytes, element: PoolElement, distance: int = 0) -> bool:
        """Takes over what the home says of an element; False where its pool can't have it.

        Parameters: `handle` of its pool; `element` with its home; `distance` in ms from there.
        """
        if element.home_server == self._node.identifier:
            return False
        if distance:
            element = with_distance(element, distance)
        outcome = self._store.add_copy(handle, element)
        if outcome not in (Outcome.ADDED, Outcome.RENEWED):
            # A pool that was born twice, with different policies: the type of the lower home stays.
            if not self._settings.heal_split_pools or not self._homes.clear_pool(
                handle, element.home_server
            ):
                self._counters.updates_refused += 1
                return False
            outcome = self._store.add_copy(handle, element)
        if self._peers.get(element.home_server) is None:
            self._peers.add(element.home_server)
        return outcome in (Outcome.ADDED, Outcome.RENEWED)


def with_distance(element: PoolElement, distance: int) -> PoolElement:
    """An element at a greater distance, where its policy knows distance (RFC 5356 4.3).

    Parameters: `element` as its home says; `distance` in ms to add.
    """
    policy = element.policy
    kind = next((one for one in policy_kinds().values() if one.type_code == policy.type), None)
    if kind is None or "distance" not in kind.values:
        return element
    if policy.name is not None:
        values = {value: getattr(policy, value) for value in policy_values(policy.name)}
    else:
        # A policy in Python: its parameter is opaque to the codec.
        words = (int.from_bytes(policy.data[i : i + 4]) for i in range(0, len(policy.data), 4))
        values = dict(zip(kind.values, words, strict=True))
    values["distance"] = min(values["distance"] + distance, LARGEST)
    return element.replace(policy=policy_with(kind.name, values))
