"""The pool user's ASAP side: handle resolution, cache, and reports (RFC 5352 3.3, 3.5, RFC 5356).

One resolution at a time for each pool handle. Timers: T1 while an answer is awaited; T5 of the
server hunt (server_hunt.py), which is on while there is no server or it has not answered. Sessions
with pool elements stand on top (session.py, messenger.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from rsim.endpoints.choice import ChoiceUser, Chooser, decode_grant
from rsim.endpoints.counters import PoolUserCounters
from rsim.endpoints.ports import Address, Channel, ClockPort, count_sent
from rsim.endpoints.resolution_states import ResolutionEvent, ResolutionState
from rsim.endpoints.resolved_pool import Answer, ResolvedPool, list_of
from rsim.endpoints.server_hunt import ServerHunt, ServerList
from rsim.endpoints.settings import PoolUserSettings
from rsim.endpoints.signing import Verifier
from rsim.endpoints.statements import Ledger, consistent, decode_statements, encode_evidence
from rsim.handlespace import LARGEST, Draws, UserList
from rsim.network import Event
from rsim.wire import (
    PPID_ASAP,
    Cause,
    Dialect,
    EndpointUnreachable,
    HandleResolution,
    HandleResolutionResponse,
    PoolElement,
    receive,
)

# Read for each resolution: compiled code finds what is Final at once.
_ASK: Final = ResolutionEvent.ASK
_ANSWER: Final = ResolutionEvent.ANSWER
_IDLE: Final = ResolutionState.IDLE
_ASKING: Final = ResolutionState.ASKING


class PoolUserEndpoint:
    """A pool user as a state machine.

    Parameters: `settings` of the user; `clock` of the run; `dialect` of what it sends; `servers`
    that it may turn to; `connect` begins an association with one; `draws` for policies that leave a
    random choice to the user. `on_silence` is called where T1 expires and another one looks for
    servers (`use`); `on_chosen` sees each element that is selected; `choice` proves
    choices, where servers give grants; `chooser` decides otherwise, as cheats do; `ledger` holds
    elements to what they state.
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
        # What each message reads is copied here: settings are slower to read.
        self._pools: tuple[ResolvedPool, ...] = ()
        self._server: Channel | None = None
        self.clock = clock
        self._t1_enrp_request = settings.t1_enrp_request
        self._stale_cache_value = settings.stale_cache_value
        self._subscribe = settings.subscribe
        self.counters = PoolUserCounters()
        self._dialect = int(dialect)
        self._evidence: tuple[tuple[int, float], ...] = ()
        self.choice: ChoiceUser | None = None
        self.chooser: Chooser | None = None
        self.ledger: Ledger | None = None
        self.on_chosen: Callable[[PoolElement], None] | None = None
        self._draws = draws
        self.settings = settings
        self.servers = servers
        self._connect = connect
        self._hunt = ServerHunt(clock, settings, servers, self)
        self._verifier: Verifier | None = None
        self._reports: tuple[bytes, ...] = ()
        self._borrowed = False
        self.on_silence: Callable[[], None] | None = None

    def use(self, channel: Channel | None) -> None:
        """Asks this server from now on, as a pool element does at its home (RFC 5352 3.3, 3.5).

        Parameters: `channel` to the server, None for none.
        """
        self._borrowed = True
        if channel is None:
            self._server = None
        elif channel is not self._server:
            self._hunt.stop()
            self.found(channel)

    @property
    def signature_checks(self) -> int:
        """Signatures of statements that were checked in earnest."""
        return self._verifier.checks if self._verifier is not None else 0

    # From the application -------------------------------------------------------------------------

    def _known(self, handle: bytes) -> ResolvedPool | None:
        # Few users know more than one, and each is looked into anyway.
        for pool in self._pools:
            if pool.handle == handle:
                return pool
        return None

    def _pool(self, handle: bytes) -> ResolvedPool:
        pool = self._known(handle)
        if pool is None:
            pool = ResolvedPool(handle, self.clock, self._t1_expired, self._refresh)
            self._pools = (*self._pools, pool)
        return pool

    def resolve(self, handle: bytes, answer: Answer) -> None:
        """Calls `answer` with an element of the pool, or None if there is none.

        Parameters: `handle` of the pool.
        """
        pool = self._pool(handle)
        if pool.elements:
            if self.clock.now < pool.fresh_until:
                pool.waiting = (*pool.waiting, answer)
                self._answer_all(pool)
                return
            if self.settings.serve_stale:
                answer(self._choose(pool))
                self._refresh(pool)
                return
        pool.waiting = (*pool.waiting, answer)
        self._refresh(pool)

    def populate(self, handle: bytes) -> None:
        """Fetches the elements of a pool into the cache, if there is one (RFC 5352 6.3).

        Parameters: `handle` of the pool.
        """
        if self._stale_cache_value > 0:
            self._refresh(self._pool(handle))

    def purge(self, handle: bytes) -> None:
        """Forgets the elements of a pool (RFC 5352 6.4).

        Parameters: `handle` of the pool.
        """
        pool = self._known(handle)
        if pool is not None:
            pool.elements = None

    def cached(self, handle: bytes, stale: bool = False) -> tuple[PoolElement, ...] | None:
        """The elements of the last answer, in its order, while it is fresh; else None.

        Parameters: `handle` of the pool; `stale` whether an answer that is no longer fresh counts
        too.
        """
        pool = self._known(handle)
        if pool is None or pool.elements is None:
            return None
        return tuple(pool.elements) if stale or self.clock.now < pool.fresh_until else None

    def has_cached(self, handle: bytes) -> bool:
        """Whether there is an answer about the pool that is fresh.

        Parameters: `handle` of the pool.
        """
        pool = self._known(handle)
        if pool is None or pool.elements is None:
            return False
        return self.clock.now < pool.fresh_until

    def report_unreachable(self, handle: bytes, identifier: int) -> None:
        """Tells the server that an element does not answer and forgets it (RFC 5352 3.5).

        Once for each failure: an element counts anew when an answer lists it again.

        Parameters: `handle` of the pool; `identifier` of the element.
        """
        pool = self._pool(handle)
        self.forget(handle, identifier)
        if identifier in pool.reported:
            self.counters.reports_withheld += 1
            return
        pool.reported |= {identifier}
        self.counters.unreachable_reports += 1
        message = EndpointUnreachable(pool_handle=handle, pe_identifier=identifier)
        data = message.encode(self._dialect)
        if self._server is not None:
            self._server.send(PPID_ASAP, data)
        else:
            self._reports = (*self._reports, data)
            self._hunt.start()

    def forget(self, handle: bytes, identifier: int) -> None:
        """Takes an element out of the cache.

        Parameters: `handle` of the pool; `identifier` of the element.
        """
        pool = self._known(handle)
        if pool is not None and pool.elements is not None:
            pool.elements.forget(identifier)

    # Resolution -----------------------------------------------------------------------------------

    def reach(self, address: Address) -> Channel:
        """Begins an association with a server."""
        return self._connect(self, address)

    def found(self, channel: Channel) -> None:
        """A server answers: it gets what has waited for one, in place of a silent one."""
        if self._server is not channel:
            self._drop_server()
        self._server = channel
        reports, self._reports = self._reports, ()
        for data in reports:
            channel.send(PPID_ASAP, data)
        for pool in self._pools:
            if pool.state is _ASKING:
                self._send_resolution(pool.handle)

    def _refresh(self, pool: ResolvedPool) -> None:
        if pool.state is _IDLE:
            pool.enter(_ASK)
            pool.sent = 0
            self._ask(pool)

    def _ask(self, pool: ResolvedPool) -> None:
        pool.sent += 1
        pool.timer.start(self._t1_enrp_request)
        if self._server is not None:
            self._send_resolution(pool.handle)
        else:
            self._hunt.start()

    def _send_resolution(self, handle: bytes) -> None:
        assert self._server is not None
        evidence = encode_evidence(self._evidence) if self._evidence else None
        message = HandleResolution(
            pool_handle=handle, send_updates=self._subscribe, evidence=evidence
        )
        data = message.encode(self._dialect)
        count: Callable[[], None] = self._count_resolution
        if self._evidence:
            count = partial(self._count_evidence, len(self._evidence))
            self._evidence = ()
        self._server.send(PPID_ASAP, data)
        count_sent(self._server, count)

    def _count_resolution(self) -> None:
        self.counters.resolutions_sent += 1

    def _count_evidence(self, statements: int) -> None:
        self.counters.evidence_sent += statements
        self._count_resolution()

    def _t1_expired(self, pool: ResolvedPool) -> None:
        """No answer: ask again up to MAX-REQUEST-RETRANSMIT times, and hunt beside it (3.7.2)."""
        self.counters.resolution_timeouts += 1
        if pool.sent <= self.settings.max_request_retransmit:
            pool.enter(ResolutionEvent.RETRY)
            silent = self._server
            self._ask(pool)
            if silent is not None and not self._borrowed:
                self._hunt.start(silent)
            elif self.on_silence is not None:
                self.on_silence()
            return
        pool.enter(ResolutionEvent.GIVE_UP)
        self.counters.resolution_failures += 1
        waiting, pool.waiting = pool.waiting, ()
        for answer in waiting:
            answer(None)

    def _drop_server(self) -> None:
        if self._borrowed:
            # Whose it is looks for another home by itself.
            return
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
            if not channel.protected:
                # What comes in clear may have been changed on its way (RFC 5352 9.3).
                self.counters.answers_unprotected += 1
            self._resolution_response(message, channel)

    def notify(self, channel: Channel, event: Event) -> None:
        """The association with the server has ended; the next resolution goes elsewhere."""
        if self._hunt.notify(channel, event):
            return
        if channel is self._server and event is not Event.UP:
            self._server = None
            # Who has broken off TLS would do so again: the next try is that of T1.
            if event is not Event.REFUSED and any(pool.state is _ASKING for pool in self._pools):
                self._hunt.start()

    def _resolution_response(self, message: HandleResolutionResponse, channel: Channel) -> None:
        pool = self._known(message.pool_handle)
        asked = pool is not None and pool.state is _ASKING
        if pool is None or not (asked or message.accept_updates):
            return
        causes = [cause.code for cause in message.error_causes]
        if causes == [Cause.LACK_OF_RESOURCES]:
            # It is starting; another one is asked when T1 expires.
            self._drop_server()
            return
        if channel is self._server and self._hunt.running:
            # A late answer counts: the server is there after all.
            self._hunt.stop()
        pool.enter(_ANSWER)
        pool.timer.stop()
        pool.elements = elements = list_of(message)
        if pool.reported:
            pool.reported = frozenset(i for i in pool.reported if elements.find(i) is None)
        pool.fresh_until = self.clock.now + self._stale_cache_value
        if self.ledger is not None:
            self._hear_statements(message, elements)
        if self.choice is not None:
            granted = message.choice_grant
            pool.grant = decode_grant(granted) if granted is not None else None
        self._answer_all(pool)

    def _answer_all(self, pool: ResolvedPool) -> None:
        waiting, pool.waiting = pool.waiting, ()
        if self.choice is None and self.chooser is None:
            for answer in waiting:
                answer(self._choose(pool))
            return
        for number, answer in enumerate(waiting):
            wait = 0.0
            if pool.grant is not None and self.choice is not None:
                wait = self.choice.wait(pool.grant, self.clock.now)
            element = None if wait else self._choose(pool)
            if not wait and element is None and self.chooser is not None and pool.elements:
                wait = self.chooser.patience
            if wait:
                # Not in this epoch any more: the rest waits for the next one.
                self.counters.choices_postponed += 1
                pool.waiting = waiting[number:]
                pool.later.start(wait)
                return
            answer(element)

    def _hear_statements(self, message: HandleResolutionResponse, elements: UserList) -> None:
        """Statements have to be those of the elements, and to say what the entries say."""
        assert self.ledger is not None
        verifier = self._verifier = self._verifier or Verifier()
        handle = message.pool_handle
        listed = {element.identifier: element for element in elements}
        for statement in decode_statements(message.statements or b""):
            element = listed.get(statement.identifier)
            if element is None or not consistent(statement, handle, element, verifier):
                self.counters.statements_altered += 1
                continue
            load = element.policy.load
            self.ledger.hear(statement, load / LARGEST if load is not None else None)

    def served(self, identifier: int, size: float, time: float) -> None:
        """Notes how an element has served: calculations, and the time in s that they took.

        Parameters: `identifier` of the element; `size` of the request in calculations; `time` in s
        that it took.
        """
        if self.ledger is not None:
            z = self.ledger.served(identifier, size, time)
            if z is not None:
                self._evidence = (*self._evidence, (identifier, z))

    def _choose(self, pool: ResolvedPool) -> PoolElement | None:
        """RFC 5356, pool user considerations: walk, draw, or take the first, by policy."""
        elements = pool.elements
        element: PoolElement | None = None
        if elements is not None:
            if pool.grant is not None and self.choice is not None:
                element = self.choice.choose(pool.grant, elements.find)
            else:
                element = elements.choose(self._draws)
        if self.chooser is not None:
            element = self.chooser.choose(elements or (), element)
        if element is not None:
            self.counters.server_selections += 1
            if self.on_chosen is not None:
                self.on_chosen(element)
        return element
