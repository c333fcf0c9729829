"""Registrations and deregistrations at an ENRP server (RFC 5352 3.1, 3.2)."""

from __future__ import annotations

from rsim.endpoints.enrp.admission import Admission
from rsim.endpoints.enrp.announcements import Announcements
from rsim.endpoints.enrp.copies import Copies
from rsim.endpoints.enrp.counters import ServerCounters
from rsim.endpoints.enrp.keep_alives import KeepAlives
from rsim.endpoints.enrp.node import Node
from rsim.endpoints.enrp.request_filter import RequestFilter
from rsim.endpoints.enrp.store import ElementStore, OwnElement, StoreListener
from rsim.endpoints.ports import Channel
from rsim.endpoints.settings import ServerSettings
from rsim.wire import (
    PPID_ASAP,
    AsapError,
    Cause,
    Deregistration,
    DeregistrationResponse,
    EnrpError,
    ErrorCause,
    PoolElement,
    Registration,
    RegistrationResponse,
    SctpTransport,
)

_POOL_HANDLE, _POOL_ELEMENT = 0x9, 0xA
"""Types of parameters (RFC 5354 3)."""


def _transport_of(channel: Channel) -> SctpTransport:
    return SctpTransport(port=channel.remote_port, addresses=channel.remote_addresses)


def _named(data: bytes) -> tuple[bytes, int] | None:
    """Handle and identifier in a registration that does not decode (RFC 5352 2.2.1)."""
    end = 4 + int.from_bytes(data[6:8])
    element = (end + 3) & ~3
    if int.from_bytes(data[4:6]) != _POOL_HANDLE or end <= 8:
        return None
    if int.from_bytes(data[element : element + 2]) != _POOL_ELEMENT or len(data) < element + 8:
        return None
    return data[8:end], int.from_bytes(data[element + 4 : element + 8])


