"""An ENRP server as such: who it is, whether it serves, and how it reaches others."""

from __future__ import annotations

from enum import auto
from typing import Protocol

from rsim.endpoints.ports import Address, Channel, ChannelReceiver
from rsim.states import RoleEvent, RoleState, StateTable
from rsim.wire import PPID_ASAP, PPID_ENRP, Message, SctpTransport, ServerInformation


class ServerState(RoleState):
    """States of a server."""

    DOWN = auto()
    STARTING = auto()
    SERVING = auto()


class ServerEvent(RoleEvent):
    """What changes the state of a server."""

    START = auto()
    """Its process begins."""
    LEARN = auto()
    """It has the list of servers and the table, or has found no mentor."""
    FAIL = auto()
    """Its process dies."""


SERVER_STATES = StateTable(
    "ENRP server",
    ServerState.DOWN,
    [
        (ServerState.DOWN, ServerEvent.START, ServerState.STARTING, "RFC 5353 3.2.1"),
        (ServerState.STARTING, ServerEvent.LEARN, ServerState.SERVING, "RFC 5353 3.2.2, 3.2.3"),
        (ServerState.DOWN, ServerEvent.FAIL, ServerState.DOWN, "RFC 5353 3.4.3"),
        (ServerState.STARTING, ServerEvent.FAIL, ServerState.DOWN, "RFC 5353 3.4.3"),
        (ServerState.SERVING, ServerEvent.FAIL, ServerState.DOWN, "RFC 5353 3.4.3"),
    ],
)


class HostPort(Protocol):
    """What a server needs of the host that it runs on; `asap_port` at which it takes ASAP."""

    asap_port: int

    def connect(self, receiver: ChannelReceiver, address: Address, ppid: int) -> Channel:
        """Opens an association with a peer (ENRP) or with a pool element (ASAP).

        Parameters: `receiver` of what arrives on it; `address` of the other side; `ppid` the
        payload protocol identifier that tells which protocol it is for.
        """

    def new_identifier(self) -> int:
        """An identifier that the server has not had."""

    def information(self) -> Address:
        """Own addresses and ENRP port."""

    def announce(self, data: bytes, ppid: int) -> None:
        """Sends a datagram to the multicast group of a protocol, if there is one.

        Parameters: `data` an encoded message; `ppid` of ASAP or of ENRP.
        """

    def distance(self, address: str, other: str | None = None) -> float:
        """Distance in ms between two hosts.

        Parameters: `address` of one; `other` that of the other one, None for this host.
        """


class Watcher(Protocol):
    """Sees what changes in the handlespace of a server, as an observer of the run does."""

    def entry_changed(self, handle: bytes, identifier: int) -> None:
        """An entry is new, another one, or gone.

        Parameters: `handle` of its pool; `identifier` its PE identifier.
        """

    def server_changed(self) -> None:
        """The server begins or ceases to serve, has another identifier or an empty handlespace."""


class Node:
    """An ENRP server as its parts see it; `watcher` is None where nobody watches.

    Parameters: `identifier` 32 bits, not 0; `dialect` of what it sends; `host` of its host;
    `receiver` of what arrives on the associations that it opens.
    """

    def __init__(
        self, identifier: int, dialect: int, host: HostPort, receiver: ChannelReceiver
    ) -> None:
        self.identifier = identifier
        self.dialect = dialect
        self.host = host
        self.state = SERVER_STATES.initial
        self.watcher: Watcher | None = None
        self._receiver = receiver

    @property
    def serving(self) -> bool:
        """Whether the start is through."""
        return self.state is ServerState.SERVING

    def enter(self, event: ServerEvent) -> None:
        """Changes the state as an event demands.

        Parameters: `event` what has happened to the server.
        """
        self.state = SERVER_STATES.after(self.state, event)
        self.note_change()

    def rename(self, identifier: int) -> None:
        """Has another identifier from now on.

        Parameters: `identifier` 32 bits, not 0.
        """
        self.identifier = identifier
        self.note_change()

    def note_change(self) -> None:
        """Tells who watches that the server or all of its handlespace has changed."""
        if self.watcher is not None:
            self.watcher.server_changed()

    def note_entry(self, handle: bytes, identifier: int) -> None:
        """Tells who watches that an entry has changed.

        Parameters: `handle` of its pool; `identifier` its PE identifier.
        """
        if self.watcher is not None:
            self.watcher.entry_changed(handle, identifier)

    def connect(self, address: Address) -> Channel:
        """Opens an association with another server.

        Parameters: `address` at which it takes ENRP.
        """
        return self.host.connect(self._receiver, address, PPID_ENRP)

    def connect_element(self, transport: SctpTransport) -> Channel:
        """Opens an association with a pool element.

        Parameters: `transport` at which the element takes ASAP.
        """
        return self.host.connect(self._receiver, (transport.hosts, transport.port), PPID_ASAP)

    def send(self, channel: Channel, message: Message) -> None:
        """Sends an ENRP message.

        Parameters: `channel` to the peer; `message` to send.
        """
        channel.send(PPID_ENRP, message.encode(self.dialect))

    def information(self) -> ServerInformation:
        """What peers should know of this server."""
        addresses, port = self.host.information()
        return ServerInformation(
            server_identifier=self.identifier,
            transport=SctpTransport(port=port, addresses=addresses),
        )
