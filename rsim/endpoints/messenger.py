"""Sending by pool handle: what ASAP offers the application of a pool user (RFC 5352 6.3 to 6.9).

For each pool a queue of what waits for its resolution; for each pool element that is sent to an
association, which stays up until the messenger is closed. No timers: answers are the endpoint's
matter, and how long an element may take is the application's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from rsim.endpoints.pool_user import PoolUserEndpoint
from rsim.endpoints.ports import Channel
from rsim.network import Event
from rsim.wire import PoolElement


class ElementHandle(NamedTuple):
    """Names one pool element.

    Parameters: `pool` its handle; `identifier` the PE identifier.
    """

    pool: bytes
    identifier: int


class TransportAddress(NamedTuple):
    """Names whoever is at an address and port.

    Parameters: `address` IPv4 or IPv6 as text; `port` from 1 to 65535.
    """

    address: str
    port: int


Destination = bytes | ElementHandle | TransportAddress
"""Where a message goes: to a pool by its handle, to one of its elements, or to an address."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Notice to the application that a message was not delivered (RFC 5352 6.7).

    Parameters: `destination` that it was for; `ppid` and `data` of the message; `reason` in words.
    """

    destination: Destination
    ppid: int
    data: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class _Message:
    destination: Destination
    ppid: int
    data: bytes
    failover: bool
    to: Literal["policy", "last", "all"]
    to_self: bool
    tried: frozenset[int] = frozenset()
    replaces: ElementHandle | None = None


class DestinationAssociation:
    """An association with one destination, and what has been given to it.

    Parameters: `messenger` that it belongs to; `where` it leads.
    """

    def __init__(self, messenger: Messenger, where: ElementHandle | TransportAddress) -> None:
        self.where = where
        self.sent: list[_Message] = []
        self._messenger = messenger
        self.channel: Channel | None = None

    def receive(self, channel: Channel, ppid: int, data: bytes) -> None:
        """Takes one message of the peer."""
        self._messenger.on_message(self.where, ppid, data)

    def notify(self, channel: Channel, event: Event) -> None:
        """Takes what the network tells."""
        if event is not Event.UP:
            self._messenger.ended(self, event)


def _ignore(*_: object) -> None:
    pass


def _agree(failed: ElementHandle, following: ElementHandle) -> bool:
    return True


class Messenger:
    """The application's door to ASAP.

    Parameters: `endpoint` that resolves handles; `connect` begins an association with an element or
    an address; `own` identifiers under which the same node is an element itself. `on_message` is
    called with the sender, the payload protocol and the bytes; `on_failure` with what was not
    delivered; `on_failover` with the element that has failed and the one that comes next, before
    anything is sent there, and says whether it may be (RFC 5355 2.9).
    """

    def __init__(
        self,
        endpoint: PoolUserEndpoint,
        connect: Callable[[DestinationAssociation, PoolElement | TransportAddress], Channel],
        own: frozenset[int] = frozenset(),
    ) -> None:
        self.endpoint = endpoint
        self.on_message: Callable[[ElementHandle | TransportAddress, int, bytes], None] = _ignore
        self.on_failure: Callable[[Failure], None] = _ignore
        self.on_failover: Callable[[ElementHandle, ElementHandle], bool] = _agree
        self._connect = connect
        self._own = own
        self._links: dict[ElementHandle | TransportAddress, DestinationAssociation] = {}
        self._elements: dict[ElementHandle, PoolElement] = {}
        self._queues: dict[bytes, list[_Message]] = {}
        self._last: dict[bytes, ElementHandle] = {}
        self._used: dict[ElementHandle, None] = {}

    # Cache (6.3, 6.4, 6.9.1) ----------------------------------------------------------------------

    def populate(self, pool: bytes) -> None:
        """Fetches the elements of a pool into the cache.

        Parameters: `pool` handle of the pool.
        """
        self.endpoint.populate(pool)

    def purge(self, pool: bytes) -> None:
        """Forgets the elements of a pool.

        Parameters: `pool` handle of the pool.
        """
        self.endpoint.purge(pool)

    def translate(
        self, name: bytes | ElementHandle, answer: Callable[[tuple[TransportAddress, ...]], None]
    ) -> None:
        """Calls `answer` with the addresses behind a handle, from the cache or the server.

        Parameters: `name` handle of a pool or of one of its elements.
        """
        pool, identifier = (name, None) if isinstance(name, bytes) else (name.pool, name.identifier)

        def found(_: PoolElement | None) -> None:
            elements = self.endpoint.cached(pool, stale=True) or ()
            answer(
                tuple(
                    TransportAddress(host, element.user_transport.port)
                    for element in elements
                    if identifier in (None, element.identifier)
                    for host in element.user_transport.hosts
                )
            )

        self.endpoint.resolve(pool, found)

    # Sending (6.5) --------------------------------------------------------------------------------

    def send(
        self,
        destination: Destination,
        ppid: int,
        data: bytes,
        *,
        failover: bool = True,
        to: Literal["policy", "last", "all"] = "policy",
        to_self: bool = False,
    ) -> None:
        """Sends a message.

        Parameters: `failover` sends what an element has not acknowledged to another one of its
        pool, else the application gets it back; `to` of a pool: the element that
        its policy selects, the one of the message before, or each (`to_self`: this node too).
        """
        message = _Message(destination, ppid, data=data, failover=failover, to=to, to_self=to_self)
        if isinstance(destination, TransportAddress):
            self._give(message, destination, destination)
        elif isinstance(destination, ElementHandle):
            self._send_to_element(message, destination)
        else:
            self._send_to_pool(destination, message)

    def _send_to_element(self, message: _Message, handle: ElementHandle) -> None:
        """To a pool element: it is used whatever the cache says; a stale cache is renewed."""
        if not self.endpoint.has_cached(handle.pool):
            self.endpoint.populate(handle.pool)
        element = self._elements.get(handle)
        if element is None:
            listed = self.endpoint.cached(handle.pool, stale=True) or ()
            element = next((e for e in listed if e.identifier == handle.identifier), None)
        if element is None:
            self._tell(message, "no such pool element is known")
        else:
            self._use(message, handle.pool, element)

    def _send_to_pool(self, pool: bytes, message: _Message) -> None:
        last = self._last.get(pool)
        if message.to == "last" and last is not None and last in self._links:
            self._send_to_element(message, last)
            return
        queue = self._queues.get(pool)
        if queue is not None:
            # What is sent meanwhile waits in the same queue (6.5.1).
            queue.append(message)
            return
        self._queues[pool] = [message]
        self.endpoint.resolve(pool, lambda element: self._resolved(pool, element))

    def _resolved(self, pool: bytes, first: PoolElement | None) -> None:
        element = first
        for number, message in enumerate(self._queues.pop(pool)):
            if message.to == "all":
                self._send_to_all(pool, message)
                continue
            if number > 0:
                # Each message selects anew (6.5.2); the answer is there, so this returns at once.
                element = self._select(pool)
            if element is not None and element.identifier in message.tried:
                element = next(
                    (
                        other
                        for other in self.endpoint.cached(pool, stale=True) or ()
                        if other.identifier not in message.tried
                    ),
                    None,
                )
            if element is None:
                self._tell(message, "the pool has no element")
            else:
                self._use(message, pool, element)

    def _select(self, pool: bytes) -> PoolElement | None:
        found: list[PoolElement | None] = []
        self.endpoint.resolve(pool, found.append)
        return found[0] if found else next(iter(self.endpoint.cached(pool, stale=True) or ()), None)

    def _send_to_all(self, pool: bytes, message: _Message) -> None:
        elements = [
            element
            for element in self.endpoint.cached(pool, stale=True) or ()
            if message.to_self or element.identifier not in self._own
        ]
        if not elements:
            self._tell(message, "the pool has no element")
        for element in elements:
            self._use(message, pool, element)

    def _use(self, message: _Message, pool: bytes, element: PoolElement) -> None:
        handle = ElementHandle(pool, element.identifier)
        if message.replaces is not None and not self.on_failover(message.replaces, handle):
            self._tell(message, "the application refuses the next element")
            return
        self._elements[handle] = element
        self._last[pool] = handle
        self._used.pop(handle, None)
        self._used[handle] = None
        if len(self._used) > _MOST_USED:
            del self._used[next(iter(self._used))]
        self._give(message, handle, element)

    def _give(
        self,
        message: _Message,
        where: ElementHandle | TransportAddress,
        target: PoolElement | TransportAddress,
    ) -> None:
        link = self._links.get(where)
        if link is None:
            link = self._links[where] = DestinationAssociation(self, where)
            link.channel = self._connect(link, target)
        assert link.channel is not None
        link.sent.append(message)
        if len(link.sent) > _MOST_KEPT:
            del link.sent[0]
        link.channel.send(message.ppid, message.data)

    # Failures (6.5.5, 6.7, 6.9.2) -----------------------------------------------------------------

    def transport_failure(self, handle: ElementHandle) -> None:
        """Takes word from outside that an element has failed, if one has sent to it (3.5).

        Parameters: `handle` of the element.
        """
        if handle in self._used:
            self.endpoint.report_unreachable(handle.pool, handle.identifier)
        else:
            self.endpoint.counters.reports_withheld += 1

    def ended(self, link: DestinationAssociation, event: Event) -> None:
        """An association has ended: what it has not delivered goes to another element, or back.

        Parameters: `link` that has ended; `event` what has happened to it.
        """
        self._links.pop(link.where, None)
        assert link.channel is not None
        unsent = link.sent[max(0, len(link.sent) - link.channel.undelivered) :]
        if isinstance(link.where, TransportAddress):
            for message in unsent:
                self._tell(message, event.value)
            return
        failed = link.where
        self._elements.pop(failed, None)
        if event is not Event.SHUT_DOWN:
            self.endpoint.report_unreachable(failed.pool, failed.identifier)
        for message in unsent:
            if not message.failover or message.to == "all":
                self._tell(message, event.value)
                continue
            again = replace(
                message,
                destination=failed.pool,
                to="policy",
                tried=message.tried | {failed.identifier},
                replaces=failed,
            )
            self._send_to_pool(failed.pool, again)

    def _tell(self, message: _Message, reason: str) -> None:
        self.on_failure(Failure(message.destination, message.ppid, message.data, reason))

    def close(self) -> None:
        """Ends all associations in order."""
        links, self._links = self._links, {}
        for link in links.values():
            if link.channel is not None:
                link.channel.close()


_MOST_KEPT = 10_000
"""Messages of an association that are kept in case it fails."""
_MOST_USED = 1000
"""Elements that are remembered as used; the oldest are forgotten."""
