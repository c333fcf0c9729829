"""Handle updates between ENRP servers (RFC 5353 2.4, 3.3)."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, inf
from typing import TYPE_CHECKING, Any

from rsim.endpoints.enrp.elements import Key
from rsim.endpoints.enrp.peers import Peer, PeerState
from rsim.endpoints.ports import Channel
from rsim.handlespace import LARGEST, Outcome, policy_kinds, policy_with
from rsim.wire import HandleUpdate, PoolElement, policy_values

if TYPE_CHECKING:
    from rsim.endpoints.enrp.server import EnrpServer

ADD_PE, DEL_PE = 0, 1
_REPEAT = 5.0
"""Least time in s between two objections to the removal of one element."""


class Updates:
    """What this server tells its peers of its elements, and hears of theirs."""

    def __init__(self, server: EnrpServer) -> None:
        self._server = server
        self._objected: dict[Key, float] = {}

    def handlers(self) -> dict[type, Callable[[Channel, Any], None]]:
        """Handlers by type of message."""
        return {HandleUpdate: self._update}

    # Telling (3.3.1, 3.3.2) -----------------------------------------------------------------------

    def added(self, handle: bytes, element: PoolElement) -> None:
        """Tells all peers of a registration or a renewal."""
        peers = self._server.peers.told()
        if not peers:
            return
        nearest = self._nearest(element, peers)
        message = self._message(ADD_PE, handle, element)
        for peer in peers:
            suggested = peer is nearest
            chosen = message.replace(takeover_suggested=True) if suggested else message
            self._server.peers.send(peer, chosen, self._count)

    def removed(self, handle: bytes, element: PoolElement) -> None:
        """Tells all peers of a removal, for whatever reason."""
        peers = self._server.peers.told()
        message = self._message(DEL_PE, handle, element)
        for peer in peers:
            self._server.peers.send(peer, message, self._count)

    def _count(self) -> None:
        self._server.counters.updates_sent += 1

    def _message(self, action: int, handle: bytes, element: PoolElement) -> HandleUpdate:
        return HandleUpdate(
            sender=self._server.identifier,
            receiver=0,
            update_action=action,
            pool_handle=handle,
            pool_element=element,
        )

    def _nearest(self, element: PoolElement, peers: list[Peer]) -> Peer | None:
        """The peer that is nearer to an element than this server and all others, if wanted."""
        if not self._server.settings.takeover_suggestion or element.asap_transport is None:
            return None
        ports = self._server.ports
        there = str(element.asap_transport.addresses[0])
        best, nearest = ports.distance(there), None
        for peer in peers:
            if peer.information is not None:
                here = str(peer.information.transport.addresses[0])
                distance = ports.distance(there, here)
                if distance < best:
                    best, nearest = distance, peer
        return nearest

    # Hearing --------------------------------------------------------------------------------------

    def _update(self, channel: Channel, message: HandleUpdate) -> None:
        if message.update_action == ADD_PE:
            self._add(message)
        elif message.update_action == DEL_PE:
            self._remove(message)

    def _add(self, message: HandleUpdate) -> None:
        server = self._server
        element = message.pool_element
        if server.settings.check_updates and element.home_server != message.sender:
            server.counters.updates_refused += 1
            return
        handle = message.pool_handle
        server.tables.touched(handle, element.identifier)
        if self.store(handle, element, self._distance(message)) and message.takeover_suggested:
            server.elements.take(handle, element.identifier)

    def _remove(self, message: HandleUpdate) -> None:
        server = self._server
        handle, identifier = message.pool_handle, message.pool_element.identifier
        known = server.handlespace.find(handle, identifier)
        server.tables.touched(handle, identifier)
        if known is None:
            return
        if server.settings.check_updates and not self._may_remove(message.sender, known):
            server.counters.updates_refused += 1
            if known.home_server == server.identifier:
                self._object(handle, known)
            return
        server.elements.forget(handle, identifier)
        server.elements.taken_out(handle, identifier)

    def _may_remove(self, sender: int, known: PoolElement) -> bool:
        """The home may, and anybody where the home is not there to say so itself."""
        home = known.home_server
        if home == sender:
            return True
        if home == self._server.identifier:
            return False
        peer = self._server.peers.get(home)
        return peer is None or peer.state is not PeerState.ACTIVE

    def _object(self, handle: bytes, element: PoolElement) -> None:
        """The owner knows best: tells all peers that the element is still there."""
        now = self._server.clock.now
        key = (handle, element.identifier)
        if now - self._objected.get(key, -inf) >= _REPEAT:
            self._objected[key] = now
            self.added(handle, element)

    def _distance(self, message: HandleUpdate) -> int:
        """Distance in ms that the update has come, for policies with distance penalties."""
        peer = self._server.peers.get(message.sender)
        if not self._server.settings.measure_distance or peer is None or peer.channel is None:
            return 0
        return ceil(self._server.ports.distance(peer.channel.remote_address))

    def store(self, handle: bytes, element: PoolElement, distance: int = 0) -> bool:
        """Takes over what the owner says of an element; False where its pool can't have it."""
        server = self._server
        if element.home_server == server.identifier:
            return False
        if distance:
            element = with_distance(element, distance)
        outcome = server.elements.add_foreign(handle, element)
        if outcome not in (Outcome.ADDED, Outcome.RENEWED):
            # A pool that was born twice, with different policies: the type of the lower home stays.
            if not server.settings.heal_split_pools or not server.elements.clear_pool(
                handle, element.home_server
            ):
                server.counters.updates_refused += 1
                return False
            outcome = server.elements.add_foreign(handle, element)
        if server.peers.get(element.home_server) is None:
            server.peers.add(element.home_server)
        return outcome in (Outcome.ADDED, Outcome.RENEWED)


def with_distance(element: PoolElement, distance: int) -> PoolElement:
    """An element whose policy has so many ms more of distance, where its policy knows distance."""
    names = {kind.type_code: name for name, kind in policy_kinds().items()}
    name = names.get(element.policy.type)
    if name is None or "distance" not in policy_kinds()[name].values:
        return element
    values = {value: getattr(element.policy, value) for value in policy_values(name)}
    values["distance"] = min(values["distance"] + distance, LARGEST)
    return element.replace(policy=policy_with(name, values))
