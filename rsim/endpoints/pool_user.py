"""The pool user's ASAP side: handle resolution, cache, and reports (RFC 5352 3.3, 3.5, RFC 5356).

Per pool handle one question at a time. Timers: T1 while an answer is awaited; T5 of the server hunt
(server_hunt.py), which is on while there is no server or it has not answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rsim.endpoints.ports import Channel, ClockPort, TimerPort
from rsim.endpoints.server_hunt import Address, ServerHunt, ServerList
from rsim.endpoints.settings import PoolUserSettings
from rsim.handlespace import Draws, UserList, policy_kinds, user_rule
from rsim.network import Event
from rsim.wire import (
    PPID_ASAP,
    Cause,
    Dialect,
    EndpointUnreachable,
    HandleResolution,
    HandleResolutionResponse,
    PoolElement,
    ServerAnnounce,
    receive,
)

_ROUND_ROBIN = policy_kinds()["round_robin"].type_code
"""Type of a pool whose answer names no policy (RFC 5352 2.2.6)."""


@dataclass(slots=True)
class PoolUserCounters:
    """What a pool user has done since it began, as numbers that only grow."""

    resolutions_sent: int = 0
    resolution_timeouts: int = 0
    resolution_failures: int = 0
    unreachable_reports: int = 0
    server_selections: int = 0


Answer = Callable[[PoolElement | None], None]


@dataclass(slots=True)
class _Pool:
    """What is known of a pool: the last answer, and who waits for the next."""

    timer: TimerPort
    elements: UserList | None = None
    fresh_until: float = float("-inf")
    sent: int = 0
    waiting: list[Answer] = field(default_factory=list)


class PoolUserEndpoint:
    """A pool user as a state machine.

    Parameters: `servers` that it may turn to; `connect` begins an association with one; `draws` for
    policies that leave a random choice to the user.
    """

    def __init__(
        self,
        settings: PoolUserSettings,
        clock: ClockPort,
        servers: ServerList,
        connect: Callable[[PoolUserEndpoint, Address], Channel],
        draws: Draws,
        dialect: Dialect = Dialect.RFC,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.counters = PoolUserCounters()
        self.servers = servers
        self._hunt = ServerHunt(
            clock, settings, servers, lambda address: connect(self, address), self._found
        )
        self._reports: list[bytes] = []
        self._draws = draws
        self._dialect = int(dialect)
        self._server: Channel | None = None
        self._pools: dict[bytes, _Pool] = {}

    # From the application -------------------------------------------------------------------------

    def resolve(self, handle: bytes, answer: Answer) -> None:
        """Calls `answer` with an element of the pool, or None if there is none."""
        pool = self._pools.get(handle)
        if pool is None:
            pool = self._pools[handle] = _Pool(self.clock.timer(lambda: self._t1_expired(handle)))
        if pool.elements and self.clock.now < pool.fresh_until:
            answer(self._choose(pool))
            return
        pool.waiting.append(answer)
        if not pool.timer.running:
            pool.sent = 0
            self._ask(handle, pool)

    def report_unreachable(self, handle: bytes, identifier: int) -> None:
        """Tells the server that an element does not answer and forgets it (RFC 5352 3.5)."""
        self.forget(handle, identifier)
        self.counters.unreachable_reports += 1
        message = EndpointUnreachable(pool_handle=handle, pe_identifier=identifier)
        data = message.encode(self._dialect)
        if self._server is not None:
            self._server.send(PPID_ASAP, data)
        else:
            self._reports.append(data)
            self._hunt.start()

    def forget(self, handle: bytes, identifier: int) -> None:
        """Takes an element out of the cache."""
        pool = self._pools.get(handle)
        if pool is not None and pool.elements is not None:
            pool.elements.forget(identifier)

    # Resolution -----------------------------------------------------------------------------------

    def _found(self, channel: Channel) -> None:
        """A server answers: it gets what has waited for one."""
        self._server = channel
        reports, self._reports = self._reports, []
        for data in reports:
            channel.send(PPID_ASAP, data)
        for handle, pool in self._pools.items():
            if pool.timer.running:
                self._send_question(handle)

    def _ask(self, handle: bytes, pool: _Pool) -> None:
        pool.sent += 1
        pool.timer.start(self.settings.t1_enrp_request)
        if self._server is not None:
            self._send_question(handle)
        else:
            self._hunt.start()

    def _send_question(self, handle: bytes) -> None:
        assert self._server is not None
        self.counters.resolutions_sent += 1
        message = HandleResolution(pool_handle=handle)
        self._server.send(PPID_ASAP, message.encode(self._dialect))

    def _t1_expired(self, handle: bytes) -> None:
        """No answer: hunt, and ask again up to MAX-REQUEST-RETRANSMIT times (RFC 5352 3.7.2)."""
        pool = self._pools[handle]
        self.counters.resolution_timeouts += 1
        self._drop_server()
        if pool.sent <= self.settings.max_request_retransmit:
            self._ask(handle, pool)
            return
        self.counters.resolution_failures += 1
        waiting, pool.waiting = pool.waiting, []
        for answer in waiting:
            answer(None)

    def _drop_server(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.discard()

    def receive(self, channel: Channel, ppid: int, data: bytes) -> None:
        """Takes one message from a server."""
        if ppid != PPID_ASAP:
            return
        received = receive(data, "asap")
        if received.reply is not None:
            channel.send(PPID_ASAP, received.reply.encode(self._dialect))
        message = received.message
        if isinstance(message, HandleResolutionResponse):
            self._resolution_response(message)

    def notify(self, channel: Channel, event: Event) -> None:
        """The association with the server has ended; the next question goes elsewhere."""
        if self._hunt.notify(channel, event):
            return
        if channel is self._server and event is not Event.UP:
            self._server = None
            if any(pool.timer.running for pool in self._pools.values()):
                self._hunt.start()

    def receive_datagram(self, source: str, data: bytes) -> None:
        """Takes an announcement of a server."""
        message = receive(data, "asap").message
        if isinstance(message, ServerAnnounce):
            self.servers.announced(message, source)

    def _resolution_response(self, message: HandleResolutionResponse) -> None:
        pool = self._pools.get(message.pool_handle)
        if pool is None or not pool.timer.running:
            return
        causes = [cause.code for cause in message.error_causes]
        if causes == [Cause.LACK_OF_RESOURCES]:
            # It is starting; another one is asked when T1 expires.
            self._drop_server()
            return
        pool.timer.stop()
        policy_type = message.policy.type if message.policy else _ROUND_ROBIN
        pool.elements = UserList(message.pool_elements, user_rule(policy_type))
        pool.fresh_until = self.clock.now + self.settings.stale_cache_value
        waiting, pool.waiting = pool.waiting, []
        for answer in waiting:
            answer(self._choose(pool))

    def _choose(self, pool: _Pool) -> PoolElement | None:
        """RFC 5356, pool user considerations: walk, draw, or take the first, by policy."""
        element = pool.elements.choose(self._draws) if pool.elements is not None else None
        if element is not None:
            self.counters.server_selections += 1
        return element