class Registrations(StoreListener):
    """Registers elements, and lets them go.

    Parameters: `node` the server; `store` of its elements; `admission` that checks;
    `request_filter` that drops; `keep_alives` of the elements; `announcements` to the peers;
    `copies` of what peers are home of; `settings` of the server; `counters` of it.
    """

    def __init__(
        self,
        node: Node,
        store: ElementStore,
        *,
        admission: Admission,
        request_filter: RequestFilter,
        keep_alives: KeepAlives,
        announcements: Announcements,
        copies: Copies,
        settings: ServerSettings,
        counters: ServerCounters,
    ) -> None:
        self._dialect = node.dialect
        self._store = store
        self._admission = admission
        self._filter = request_filter
        self._keep_alives = keep_alives
        self._announcements = announcements
        self._copies = copies
        self._counters = counters
        self._max_life = settings.max_registration_life
        self._reset_reports = settings.reset_reports_on_registration

    def register(self, channel: Channel, message: Registration) -> None:
        """Takes a new registration, or a renewal by the same element; over SCTP alone (2.1).

        Parameters: `channel` it came on; `message` with handle and element.
        """
        handle, element = message.pool_handle, message.pool_element
        if channel.tcp:
            self._refuse(channel, handle, element.identifier, ErrorCause(Cause.UNSPECIFIED))
            return
        if self._filter.drops("registration", channel, handle):
            listed = self._store.find(handle, element.identifier)
            if listed is not None and listed.policy != element.policy:
                self._counters.load_updates_ignored += 1
            return
        own = self._store.own(handle, element.identifier)
        known = own is not None
        cause = self._admission.objection(channel, own, message, element)
        if cause is None and self._admission.punishes:
            element, cause = self._admission.sentence(channel, element)
        most = self._max_life
        cut = most is not None and not 0 <= element.registration_life <= most
        if cut:
            element = element.replace(registration_life=most)
        if cause is None:
            self._admission.note_protection(channel)
            own = self._of_sender(own, handle, element.identifier, channel)
            outcome = self._store.add_own(own, element)
            cause = self._admission.refusal(handle, element, outcome)
        if cause is not None or own is None:
            self._refuse(channel, handle, element.identifier, cause)
            return
        self._counters.registrations += 1
        if not known:
            self._keep_alives.schedule(own)
        elif self._reset_reports:
            self._store.handlespace.clear_reports(handle, element.identifier)
        response = RegistrationResponse(pool_handle=handle, pe_identifier=element.identifier)
        if cut:
            response = response.replace(error_causes=self._warning(handle, element.identifier))
        channel.send(PPID_ASAP, response.encode(self._dialect))
        self._announce(handle, element.identifier)

    def _of_sender(
        self, own: OwnElement | None, handle: bytes, identifier: int, channel: Channel
    ) -> OwnElement:
        """What the server keeps of an element that speaks over an association."""
        if own is None:
            return self._keep_alives.make_own(handle, identifier, channel, _transport_of(channel))
        if own.channel is not channel:
            self._store.set_channel(own, channel)
            own.asap_transport = _transport_of(channel)
        return own

    def _refuse(
        self, channel: Channel, handle: bytes, identifier: int, cause: ErrorCause | None
    ) -> None:
        self._counters.registrations_refused += 1
        response = RegistrationResponse(
            pool_handle=handle,
            pe_identifier=identifier,
            reject=True,
            error_causes=(cause,) if cause else (),
        )
        channel.send(PPID_ASAP, response.encode(self._dialect))

    def answer_invalid(
        self, channel: Channel, data: bytes, error: AsapError | EnrpError | None
    ) -> bool:
        """Refuses a registration whose values are not valid, as each one is answered (3.1); False
        for what is no such registration.

        Parameters: `channel` it came on; `data` its octets; `error` that tells what is wrong.
        """
        if error is None or data[0] != Registration.type_code:
            return False
        cause = error.error_causes[-1]
        named = _named(data)
        if cause.code != Cause.INVALID_VALUES or named is None:
            return False
        handle, identifier = named
        self._refuse(channel, handle, identifier, cause)
        return True

    def _warning(self, handle: bytes, identifier: int) -> tuple[ErrorCause, ...]:
        """A warning shows what is stored instead of what was asked for (RFC 5352 2.2.3)."""
        stored = self._store.find(handle, identifier)
        return (ErrorCause(Cause.INVALID_VALUES, stored.encode()),) if stored is not None else ()

    def _announce(self, handle: bytes, identifier: int) -> None:
        self._copies.note_change(handle, identifier)
        self._announcements.announce(handle, identifier)

    def deregister(self, channel: Channel, message: Deregistration) -> None:
        """Removes an element at its own request; what isn't there is granted.

        Parameters: `channel` it came on; `message` with handle and identifier of the element.
        """
        handle, identifier = message.pool_handle, message.pe_identifier
        own = self._store.own(handle, identifier)
        causes: tuple[ErrorCause, ...] = ()
        if channel.tcp:
            causes = (ErrorCause(Cause.UNSPECIFIED),)
        elif not self._admission.may_leave(channel, handle, identifier, own):
            causes = (ErrorCause(Cause.SECURITY),)
        else:
            if own is None:
                listed = self._store.find(handle, identifier)
                if listed is not None:
                    own = self._act_as_home(channel, handle, listed)
            if own is not None:
                self._counters.deregistrations += 1
                self._store.remove_own(own)
        response = DeregistrationResponse(
            pool_handle=handle, pe_identifier=identifier, error_causes=causes
        )
        channel.send(PPID_ASAP, response.encode(self._dialect))

    def _act_as_home(self, channel: Channel, handle: bytes, element: PoolElement) -> OwnElement:
        """Only the home may announce a removal: this server becomes it for the moment."""
        own = self._of_sender(None, handle, element.identifier, channel)
        self._store.add_own(own, element)
        self._announce(handle, element.identifier)
        return own

    def own_lapsed(self, own: OwnElement) -> None:
        """Notifies an element that its registration has ended, if it still has an association
        (RFC 5352 2.2.4).

        Parameters: `own` what the server kept of it.
        """
        if own.channel is not None:
            notice = DeregistrationResponse(pool_handle=own.handle, pe_identifier=own.identifier)
            own.channel.send(PPID_ASAP, notice.encode(self._dialect))
