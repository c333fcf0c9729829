"""The pool user's application: a queue of requests, one in service at a time.

States of the request in service: RESOLVING (a pool element is asked for), REQUESTING (it was asked
to accept), PROCESSING (it accepted), PAUSING (waits before it asks again).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from mypy_extensions import mypyc_attr

from rsim.clock import Clock
from rsim.endpoints import Channel, PoolUserEndpoint, Session
from rsim.network import Event, Host, Profile
from rsim.randomness import Stream
from rsim.wire import PoolElement
from rsim.workload import calcapp
from rsim.workload.cheating import UserCheat
from rsim.workload.requests import Request, RequestLog
from rsim.workload.settings import ClientSettings


@mypyc_attr(acyclic=True)
@dataclass(slots=True)
class ClientCounters:
    """What the application has seen since it began, as numbers that only grow."""

    requests_generated: int = 0
    """Requests that came into being."""
    requests_completed: int = 0
    """Requests whose work an element has finished."""
    work_credited: float = 0.0
    """Work in calculations of completed requests, and of cookies echoed so far."""
    requests_failed: int = 0
    """Requests given up."""
    accepts: int = 0
    """Requests that an element accepted."""
    rejects: int = 0
    """Requests that an element rejected."""
    request_timeouts: int = 0
    """Requests without an answer in time."""
    failures_told: int = 0
    """Failures of elements that the network told."""
    elements_refused: int = 0
    """Elements with which TLS failed."""
    keep_alive_timeouts: int = 0
    """Keep-alives that an element did not acknowledge."""
    failovers: int = 0
    """Requests in progress that went to another element."""
    failover_time: float = 0.0
    """Time in s from each failure to the next acceptance, added up."""
    cookie_echoes: int = 0
    """Cookies that went to the next element."""
    empty_answers: int = 0
    """Resolutions without an element."""


class ClientState(Enum):
    """States of the request in service."""

    IDLE = auto()
    RESOLVING = auto()
    REQUESTING = auto()
    PROCESSING = auto()
    PAUSING = auto()


class CalcAppClient:
    """CalcApp on a pool user.

    Parameters: `clock` of the run; `host` it runs on; `pool_handle` of the pool; `settings` of the
    user; `endpoint` that resolves handles; `sizes` draws the size of a request in calculations;
    `pauses` draws the time in s to the next one; `cheat` decides in place of the policy, None for
    an honest user; `arrivals` times in s since the start, and sizes where they are given; `record`
    takes each request when it is generated; `profile` of TLS towards pool elements.
    """

    def __init__(
        self,
        clock: Clock,
        host: Host,
        pool_handle: bytes,
        settings: ClientSettings,
        endpoint: PoolUserEndpoint,
        sizes: Stream,
        arrivals: Iterator[tuple[float, float | None]],
        pauses: Stream,
        record: RequestLog,
        profile: Profile | None = None,
        cheat: UserCheat | None = None,
    ) -> None:
        # What each message reads is copied here: settings are slower to read.
        self.state = ClientState.IDLE
        self._request: Request | None = None
        self._session = Session(endpoint, pool_handle, self)
        self.counters = ClientCounters()
        self._timer = clock.timer(self._expired)
        self.clock = clock
        self._request_timeout = settings.request_timeout
        self._keep_alive_interval = settings.keep_alive_interval
        self._keeps_cookies = settings.failover == "cookies"
        self._credited = 0.0
        self._last_progress = 0.0
        self._failing_over = False
        self._waiting_for_ack = False
        self._in_clear = False
        self._judges = False
        self._number = 0
        self._queue: deque[Request] | None = None
        self._size: float | None = None
        self._request_size = settings.request_size.sampler
        self._sizes = sizes
        self._arrivals = arrivals
        self._started_at = 0.0
        self._record = record
        self._cheat = cheat
        self.host = host
        self.endpoint = endpoint
        self._profile = profile
        self._pauses = pauses
        self.settings = settings
        if endpoint.choice is not None:
            self._session.preamble = self._proof
        endpoint.chooser = cheat
        self._session.use_cookies = self._keeps_cookies
        self._session.use_cards = settings.heed_business_cards

    @property
    def in_service(self) -> bool:
        """Whether a request has been started and is not complete."""
        return self._request is not None

    @property
    def queue_length(self) -> int:
        """Requests that wait; the one in service not counted."""
        return len(self._queue) if self._queue is not None else 0

    def start(self) -> None:
        """Begins to generate requests."""
        self._judges = self._cheat is not None or self.endpoint.ledger is not None
        self._started_at = self.clock.now
        self._schedule_generation()

    # Generation and queue -------------------------------------------------------------------------

    def _schedule_generation(self) -> None:
        # From one due time to the next, so that arrivals never depend on how the pool fares.
        following = next(self._arrivals, None)
        if following is not None:
            time, self._size = following
            self.clock.call_method_at(self._started_at + time, "_generate", self)

    def _generate(self) -> None:
        self._number += 1
        self.counters.requests_generated += 1
        size = self._size
        if size is None:
            size = self._request_size.draw(self._sizes)
        cheats = self._cheat is not None
        request = Request(self.host.name, self._number, size, self.clock.now, cheat=cheats)
        self._record.append(request)
        self._schedule_generation()
        if self.state is ClientState.IDLE:
            self._serve(request)
        elif self._queue is None:
            self._queue = deque((request,))
        else:
            self._queue.append(request)

    def _next_request(self) -> None:
        if self._queue is None:
            self.state = ClientState.IDLE
            self._request = None
            return
        request = self._queue.popleft()
        if not self._queue:
            self._queue = None
        self._serve(request)

    def _serve(self, request: Request) -> None:
        self._request = request
        request.started = self.clock.now
        self._credited = 0.0
        self._failing_over = False
        self.state = ClientState.RESOLVING
        self._session.start()

    # One request ----------------------------------------------------------------------------------

    def connect(self, session: Session, element: PoolElement) -> Channel:
        """Begins an association with an element, protected unless that has been given up."""
        transport = element.user_transport
        addresses = transport.hosts
        return self.host.connect(
            addresses[0],
            transport.port,
            session,
            further=addresses[1:],
            profile=None if self._in_clear else self._profile,
        )

    def choosing(self, element: PoolElement, failover: bool) -> bool:
        """Any element will do; after a failover, with the protection that was asked for."""
        self._in_clear = failover and self.settings.failover_security == "clear"
        return True

    def no_element(self) -> None:
        """Asks again after a while."""
        self.counters.empty_answers += 1
        self._pause(self.settings.empty_pool_delay)

    def opened(self, element: PoolElement, echoed: bool) -> None:
        """Asks the element to accept; a cookie that has gone ahead asks already."""
        assert self._request is not None
        self._request.attempts += 1
        self.state = ClientState.REQUESTING
        self._timer.start(self._request_timeout)
        if echoed:
            self._session.when_sent(self._count_echo)
        else:
            self._send(calcapp.REQUEST, self._request.size)

    def _count_echo(self) -> None:
        self.counters.cookie_echoes += 1

    def _pause(self, delay: float) -> None:
        self.state = ClientState.PAUSING
        self._timer.start(delay)

    def _expired(self) -> None:
        if self.state is ClientState.PAUSING:
            self._go_on()
        elif self.state is ClientState.REQUESTING:
            self.counters.request_timeouts += 1
            self._report()
            self._go_on()
        elif not self._waiting_for_ack:
            self._waiting_for_ack = True
            self._timer.start(self.settings.keep_alive_timeout)
            self._send(calcapp.KEEP_ALIVE)
        else:
            self.counters.keep_alive_timeouts += 1
            self._report()
            self._fail_over()

    def lost(self, event: Event) -> None:
        """The network tells that the element is gone: no time-out need be awaited."""
        if event is Event.REFUSED and self.state is ClientState.REQUESTING:
            # It lives, but not as it should.
            self.counters.elements_refused += 1
            self._timer.stop()
            self._session.turned_down()
            self._pause(self.settings.retry_delay * self._pauses.uniform())
            return
        self.counters.failures_told += 1
        in_progress = self.state is ClientState.PROCESSING
        self._report()
        if in_progress:
            self._fail_over()
        else:
            self._pause(self.settings.retry_delay * self._pauses.uniform())

    def _go_on(self) -> None:
        self.state = ClientState.RESOLVING
        if self._failing_over:
            self._session.fail_over()
        else:
            self._session.go_on()

    def _report(self) -> None:
        self._timer.stop()
        self._dislike()
        self._session.failed()

    def _fail_over(self) -> None:
        assert self._request is not None
        if self.settings.failover == "none":
            self._request_failed()
            return
        self.counters.failovers += 1
        self._request.failovers += 1
        self._failing_over = True
        self._go_on()

    def _request_failed(self) -> None:
        """Nobody takes the request over: what was done of it is lost."""
        assert self._request is not None
        self.counters.requests_failed += 1
        self._request.failed = self.clock.now
        self._record.ended(self._request)
        self._next_request()

    # Messages of the pool element -----------------------------------------------------------------

    def message(self, ppid: int, data: bytes) -> None:
        """Takes one message of the pool element in use."""
        message = calcapp.decode(data) if ppid == calcapp.PPID_CALCAPP else None
        if message is None or self._request is None or message.request != self._request.number:
            return
        kind = message.kind
        if kind == calcapp.KEEP_ALIVE:
            self._send(calcapp.KEEP_ALIVE_ACK)
        elif kind == calcapp.ACCEPT and self.state is ClientState.REQUESTING:
            self._accepted()
        elif kind == calcapp.REJECT and self.state is ClientState.REQUESTING:
            self._rejected()
        elif self.state is ClientState.PROCESSING:
            if kind == calcapp.COMPLETE:
                self._completed()
            elif kind == calcapp.KEEP_ALIVE_ACK and self._waiting_for_ack:
                self._waiting_for_ack = False
                self._timer.start(self._keep_alive_interval)
            elif kind == calcapp.ABORT:
                self._timer.stop()
                self._session.close()
                self._fail_over()

    def _accepted(self) -> None:
        assert self._request is not None
        now = self.clock.now
        self.counters.accepts += 1
        if self._request.accepted != self._request.accepted:
            self._request.accepted = now
        if self._failing_over:
            self.counters.failover_time += now - self._last_progress
            self._failing_over = False
        self._last_progress = now
        self._waiting_for_ack = False
        self.state = ClientState.PROCESSING
        self._timer.start(self._keep_alive_interval)

    def _rejected(self) -> None:
        self.counters.rejects += 1
        self._timer.stop()
        self._dislike()
        self._session.turned_down()
        self._pause(self.settings.retry_delay * self._pauses.uniform())

    def _dislike(self) -> None:
        element = self._session.element
        if self._cheat is not None and element is not None:
            self._cheat.forget(element.identifier)

    def _proof(self) -> tuple[int, bytes] | None:
        """What shows the element that the policy has chosen it."""
        choice = self.endpoint.choice
        if choice is None or choice.proof is None:
            return None
        return calcapp.PPID_CALCAPP, calcapp.encode_proof(choice.proof)

    def cookie(self, content: bytes) -> None:
        """What a cookie vouches for is credited; the session keeps it."""
        state = calcapp.decode_cookie(content)
        if state is None or self._request is None or state.request != self._request.number:
            return
        self._last_progress = self.clock.now
        if self._keeps_cookies:
            self._credit(state.done)

    def _credit(self, done: float) -> None:
        if done > self._credited:
            self.counters.work_credited += done - self._credited
            self._credited = done

    def _completed(self) -> None:
        assert self._request is not None
        self._timer.stop()
        self._session.close()
        self.counters.requests_completed += 1
        request, element = self._request, self._session.element
        request.completed = self.clock.now
        if self._judges and element is not None and request.failovers == 0:
            time = request.completed - request.accepted
            self.endpoint.served(element.identifier, request.size, time)
            if self._cheat is not None and time > 0:
                self._cheat.served(element.identifier, request.size / time)
        self._credit(request.size)
        self._record.ended(request)
        self._next_request()

    def _send(self, kind: int, calculations: float = 0.0) -> None:
        if self._request is not None:
            data = calcapp.encode(kind, self._request.number, calculations)
            self._session.send(calcapp.PPID_CALCAPP, data)
