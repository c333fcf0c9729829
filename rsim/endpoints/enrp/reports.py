"""Reports of unreachable elements at an ENRP server (RFC 5352 3.5)."""

from __future__ import annotations

from hashlib import blake2b

from rsim.endpoints.enrp.announcements import Announcements
from rsim.endpoints.enrp.counters import ServerCounters
from rsim.endpoints.enrp.keep_alives import KeepAlives
from rsim.endpoints.enrp.request_filter import RequestFilter
from rsim.endpoints.enrp.store import ElementStore
from rsim.endpoints.ports import Channel
from rsim.endpoints.settings import ServerSettings
from rsim.wire import EndpointUnreachable


class Reports:
    """Counts reports, probes the elements, and removes those that are reported too often.

    Parameters: `store` of the server's elements; `request_filter` that drops; `keep_alives` of the
    elements; `announcements` to the peers; `settings` of the server; `counters` of it.
    """

    def __init__(
        self,
        store: ElementStore,
        *,
        request_filter: RequestFilter,
        keep_alives: KeepAlives,
        announcements: Announcements,
        settings: ServerSettings,
        counters: ServerCounters,
    ) -> None:
        self._store = store
        self._filter = request_filter
        self._keep_alives = keep_alives
        self._announcements = announcements
        self._settings = settings
        self._counters = counters

    def report(self, channel: Channel, message: EndpointUnreachable) -> None:
        """Counts the report, and probes the element at once or removes it.

        Where another server is its home, that one's keep-alives find out; by the letter of the RFC
        any server may remove it.

        Parameters: `channel` it came on; `message` with handle and identifier of the element.
        """
        self._counters.endpoint_unreachables += 1
        handle, identifier = message.pool_handle, message.pe_identifier
        if self._filter.drops("report", channel, handle):
            return
        settings = self._settings
        own = self._store.own(handle, identifier)
        if own is None and not settings.nonowner_removes:
            return
        known = self._store.find(handle, identifier) if own is None else None
        if own is None and known is None:
            return
        if own is not None and self._keep_alives.just_answered(own):
            return
        reporter = int.from_bytes(blake2b(channel.remote_address.encode(), digest_size=8).digest())
        count = self._store.handlespace.report(
            handle, identifier, reporter, settings.distinct_reporters
        )
        limit = settings.max_bad_pe_reports + (settings.bad_pe_reports_rule == "exceeds")
        if count >= limit and not (settings.probe_before_removal and own is not None):
            self._counters.elements_reported_away += 1
            if own is not None:
                self._store.remove_own(own)
            elif known is not None:
                self._store.remove(handle, identifier)
                self._announcements.announce_removal(handle, known)
        elif (
            own is not None
            and (settings.verify_unreachable or settings.probe_before_removal)
            and not own.waiting
        ):
            self._keep_alives.probe(own)
