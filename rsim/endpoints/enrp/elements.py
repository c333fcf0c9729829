"""The elements that an ENRP server is home of: whether they live, and who is their home.

Timers: of each element, one that sends ASAP_ENDPOINT_KEEP_ALIVE and then waits for the answer
(RFC 5352 3.4); expiry, for the next registration life that ends (3.1).
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from rsim.endpoints.ports import Channel, TimerPort, count_sent
from rsim.handlespace import Outcome
from rsim.wire import (
    PPID_ASAP,
    DeregistrationResponse,
    EndpointKeepAlive,
    EndpointKeepAliveAck,
    PoolElement,
    PoolEntry,
    SctpTransport,
)

if TYPE_CHECKING:
    from rsim.endpoints.enrp.server import EnrpServer

Key = tuple[bytes, int]
"""Pool handle and PE identifier."""

_ALL = 1 << 30


class Entry:
    """An element that this server is home of.

    `channel` its association, None while there is none; `waiting` for the answer to a keep-alive;
    `claiming` until the element has acknowledged its new home (H = 1); `taken_from` the server that
    it was taken over from; `probed_at` in s when it was last asked; `own` while it is one of
    `Elements`.
    """

    __slots__ = (
        "asap_transport",
        "channel",
        "claiming",
        "handle",
        "identifier",
        "own",
        "probed_at",
        "taken_from",
        "timer",
        "waiting",
    )

    def __init__(
        self,
        elements: Elements,
        handle: bytes,
        identifier: int,
        channel: Channel | None,
        asap_transport: SctpTransport | None,
    ) -> None:
        self.handle = handle
        self.identifier = identifier
        self.channel = channel
        self.asap_transport = asap_transport
        self.own = False
        self.waiting = False
        self.claiming = False
        self.taken_from = 0
        self.probed_at = -inf
        # By its key: an entry that its timer held would outlive its end.
        self.timer: TimerPort = elements.clock.timer(
            lambda: elements.keep_alive_expired(handle, identifier)
        )


class Elements:
    """Elements by handle and identifier, as far as this server is their home."""

    def __init__(self, server: EnrpServer) -> None:
        self._server = server
        self.settings = server.settings
        self.clock = server.clock
        self.counters = server.counters
        self._pools: dict[bytes, dict[int, Entry]] = {}
        self._expiry = server.clock.timer(self._expiry_expired)
        self._counted_until = server.clock.now

    def get(self, handle: bytes, identifier: int) -> Entry | None:
        """The element, if this server is its home."""
        pool = self._pools.get(handle)
        return pool.get(identifier) if pool is not None else None

    def _all(self) -> list[Entry]:
        return [entry for pool in self._pools.values() for entry in pool.values()]

    def stop(self) -> None:
        """Forgets all."""
        self.count()
        self._expiry.stop()
        for entry in self._all():
            self.forget(entry.handle, entry.identifier)

    # Own elements ---------------------------------------------------------------------------------

    def add(self, entry: Entry, element: PoolElement) -> Outcome:
        """Puts an element into the handlespace with this server as its home."""
        self.count()
        life = element.registration_life
        expires = inf
        if life > 0 and self.settings.expire_registrations:
            expires = self.clock.now + life
        outcome = self._server.handlespace.add(
            entry.handle,
            element,
            expires,
            home_server=self._server.identifier,
            asap_transport=entry.asap_transport,
        )
        if outcome is Outcome.ADDED or outcome is Outcome.RENEWED:
            if expires < inf:
                self._schedule_expiry()
            if not entry.own:
                entry.own = True
                self._pools.setdefault(entry.handle, {})[entry.identifier] = entry
        return outcome

    def remove(self, entry: Entry) -> None:
        """Takes an element out, and tells the peers (RFC 5353 3.3.2)."""
        server = self._server
        element = None
        if not server.peers.alone:
            element = server.handlespace.find(entry.handle, entry.identifier)
        self.forget(entry.handle, entry.identifier)
        self.taken_out(entry.handle, entry.identifier)
        if element is not None:
            server.updates.removed(entry.handle, element)

    def forget(self, handle: bytes, identifier: int) -> None:
        """Is home of an element no more: its timers end, its entry in the handlespace stays."""
        entry = self.get(handle, identifier)
        if entry is None:
            return
        entry.timer.stop()
        entry.own = False
        pool = self._pools[handle]
        del pool[identifier]
        if not pool:
            del self._pools[handle]

    def taken_out(self, handle: bytes, identifier: int) -> None:
        """Takes an element out of the handlespace without telling anybody but subscribers."""
        self.count()
        self._server.handlespace.remove(handle, identifier)
        self._server.asap.changed(handle)

    # Elements of peers ----------------------------------------------------------------------------

    def add_foreign(self, handle: bytes, element: PoolElement) -> Outcome:
        """Takes over what a peer says of an element that it is home of (RFC 5353 3.3.1)."""
        self.count()
        handlespace = self._server.handlespace
        expires = inf
        life = element.registration_life
        if self.settings.expire_copies and life > 0:
            expires = self.clock.now + life + 2 * self.settings.peer_heartbeat_cycle
        outcome = handlespace.add(handle, element, expires)
        if outcome is Outcome.ADDED or outcome is Outcome.RENEWED:
            self.forget(handle, element.identifier)
            if expires < inf:
                self._schedule_expiry()
            if outcome is Outcome.ADDED:
                self._server.asap.changed(handle)
        return outcome

    def claims(self, handle: bytes, element: PoolElement) -> bool:
        """Whether this server stays home of an element that a peer's table claims as well.

        Both may be wrong, as after a partition; the higher identifier keeps it, tells the peers and
        the element.
        """
        entry = self.get(handle, element.identifier)
        if entry is None or element.home_server > self._server.identifier:
            return False
        known = self._server.handlespace.find(handle, element.identifier)
        if known is not None:
            self._server.updates.added(handle, known)
        if not entry.claiming:
            self._claim(entry, 0.0)
        return True

    def clear_pool(self, handle: bytes, home: int) -> bool:
        """Empties a pool in favour of one with another policy, if that has the lower home."""
        server = self._server
        pool = [
            (pool.pool_handle, element)
            for pool in self._owned(None)
            if pool.pool_handle == handle
            for element in pool.pool_elements
        ]
        if any(element.home_server <= home for _, element in pool):
            return False
        for _, element in pool:
            entry = self.get(handle, element.identifier)
            if entry is None:
                self.taken_out(handle, element.identifier)
                continue
            self.remove(entry)
            self._tell_lapse(entry)
        return server.handlespace.pool_size(handle) == 0

    # Changes of home (RFC 5353 3.5.2) -------------------------------------------------------------

    def _owned(self, owner: int | None) -> tuple[PoolEntry, ...]:
        pools, _ = self._server.handlespace.table(limit=_ALL, octets=_ALL, owner=owner)
        return pools

    def take_all(self, target: int) -> int:
        """Becomes home of all elements of a server that is gone; returns their number."""
        count = 0
        for pool in self._owned(target):
            for element in pool.pool_elements:
                entry = self._take(pool.pool_handle, element)
                entry.taken_from = target
                count += 1
        return count

    def take(self, handle: bytes, identifier: int) -> None:
        """Becomes home of one element, as its present home suggests, and tells all."""
        element = self._server.handlespace.find(handle, identifier)
        if element is not None and self.get(handle, identifier) is None:
            self._take(handle, element)
            taken = self._server.handlespace.find(handle, identifier)
            assert taken is not None
            self._server.updates.added(handle, taken)

    def adopt_own(self) -> None:
        """Elements from before a restart under the same identifier."""
        for pool in self._owned(self._server.identifier):
            for element in pool.pool_elements:
                if self.get(pool.pool_handle, element.identifier) is None:
                    self._take(pool.pool_handle, element)

    def _take(self, handle: bytes, element: PoolElement) -> Entry:
        entry = Entry(self, handle, element.identifier, None, element.asap_transport)
        self.add(entry, element)
        # Spread over an interval, as all keep-alives are (RFC 5352 3.5).
        self._claim(entry, self.settings.keep_alive_interval * self._server.random.uniform())
        return entry

    def _claim(self, entry: Entry, delay: float) -> None:
        entry.claiming = True
        entry.waiting = False
        entry.timer.start(delay)

    def renamed(self, old: int) -> None:
        """This server has another identifier: it is home of its elements under the new one."""
        for pool in self._owned(old):
            for element in pool.pool_elements:
                entry = self.get(pool.pool_handle, element.identifier)
                if entry is not None:
                    self.add(entry, element)
                    known = self._server.handlespace.find(pool.pool_handle, element.identifier)
                    if known is not None:
                        self._server.updates.added(pool.pool_handle, known)

    def rehome(self, target: int, winner: int) -> None:
        """The winner is home of all that the target was home of."""
        for pool in self._owned(target):
            for element in pool.pool_elements:
                self.add_foreign(pool.pool_handle, element.replace(home_server=winner))

    def hand_over(self, winner: int) -> None:
        """Gives all own elements to a server that has taken this one over."""
        self.rehome(self._server.identifier, winner)

    def yield_taken(self, target: int, winner: int) -> None:
        """Of two that have taken the same server over, the other one has it."""
        for entry in self._all():
            if entry.taken_from == target:
                element = self._server.handlespace.find(entry.handle, entry.identifier)
                if element is not None:
                    self.add_foreign(entry.handle, element.replace(home_server=winner))

    # Endpoint keep-alives (RFC 5352 3.4, 3.5) -----------------------------------------------------

    def schedule_keep_alive(self, entry: Entry) -> None:
        """The next one follows an interval later, spread at random."""
        settings = self.settings
        interval = settings.keep_alive_interval
        if settings.keep_alive_spread > 0:
            interval *= 1 + settings.keep_alive_spread * (2 * self._server.random.uniform() - 1)
        entry.waiting = False
        entry.timer.start(interval)

    def probe(self, entry: Entry) -> None:
        """Asks an element at once whether it lives."""
        message = EndpointKeepAlive(
            server_identifier=self._server.identifier,
            pool_handle=entry.handle,
            pe_identifier=entry.identifier,
            home=entry.claiming,
        )
        entry.waiting = True
        entry.probed_at = self.clock.now
        entry.timer.start(self.settings.keep_alive_timeout)
        channel = entry.channel
        if channel is None:
            transport = entry.asap_transport
            if transport is None:
                return
            address = (transport.hosts, transport.port)
            channel = entry.channel = self._server.ports.connect(self._server, address, PPID_ASAP)
        channel.send(PPID_ASAP, message.encode(int(self._server.dialect)))
        count_sent(channel, self._count_keep_alive)

    def _count_keep_alive(self) -> None:
        self.counters.keep_alives_sent += 1

    def just_answered(self, entry: Entry) -> bool:
        """Whether an element has answered a probe so lately that a report says nothing new."""
        settings = self.settings
        if entry.waiting or not settings.limit_probes or not settings.verify_unreachable:
            return False
        return self.clock.now - entry.probed_at < settings.keep_alive_interval / 2

    def keep_alive_expired(self, handle: bytes, identifier: int) -> None:
        """The interval is over: probe. The time-out is over: the element is gone."""
        entry = self.get(handle, identifier)
        if entry is None:
            return
        if entry.waiting:
            self.counters.keep_alive_timeouts += 1
            self.remove(entry)
        else:
            self.probe(entry)

    def acknowledged(self, message: EndpointKeepAliveAck) -> None:
        """The element lives, and knows its home."""
        entry = self.get(message.pool_handle, message.pe_identifier)
        if entry is None or not entry.waiting:
            return
        entry.claiming = False
        if self.settings.reset_reports_on_keep_alive_ack:
            self._server.handlespace.clear_reports(entry.handle, entry.identifier)
        self.schedule_keep_alive(entry)

    def ended(self, channel: Channel) -> None:
        """An association has ended: its elements are asked over a new one, or are gone."""
        for entry in [entry for entry in self._all() if entry.channel is channel]:
            entry.channel = None
            if entry.waiting:
                self.counters.keep_alive_timeouts += 1
                self.remove(entry)
            else:
                self.probe(entry)

    # Registration life ----------------------------------------------------------------------------

    def _schedule_expiry(self) -> None:
        due = self._server.handlespace.next_expiry()
        if due < inf:
            self._expiry.start(max(0.0, due - self.clock.now))

    def _expiry_expired(self) -> None:
        """A registration life ended without renewal: the element is removed, and told so."""
        self.count()
        for handle, element in self._server.handlespace.expire(self.clock.now):
            self.counters.elements_expired += 1
            entry = self.get(handle, element.identifier)
            self.forget(handle, element.identifier)
            self._server.asap.changed(handle)
            if entry is not None:
                self._server.updates.removed(handle, element)
                self._tell_lapse(entry)
        self._schedule_expiry()

    def _tell_lapse(self, entry: Entry) -> None:
        """RFC 5352 2.2.4: on the association that exists, if one does."""
        if entry.channel is not None:
            notice = DeregistrationResponse(
                pool_handle=entry.handle, pe_identifier=entry.identifier
            )
            entry.channel.send(PPID_ASAP, notice.encode(int(self._server.dialect)))

    def count(self) -> None:
        """Brings the counter that integrates the handlespace's size up to the present."""
        now = self.clock.now
        self.counters.element_seconds += len(self._server.handlespace) * (now - self._counted_until)
        self._counted_until = now
