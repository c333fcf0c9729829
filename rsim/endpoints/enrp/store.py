"""The elements that an ENRP server lists, those it is home of, and listeners for changes.

Timer: expiry, for the next registration life that ends (RFC 5352 3.1).
"""

from __future__ import annotations

from math import inf
from typing import Final

from rsim.endpoints.enrp.counters import ServerCounters
from rsim.endpoints.enrp.node import Node
from rsim.endpoints.ports import Channel, ClockPort, TimerPort
from rsim.endpoints.settings import ServerSettings
from rsim.handlespace import Handlespace, Outcome
from rsim.wire import PoolElement, PoolEntry, SctpTransport

Key = tuple[bytes, int]
"""Pool handle and PE identifier."""

# Read for each registration: compiled code finds what is Final at once.
_ADDED: Final = Outcome.ADDED
_RENEWED: Final = Outcome.RENEWED
_ALL = 1 << 30
"""More elements and octets than a handlespace can have: no limit."""


class OwnElement:
    """What a server keeps of an element that it is home of, beside its entry in the handlespace.

    `channel` is its association, None while there is none; `asap_transport` where it takes ASAP;
    `waiting` whether it owes the answer to a keep-alive; `claiming` until it has acknowledged its
    new home (H = 1); `taken_from` the server that it was taken over from, 0 for none; `probed_at`
    in s when it was last asked; `listed` while the server is its home.

    Parameters: `handle` of its pool; `identifier` its PE identifier; `channel` and
    `asap_transport` as above; `timer` of its keep-alives.
    """

    __slots__ = (
        "asap_transport",
        "channel",
        "claiming",
        "handle",
        "identifier",
        "listed",
        "probed_at",
        "taken_from",
        "timer",
        "waiting",
    )

    def __init__(
        self,
        handle: bytes,
        identifier: int,
        *,
        channel: Channel | None,
        asap_transport: SctpTransport | None,
        timer: TimerPort,
    ) -> None:
        self.handle = handle
        self.identifier = identifier
        self.channel = channel
        self.asap_transport = asap_transport
        self.timer = timer
        self.listed = False
        self.waiting = False
        self.claiming = False
        self.taken_from = 0
        self.probed_at = -inf


class StoreListener:
    """Is notified of changes in a store; each method does nothing here."""

    def pool_changed(self, handle: bytes) -> None:
        """An element has joined or left a pool.

        Parameters: `handle` of the pool.
        """

    def element_disowned(self, own: OwnElement) -> None:
        """The server is no longer home of an element.

        Parameters: `own` what it kept of it.
        """

    def own_removed(self, handle: bytes, element: PoolElement) -> None:
        """An element that the server was home of has left the handlespace.

        Parameters: `handle` of its pool; `element` as it was listed.
        """

    def own_lapsed(self, own: OwnElement) -> None:
        """The registration of such an element has ended without its request.

        Parameters: `own` what the server kept of it.
        """


