"""Handle tables between ENRP servers: downloads in pieces, audits, and re-synchronisation
(RFC 5353 2.2, 2.3, 3.2.3, 3.6).

Timers, all MAX-TIME-NO-RESPONSE: of each download that a peer makes here, until it asks on; of each
re-synchronisation with a peer, until it answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rsim.endpoints.enrp.elements import Key
from rsim.endpoints.enrp.peers import Peer
from rsim.endpoints.ports import Channel, TimerPort, count_sent
from rsim.wire import (
    HandleTableRequest,
    HandleTableResponse,
    ListRequest,
    ListResponse,
)

if TYPE_CHECKING:
    from rsim.endpoints.enrp.server import EnrpServer


@dataclass(slots=True)
class _Download:
    """A download by a peer that is not through: where it goes on."""

    own_only: bool
    after: Key
    timer: TimerPort


class Tables:
    """Serves tables and lists; audits peers and fetches what they own."""

    def __init__(self, server: EnrpServer) -> None:
        self._server = server
        self._downloads: dict[int, _Download] = {}
        self._audits: dict[int, TimerPort] = {}
        self._changed: set[Key] = set()

    def handlers(self) -> dict[type, Callable[[Channel, Any], None]]:
        """Handlers by type of message."""
        return {
            HandleTableRequest: self._table_request,
            HandleTableResponse: self._table_response,
            ListRequest: self._list_request,
        }

    def stop(self) -> None:
        """Forgets all."""
        for download in self._downloads.values():
            download.timer.stop()
        for timer in self._audits.values():
            timer.stop()
        self._downloads.clear()
        self._audits.clear()
        self._changed.clear()

    # Serving (3.2.2.2, 3.2.3) ---------------------------------------------------------------------

    @property
    def downloads(self) -> int:
        """Downloads that are not through."""
        return len(self._downloads)

    def _list_request(self, channel: Channel, message: ListRequest) -> None:
        server = self._server
        others = [
            peer.information
            for peer in server.peers
            if peer.information is not None and peer.identifier != message.sender
        ]
        answer = ListResponse(
            sender=server.identifier,
            receiver=message.sender,
            servers=others if server.serving else (),
            reject=not server.serving,
        )
        server.send(channel, answer)

    def _table_request(self, channel: Channel, message: HandleTableRequest) -> None:
        server = self._server
        settings = server.settings
        requester = message.sender
        download = self._downloads.pop(requester, None)
        if download is not None:
            download.timer.stop()
            if download.own_only != message.own_only:
                download = None
        limit = settings.max_downloads
        busy = download is None and limit is not None and len(self._downloads) >= limit
        if not server.serving or busy:
            refusal = HandleTableResponse(sender=server.identifier, receiver=requester, reject=True)
            server.send(channel, refusal)
            return
        pools, after = server.handlespace.table(
            after=download.after if download else None,
            limit=settings.max_table_elements,
            octets=settings.max_table_octets,
            owner=server.identifier if message.own_only else None,
        )
        if after is not None:
            timer = server.clock.timer(lambda: self._download_expired(requester))
            timer.start(settings.max_time_no_response)
            self._downloads[requester] = _Download(message.own_only, after, timer)
        answer = HandleTableResponse(
            sender=server.identifier, receiver=requester, pools=pools, more=after is not None
        )
        server.send(channel, answer)
        count_sent(channel, self._count)

    def _count(self) -> None:
        self._server.counters.tables_sent += 1

    def _download_expired(self, requester: int) -> None:
        self._downloads.pop(requester, None)

    # Changes during downloads ---------------------------------------------------------------------

    def touched(self, handle: bytes, identifier: int) -> None:
        """A table under way must not overwrite what an update says now, or bring it back."""
        if self._audits or self._server.startup.downloading:
            self._changed.add((handle, identifier))

    def store(self, message: HandleTableResponse, owner: int | None = None) -> None:
        """Takes over the elements of a table, those of one owner or all."""
        server = self._server
        for pool in message.pools:
            handle = pool.pool_handle
            for element in pool.pool_elements:
                if (handle, element.identifier) in self._changed:
                    continue
                if owner is not None and element.home_server != owner:
                    continue
                if element.home_server == server.identifier:
                    # From before a restart under the same identifier: mine, if nobody knows better.
                    if not server.serving:
                        server.elements.add_foreign(handle, element)
                    continue
                if owner is not None and server.elements.claims(handle, element):
                    continue
                server.updates.store(handle, element)

    def download_ended(self) -> None:
        """What changed meanwhile need not be remembered, unless another download goes on."""
        if not self._audits and not self._server.startup.downloading:
            self._changed.clear()

    # Audits (3.6.1, 3.6.3) ------------------------------------------------------------------------

    def audit(self, peer: Peer, checksum: int) -> None:
        """Compares checksums of what a peer owns; if they differ, fetches it."""
        server = self._server
        server.counters.audits += 1
        if checksum == server.handlespace.checksum(peer.identifier):
            return
        server.counters.audit_mismatches += 1
        if peer.identifier in self._audits:
            return
        server.handlespace.mark(peer.identifier)
        identifier = peer.identifier
        timer = server.clock.timer(lambda: self._give_up(identifier))
        self._audits[identifier] = timer
        self._request(peer)

    def _request(self, peer: Peer) -> None:
        server = self._server
        self._audits[peer.identifier].start(server.settings.max_time_no_response)
        request = HandleTableRequest(
            sender=server.identifier, receiver=peer.identifier, own_only=True
        )
        server.peers.send(peer, request)

    def _table_response(self, channel: Channel, message: HandleTableResponse) -> None:
        server = self._server
        timer = self._audits.get(message.sender)
        if timer is None or not timer.running:
            server.startup.table_response(message)
            return
        peer = server.peers.get(message.sender)
        if message.reject or peer is None:
            self._give_up(message.sender)
            return
        self.store(message, owner=message.sender)
        if message.more:
            self._request(peer)
            return
        self._end(message.sender)
        server.elements.count()
        for handle, element in server.handlespace.sweep(message.sender):
            server.elements.taken_out(handle, element.identifier)
        self.download_ended()

    def _give_up(self, identifier: int) -> None:
        """Never removes on incomplete knowledge: the next PRESENCE tries again."""
        self._end(identifier)
        self._server.handlespace.unmark(identifier)
        self.download_ended()

    def _end(self, identifier: int) -> None:
        timer = self._audits.pop(identifier, None)
        if timer is not None:
            timer.stop()
