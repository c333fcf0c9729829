"""The ENRP server: one node of a redundant handlespace (RFC 5352, 5353).

States: DOWN until started. STARTING while it looks for a mentor, fetches the list of servers and
downloads the table (RFC 5353 3.2): registrations and resolutions are refused. SERVING.

Its parts, each with its timers:

- asap.py: what pool elements and pool users ask for (RFC 5352 3).
- elements.py: the elements that it is home of: keep-alives, registration lives, changes of home.
- startup.py: mentors, list and table (RFC 5353 3.2).
- tables.py: downloads that it serves, audits and re-synchronisation (3.2.3, 3.6).
- updates.py: handle updates to and from its peers (3.3).
- peers.py: who the peers are and whether they live (3.4).
- takeover.py: arbitration, and taking over (3.5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import ip_address
from math import inf
from typing import Any, Protocol

from mypy_extensions import mypyc_attr

from rsim.endpoints.authorisation import Authorisation, OpenAuthorisation
from rsim.endpoints.choice import ChoiceAuthority
from rsim.endpoints.enrp.asap import AsapService
from rsim.endpoints.enrp.elements import Elements
from rsim.endpoints.enrp.peers import Peers
from rsim.endpoints.enrp.startup import Startup
from rsim.endpoints.enrp.tables import Tables
from rsim.endpoints.enrp.takeover import Takeovers
from rsim.endpoints.enrp.updates import Updates
from rsim.endpoints.ports import Channel, ClockPort, Uniform
from rsim.endpoints.settings import ServerSettings
from rsim.endpoints.statements import StatementStore, Tribunal
from rsim.handlespace import Draws, Handlespace
from rsim.network import Event
from rsim.wire import (
    PPID_ASAP,
    PPID_ENRP,
    Cause,
    Dialect,
    EnrpError,
    ErrorCause,
    Message,
    Presence,
    SctpTransport,
    ServerAnnounce,
    ServerInformation,
    receive,
)

Address = tuple[tuple[str, ...], int]
"""Addresses of a host, the primary one first, and a port."""


_MOST_ERRED = 4096
"""Addresses of which it is known when they last got an error message."""


class State(Enum):
    """States of a server."""

    DOWN = auto()
    STARTING = auto()
    SERVING = auto()


@mypyc_attr(acyclic=True)
@dataclass(slots=True)
class ServerCounters:
    """What a server has done since it began, as numbers that only grow."""

    registrations: int = 0
    registrations_refused: int = 0
    deregistrations: int = 0
    handle_resolutions: int = 0
    handle_resolutions_empty: int = 0
    endpoint_unreachables: int = 0
    keep_alives_sent: int = 0
    keep_alive_timeouts: int = 0
    elements_expired: int = 0
    elements_reported_away: int = 0
    messages_refused: int = 0
    requests_ignored: int = 0
    load_updates_ignored: int = 0
    statements_refused: int = 0
    accusations: int = 0
    elements_penalised: int = 0
    element_seconds: float = 0.0
    updates_sent: int = 0
    updates_refused: int = 0
    tables_sent: int = 0
    audits: int = 0
    audit_mismatches: int = 0
    peers_found_dead: int = 0
    takeovers_won: int = 0
    takeovers_given_up: int = 0
    takeover_time: float = 0.0
    elements_taken_over: int = 0


class Ports(Protocol):
    """What a server needs of the host that it runs on; `asap_port` at which it takes ASAP."""

    asap_port: int

    def connect(self, server: EnrpServer, address: Address, ppid: int) -> Channel:
        """An association with a peer (ENRP) or with a pool element (ASAP)."""

    def new_identifier(self) -> int:
        """An identifier that the server has not had."""

    def information(self) -> Address:
        """Own addresses and ENRP port."""

    def announce(self, data: bytes, ppid: int) -> None:
        """Sends a datagram to the multicast group of ASAP or of ENRP, if there is one."""

    def distance(self, address: str, other: str | None = None) -> float:
        """Distance in ms from this host, or from an `other` address, to an address."""


@mypyc_attr(allow_interpreted_subclasses=True)
class EnrpServer:
    """ENRP server as a state machine.

    Parameters: `identifier` 32 bits, not 0; `mentors` servers that may know the handlespace;
    `draws` for selections; `random` for the spread of keep-alives; `dialect` of what it sends;
    `authorisation` who may register, by default everybody; `secured` whether ENRP counts only from
    associations that TLS protects; `choices`, `statements` and `tribunal` where pool users have to
    prove their choice, and elements are held to what they state (RFC 5355 2.17).
    """

    def __init__(
        self,
        identifier: int,
        settings: ServerSettings,
        clock: ClockPort,
        ports: Ports,
        draws: Draws,
        random: Uniform,
        dialect: Dialect = Dialect.RFC,
        authorisation: Authorisation | None = None,
        mentors: tuple[Address, ...] = (),
        secured: bool = False,
        choices: ChoiceAuthority | None = None,
        statements: StatementStore | None = None,
        tribunal: Tribunal | None = None,
    ) -> None:
        self.choices = choices
        self.statements = statements
        self.tribunal = tribunal
        self.raw = b""
        self.identifier = identifier
        self.settings = settings
        self.clock = clock
        self.ports = ports
        self.random = random
        self.draws = draws
        self.mentors = mentors
        self.secured = secured
        self.state = State.DOWN
        self.counters = ServerCounters()
        self.authorisation = authorisation or OpenAuthorisation()
        self.dialect = int(dialect)
        if settings.takeover_suggestion:
            self.dialect |= Dialect.TAKEOVER_SUGGESTED
        self.handlespace = self._empty()
        self.elements = Elements(self)
        self.asap = AsapService(self)
        self.peers = Peers(self)
        self.updates = Updates(self)
        self.tables = Tables(self)
        self.takeovers = Takeovers(self)
        self.startup = Startup(self)
        self._announcement = clock.timer(self._announce)
        self._heard: dict[int, float] = {}
        self._erred: dict[str, float] = {}
        self._renamed_at = -inf
        self._asap_handlers = self.asap.handlers()
        self._enrp_handlers: dict[type, Callable[[Channel, Any], None]] = {
            **self.peers.handlers(),
            **self.updates.handlers(),
            **self.tables.handlers(),
            **self.takeovers.handlers(),
            **self.startup.handlers(),
        }

    def vigilant(self) -> bool:
        """Whether it takes over peers that it finds dead."""
        return True

    def _empty(self) -> Handlespace:
        settings = self.settings
        return Handlespace(
            increment=settings.round_robin_increment,
            degradations_per_selection=settings.degradations_per_selection,
            degradations_at_registration=settings.degradations_at_registration,
            saturate=settings.saturate_degraded_load,
        )

    @property
    def serving(self) -> bool:
        """Whether the start is through."""
        return self.state is State.SERVING

    # Start and stop -------------------------------------------------------------------------------

    def start(self, identifier: int | None = None) -> None:
        """DOWN -> STARTING, with an empty handlespace and, after a restart, a new identifier."""
        if identifier is not None:
            self.identifier = identifier
        self.state = State.STARTING
        self.startup.begin()
        if self.settings.announce:
            self._announcement.start(self.settings.t6_serverannounce * self.random.uniform())

    def serve(self) -> None:
        """STARTING -> SERVING, and all peers are told."""
        self.state = State.SERVING
        self.elements.adopt_own()
        self.peers.begin()

    def vanish(self) -> None:
        """To DOWN without a word, as when the process dies: all that it knew is gone."""
        self.elements.stop()
        self.state = State.DOWN
        for part in (self.asap, self.peers, self.tables, self.takeovers, self.startup):
            part.stop()
        self._announcement.stop()
        self.handlespace = self._empty()

    # Messages -------------------------------------------------------------------------------------

    def receive(self, channel: Channel, ppid: int, data: bytes) -> None:
        """Takes one message from a pool element, a pool user or a peer."""
        if self.state is State.DOWN:
            return
        if ppid == PPID_ASAP:
            received = receive(data, "asap")
            if received.reply is not None and self._may_err(channel):
                channel.send(PPID_ASAP, received.reply.encode(self.dialect))
            message = received.message
            if message is None:
                self.counters.messages_refused += 1
                return
            handler = self._asap_handlers.get(type(message))
            self.raw = data
            if handler is not None:
                handler(channel, message)
        elif ppid == PPID_ENRP:
            self._receive_enrp(channel, data)

    def _receive_enrp(self, channel: Channel, data: bytes) -> None:
        if self.secured and not channel.protected:
            # RFC 5355 2.15: a secured server takes nothing from one that is not.
            self.counters.messages_refused += 1
            if data[:1] != bytes([EnrpError.type_code]):
                cause = ErrorCause(Cause.SECURITY)
                refusal = EnrpError(sender=self.identifier, receiver=0, error_causes=(cause,))
                self.send(channel, refusal)
            return
        received = receive(data, "enrp", self.identifier)
        if received.reply is not None and self._may_err(channel):
            channel.send(PPID_ENRP, received.reply.encode(self.dialect))
        message: Any = received.message
        if message is None:
            self.counters.messages_refused += 1
            return
        if message.sender == self.identifier:
            self._collision(channel)
            return
        if message.sender == 0:
            return
        if message.receiver not in (0, self.identifier):
            return
        self.peers.heard(message.sender, channel)
        handler = self._enrp_handlers.get(type(message))
        if handler is not None:
            handler(channel, message)

    def _may_err(self, channel: Channel) -> bool:
        """One error message to an address in a while: they are no means to make a server talk."""
        interval = self.settings.error_interval
        now = self.clock.now
        if interval <= 0:
            return True
        if now - self._erred.get(channel.remote_address, -inf) < interval:
            return False
        if len(self._erred) >= _MOST_ERRED:
            self._erred = {a: t for a, t in self._erred.items() if now - t < interval}
            if len(self._erred) >= _MOST_ERRED:
                return False
        self._erred[channel.remote_address] = now
        return True

    def _collision(self, channel: Channel) -> None:
        """Another server has this identifier: the one with the higher address takes a new one."""
        now = self.clock.now
        addresses, _ = self.ports.information()
        if channel.remote_address in addresses:
            return
        own = ip_address(addresses[0])
        if own.packed < ip_address(channel.remote_address).packed:
            self.send(channel, self.peers.presence(0, False, True))
        elif now - self._renamed_at >= self.settings.max_time_no_response:
            self._renamed_at = now
            old, self.identifier = self.identifier, self.ports.new_identifier()
            self.elements.renamed(old)
            self.peers.tell_all()

    def receive_datagram(self, ppid: int, address: str, data: bytes) -> None:
        """Takes a datagram of a multicast group."""
        if self.state is State.DOWN:
            return
        message = receive(data, "asap" if ppid == PPID_ASAP else "enrp", self.identifier).message
        if isinstance(message, ServerAnnounce) and message.server_identifier != self.identifier:
            self._heard[message.server_identifier] = self.clock.now
        elif isinstance(message, Presence) and message.sender != self.identifier:
            if self.serving:
                self.peers.met(message)
            else:
                self.startup.presence_heard(message)

    def notify(self, channel: Channel, event: Event) -> None:
        """An association is up or has ended."""
        if self.state is State.DOWN or event is Event.UP:
            return
        self.startup.ended(channel)
        self.peers.ended(channel)
        self.elements.ended(channel)
        self.asap.ended(channel)

    def send(self, channel: Channel, message: Message) -> None:
        """Sends an ENRP message."""
        channel.send(PPID_ENRP, message.encode(self.dialect))

    def information(self) -> ServerInformation:
        """What peers should know of this server."""
        addresses, port = self.ports.information()
        return ServerInformation(
            server_identifier=self.identifier,
            transport=SctpTransport(port=port, addresses=addresses),
        )

    def _announce(self) -> None:
        """RFC 5352 3.6, T6: every (N + 1) T6, with N other servers heard."""
        t6 = self.settings.t6_serverannounce
        horizon = self.clock.now - 3 * t6 * (len(self._heard) + 1)
        self._heard = {server: time for server, time in self._heard.items() if time >= horizon}
        if self.state is State.SERVING:
            addresses, _ = self.ports.information()
            transport = SctpTransport(port=self.ports.asap_port, addresses=addresses)
            message = ServerAnnounce(server_identifier=self.identifier, transports=(transport,))
            self.ports.announce(message.encode(self.dialect), PPID_ASAP)
            self.peers.announce()
        self._announcement.start(t6 * (len(self._heard) + 1))

    def settle(self) -> None:
        """Brings the counters that integrate over time up to the present."""
        self.elements.count()