class ElementStore:
    """All elements that a server lists, and which of them it is home of.

    Parameters: `node` the server; `settings` of it; `clock` of the run; `counters` of the server.
    """

    def __init__(
        self, node: Node, settings: ServerSettings, clock: ClockPort, counters: ServerCounters
    ) -> None:
        self._node = node
        self._settings = settings
        self._clock = clock
        self._counters = counters
        self._listeners: list[StoreListener] = []
        self._own: dict[bytes, dict[int, OwnElement]] = {}
        # So that the end of an association costs no look at all elements.
        self._by_channel: dict[Channel, dict[OwnElement, None]] = {}
        self._expiry = clock.timer(self._expire)
        self._counted_until = clock.now
        self.handlespace = self._make_handlespace()

    def _make_handlespace(self) -> Handlespace:
        settings = self._settings
        return Handlespace(
            increment=settings.round_robin_increment,
            degradations_per_selection=settings.degradations_per_selection,
            degradations_at_registration=settings.degradations_at_registration,
            saturate=settings.saturate_degraded_load,
        )

    def add_listener(self, listener: StoreListener) -> None:
        """Adds a listener for changes, after the existing ones.

        Parameters: `listener` that is notified of each change.
        """
        self._listeners.append(listener)

    def clear(self) -> None:
        """Removes all elements; neither peers nor elements are notified."""
        self.count()
        self._expiry.stop()
        for own in self.owned():
            self.disown(own)
        self.handlespace = self._make_handlespace()
        self._node.note_change()

    def count(self) -> None:
        """Brings the counter that integrates the number of elements up to the present."""
        now = self._clock.now
        self._counters.element_seconds += len(self.handlespace) * (now - self._counted_until)
        self._counted_until = now

    # Queries --------------------------------------------------------------------------------------

    def find(self, handle: bytes, identifier: int) -> PoolElement | None:
        """An element as it is listed, None if it is not.

        Parameters: `handle` of its pool; `identifier` its PE identifier.
        """
        return self.handlespace.find(handle, identifier)

    def own(self, handle: bytes, identifier: int) -> OwnElement | None:
        """What the server keeps of an element that it is home of, None if it is not.

        Parameters: `handle` of its pool; `identifier` its PE identifier.
        """
        pool = self._own.get(handle)
        return pool.get(identifier) if pool is not None else None

    @property
    def has_own(self) -> bool:
        """Whether the server is home of any element."""
        return bool(self._own)

    def owned(self) -> list[OwnElement]:
        """What the server keeps of all elements that it is home of."""
        return [own for pool in self._own.values() for own in pool.values()]

    def owned_over(self, channel: Channel) -> list[OwnElement]:
        """What the server keeps of elements that it is home of and reaches over an association.

        Parameters: `channel` the association.
        """
        return list(self._by_channel.get(channel, ()))

    def set_channel(self, own: OwnElement, channel: Channel | None) -> None:
        """Reaches an element over another association from now on.

        Parameters: `own` what the server keeps of it; `channel` the association, None for none.
        """
        if own.channel is channel:
            return
        if own.listed:
            self._leave_channel(own)
        own.channel = channel
        if own.listed:
            self._enter_channel(own)

    def _enter_channel(self, own: OwnElement) -> None:
        if own.channel is not None:
            self._by_channel.setdefault(own.channel, {})[own] = None

    def _leave_channel(self, own: OwnElement) -> None:
        channel = own.channel
        others = self._by_channel.get(channel) if channel is not None else None
        if channel is not None and others is not None:
            others.pop(own, None)
            if not others:
                del self._by_channel[channel]

    def listed(self, owner: int | None = None) -> tuple[PoolEntry, ...]:
        """Pools with their elements.

        Parameters: `owner` identifier of their home server, None for all elements.
        """
        pools, _ = self.handlespace.table(limit=_ALL, octets=_ALL, owner=owner)
        return pools

    # Changes --------------------------------------------------------------------------------------

    def add_own(self, own: OwnElement, element: PoolElement) -> Outcome:
        """Lists an element with this server as its home; tells whether its pool takes it.

        Parameters: `own` what the server keeps of it; `element` what it says of itself.
        """
        self.count()
        expires = inf
        life = element.registration_life
        if life > 0 and self._settings.expire_registrations:
            expires = self._clock.now + life
        outcome = self.handlespace.add(
            own.handle,
            element,
            expires,
            home_server=self._node.identifier,
            asap_transport=own.asap_transport,
        )
        if outcome is _ADDED or outcome is _RENEWED:
            if expires < inf:
                self._schedule_expiry()
            if not own.listed:
                own.listed = True
                self._own.setdefault(own.handle, {})[own.identifier] = own
                self._enter_channel(own)
            if outcome is _ADDED:
                self.note_change(own.handle)
            self._node.note_entry(own.handle, own.identifier)
        return outcome

    def add_copy(self, handle: bytes, element: PoolElement) -> Outcome:
        """Lists what a peer says of an element that it is home of (RFC 5353 3.3.1).

        Parameters: `handle` of its pool; `element` with its home server.
        """
        self.count()
        expires = inf
        life = element.registration_life
        if self._settings.expire_copies and life > 0:
            expires = self._clock.now + life + 2 * self._settings.peer_heartbeat_cycle
        outcome = self.handlespace.add(handle, element, expires)
        if outcome is _ADDED or outcome is _RENEWED:
            own = self.own(handle, element.identifier)
            if own is not None:
                self.disown(own)
            if expires < inf:
                self._schedule_expiry()
            if outcome is _ADDED:
                self.note_change(handle)
            self._node.note_entry(handle, element.identifier)
        return outcome

    def remove_own(self, own: OwnElement, lapsed: bool = False) -> None:
        """Removes an element that this server is home of (RFC 5353 3.3.2).

        Parameters: `own` what the server keeps of it; `lapsed` whether it has to be told.
        """
        handle, identifier = own.handle, own.identifier
        element = self.handlespace.find(handle, identifier)
        self.disown(own)
        self.remove(handle, identifier)
        self._tell_removed(handle, element)
        if lapsed:
            self._tell_lapsed(own)

    def remove(self, handle: bytes, identifier: int) -> None:
        """Removes an element without telling peers.

        Parameters: `handle` of its pool; `identifier` its PE identifier.
        """
        self.count()
        self.handlespace.remove(handle, identifier)
        self.note_change(handle)
        self._node.note_entry(handle, identifier)

    def sweep(self, owner: int) -> None:
        """Removes the elements of a peer that were marked and not renewed since (RFC 5353 3.6.3).

        Parameters: `owner` identifier of the peer.
        """
        self.count()
        for handle, element in self.handlespace.sweep(owner):
            self.note_change(handle)
            self._node.note_entry(handle, element.identifier)

    def disown(self, own: OwnElement) -> None:
        """Is home of an element no more; it stays listed.

        Parameters: `own` what the server keeps of it.
        """
        own.listed = False
        self._leave_channel(own)
        pool = self._own.get(own.handle)
        if pool is not None and pool.pop(own.identifier, None) is not None and not pool:
            del self._own[own.handle]
        for listener in self._listeners:
            listener.element_disowned(own)

    def note_change(self, handle: bytes) -> None:
        """Tells that an element has joined or left a pool.

        Parameters: `handle` of the pool.
        """
        for listener in self._listeners:
            listener.pool_changed(handle)

    def _tell_removed(self, handle: bytes, element: PoolElement | None) -> None:
        if element is not None:
            for listener in self._listeners:
                listener.own_removed(handle, element)

    def _tell_lapsed(self, own: OwnElement) -> None:
        for listener in self._listeners:
            listener.own_lapsed(own)

    # Registration life ----------------------------------------------------------------------------

    def _schedule_expiry(self) -> None:
        due = self.handlespace.next_expiry()
        if due < inf:
            self._expiry.start(max(0.0, due - self._clock.now))

    def _expire(self) -> None:
        """A registration life ended without renewal: the element is removed, and told so."""
        self.count()
        for handle, element in self.handlespace.expire(self._clock.now):
            self._counters.elements_expired += 1
            own = self.own(handle, element.identifier)
            if own is not None:
                self.disown(own)
            self.note_change(handle)
            self._node.note_entry(handle, element.identifier)
            if own is not None:
                self._tell_removed(handle, element)
                self._tell_lapsed(own)
        self._schedule_expiry()
