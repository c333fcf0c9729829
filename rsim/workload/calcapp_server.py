"""The pool element's application: accepts requests, works on them, sends cookies."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf, isnan, nan

from rsim.clock import Clock, Timer
from rsim.endpoints.choice import ChoiceJudge
from rsim.endpoints.session import CONTROL, DATA_ONLY
from rsim.endpoints.signing import Signer
from rsim.endpoints.statements import make_statement
from rsim.endpoints.waits import Waits
from rsim.handlespace import load_value, policy_with
from rsim.network import Association, Event, Host, Profile
from rsim.randomness import Stream
from rsim.wire import (
    PPID_ASAP,
    BusinessCard,
    Cause,
    Cookie,
    CookieEcho,
    Policy,
    PoolElement,
    SctpTransport,
    receive,
)
from rsim.workload import calcapp
from rsim.workload.accepted_request import AcceptedRequest
from rsim.workload.cheating import Liar
from rsim.workload.cookies import CookieSeal
from rsim.workload.counters import ElementCounters
from rsim.workload.in_order import InOrderProcessor
from rsim.workload.membership import Membership, fixed_values
from rsim.workload.processor_sharing import Processor, Task
from rsim.workload.settings import ElementSettings

_SOON = 1.0
"""Time in s before an element whose identifier is taken registers under another one."""
_MOST_IN_CARD = 16
"""Elements that a business card names: a user tries them one by one, and rarely more than a few."""


def _nothing() -> None:
    pass


class CalcAppServer:
    """CalcApp on a pool element: a processor shared by the requests that were accepted.

    Parameters: `clock` of the run; `host` it runs on; `settings` of the element; `identifiers`
    draws PE identifiers; `memberships` in one pool or several; `offers` the TLS profiles that users
    must choose from, or may where that is `optional`; `key` of the pool by which cookies are
    signed, None where they are not; `liar` bends what it states; `signer` signs that; `judges`
    check the proofs that users must show, one for each pool; `rejections` draws who is rejected by
    chance.
    """

    def __init__(
        self,
        clock: Clock,
        host: Host,
        settings: ElementSettings,
        identifiers: Stream,
        memberships: tuple[Membership, ...],
        offers: tuple[Profile, ...] = (),
        optional: bool = False,
        key: bytes | None = None,
        liar: Liar | None = None,
        signer: Signer | None = None,
        judges: tuple[ChoiceJudge, ...] = (),
        rejections: Stream | None = None,
    ) -> None:
        # What each message reads is copied here: settings are slower to read.
        self._port = 0
        self._finishing = False
        kind = Processor if settings.discipline == "sharing" else InOrderProcessor
        self._processor = kind(clock, settings.capacity, self)
        self._sessions: dict[tuple[Association, int], AcceptedRequest] = {}
        self.counters = ElementCounters()
        self._told_of_load = tuple(one for one in memberships if one.load_matters)
        self._max_requests = settings.max_requests
        self._keep_alive_interval = settings.keep_alive_interval
        cookies = settings.cookie_interval
        self._cookie_interval = inf if cookies is None else cookies
        self._judges = judges
        self._rejections = rejections
        self._seal = CookieSeal(key, lambda: clock.now) if key is not None else None
        self._cards = settings.business_cards
        self._values = fixed_values(settings)
        self.liar = liar
        self.clock = clock
        self.host = host
        self.settings = settings
        self.memberships = memberships
        self.endpoint = memberships[0].endpoint
        self._identifiers = identifiers
        self._offers, self._optional = offers, optional
        self.started_at = nan
        self._signer = signer
        self._statements = 0
        self._proved: set[Association] = set()
        self._in_service_since: float | None = None
        self.downs = Waits()
        self.downs.begin(clock.now)
        self.on_left: Callable[[], None] = _nothing
        self._control = settings.control_channel
        use = CONTROL if self._control else DATA_ONLY
        self._transport = SctpTransport(port=0, addresses=host.addresses, use=use)
        self._again = tuple(clock.timer(partial(self._register, one)) for one in memberships)
        self._return = tuple(clock.timer(one.endpoint.register_again) for one in memberships)
        if settings.registration_pause is not None:
            for one, timer in zip(memberships, self._return, strict=True):
                one.endpoint.on_given_up = partial(timer.start, settings.registration_pause)
        for one, timer in zip(memberships, self._again, strict=True):
            one.endpoint.on_refused = partial(self._refused, one, timer)
            if signer is not None:
                one.endpoint.state_policy = partial(self._state, one.endpoint.pool_handle)

    @property
    def running(self) -> bool:
        """Whether it offers its service."""
        return self._in_service_since is not None

    @property
    def signature_checks(self) -> int:
        """Signatures of proofs that were checked in earnest."""
        return sum(judge.checks for judge in self._judges)

    # Life -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Offers the service at a new port and registers under a new identifier."""
        self._port = self.host.new_port()
        self.host.listen(self._port, self._accept, self._offers, optional=self._optional)
        self._transport = self._transport.replace(port=self._port)
        for membership in self.memberships:
            self._register(membership)
        self._in_service_since = self.clock.now
        self.downs.end(self.clock.now, True)
        if isnan(self.started_at):
            self.started_at = self.clock.now

    def _accept(self, association: Association) -> CalcAppServer:
        return self

    def _register(self, membership: Membership) -> None:
        identifier = self._identifiers.identifier()
        policy = self._policy(membership.policy)
        membership.endpoint.register(identifier, self._transport, policy)

    def _refused(self, membership: Membership, timer: Timer, causes: tuple[int, ...]) -> None:
        """Tries again as another element: at once if the identifier was at fault, else later."""
        self.counters.registrations_told_refused += 1
        taken = causes == (Cause.NON_UNIQUE_PE_IDENTIFIER,)
        timer.start(_SOON if taken else membership.endpoint.settings.retran_max)

    def shut_down(self) -> None:
        """Leaves in order: deregisters, and finishes its requests or hands them over.

        To hand one over is to send its user a cookie of where it stands (RFC 5352 3.8).
        """
        for membership in self.memberships:
            membership.endpoint.deregister()
        if self.settings.deregistration == "finish":
            self._finishing = True
            return
        for session in self._sessions.values():
            if session.task is not None:
                done = self._processor.progress(session.task)
                self._send_cookie(session, session.task.size, done)
            self.counters.aborts += 1
            self._send(session.association, calcapp.ABORT, session.number)
        self._leave(silently=False)

    def finish_leaving(self) -> None:
        """The pools know that it leaves: it does, once nothing is left to be finished."""
        if not self._finishing or self._sessions:
            return
        if not any(membership.endpoint.deregistering for membership in self.memberships):
            self._leave(silently=False)
            self.on_left()

    def vanish(self) -> None:
        """Stops silently, as when the process dies."""
        for membership in self.memberships:
            membership.endpoint.vanish()
        self._leave(silently=True)

    def _leave(self, silently: bool) -> None:
        self.settle()
        if self._in_service_since is not None:
            self.downs.begin(self.clock.now)
        self._in_service_since = None
        self._finishing = False
        for timer in (*self._again, *self._return):
            timer.stop()
        self.host.close(self._port, silently)
        self._port = 0
        for session in self._sessions.values():
            session.end()
        self._sessions.clear()
        self._processor.clear()

    def settle(self) -> None:
        """Brings the counters that integrate over time up to the present."""
        self.counters.work = self._processor.work()
        if self._in_service_since is not None:
            now = self.clock.now
            self.counters.capacity_time += (now - self._in_service_since) * self.settings.capacity
            self._in_service_since = now

    # Load -----------------------------------------------------------------------------------------

    def _policy(self, name: str) -> Policy:
        """The policy of that name with this element's present values (RFC 5356)."""
        load = load_value(self._processor.tasks / self._max_requests)
        if self.liar is not None:
            return policy_with(name, self.liar.bend({**self._values, "load": load}))
        return policy_with(name, self._values, load)

    def _state(self, handle: bytes, element: PoolElement) -> bytes:
        """The signed statement that goes with a registration."""
        assert self._signer is not None
        self._statements += 1
        settings = self.settings
        statement = make_statement(
            self._signer,
            handle,
            element=element,
            sequence=self._statements,
            time=self.clock.now,
            capacity=settings.capacity,
            limit=settings.max_requests,
        )
        return statement.encode()

    def _load_changed(self) -> None:
        """Tells the server at once, where its policy looks at the load."""
        if not self._finishing:
            for membership in self._told_of_load:
                membership.endpoint.update_policy(self._policy(membership.policy))

    # Requests -------------------------------------------------------------------------------------

    def receive(self, association: Association, ppid: int, data: bytes) -> None:
        """Takes one message of a pool user, unless it is meant for one that is gone."""
        if association.local_port != self._port:
            return
        if ppid == PPID_ASAP:
            received = receive(data, "asap")
            if received.reply is not None:
                association.send(PPID_ASAP, received.reply.encode())
            if isinstance(received.message, CookieEcho):
                self._cookie_echo(association, received.message)
            return
        if self._judges and ppid == calcapp.PPID_CALCAPP and data[0] == calcapp.PROOF:
            self._check(association, data)
            return
        message = calcapp.decode(data) if ppid == calcapp.PPID_CALCAPP else None
        if message is None:
            return
        if message.kind == calcapp.REQUEST:
            self._request(association, message.request, message.calculations, 0.0)
        elif message.kind == calcapp.KEEP_ALIVE:
            if (association, message.request) in self._sessions:
                self._send(association, calcapp.KEEP_ALIVE_ACK, message.request)
        elif message.kind == calcapp.KEEP_ALIVE_ACK:
            session = self._sessions.get((association, message.request))
            if session is not None and session.waiting:
                session.waiting = False
                session.timer.start(self._keep_alive_interval)

    def notify(self, association: Association, event: Event) -> None:
        """A pool user is gone: its requests are given up."""
        if event is Event.UP:
            return
        self._proved.discard(association)
        for session in [s for s in self._sessions.values() if s.association is association]:
            self._give_up(session)

    def _cookie_echo(self, association: Association, message: CookieEcho) -> None:
        """A request that began elsewhere goes on from its last cookie (RFC 5352 3.8)."""
        content: bytes | None = message.cookie
        if self._seal is not None:
            content = self._seal.open(message.cookie, association.remote_address)
            if content is None:
                self.counters.cookies_refused += 1
        state = calcapp.decode_cookie(content) if content is not None else None
        if state is not None:
            self.counters.work_claimed += state.done
            self._request(association, state.request, state.size, state.done)

    def _check(self, association: Association, data: bytes) -> None:
        """A pool user shows that the policy has sent it: one request may follow."""
        proof = calcapp.decode_proof(data) or b""
        user = association.remote_address
        if any(judge.objection(proof, user) is None for judge in self._judges):
            self._proved.add(association)

    def _request(self, association: Association, number: int, size: float, done: float) -> None:
        if (association, number) in self._sessions:
            # Somebody repeats what is in progress; the transport itself repeats nothing.
            return
        if self._judges:
            if association not in self._proved:
                self.counters.proofs_refused += 1
                self._send(association, calcapp.REJECT, number)
                return
            self._proved.discard(association)
        if (
            (self._finishing and not self.settings.serve_after_deregistration)
            or self._processor.tasks >= self._max_requests
            or (
                self._rejections is not None
                and self._rejections.uniform() < self.settings.reject_probability
            )
        ):
            self.counters.rejects += 1
            self._send(association, calcapp.REJECT, number)
            return
        self.counters.accepts += 1
        session = AcceptedRequest(association, number, self.clock, self._session_expired)
        self._sessions[association, number] = session
        session.task = self._processor.add(session, size, done, self._next_mark(size, done))
        session.timer.start(self._keep_alive_interval)
        if self._cards:
            self._send_card(association)
        self._send(association, calcapp.ACCEPT, number)
        self._load_changed()

    def _send_card(self, association: Association) -> None:
        """Ahead of the first answer: who should take over from this element (RFC 5352 3.9)."""
        user, handle = self.endpoint.user, self.endpoint.pool_handle
        if user is None or not self._control:
            return
        known = user.cached(handle, stale=True) or ()
        if not user.has_cached(handle):
            user.populate(handle)
        others = [e for e in known if e.identifier != self.endpoint.identifier]
        if others:
            card = BusinessCard(pool_handle=handle, pool_elements=others[:_MOST_IN_CARD])
            association.send(PPID_ASAP, card.encode())
            association.when_sent(self.counters.count_card)

    def _next_mark(self, size: float, done: float) -> float:
        return min(size, done + self._cookie_interval)

    def reached(self, task: Task) -> float:
        """A cookie is due (RFC 5352 3.8)."""
        self._send_cookie(task.owner, task.size, task.mark)
        return self._next_mark(task.size, task.mark)

    def _send_cookie(self, session: AcceptedRequest, size: float, done: float) -> None:
        if not self._control:
            return
        content = calcapp.encode_cookie(session.number, size, done)
        if self._seal is not None:
            content = self._seal.close(content, session.association.remote_address)
        session.association.send(PPID_ASAP, Cookie(cookie=content).encode())
        session.association.when_sent(self.counters.count_cookie)

    def finished(self, task: Task) -> None:
        """A request is complete."""
        session: AcceptedRequest = task.owner
        self.counters.completions += 1
        self._forget(session)
        self._send(session.association, calcapp.COMPLETE, session.number, task.size)
        self._load_changed()

    def _session_expired(self, session: AcceptedRequest) -> None:
        """Probes the pool user; without an answer its request is given up."""
        if not session.waiting:
            session.waiting = True
            session.timer.start(self.settings.keep_alive_timeout)
            self._send(session.association, calcapp.KEEP_ALIVE, session.number)
            return
        self._send(session.association, calcapp.ABORT, session.number)
        self._give_up(session)

    def _give_up(self, session: AcceptedRequest) -> None:
        self.counters.aborts += 1
        if session.task is not None:
            self._processor.remove(session.task)
        self._forget(session)
        self._load_changed()

    def _forget(self, session: AcceptedRequest) -> None:
        session.end()
        del self._sessions[session.association, session.number]
        if self._finishing:
            self.clock.call_at(self.clock.now, self.finish_leaving)

    def _send(
        self, association: Association, kind: int, number: int, calculations: float = 0.0
    ) -> None:
        association.send(calcapp.PPID_CALCAPP, calcapp.encode(kind, number, calculations))
