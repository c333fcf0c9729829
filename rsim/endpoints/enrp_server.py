"""The ENRP server: keeps the handlespace and serves pool elements and pool users (RFC 5352, 5353).

States: DOWN until started; STARTING while it looks for a mentor (RFC 5353 3.2); SERVING.

Timers: discovery (STARTING -> SERVING); per element a keep-alive timer that sends
ASAP_ENDPOINT_KEEP_ALIVE and then waits for the answer; expiry, for the next registration life that
ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import blake2b
from math import inf
from typing import Any

from rsim.endpoints.authorisation import Authorisation, OpenAuthorisation
from rsim.endpoints.ports import Channel, ClockPort, TimerPort, Uniform
from rsim.endpoints.settings import ServerSettings
from rsim.handlespace import Draws, Handlespace, Outcome
from rsim.network import Event
from rsim.wire import (
    PPID_ASAP,
    Cause,
    Deregistration,
    DeregistrationResponse,
    Dialect,
    EndpointKeepAlive,
    EndpointKeepAliveAck,
    EndpointUnreachable,
    ErrorCause,
    FieldError,
    HandleResolution,
    HandleResolutionResponse,
    Policy,
    PoolElement,
    Registration,
    RegistrationResponse,
    SctpTransport,
    receive,
)

_MOST_ITEMS = 1000
"""Most elements in an answer where no limit is set: with a few addresses each, they fit into the
65,535 bytes of a message (RFC 5354 4)."""


class State(Enum):
    """States of a server."""

    DOWN = auto()
    STARTING = auto()
    SERVING = auto()


@dataclass(slots=True)
class ServerCounters:
    """What a server has done since it began, as numbers that only grow."""

    registrations: int = 0
    registrations_refused: int = 0
    deregistrations: int = 0
    handle_resolutions: int = 0
    handle_resolutions_empty: int = 0
    endpoint_unreachables: int = 0
    keep_alives_sent: int = 0
    keep_alive_timeouts: int = 0
    elements_expired: int = 0
    elements_reported_away: int = 0
    messages_refused: int = 0
    element_seconds: float = 0.0


class _Entry:
    """An element that this server is home of: its association and its keep-alive timer."""

    __slots__ = ("asap_transport", "channel", "handle", "identifier", "server", "timer", "waiting")

    def __init__(
        self, server: EnrpServer, handle: bytes, identifier: int, channel: Channel
    ) -> None:
        self.server = server
        self.handle = handle
        self.identifier = identifier
        self.channel = channel
        self.asap_transport = _transport_of(channel)
        self.waiting = False
        self.timer: TimerPort = server.clock.timer(self.expired)

    def expired(self) -> None:
        self.server.keep_alive_expired(self)


def _transport_of(channel: Channel) -> SctpTransport:
    return SctpTransport(port=channel.remote_port, addresses=channel.remote_addresses)


class EnrpServer:
    """ENRP server as a state machine.

    Parameters: `identifier` 32 bits, not 0; `draws` for selections; `random` for the spread of
    keep-alives; `dialect` of what it sends; `authorisation` who may register, by default everybody.
    """

    def __init__(
        self,
        identifier: int,
        settings: ServerSettings,
        clock: ClockPort,
        draws: Draws,
        random: Uniform,
        dialect: Dialect = Dialect.RFC,
        authorisation: Authorisation | None = None,
    ) -> None:
        self.identifier = identifier
        self.settings = settings
        self.clock = clock
        self.state = State.DOWN
        self.counters = ServerCounters()
        self.handlespace = Handlespace(
            increment=settings.round_robin_increment,
            degradations_per_selection=settings.degradations_per_selection,
            degradations_at_registration=settings.degradations_at_registration,
            saturate=settings.saturate_degraded_load,
        )
        self._draws = draws
        self._random = random
        self._authorisation = authorisation or OpenAuthorisation()
        self._dialect = int(dialect)
        self._entries: dict[tuple[bytes, int], _Entry] = {}
        self._discovery = clock.timer(self._discovery_expired)
        self._expiry = clock.timer(self._expiry_expired)
        self._counted_until = clock.now
        self._handlers: dict[type, Callable[[Channel, Any], None]] = {
            Registration: self._registration,
            Deregistration: self._deregistration,
            HandleResolution: self._handle_resolution,
            EndpointKeepAliveAck: self._keep_alive_ack,
            EndpointUnreachable: self._endpoint_unreachable,
        }

    # Start and stop -----------------------------------------------------------------------------

    def start(self) -> None:
        """DOWN -> STARTING: alone for want of a mentor, it serves after a while (RFC 5353 3.2)."""
        self.state = State.STARTING
        if self.settings.mentor_discovery_time > 0:
            self._discovery.start(self.settings.mentor_discovery_time)
        else:
            self.state = State.SERVING

    def vanish(self) -> None:
        """To DOWN without a word, as when the process dies: all that it knew is gone."""
        self._count_elements()
        self.state = State.DOWN
        self._discovery.stop()
        self._expiry.stop()
        for entry in self._entries.values():
            entry.timer.stop()
            self.handlespace.remove(entry.handle, entry.identifier)
        self._entries.clear()

    def _discovery_expired(self) -> None:
        self.state = State.SERVING

    # Messages -----------------------------------------------------------------------------------

    def receive(self, channel: Channel, ppid: int, data: bytes) -> None:
        """Takes one message from a pool element or a pool user."""
        if ppid != PPID_ASAP or self.state is State.DOWN:
            return
        received = receive(data, "asap")
        if received.reply is not None:
            channel.send(PPID_ASAP, received.reply.encode(self._dialect))
        message = received.message
        if message is None:
            self.counters.messages_refused += 1
            return
        handler = self._handlers.get(type(message))
        if handler is not None:
            handler(channel, message)

    def notify(self, channel: Channel, event: Event) -> None:
        """An association has ended; what that says about an element, its keep-alives find out."""

    def _registration(self, channel: Channel, message: Registration) -> None:
        """RFC 5352 3.1: a new registration, or a renewal by the same element."""
        handle = message.pool_handle
        element = message.pool_element
        entry = self._entries.get((handle, element.identifier))
        known = entry is not None
        cause = self._objection(channel, entry, message)
        if cause is None:
            if entry is None:
                entry = _Entry(self, handle, element.identifier, channel)
            elif entry.channel is not channel:
                entry.channel = channel
                entry.asap_transport = _transport_of(channel)
            cause = self._add(entry, element)
        if cause is not None or entry is None:
            self.counters.registrations_refused += 1
            response = RegistrationResponse(
                pool_handle=handle,
                pe_identifier=element.identifier,
                reject=True,
                error_causes=(cause,) if cause else (),
            )
        else:
            self.counters.registrations += 1
            if not known:
                self._entries[(handle, element.identifier)] = entry
                self._schedule_keep_alive(entry)
            elif self.settings.reset_reports_on_registration:
                self.handlespace.clear_reports(handle, element.identifier)
            response = RegistrationResponse(pool_handle=handle, pe_identifier=element.identifier)
        channel.send(PPID_ASAP, response.encode(self._dialect))

    def _objection(
        self, channel: Channel, entry: _Entry | None, message: Registration
    ) -> ErrorCause | None:
        """Why a registration is refused before the handlespace sees it, or None."""
        element = message.pool_element
        if self.state is not State.SERVING:
            return ErrorCause(Cause.LACK_OF_RESOURCES)
        if not self._permits(channel, message.pool_handle, element.identifier):
            return ErrorCause(Cause.SECURITY)
        life = element.registration_life
        if element.identifier == 0 or life < -1 or life == 0:
            return ErrorCause(Cause.INVALID_VALUES, element.encode())
        if entry is not None and not self._same_sender(entry, channel):
            return ErrorCause(Cause.NON_UNIQUE_PE_IDENTIFIER)
        if self.settings.check_addresses:
            hosts = getattr(element.user_transport, "hosts", ())
            if any(host not in channel.remote_addresses for host in hosts):
                return ErrorCause(Cause.INVALID_VALUES, element.user_transport.encode())
        return None

    def _permits(self, channel: Channel, handle: bytes, identifier: int) -> bool:
        return self._authorisation.permits(channel.principal, handle, identifier)

    def _same_sender(self, entry: _Entry, channel: Channel) -> bool:
        """Whether who speaks now may speak for an element (RFC 5352 3.1, 3.2)."""
        if not self.settings.check_identity:
            return True
        return entry.channel.remote_address == channel.remote_address

    def _add(self, entry: _Entry, element: PoolElement) -> ErrorCause | None:
        """Puts an element into the handlespace; the cause if its pool doesn't take it."""
        self._count_elements()
        now = self.clock.now
        life = element.registration_life
        expires = now + life if life > 0 and self.settings.expire_registrations else inf
        outcome = self.handlespace.add(
            entry.handle,
            element,
            expires,
            home_server=self.identifier,
            asap_transport=entry.asap_transport,
        )
        if outcome is Outcome.ADDED or outcome is Outcome.RENEWED:
            if expires < inf:
                self._schedule_expiry()
            return None
        # The causes show what the pool has (RFC 5354 3.12.6, 3.12.8).
        member = self.handlespace.any_element(entry.handle)
        if member is not None and outcome is Outcome.INCONSISTENT_POLICY:
            return ErrorCause(Cause.INCONSISTENT_POLICY, member.policy.encode())
        if member is not None and outcome is Outcome.INCONSISTENT_TRANSPORT:
            return ErrorCause(Cause.INCONSISTENT_TRANSPORT_TYPE, member.user_transport.encode())
        if outcome is Outcome.INCONSISTENT_USE:
            return ErrorCause(Cause.INCONSISTENT_DATA_CONTROL)
        return ErrorCause(Cause.INVALID_VALUES, element.policy.encode())

    def _deregistration(self, channel: Channel, message: Deregistration) -> None:
        """RFC 5352 3.2: an element withdraws; withdrawing what isn't there is granted."""
        handle, identifier = message.pool_handle, message.pe_identifier
        entry = self._entries.get((handle, identifier))
        causes: tuple[ErrorCause, ...] = ()
        permitted = self._permits(channel, handle, identifier)
        if not permitted or (entry is not None and not self._same_sender(entry, channel)):
            causes = (ErrorCause(Cause.SECURITY),)
        elif entry is not None:
            self.counters.deregistrations += 1
            self._remove(entry)
        response = DeregistrationResponse(
            pool_handle=handle, pe_identifier=identifier, error_causes=causes
        )
        channel.send(PPID_ASAP, response.encode(self._dialect))

    def _handle_resolution(self, channel: Channel, message: HandleResolution) -> None:
        """RFC 5352 3.3: elements of the pool by its policy, or an error if there are none."""
        self.counters.handle_resolutions += 1
        handle = message.pool_handle
        causes: tuple[ErrorCause, ...] = ()
        elements: tuple[PoolElement, ...] = ()
        policy: Policy | None = None
        if self.state is State.SERVING:
            limit = self.settings.max_resolution_items or _MOST_ITEMS
            count = limit if message.items is None else min(limit, message.items)
            elements = self.handlespace.select(handle, count, self._draws)
            if elements:
                policy = elements[0].policy
            else:
                self.counters.handle_resolutions_empty += 1
                causes = (ErrorCause(Cause.UNKNOWN_POOL_HANDLE),)
        else:
            causes = (ErrorCause(Cause.LACK_OF_RESOURCES),)
        channel.send(PPID_ASAP, self._answer(handle, elements, policy, causes))

    def _answer(
        self,
        handle: bytes,
        elements: tuple[PoolElement, ...],
        policy: Policy | None,
        causes: tuple[ErrorCause, ...],
    ) -> bytes:
        """The response with as many of the elements, in their order, as fit into a message."""
        while True:
            response = HandleResolutionResponse(
                pool_handle=handle, pool_elements=elements, policy=policy, error_causes=causes
            )
            try:
                return response.encode(self._dialect)
            except FieldError:
                if len(elements) < 2:
                    raise
                elements = elements[: len(elements) * 3 // 4]

    def _endpoint_unreachable(self, channel: Channel, message: EndpointUnreachable) -> None:
        """RFC 5352 3.5: probe the element at once, and count the reports about it."""
        self.counters.endpoint_unreachables += 1
        entry = self._entries.get((message.pool_handle, message.pe_identifier))
        if entry is None:
            return
        settings = self.settings
        reporter = int.from_bytes(blake2b(channel.remote_address.encode(), digest_size=8).digest())
        count = self.handlespace.report(
            entry.handle, entry.identifier, reporter, settings.distinct_reporters
        )
        limit = settings.max_bad_pe_reports + (settings.bad_pe_reports_rule == "exceeds")
        if count >= limit:
            self.counters.elements_reported_away += 1
            self._remove(entry)
        elif settings.verify_unreachable and not entry.waiting:
            self._send_keep_alive(entry)

    # Endpoint keep-alives (RFC 5352 3.4) ----------------------------------------------------------

    def _schedule_keep_alive(self, entry: _Entry) -> None:
        settings = self.settings
        interval = settings.keep_alive_interval
        if settings.keep_alive_spread > 0:
            interval *= 1 + settings.keep_alive_spread * (2 * self._random.uniform() - 1)
        entry.waiting = False
        entry.timer.start(interval)

    def _send_keep_alive(self, entry: _Entry) -> None:
        self.counters.keep_alives_sent += 1
        message = EndpointKeepAlive(
            server_identifier=self.identifier,
            pool_handle=entry.handle,
            pe_identifier=entry.identifier,
        )
        entry.waiting = True
        entry.timer.start(self.settings.keep_alive_timeout)
        entry.channel.send(PPID_ASAP, message.encode(self._dialect))

    def keep_alive_expired(self, entry: _Entry) -> None:
        """The interval is over: probe. The time-out is over: the element is gone."""
        if entry.waiting:
            self.counters.keep_alive_timeouts += 1
            self._remove(entry)
        else:
            self._send_keep_alive(entry)

    def _keep_alive_ack(self, channel: Channel, message: EndpointKeepAliveAck) -> None:
        entry = self._entries.get((message.pool_handle, message.pe_identifier))
        if entry is None or not entry.waiting:
            return
        if self.settings.reset_reports_on_keep_alive_ack:
            self.handlespace.clear_reports(entry.handle, entry.identifier)
        self._schedule_keep_alive(entry)

    # Elements that leave --------------------------------------------------------------------------

    def _remove(self, entry: _Entry) -> None:
        self._count_elements()
        self.handlespace.remove(entry.handle, entry.identifier)
        self._forget(entry.handle, entry.identifier)

    def _forget(self, handle: bytes, identifier: int) -> None:
        entry = self._entries.pop((handle, identifier), None)
        if entry is not None:
            entry.timer.stop()

    def _schedule_expiry(self) -> None:
        due = self.handlespace.next_expiry()
        if due < inf:
            self._expiry.start(max(0.0, due - self.clock.now))

    def _expiry_expired(self) -> None:
        """A registration life ended without renewal (RFC 5352 3.1): the element is removed."""
        self._count_elements()
        for handle, element in self.handlespace.expire(self.clock.now):
            self.counters.elements_expired += 1
            self._forget(handle, element.identifier)
        self._schedule_expiry()

    def _count_elements(self) -> None:
        now = self.clock.now
        self.counters.element_seconds += len(self.handlespace) * (now - self._counted_until)
        self._counted_until = now

    def settle(self) -> None:
        """Brings the counters that integrate over time up to the present."""
        self._count_elements()
