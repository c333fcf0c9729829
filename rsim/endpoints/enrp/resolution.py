"""Handle resolutions at an ENRP server (RFC 5352 3.3; RFC 5355 2.17)."""

from __future__ import annotations

from collections.abc import Sequence

from rsim.endpoints.choice import ChoiceAuthority
from rsim.endpoints.enrp.admission import Admission
from rsim.endpoints.enrp.answers import Answers
from rsim.endpoints.enrp.counters import ServerCounters
from rsim.endpoints.enrp.request_filter import RequestFilter
from rsim.endpoints.enrp.store import ElementStore
from rsim.endpoints.enrp.subscriptions import Subscriptions
from rsim.endpoints.ports import Channel, ClockPort
from rsim.endpoints.settings import ServerSettings
from rsim.endpoints.statements import Penalties, StatementStore, decode_evidence, worst_policy
from rsim.wire import PPID_ASAP, Cause, ErrorCause, HandleResolution, PoolElement


class Resolutions:
    """Answers requests to resolve a handle.

    Parameters: `store` of its elements; `admission` that knows whether it
    serves; `request_filter` that drops; `answers` that select; `subscriptions` of users; `choices`
    where users have to prove their choice; `statements` of the elements; `penalties` where users
    accuse them; `settings` of the server; `clock` of the run; `counters` of the server.
    """

    def __init__(
        self,
        store: ElementStore,
        *,
        admission: Admission,
        request_filter: RequestFilter,
        answers: Answers,
        subscriptions: Subscriptions,
        choices: ChoiceAuthority | None,
        statements: StatementStore | None,
        penalties: Penalties | None,
        settings: ServerSettings,
        clock: ClockPort,
        counters: ServerCounters,
    ) -> None:
        self._store = store
        self._admission = admission
        self._filter = request_filter
        self._answers = answers
        self._subscriptions = subscriptions
        self._choices = choices
        self._statements = statements
        self._penalties = penalties
        self._accept_subscriptions = settings.accept_subscriptions
        self._clock = clock
        self._counters = counters

    def resolve(self, channel: Channel, message: HandleResolution) -> None:
        """Answers with elements of the pool by its policy, or with an error if there are none.

        Parameters: `channel` it came on; `message` with the handle.
        """
        self._counters.handle_resolutions += 1
        handle = message.pool_handle
        if self._filter.drops("resolution", channel, handle):
            return
        if self._penalties is not None:
            self._judge(self._penalties, channel, message)
        causes: tuple[ErrorCause, ...] = ()
        elements: Sequence[PoolElement] = ()
        subscribed = False
        if self._admission.serving:
            elements = self._answers.select(handle, message.items)
            if not elements:
                self._counters.handle_resolutions_empty += 1
                causes = (ErrorCause(Cause.UNKNOWN_POOL_HANDLE),)
            else:
                subscribed = message.send_updates and self._accept_subscriptions
        else:
            causes = (ErrorCause(Cause.LACK_OF_RESOURCES),)
        if subscribed:
            self._subscriptions.subscribe(handle, channel)
        else:
            self._subscriptions.unsubscribe(handle, channel)
        statements = choice_grant = None
        if elements and self._statements is not None:
            statements = self._statements.of(handle, elements)
        if elements and self._choices is not None:
            user, now = channel.remote_address, self._clock.now
            choice_grant = self._choices.grant(handle, elements, user, now)
        answer = self._answers.encode(
            handle,
            elements,
            causes=causes,
            subscribed=subscribed,
            statements=statements,
            choice_grant=choice_grant,
        )
        channel.send(PPID_ASAP, answer)

    def _judge(self, penalties: Penalties, channel: Channel, message: HandleResolution) -> None:
        """Users accuse elements; enough of them have one penalised."""
        for identifier, _ in decode_evidence(message.evidence or b""):
            own = self._store.own(message.pool_handle, identifier)
            if own is None or own.asap_transport is None:
                continue
            self._counters.accusations += 1
            accused = own.asap_transport.hosts[0]
            if penalties.accuse(accused, channel.remote_address, self._clock.now):
                self._counters.elements_penalised += 1
                known = self._store.find(message.pool_handle, identifier)
                if penalties.penalty == "worst" and known is not None:
                    worst = known.replace(policy=worst_policy(known.policy))
                    self._store.add_own(own, worst)
                else:
                    self._store.remove_own(own)
