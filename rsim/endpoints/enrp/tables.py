"""Lists of servers and handle tables that an ENRP server sends on request (RFC 5353 2.2, 2.3, 3.2).

Timer of each download that a peer makes here: MAX-TIME-NO-RESPONSE, until it asks for more.
"""

from __future__ import annotations

from dataclasses import dataclass

from rsim.endpoints.enrp.counters import ServerCounters
from rsim.endpoints.enrp.node import Node
from rsim.endpoints.enrp.peers import Peers
from rsim.endpoints.enrp.store import ElementStore, Key
from rsim.endpoints.ports import Channel, ClockPort, TimerPort, count_sent
from rsim.endpoints.settings import ServerSettings
from rsim.wire import HandleTableRequest, HandleTableResponse, ListRequest, ListResponse


@dataclass(slots=True)
class _Download:
    """A download by a peer that is not through: where it goes on."""

    own_only: bool
    after: Key
    timer: TimerPort


class Tables:
    """Answers requests for lists and tables, tables in pieces.

    Parameters: `node` the server; `store` of its elements; `peers` of it; `settings` of the server;
    `clock` of the run; `counters` of the server.
    """

    def __init__(
        self,
        node: Node,
        store: ElementStore,
        peers: Peers,
        *,
        settings: ServerSettings,
        clock: ClockPort,
        counters: ServerCounters,
    ) -> None:
        self._node = node
        self._store = store
        self._peers = peers
        self._settings = settings
        self._clock = clock
        self._counters = counters
        self._downloads: dict[int, _Download] = {}

    def stop(self) -> None:
        """Forgets all downloads."""
        for download in self._downloads.values():
            download.timer.stop()
        self._downloads.clear()

    @property
    def downloads(self) -> int:
        """Number of downloads that are not through."""
        return len(self._downloads)

    def send_list(self, channel: Channel, message: ListRequest) -> None:
        """Answers a request for the list of servers (3.2.2.2).

        Parameters: `channel` it came on; `message` with its sender.
        """
        node = self._node
        others = [
            peer.information
            for peer in self._peers
            if peer.information is not None and peer.identifier != message.sender
        ]
        answer = ListResponse(
            sender=node.identifier,
            receiver=message.sender,
            servers=others if node.serving else (),
            reject=not node.serving,
        )
        node.send(channel, answer)

    def send_table(self, channel: Channel, message: HandleTableRequest) -> None:
        """Answers a request for the table with its next piece (3.2.3).

        Parameters: `channel` it came on; `message` with its sender, and whether it wants all.
        """
        node, settings = self._node, self._settings
        requester = message.sender
        download = self._downloads.pop(requester, None)
        if download is not None:
            download.timer.stop()
            if download.own_only != message.own_only:
                download = None
        limit = settings.max_downloads
        busy = download is None and limit is not None and len(self._downloads) >= limit
        if not node.serving or busy:
            refusal = HandleTableResponse(sender=node.identifier, receiver=requester, reject=True)
            node.send(channel, refusal)
            return
        pools, after = self._store.handlespace.table(
            after=download.after if download else None,
            limit=settings.max_table_elements,
            octets=settings.max_table_octets,
            owner=node.identifier if message.own_only else None,
        )
        if after is not None:
            timer = self._clock.timer(lambda: self._expire(requester))
            timer.start(settings.max_time_no_response)
            self._downloads[requester] = _Download(message.own_only, after, timer)
        answer = HandleTableResponse(
            sender=node.identifier, receiver=requester, pools=pools, more=after is not None
        )
        node.send(channel, answer)
        count_sent(channel, self._count)

    def _count(self) -> None:
        self._counters.tables_sent += 1

    def _expire(self, requester: int) -> None:
        self._downloads.pop(requester, None)
