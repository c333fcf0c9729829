"""What an ENRP server does for pool elements and pool users (RFC 5352 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rsim.endpoints.choice import ChoiceAuthority
from rsim.endpoints.enrp.admission import Admission
from rsim.endpoints.enrp.announcements import Announcements
from rsim.endpoints.enrp.answers import Answers
from rsim.endpoints.enrp.copies import Copies
from rsim.endpoints.enrp.counters import ServerCounters
from rsim.endpoints.enrp.keep_alives import KeepAlives
from rsim.endpoints.enrp.node import Node
from rsim.endpoints.enrp.registration import Registrations
from rsim.endpoints.enrp.reports import Reports
from rsim.endpoints.enrp.request_filter import RequestFilter
from rsim.endpoints.enrp.resolution import Resolutions
from rsim.endpoints.enrp.store import ElementStore
from rsim.endpoints.enrp.subscriptions import Subscriptions
from rsim.endpoints.ports import Channel, ClockPort
from rsim.endpoints.settings import ServerSettings
from rsim.endpoints.statements import Penalties, StatementStore
from rsim.wire import (
    Deregistration,
    EndpointKeepAliveAck,
    EndpointUnreachable,
    HandleResolution,
    Registration,
)


class AsapService:
    """Makes the parts that take ASAP messages, and tells which takes which.

    Parameters: `node` the server; `store` of its elements; `admission` that checks;
    `request_filter` that drops; `answers` that select; `keep_alives` of the elements;
    `announcements` to the peers; `copies` of what peers are home of; `choices`, `statements` and
    `penalties` where pool users have to prove their choice, and elements are held to what they
    state (RFC 5355 2.17); `settings` of the server; `clock` of the run; `counters` of the server.
    """

    def __init__(
        self,
        node: Node,
        store: ElementStore,
        *,
        admission: Admission,
        request_filter: RequestFilter,
        answers: Answers,
        keep_alives: KeepAlives,
        announcements: Announcements,
        copies: Copies,
        choices: ChoiceAuthority | None,
        statements: StatementStore | None,
        penalties: Penalties | None,
        settings: ServerSettings,
        clock: ClockPort,
        counters: ServerCounters,
    ) -> None:
        self._keep_alives = keep_alives
        self.subscriptions = Subscriptions(answers, clock)
        self.registrations = Registrations(
            node,
            store,
            admission=admission,
            request_filter=request_filter,
            keep_alives=keep_alives,
            announcements=announcements,
            copies=copies,
            settings=settings,
            counters=counters,
        )
        self.resolutions = Resolutions(
            store,
            admission=admission,
            request_filter=request_filter,
            answers=answers,
            subscriptions=self.subscriptions,
            choices=choices,
            statements=statements,
            penalties=penalties,
            settings=settings,
            clock=clock,
            counters=counters,
        )
        self.reports = Reports(
            store,
            request_filter=request_filter,
            keep_alives=keep_alives,
            announcements=announcements,
            settings=settings,
            counters=counters,
        )

    def handlers(self) -> dict[type, Callable[[Channel, Any], None]]:
        """Who takes which message."""
        return {
            Registration: self.registrations.register,
            Deregistration: self.registrations.deregister,
            HandleResolution: self.resolutions.resolve,
            EndpointKeepAliveAck: self._keep_alives.acknowledge,
            EndpointUnreachable: self.reports.report,
        }
