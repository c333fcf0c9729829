"""Handle updates that an ENRP server gets from its peers (RFC 5353 2.4, 3.3)."""

from __future__ import annotations

from math import ceil, inf

from rsim.endpoints.enrp.announcements import Announcements
from rsim.endpoints.enrp.copies import Copies
from rsim.endpoints.enrp.counters import ServerCounters
from rsim.endpoints.enrp.homes import Homes
from rsim.endpoints.enrp.node import Node
from rsim.endpoints.enrp.peers import Peers, PeerState
from rsim.endpoints.enrp.store import ElementStore, Key
from rsim.endpoints.ports import Channel, ClockPort
from rsim.endpoints.settings import ServerSettings
from rsim.wire import ADD_PE, DEL_PE, HandleUpdate, PoolElement

_REPEAT = 5.0
"""Least time in s between two objections to the removal of one element: a peer that keeps removing
it gets one answer in that time, not one for each message."""


class Updates:
    """Takes ENRP_HANDLE_UPDATE messages.

    Parameters: `node` the server; `store` of its elements; `peers` of it; `announcements` to them;
    `homes` that takes elements over; `copies` of what peers are home of; `settings` of the server;
    `clock` of the run; `counters` of the server.
    """

    def __init__(
        self,
        node: Node,
        store: ElementStore,
        peers: Peers,
        *,
        announcements: Announcements,
        homes: Homes,
        copies: Copies,
        settings: ServerSettings,
        clock: ClockPort,
        counters: ServerCounters,
    ) -> None:
        self._node = node
        self._store = store
        self._peers = peers
        self._announcements = announcements
        self._homes = homes
        self._copies = copies
        self._settings = settings
        self._clock = clock
        self._counters = counters
        self._objected: dict[Key, float] = {}

    def update(self, channel: Channel, message: HandleUpdate) -> None:
        """Takes an update; one with an unknown action has no effect.

        Parameters: `channel` it came on; `message` with action and element.
        """
        if message.update_action == ADD_PE:
            self._add(message)
        elif message.update_action == DEL_PE:
            self._remove(message)

    def _add(self, message: HandleUpdate) -> None:
        element = message.pool_element
        if self._settings.check_updates and element.home_server != message.sender:
            self._counters.updates_refused += 1
            return
        handle = message.pool_handle
        self._copies.note_change(handle, element.identifier)
        taken = self._copies.take(handle, element, self._distance(message))
        if taken and message.takeover_suggested:
            self._homes.take(handle, element.identifier)

    def _remove(self, message: HandleUpdate) -> None:
        handle, identifier = message.pool_handle, message.pool_element.identifier
        known = self._store.find(handle, identifier)
        self._copies.note_change(handle, identifier)
        if known is None:
            return
        if self._settings.check_updates and not self._may_remove(message.sender, known):
            self._counters.updates_refused += 1
            if known.home_server == self._node.identifier:
                self._object(handle, identifier)
            return
        own = self._store.own(handle, identifier)
        if own is not None:
            self._store.disown(own)
        self._store.remove(handle, identifier)

    def _may_remove(self, sender: int, known: PoolElement) -> bool:
        """The home may, and anybody where the home is not there to say so itself."""
        home = known.home_server
        if home == sender:
            return True
        if home == self._node.identifier:
            return False
        peer = self._peers.get(home)
        return peer is None or peer.state is not PeerState.ACTIVE

    def _object(self, handle: bytes, identifier: int) -> None:
        """The owner knows best: tells all peers that the element is still there."""
        now = self._clock.now
        key = (handle, identifier)
        if now - self._objected.get(key, -inf) >= _REPEAT:
            self._objected[key] = now
            self._announcements.announce(handle, identifier)

    def _distance(self, message: HandleUpdate) -> int:
        """Distance in ms that the update has come, for policies with distance penalties."""
        peer = self._peers.get(message.sender)
        if not self._settings.measure_distance or peer is None or peer.channel is None:
            return 0
        return ceil(self._node.host.distance(peer.channel.remote_address))
