"""The start of an ENRP server: mentors, the list of servers, and the table (RFC 5353 3.2).

If a mentor refuses or is silent, the server tries the next one. If all fail in each round, it acts
as the first server.

Timers: MAX-TIME-NO-RESPONSE after each request, and before the mentors are tried once more;
discovery, for a server that waits for a mentor without knowing one.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import auto

from rsim.endpoints.enrp.copies import Copies
from rsim.endpoints.enrp.node import Node
from rsim.endpoints.enrp.peers import Peers
from rsim.endpoints.ports import Address, Channel, ClockPort, Uniform
from rsim.endpoints.settings import ServerSettings
from rsim.states import RoleEvent, RoleState, StateTable
from rsim.wire import (
    HandleTableRequest,
    HandleTableResponse,
    ListRequest,
    ListResponse,
    Presence,
)


class StartupState(RoleState):
    """States of the start."""

    IDLE = auto()
    DISCOVERY = auto()
    """It knows no server and listens for one."""
    LIST = auto()
    """It has asked a mentor for the servers that it knows."""
    TABLE = auto()
    """It downloads the handlespace of a mentor."""
    PAUSE = auto()
    """All mentors have failed; it tries them again after a pause."""


class StartupEvent(RoleEvent):
    """What changes the state of the start."""

    WAIT = auto()
    """The server starts without knowing another one."""
    ASK = auto()
    """A mentor is asked for its list."""
    DOWNLOAD = auto()
    """A mentor is asked for its table."""
    REST = auto()
    """No mentor is left in this round."""
    END = auto()
    """The table is complete, no mentor has answered, or the server stops."""


_START = "RFC 5353 3.2.1"
_LIST = "RFC 5353 3.2.2.2"
_TABLE = "RFC 5353 3.2.3"

STARTUP_STATES = StateTable(
    "start of an ENRP server",
    StartupState.IDLE,
    [
        (StartupState.IDLE, StartupEvent.WAIT, StartupState.DISCOVERY, "RFC 5353 3.2.2.1"),
        (StartupState.IDLE, StartupEvent.ASK, StartupState.LIST, _LIST),
        (StartupState.DISCOVERY, StartupEvent.ASK, StartupState.LIST, _LIST),
        (StartupState.LIST, StartupEvent.ASK, StartupState.LIST, _LIST),
        (StartupState.TABLE, StartupEvent.ASK, StartupState.LIST, _TABLE),
        (StartupState.PAUSE, StartupEvent.ASK, StartupState.LIST, _LIST),
        (StartupState.LIST, StartupEvent.DOWNLOAD, StartupState.TABLE, _TABLE),
        (StartupState.IDLE, StartupEvent.DOWNLOAD, StartupState.TABLE, "RFC 5353 3.5.2"),
        (StartupState.LIST, StartupEvent.REST, StartupState.PAUSE, _LIST),
        (StartupState.TABLE, StartupEvent.REST, StartupState.PAUSE, _TABLE),
        (StartupState.IDLE, StartupEvent.END, StartupState.IDLE, _START),
        (StartupState.DISCOVERY, StartupEvent.END, StartupState.IDLE, _START),
        (StartupState.LIST, StartupEvent.END, StartupState.IDLE, _START),
        (StartupState.TABLE, StartupEvent.END, StartupState.IDLE, _TABLE),
        (StartupState.PAUSE, StartupEvent.END, StartupState.IDLE, _START),
    ],
)


class Startup:
    """Finds a mentor and learns from it.

    `mentor` is the identifier of the server whose table it downloads, 0 before it is known.

    Parameters: `node` the server; `peers` of it; `copies` of what peers are home of; `mentors`
    servers that may know the handlespace; `settings` of the server; `clock` of the run; `random`
    for the pause between rounds; `on_end` is called when the server can serve.
    """

    def __init__(
        self,
        node: Node,
        peers: Peers,
        copies: Copies,
        *,
        mentors: tuple[Address, ...],
        settings: ServerSettings,
        clock: ClockPort,
        random: Uniform,
        on_end: Callable[[], None],
    ) -> None:
        self._node = node
        self._peers = peers
        self._copies = copies
        self._known = mentors
        self._settings = settings
        self._random = random
        self._on_end = on_end
        self.state = STARTUP_STATES.initial
        self._mentors: list[Address] = []
        self._untried: list[Address] = []
        self._rounds = 0
        self._channel: Channel | None = None
        self.mentor = 0
        self._again = False
        self._timer = clock.timer(self._expire)

    def _enter(self, event: StartupEvent) -> None:
        before, self.state = self.state, STARTUP_STATES.after(self.state, event)
        if before is StartupState.TABLE:
            self._copies.end_table()
        if self.state is StartupState.TABLE:
            self._copies.begin_table()

    def begin(self) -> None:
        """Looks for a mentor (3.2.2.1); without any the server is alone and serves."""
        self._again = False
        self._mentors = list(self._known)
        self._rounds = 0
        wait = self._settings.mentor_discovery_time
        if self._mentors:
            self._try_round()
        elif wait > 0:
            self._enter(StartupEvent.WAIT)
            self._timer.start(wait)
        else:
            self._serve_alone()

    def stop(self) -> None:
        """Gives up."""
        self._enter(StartupEvent.END)
        self._timer.stop()
        self._channel = None

    def hear_presence(self, message: Presence) -> None:
        """Takes a PRESENCE by multicast: who serves can be the mentor of one that looks for one.

        Parameters: `message` that tells where its sender is.
        """
        information = message.server_information
        if self.state is StartupState.DISCOVERY and information is not None:
            transport = information.transport
            self._mentors = [(tuple(map(str, transport.addresses)), transport.port)]
            self._try_round()

    def download_anew(self, identifier: int) -> None:
        """Fetches the whole table from a peer while serving, as after a takeover of this server.

        Parameters: `identifier` of the peer.
        """
        peer = self._peers.get(identifier)
        if peer is None or self.state is not StartupState.IDLE:
            return
        self._again = True
        self.mentor = identifier
        self._enter(StartupEvent.DOWNLOAD)
        self._peers.send(peer, self._table_request())
        self._channel = peer.channel
        self._timer.start(self._settings.max_time_no_response)

    # Mentors --------------------------------------------------------------------------------------

    def _try_round(self) -> None:
        self._rounds += 1
        self._untried = list(self._mentors)
        self._ask_next()

    def _ask_next(self) -> None:
        """The next mentor, a pause before the next round, or no mentor at all (3.2.2.2)."""
        node, settings = self._node, self._settings
        self._timer.stop()
        self._channel = None
        if self._again:
            self._end()
        elif self._untried:
            self._enter(StartupEvent.ASK)
            self.mentor = 0
            address = self._untried.pop(0)
            self._timer.start(settings.max_time_no_response)
            self._channel = node.connect(address)
            node.send(self._channel, ListRequest(sender=node.identifier, receiver=0))
        elif self._rounds < settings.mentor_rounds:
            self._enter(StartupEvent.REST)
            # Two servers that wait for each other must not do so in step.
            self._timer.start(settings.max_time_no_response * (0.5 + self._random.uniform()))
        else:
            self._serve_alone()

    def _expire(self) -> None:
        if self.state is StartupState.PAUSE:
            self._try_round()
        elif self.state is StartupState.DISCOVERY:
            self._serve_alone()
        else:
            self._ask_next()

    def lose_channel(self, channel: Channel) -> None:
        """Tries the next mentor when the association with one has ended.

        Parameters: `channel` that has ended.
        """
        if channel is self._channel and self.state in (StartupState.LIST, StartupState.TABLE):
            self._ask_next()

    def take_list(self, channel: Channel, message: ListResponse) -> None:
        """Takes the list of servers of a mentor, and asks for its table (3.2.2.2).

        Parameters: `channel` it came on; `message` with the servers.
        """
        node = self._node
        if self.state is not StartupState.LIST or channel is not self._channel:
            return
        if message.reject:
            self._ask_next()
            return
        for information in message.servers:
            if information.server_identifier not in (0, node.identifier):
                self._peers.add(information.server_identifier, information)
        self.mentor = message.sender
        self._enter(StartupEvent.DOWNLOAD)
        self._timer.start(self._settings.max_time_no_response)
        node.send(channel, self._table_request())

    def _table_request(self) -> HandleTableRequest:
        return HandleTableRequest(sender=self._node.identifier, receiver=self.mentor)

    def take_table(self, message: HandleTableResponse) -> None:
        """Takes a piece of the mentor's table (3.2.3).

        Parameters: `message` with the piece.
        """
        if self.state is not StartupState.TABLE or message.sender != self.mentor:
            return
        if self._channel is None:
            return
        if message.reject:
            self._ask_next()
            return
        self._copies.take_table(message)
        if message.more:
            self._timer.start(self._settings.max_time_no_response)
            self._node.send(self._channel, self._table_request())
        else:
            self._end()

    def _end(self) -> None:
        self._timer.stop()
        self._enter(StartupEvent.END)
        self._channel = None
        if not self._again:
            self._on_end()

    def _serve_alone(self) -> None:
        """No mentor answers: this server acts as the first one, and contacts its mentors."""
        self._enter(StartupEvent.END)
        mentors = self._mentors
        self._on_end()
        for address in mentors:
            channel = self._node.connect(address)
            presence = self._peers.make_presence(0, reply_required=True, introduce=True)
            self._node.send(channel, presence)
