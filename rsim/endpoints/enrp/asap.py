"""What an ENRP server does for pool elements and pool users on request (RFC 5352 3).

Timer: notice, for subscribers of pools that have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from rsim.endpoints.authorisation import OpenAuthorisation
from rsim.endpoints.detection import Detector, Kind, RateLimits, detectors
from rsim.endpoints.enrp.elements import Entry
from rsim.endpoints.ports import Channel
from rsim.endpoints.statements import decode_evidence, worst_policy
from rsim.handlespace import Outcome
from rsim.wire import (
    PPID_ASAP,
    Cause,
    Deregistration,
    DeregistrationResponse,
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
)
from rsim.wire.extension import (
    CHOICE_GRANT,
    EVIDENCE,
    STATEMENT,
    STATEMENTS,
    extension_of,
    with_extension,
)

if TYPE_CHECKING:
    from rsim.endpoints.enrp.server import EnrpServer

Handler = Callable[[Channel, Any], None]

_MOST_ITEMS = 1000
"""Most elements in an answer where no limit is set: with a few addresses each, they fit into the
65,535 bytes of a message (RFC 5354 4)."""
_NOTICE = 1.0
"""Least time in s between two notices to subscribers."""


def _transport_of(channel: Channel) -> SctpTransport:
    return SctpTransport(port=channel.remote_port, addresses=channel.remote_addresses)


class AsapService:
    """Registrations, withdrawals, resolutions, reports and subscriptions."""

    def __init__(self, server: EnrpServer) -> None:
        self._server = server
        self._elements = server.elements
        self.settings = server.settings
        self.counters = server.counters
        self._dialect = int(server.dialect)
        self._subscribers: dict[bytes, dict[Channel, None]] = {}
        self._news: dict[bytes, None] = {}
        self._notice = server.clock.timer(self._notice_due)
        self._detectors = self._make_detectors()
        self._accounts = server.statements is not None or server.choices is not None
        # Read with every message: settings are slower to read.
        settings = server.settings
        self._most_life = settings.max_registration_life
        self._most_elements = settings.max_elements
        self._check_addresses = settings.check_addresses
        self._check_identity = settings.check_identity
        self._reset_reports = settings.reset_reports_on_registration
        self._serve_while_starting = settings.serve_while_starting

    def handlers(self) -> dict[type, Handler]:
        """Handlers by type of message."""
        return {
            Registration: self._registration,
            Deregistration: self._deregistration,
            HandleResolution: self._handle_resolution,
            EndpointKeepAliveAck: self._keep_alive_ack,
            EndpointUnreachable: self._endpoint_unreachable,
        }

    def stop(self) -> None:
        """Forgets all."""
        self._notice.stop()
        self._subscribers.clear()
        self._news.clear()

    def _make_detectors(self) -> tuple[Detector, ...]:
        settings = self.settings
        rates: dict[Kind, float | None] = {
            "registration": settings.max_registration_rate,
            "resolution": settings.max_resolution_rate,
            "report": settings.max_report_rate,
        }
        limits = {kind: rate for kind, rate in rates.items() if rate is not None}
        found: list[Detector] = []
        if limits:
            salt = self._server.identifier
            found.append(RateLimits(limits, settings.rate_buckets, settings.rate_stamps, salt))
        if settings.detector is not None:
            found.append(detectors()[settings.detector]())
        return tuple(found)

    def _ignored(self, kind: Kind, channel: Channel, handle: bytes) -> bool:
        """Whether the sender has asked for too much; then it gets no answer."""
        now = self._server.clock.now
        source = channel.remote_address
        # Each one sees every request.
        verdicts = [one.suspicious(kind, source, handle, now) for one in self._detectors]
        if any(verdicts):
            self.counters.requests_ignored += 1
            return True
        return False

    @property
    def _serving(self) -> bool:
        return self._server.serving or self._serve_while_starting

    # Registration and deregistration (3.1, 3.2) ---------------------------------------------------

    def _registration(self, channel: Channel, message: Registration) -> None:
        """A new registration, or a renewal by the same element; over SCTP alone (2.1)."""
        if channel.tcp:
            return
        handle = message.pool_handle
        element = message.pool_element
        if self._detectors and self._ignored("registration", channel, handle):
            listed = self._server.handlespace.find(handle, element.identifier)
            if listed is not None and listed.policy != element.policy:
                self.counters.load_updates_ignored += 1
            return
        entry = self._elements.get(handle, element.identifier)
        known = entry is not None
        cause = self._objection(channel, entry, handle, element)
        if cause is None and self._server.tribunal is not None:
            element, cause = self._sentence(channel, element)
        most = self._most_life
        cut = most is not None and not 0 <= element.registration_life <= most
        if cut:
            element = element.replace(registration_life=most)
        if cause is None:
            if entry is None:
                transport = _transport_of(channel)
                entry = Entry(self._elements, handle, element.identifier, channel, transport)
            elif entry.channel is not channel:
                entry.channel = channel
                entry.asap_transport = _transport_of(channel)
            cause = self._refusal(handle, element, self._elements.add(entry, element))
        if cause is not None or entry is None:
            self.counters.registrations_refused += 1
            response = RegistrationResponse(
                pool_handle=handle,
                pe_identifier=element.identifier,
                reject=True,
                error_causes=(cause,) if cause else (),
            )
            channel.send(PPID_ASAP, response.encode(self._dialect))
            return
        self.counters.registrations += 1
        if not known:
            self._elements.schedule_keep_alive(entry)
            self.changed(handle)
        elif self._reset_reports:
            self._server.handlespace.clear_reports(handle, element.identifier)
        response = RegistrationResponse(pool_handle=handle, pe_identifier=element.identifier)
        if cut:
            response = response.replace(error_causes=self._warning(handle, element.identifier))
        channel.send(PPID_ASAP, response.encode(self._dialect))
        if not self._server.peers.alone:
            self._announce(handle, element.identifier)

    def _sentence(
        self, channel: Channel, element: PoolElement
    ) -> tuple[PoolElement, ErrorCause | None]:
        """An element that serves a penalty is refused, or listed last (RFC 5355 2.17)."""
        tribunal = self._server.tribunal
        assert tribunal is not None
        if not tribunal.punished(channel.remote_address, self._server.clock.now):
            return element, None
        if tribunal.penalty == "worst":
            return element.replace(policy=worst_policy(element.policy)), None
        return element, ErrorCause(Cause.SECURITY)

    def _evidence(self, channel: Channel, handle: bytes) -> None:
        """Users accuse elements; enough of them have one penalised."""
        tribunal = self._server.tribunal
        data = extension_of(self._server.raw, EVIDENCE)
        if tribunal is None or data is None:
            return
        for identifier, _ in decode_evidence(data):
            entry = self._elements.get(handle, identifier)
            if entry is None or entry.asap_transport is None:
                continue
            self.counters.accusations += 1
            who = entry.asap_transport.hosts[0]
            if tribunal.accuse(who, channel.remote_address, self._server.clock.now):
                self.counters.elements_penalised += 1
                known = self._server.handlespace.find(handle, identifier)
                if tribunal.penalty == "worst" and known is not None:
                    self._elements.add(entry, known.replace(policy=worst_policy(known.policy)))
                else:
                    self._elements.remove(entry)

    def _warning(self, handle: bytes, identifier: int) -> tuple[ErrorCause, ...]:
        """A warning shows what is stored instead of what was asked for (RFC 5352 2.2.3)."""
        stored = self._server.handlespace.find(handle, identifier)
        return (ErrorCause(Cause.INVALID_VALUES, stored.encode()),) if stored is not None else ()

    def _announce(self, handle: bytes, identifier: int) -> None:
        element = self._server.handlespace.find(handle, identifier)
        if element is not None:
            self._server.tables.touched(handle, identifier)
            self._server.updates.added(handle, element)

    def _objection(
        self, channel: Channel, entry: Entry | None, handle: bytes, element: PoolElement
    ) -> ErrorCause | None:
        """Why a registration is refused before the handlespace sees it, or None."""
        identifier = element.identifier
        if not self._serving:
            return ErrorCause(Cause.LACK_OF_RESOURCES)
        if not self._permits(channel, handle, identifier):
            return ErrorCause(Cause.SECURITY)
        store = self._server.statements
        if store is not None:
            data = extension_of(self._server.raw, STATEMENT)
            if not store.take(handle, element, data):
                self.counters.statements_refused += 1
                return ErrorCause(Cause.SECURITY)
        life = element.registration_life
        if identifier == 0 or life < -1 or life == 0:
            return ErrorCause(Cause.INVALID_VALUES, element.encode())
        if not self._same_sender(handle, identifier, entry, channel):
            return ErrorCause(Cause.NON_UNIQUE_PE_IDENTIFIER)
        limit = self._most_elements
        if limit is not None and entry is None and len(self._server.handlespace) >= limit:
            return ErrorCause(Cause.LACK_OF_RESOURCES)
        if self._check_addresses:
            hosts = element.user_transport.hosts
            if any(host not in channel.remote_addresses for host in hosts):
                return ErrorCause(Cause.INVALID_VALUES, element.user_transport.encode())
        return None

    def _permits(self, channel: Channel, handle: bytes, identifier: int) -> bool:
        authorisation = self._server.authorisation
        if type(authorisation) is OpenAuthorisation:
            return True
        return authorisation.permits(channel.principal, handle, identifier)

    def _same_sender(
        self, handle: bytes, identifier: int, entry: Entry | None, channel: Channel
    ) -> bool:
        """Whether who speaks now may speak for an element: it shares an address with who has
        registered it, here or at another server (3.1, 3.2)."""
        if not self._check_identity:
            return True
        transport = None
        if entry is not None:
            transport = entry.asap_transport
        elif not self._server.peers.alone:
            known = self._server.handlespace.find(handle, identifier)
            transport = known.asap_transport if known is not None else None
        if transport is None:
            return True
        return any(host in channel.remote_addresses for host in transport.hosts)

    def _refusal(self, handle: bytes, element: PoolElement, outcome: Outcome) -> ErrorCause | None:
        """The cause of a refusal shows what the pool has (RFC 5354 3.12.6, 3.12.8)."""
        if outcome is Outcome.ADDED or outcome is Outcome.RENEWED:
            return None
        member = self._server.handlespace.any_element(handle)
        if member is not None and outcome is Outcome.INCONSISTENT_POLICY:
            return ErrorCause(Cause.INCONSISTENT_POLICY, member.policy.encode())
        if member is not None and outcome is Outcome.INCONSISTENT_TRANSPORT:
            return ErrorCause(Cause.INCONSISTENT_TRANSPORT_TYPE, member.user_transport.encode())
        if outcome is Outcome.INCONSISTENT_USE:
            return ErrorCause(Cause.INCONSISTENT_DATA_CONTROL)
        return ErrorCause(Cause.INVALID_VALUES, element.policy.encode())

    def _deregistration(self, channel: Channel, message: Deregistration) -> None:
        """An element withdraws; withdrawing what isn't there is granted."""
        if channel.tcp:
            return
        handle, identifier = message.pool_handle, message.pe_identifier
        entry = self._elements.get(handle, identifier)
        causes: tuple[ErrorCause, ...] = ()
        if not self._permits(channel, handle, identifier) or not self._same_sender(
            handle, identifier, entry, channel
        ):
            causes = (ErrorCause(Cause.SECURITY),)
        else:
            known = self._server.handlespace.find(handle, identifier)
            if entry is None and known is not None:
                entry = self._act_as_home(channel, handle, known)
            if entry is not None:
                self.counters.deregistrations += 1
                self._elements.remove(entry)
        response = DeregistrationResponse(
            pool_handle=handle, pe_identifier=identifier, error_causes=causes
        )
        channel.send(PPID_ASAP, response.encode(self._dialect))

    def _act_as_home(self, channel: Channel, handle: bytes, element: PoolElement) -> Entry:
        """Only the home may announce a removal: this server becomes it for the moment."""
        transport = _transport_of(channel)
        entry = Entry(self._elements, handle, element.identifier, channel, transport)
        self._elements.add(entry, element)
        self._announce(handle, element.identifier)
        return entry

    # Resolution (3.3) -----------------------------------------------------------------------------

    def _handle_resolution(self, channel: Channel, message: HandleResolution) -> None:
        """Elements of the pool by its policy, or an error if there are none."""
        self.counters.handle_resolutions += 1
        handle = message.pool_handle
        if self._detectors and self._ignored("resolution", channel, handle):
            return
        if self._server.tribunal is not None:
            self._evidence(channel, handle)
        causes: tuple[ErrorCause, ...] = ()
        elements: Sequence[PoolElement] = ()
        subscribed = False
        if self._serving:
            elements = self._select(handle, message.items)
            if not elements:
                self.counters.handle_resolutions_empty += 1
                causes = (ErrorCause(Cause.UNKNOWN_POOL_HANDLE),)
            elif message.send_updates and self.settings.accept_subscriptions:
                subscribed = True
                self._subscribers.setdefault(handle, {})[channel] = None
        else:
            causes = (ErrorCause(Cause.LACK_OF_RESOURCES),)
        if self._subscribers and not subscribed:
            self._unsubscribe(handle, channel)
        answer = self._answer(handle, elements, causes, subscribed)
        if elements and self._accounts:
            answer = self._accountable(answer, handle, elements, channel)
        channel.send(PPID_ASAP, answer)

    def _accountable(
        self, answer: bytes, handle: bytes, elements: Sequence[PoolElement], channel: Channel
    ) -> bytes:
        """The answer with what the user has to prove its choice by, and with the statements."""
        server = self._server
        if server.statements is not None:
            answer = with_extension(answer, STATEMENTS, server.statements.of(handle, elements))
        if server.choices is not None:
            now = server.clock.now
            grant = server.choices.grant(handle, elements, channel.remote_address, now)
            answer = with_extension(answer, CHOICE_GRANT, grant)
        return answer

    def _select(self, handle: bytes, items: int | None) -> Sequence[PoolElement]:
        limit = self.settings.max_resolution_items or _MOST_ITEMS
        count = limit if items is None else min(limit, items)
        return self._server.handlespace.select(handle, count, self._server.draws)

    def _answer(
        self,
        handle: bytes,
        elements: Sequence[PoolElement],
        causes: tuple[ErrorCause, ...],
        subscribed: bool,
    ) -> bytes:
        """The response with as many of the elements, in their order, as fit into a message."""
        policy: Policy | None = elements[0].policy if elements else None
        while True:
            response = HandleResolutionResponse(
                pool_handle=handle,
                pool_elements=elements,
                policy=policy,
                accept_updates=subscribed,
                error_causes=causes,
            )
            try:
                return response.encode(self._dialect)
            except FieldError:
                if len(elements) < 2:
                    raise
                elements = elements[: len(elements) * 3 // 4]

    # Subscriptions (2.2.5, 2.2.6) -----------------------------------------------------------------

    def changed(self, handle: bytes) -> None:
        """An element has joined or left a pool: its subscribers are told, at most once a second."""
        if handle in self._subscribers:
            self._news[handle] = None
            if not self._notice.running:
                self._notice.start(_NOTICE)

    def _notice_due(self) -> None:
        news, self._news = self._news, {}
        for handle in news:
            elements = self._select(handle, None)
            causes = () if elements else (ErrorCause(Cause.UNKNOWN_POOL_HANDLE),)
            answer = self._answer(handle, elements, causes, bool(elements))
            for channel in self._subscribers.get(handle, {}):
                channel.send(PPID_ASAP, answer)
            if not elements:
                self._subscribers.pop(handle, None)

    def _unsubscribe(self, handle: bytes, channel: Channel) -> None:
        subscribers = self._subscribers.get(handle)
        if subscribers is not None:
            subscribers.pop(channel, None)
            if not subscribers:
                del self._subscribers[handle]

    def ended(self, channel: Channel) -> None:
        """A subscription lives as long as its association."""
        for handle in list(self._subscribers):
            self._unsubscribe(handle, channel)

    # Reports and keep-alives (3.4, 3.5) -----------------------------------------------------------

    def _keep_alive_ack(self, channel: Channel, message: EndpointKeepAliveAck) -> None:
        if not channel.tcp:
            self._elements.acknowledged(message)

    def _endpoint_unreachable(self, channel: Channel, message: EndpointUnreachable) -> None:
        """Probe the element at once, and count the reports about it.

        Where another server is its home, that one's keep-alives find out; by the letter of the RFC
        any server may remove it.
        """
        self.counters.endpoint_unreachables += 1
        handle, identifier = message.pool_handle, message.pe_identifier
        if self._detectors and self._ignored("report", channel, handle):
            return
        settings = self.settings
        entry = self._elements.get(handle, identifier)
        if entry is None and not settings.nonowner_removes:
            return
        known = self._server.handlespace.find(handle, identifier) if entry is None else None
        if entry is None and known is None:
            return
        if entry is not None and self._elements.just_answered(entry):
            return
        reporter = int.from_bytes(blake2b(channel.remote_address.encode(), digest_size=8).digest())
        count = self._server.handlespace.report(
            handle, identifier, reporter, settings.distinct_reporters
        )
        limit = settings.max_bad_pe_reports + (settings.bad_pe_reports_rule == "exceeds")
        if count >= limit and not (settings.probe_before_removal and entry is not None):
            self.counters.elements_reported_away += 1
            if entry is not None:
                self._elements.remove(entry)
            elif known is not None:
                self._elements.taken_out(handle, identifier)
                self._server.updates.removed(handle, known)
        elif (
            entry is not None
            and (settings.verify_unreachable or settings.probe_before_removal)
            and not entry.waiting
        ):
            self._elements.probe(entry)
