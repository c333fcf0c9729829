"""The start of an ENRP server: mentors, the list of servers, and the table (RFC 5353 3.2).

Steps: LIST, asking a mentor for the servers that it knows; TABLE, downloading its handlespace; then
the server serves. A mentor that refuses or is silent is followed by the next one; after all have
been tried in vain so many times, the server takes itself as the first one.

Timers: MAX-TIME-NO-RESPONSE after each request, and before the mentors are tried once more;
discovery, for a server that waits for a mentor without knowing one.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from rsim.endpoints.ports import Channel
from rsim.wire import (
    PPID_ENRP,
    HandleTableRequest,
    HandleTableResponse,
    ListRequest,
    ListResponse,
    Presence,
)

if TYPE_CHECKING:
    from rsim.endpoints.enrp.server import Address, EnrpServer


class Step(Enum):
    """Steps of the start."""

    IDLE = auto()
    DISCOVERY = auto()
    LIST = auto()
    TABLE = auto()
    PAUSE = auto()


class Startup:
    """Finds a mentor and learns from it."""

    def __init__(self, server: EnrpServer) -> None:
        self._server = server
        self.step = Step.IDLE
        self._mentors: list[Address] = []
        self._untried: list[Address] = []
        self._rounds = 0
        self._channel: Channel | None = None
        self._mentor = 0
        self._again = False
        self._timer = server.clock.timer(self._expired)

    def handlers(self) -> dict[type, Callable[[Channel, Any], None]]:
        """Handlers by type of message."""
        return {ListResponse: self._list_response}

    @property
    def downloading(self) -> bool:
        """Whether a table is under way."""
        return self.step is Step.TABLE

    def begin(self) -> None:
        """Looks for a mentor (3.2.2.1); without any the server is alone and serves."""
        self._again = False
        self._mentors = list(self._server.mentors)
        self._rounds = 0
        wait = self._server.settings.mentor_discovery_time
        if self._mentors:
            self._next_round()
        elif wait > 0:
            self.step = Step.DISCOVERY
            self._timer.start(wait)
        else:
            self._serve()

    def stop(self) -> None:
        """Forgets all."""
        self.step = Step.IDLE
        self._timer.stop()
        self._channel = None

    def presence_heard(self, message: Presence) -> None:
        """Multicast: whoever serves can be the mentor of one that looks for one."""
        information = message.server_information
        if self.step is Step.DISCOVERY and information is not None:
            transport = information.transport
            self._mentors = [(tuple(map(str, transport.addresses)), transport.port)]
            self._next_round()

    def download_anew(self, identifier: int) -> None:
        """Fetches the whole table from a peer while serving, as after a takeover of this server."""
        peer = self._server.peers.get(identifier)
        if peer is None or self.step is not Step.IDLE:
            return
        self._again = True
        self._mentor = identifier
        self.step = Step.TABLE
        self._server.peers.send(peer, self._table_request())
        self._channel = peer.channel
        self._timer.start(self._server.settings.max_time_no_response)

    # Mentors --------------------------------------------------------------------------------------

    def _next_round(self) -> None:
        self._rounds += 1
        self._untried = list(self._mentors)
        self._ask_next()

    def _ask_next(self) -> None:
        """The next mentor, a pause before the next round, or no mentor at all (3.2.2.2)."""
        server = self._server
        self._timer.stop()
        self._channel = None
        if self._again:
            self._finish()
        elif self._untried:
            self.step = Step.LIST
            self._mentor = 0
            address = self._untried.pop(0)
            self._timer.start(server.settings.max_time_no_response)
            self._channel = server.ports.connect(server, address, PPID_ENRP)
            server.send(self._channel, ListRequest(sender=server.identifier, receiver=0))
        elif self._rounds < server.settings.mentor_rounds:
            self.step = Step.PAUSE
            # Two servers that wait for each other must not do so in step.
            self._timer.start(
                server.settings.max_time_no_response * (0.5 + server.random.uniform())
            )
        else:
            self._serve()

    def _expired(self) -> None:
        if self.step is Step.PAUSE:
            self._next_round()
        elif self.step is Step.DISCOVERY:
            self._serve()
        else:
            self._ask_next()

    def ended(self, channel: Channel) -> None:
        """The mentor is gone."""
        if channel is self._channel and self.step in (Step.LIST, Step.TABLE):
            self._ask_next()

    def _list_response(self, channel: Channel, message: ListResponse) -> None:
        server = self._server
        if self.step is not Step.LIST or channel is not self._channel:
            return
        if message.reject:
            self._ask_next()
            return
        for information in message.servers:
            if information.server_identifier not in (0, server.identifier):
                server.peers.add(information.server_identifier, information)
        self._mentor = message.sender
        self.step = Step.TABLE
        self._timer.start(server.settings.max_time_no_response)
        server.send(channel, self._table_request())

    def _table_request(self) -> HandleTableRequest:
        return HandleTableRequest(sender=self._server.identifier, receiver=self._mentor)

    def table_response(self, message: HandleTableResponse) -> None:
        """A piece of the mentor's table (3.2.3)."""
        if self.step is not Step.TABLE or message.sender != self._mentor or self._channel is None:
            return
        if message.reject:
            self._ask_next()
            return
        self._server.tables.store(message)
        if message.more:
            self._timer.start(self._server.settings.max_time_no_response)
            self._server.send(self._channel, self._table_request())
        else:
            self._finish()

    def _finish(self) -> None:
        self._timer.stop()
        self.step = Step.IDLE
        self._channel = None
        self._server.tables.download_ended()
        if not self._again:
            self._server.serve()

    def _serve(self) -> None:
        """Nobody to learn from: this server is the first one, but tells those it was told of."""
        self.step = Step.IDLE
        server = self._server
        mentors = self._mentors
        server.serve()
        for address in mentors:
            channel = server.ports.connect(server, address, PPID_ENRP)
            server.send(channel, server.peers.presence(0, True, True))
