"""The ENRP server: one node of a redundant handlespace (RFC 5352, 5353).

It wires its parts and gives each message to the part that it is for. The parts stand in layers;
each is given what it uses:

- node.py: who the server is, its state, and how it reaches others.
- store.py: the elements, and listeners for changes; keep_alives.py: whether they live.
- peers.py: the peer list; announcements.py: updates to peers; homes.py: changes of home.
- copies.py, updates.py: what peers tell; audits.py: whether that is all; tables.py: what they ask.
- startup.py: mentors, list and table; takeover.py: arbitration; heartbeat.py: PRESENCE.
- asap_service.py: what pool elements and pool users ask for. request_filter.py and admission.py say
  what is dropped and refused; registration.py, resolution.py, answers.py, subscriptions.py and
  reports.py do the rest.
- error_limit.py, server_announcements.py: errors and announcements of the server.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from math import inf
from typing import Any

from mypy_extensions import mypyc_attr

from rsim.endpoints.authorisation import Authorisation, OpenAuthorisation
from rsim.endpoints.choice import ChoiceAuthority
from rsim.endpoints.enrp.admission import Admission
from rsim.endpoints.enrp.announcements import Announcements
from rsim.endpoints.enrp.answers import Answers
from rsim.endpoints.enrp.asap_service import AsapService
from rsim.endpoints.enrp.audits import Audits
from rsim.endpoints.enrp.copies import Copies
from rsim.endpoints.enrp.counters import ServerCounters
from rsim.endpoints.enrp.error_limit import ErrorLimit
from rsim.endpoints.enrp.heartbeat import Heartbeat
from rsim.endpoints.enrp.homes import Homes
from rsim.endpoints.enrp.keep_alives import KeepAlives
from rsim.endpoints.enrp.node import HostPort, Node, ServerEvent, ServerState
from rsim.endpoints.enrp.peers import Peer, Peers
from rsim.endpoints.enrp.request_filter import RequestFilter
from rsim.endpoints.enrp.server_announcements import ServerAnnouncements
from rsim.endpoints.enrp.startup import Startup
from rsim.endpoints.enrp.store import ElementStore
from rsim.endpoints.enrp.tables import Tables
from rsim.endpoints.enrp.takeover import Takeovers
from rsim.endpoints.enrp.updates import Updates
from rsim.endpoints.ports import Address, Channel, ClockPort, Uniform
from rsim.endpoints.settings import ServerSettings
from rsim.endpoints.statements import Penalties, StatementStore
from rsim.handlespace import Draws, Handlespace
from rsim.network import Event
from rsim.wire import (
    PPID_ASAP,
    PPID_ENRP,
    Cause,
    Dialect,
    EnrpError,
    ErrorCause,
    HandleTableRequest,
    HandleTableResponse,
    HandleUpdate,
    InitTakeover,
    InitTakeoverAck,
    ListRequest,
    ListResponse,
    Presence,
    ServerAnnounce,
    TakeoverServer,
    receive,
)


@mypyc_attr(allow_interpreted_subclasses=True)
class EnrpServer:
    """ENRP server as a state machine.

    Parameters: `identifier` 32 bits, not 0; `settings` of the server; `clock` of the run; `host`
    that it runs on; `draws` for selections; `random` for the spread of keep-alives; `dialect` of
    what it sends; `authorisation` who may register, by default everybody; `mentors` servers that
    may know the handlespace; `secured` whether ENRP counts only from associations that TLS
    protects; `choices`, `statements` and `penalties` where pool users have to prove their choice,
    and elements are held to what they state (RFC 5355 2.17).
    """

    def __init__(
        self,
        identifier: int,
        settings: ServerSettings,
        *,
        clock: ClockPort,
        host: HostPort,
        draws: Draws,
        random: Uniform,
        dialect: Dialect = Dialect.RFC,
        authorisation: Authorisation | None = None,
        mentors: tuple[Address, ...] = (),
        secured: bool = False,
        choices: ChoiceAuthority | None = None,
        statements: StatementStore | None = None,
        penalties: Penalties | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.host = host
        self.random = random
        self.secured = secured
        self.statements = statements
        self.penalties = penalties
        self.counters = counters = ServerCounters()
        sent = int(dialect)
        if settings.takeover_suggestion:
            sent |= Dialect.TAKEOVER_SUGGESTED
        self.node = node = Node(identifier, sent, host, self)
        self.store = store = ElementStore(node, settings, clock, counters)
        self.keep_alives = KeepAlives(
            node, store, settings=settings, clock=clock, counters=counters, random=random
        )
        self.peers = peers = Peers(
            node, store, settings=settings, clock=clock, on_failure=self._handle_failure
        )
        self.announcements = Announcements(node, store, peers, settings=settings, counters=counters)
        self.homes = Homes(node, store, self.keep_alives, self.announcements)
        self.copies = Copies(node, store, peers, self.homes, settings=settings, counters=counters)
        self._wire_enrp(mentors)
        self.asap = asap = self._make_asap(draws, authorisation or OpenAuthorisation(), choices)
        for listener in (
            self.keep_alives,
            asap.subscriptions,
            self.announcements,
            asap.registrations,
        ):
            store.add_listener(listener)
        self.server_announcements = ServerAnnouncements(
            node, settings=settings, clock=clock, random=random, heartbeat=self.heartbeat
        )
        self._errors = ErrorLimit(settings.error_interval, clock)
        self._renamed_at = -inf
        self._asap_handlers = asap.handlers()
        self._enrp_handlers = self._take_enrp()

    def _wire_enrp(self, mentors: tuple[Address, ...]) -> None:
        """Makes the parts that peers speak to."""
        node, store, peers, copies = self.node, self.store, self.peers, self.copies
        settings, clock, counters = self.settings, self.clock, self.counters
        self.updates = Updates(
            node,
            store,
            peers,
            announcements=self.announcements,
            homes=self.homes,
            copies=copies,
            settings=settings,
            clock=clock,
            counters=counters,
        )
        self.audits = audits = Audits(
            node, store, peers, copies, settings=settings, clock=clock, counters=counters
        )
        self.tables = Tables(node, store, peers, settings=settings, clock=clock, counters=counters)
        self.startup = startup = Startup(
            node,
            peers,
            copies,
            mentors=mentors,
            settings=settings,
            clock=clock,
            random=self.random,
            on_end=self._serve,
        )
        self.takeovers = takeovers = Takeovers(
            node, peers, self.homes, startup, settings=settings, clock=clock, counters=counters
        )
        self.heartbeat = Heartbeat(
            node, peers, takeovers, audits, mentors=mentors, settings=settings, clock=clock
        )

    def _make_asap(
        self, draws: Draws, authorisation: Authorisation, choices: ChoiceAuthority | None
    ) -> AsapService:
        """Makes the parts that pool elements and pool users speak to."""
        node, store, settings, clock = self.node, self.store, self.settings, self.clock
        counters = self.counters
        admission = Admission(
            node,
            store,
            self.peers,
            authorisation=authorisation,
            statements=self.statements,
            penalties=self.penalties,
            settings=settings,
            clock=clock,
            counters=counters,
        )
        return AsapService(
            node,
            store,
            admission=admission,
            request_filter=RequestFilter(node.identifier, settings, clock, counters),
            answers=Answers(node, store, settings, draws),
            keep_alives=self.keep_alives,
            announcements=self.announcements,
            copies=self.copies,
            choices=choices,
            statements=self.statements,
            penalties=self.penalties,
            settings=settings,
            clock=clock,
            counters=counters,
        )

    def _take_enrp(self) -> dict[type, Callable[[Channel, Any], None]]:
        """Who takes which ENRP message; no error answers an ENRP_ERROR, which has no effect."""
        return {
            Presence: self.heartbeat.take,
            HandleUpdate: self.updates.update,
            HandleTableRequest: self.tables.send_table,
            HandleTableResponse: self._take_table,
            ListRequest: self.tables.send_list,
            ListResponse: self.startup.take_list,
            InitTakeover: self.takeovers.answer,
            InitTakeoverAck: self.takeovers.acknowledge,
            TakeoverServer: self.takeovers.yield_to,
        }

    # What the server is ---------------------------------------------------------------------------

    @property
    def identifier(self) -> int:
        """Its identifier, 32 bits; another one after a collision or a restart."""
        return self.node.identifier

    @property
    def state(self) -> ServerState:
        """Its present state."""
        return self.node.state

    @property
    def serving(self) -> bool:
        """Whether the start is through."""
        return self.node.serving

    @property
    def handlespace(self) -> Handlespace:
        """The elements that it lists."""
        return self.store.handlespace

    def takes_over(self) -> bool:
        """Whether it takes over peers that it finds dead."""
        return True

    # Start and stop -------------------------------------------------------------------------------

    def start(self, identifier: int | None = None) -> None:
        """Starts with an empty handlespace, unless it is up already.

        Parameters: `identifier` a new one after a restart, None to keep the present one.
        """
        if self.node.state is not ServerState.DOWN:
            return
        if identifier is not None:
            self.node.rename(identifier)
        self.node.enter(ServerEvent.START)
        self.startup.begin()
        self.server_announcements.begin()

    def _serve(self) -> None:
        """The start is complete; tells all peers."""
        self.node.enter(ServerEvent.LEARN)
        self.homes.adopt_own()
        self.heartbeat.begin()

    def vanish(self) -> None:
        """Stops silently and loses all state, as when the process dies."""
        self.store.clear()
        self.node.enter(ServerEvent.FAIL)
        self.asap.subscriptions.stop()
        self.peers.clear()
        for part in (self.heartbeat, self.tables, self.audits, self.takeovers, self.startup):
            part.stop()
        self.server_announcements.stop()

    def _handle_failure(self, peer: Peer) -> None:
        """A peer did not answer."""
        self.counters.peers_found_dead += 1
        if self.takes_over():
            self.takeovers.begin(peer)
        else:
            self.peers.remove(peer.identifier)

    # Messages -------------------------------------------------------------------------------------

    def receive(self, channel: Channel, ppid: int, data: bytes) -> None:
        """Takes one message from a pool element, a pool user or a peer.

        Parameters: `channel` it came on; `ppid` its payload protocol identifier; `data` its bytes.
        """
        node = self.node
        if node.state is ServerState.DOWN:
            return
        if ppid == PPID_ASAP:
            received = receive(data, "asap")
            message, error = received.message, received.reply
            if message is None and self.asap.registrations.answer_invalid(channel, data, error):
                error = None
            if error is not None and self._errors.allow(channel.remote_address):
                channel.send(PPID_ASAP, error.encode(node.dialect))
            if message is None:
                self.counters.messages_refused += 1
                return
            handler = self._asap_handlers.get(type(message))
            if handler is not None:
                handler(channel, message)
        elif ppid == PPID_ENRP:
            self._receive_enrp(channel, data)

    def _receive_enrp(self, channel: Channel, data: bytes) -> None:
        node = self.node
        if self.secured and not channel.protected:
            # RFC 5355 2.15: a secured server takes nothing from one that is not.
            self.counters.messages_refused += 1
            if data[:1] != bytes([EnrpError.type_code]):
                cause = ErrorCause(Cause.SECURITY)
                refusal = EnrpError(sender=node.identifier, receiver=0, error_causes=(cause,))
                node.send(channel, refusal)
            return
        received = receive(data, "enrp", node.identifier)
        if received.reply is not None and self._errors.allow(channel.remote_address):
            channel.send(PPID_ENRP, received.reply.encode(node.dialect))
        message: Any = received.message
        if message is None:
            self.counters.messages_refused += 1
            return
        if message.sender == node.identifier:
            self._settle_collision(channel)
            return
        if message.sender == 0:
            return
        if message.receiver not in (0, node.identifier):
            return
        self.peers.hear(message.sender, channel)
        handler = self._enrp_handlers.get(type(message))
        if handler is not None:
            handler(channel, message)

    def _take_table(self, channel: Channel, message: HandleTableResponse) -> None:
        """A piece of a table is for the audit of its sender, or else for the start."""
        if not self.audits.take_table(message):
            self.startup.take_table(message)

    def _settle_collision(self, channel: Channel) -> None:
        """Another server has this identifier: the one with the higher address takes a new one."""
        node, now = self.node, self.clock.now
        addresses, _ = self.host.information()
        if channel.remote_address in addresses:
            return
        own = ip_address(addresses[0])
        if own.packed < ip_address(channel.remote_address).packed:
            node.send(channel, self.peers.make_presence(0, introduce=True))
        elif now - self._renamed_at >= self.settings.max_time_no_response:
            self._renamed_at = now
            old = node.identifier
            node.rename(self.host.new_identifier())
            self.homes.rename(old)
            self.peers.tell_all()

    def receive_datagram(self, ppid: int, address: str, data: bytes) -> None:
        """Takes a datagram of a multicast group.

        Parameters: `ppid` of the protocol; `address` of the sender; `data` an encoded message.
        """
        node = self.node
        if node.state is ServerState.DOWN:
            return
        message = receive(data, "asap" if ppid == PPID_ASAP else "enrp", node.identifier).message
        if isinstance(message, ServerAnnounce) and message.server_identifier != node.identifier:
            self.server_announcements.hear(message.server_identifier)
        elif isinstance(message, Presence) and message.sender != node.identifier:
            if node.serving:
                self.heartbeat.meet(message)
            else:
                self.startup.hear_presence(message)

    def notify(self, channel: Channel, event: Event) -> None:
        """Takes the news that an association is up or has ended.

        Parameters: `channel` that has changed; `event` what has happened to it.
        """
        if self.node.state is ServerState.DOWN or event is Event.UP:
            return
        self.startup.lose_channel(channel)
        self.heartbeat.lose_channel(channel)
        self.peers.lose_channel(channel)
        self.keep_alives.lose_channel(channel)
        self.asap.subscriptions.lose_channel(channel)

    def settle(self) -> None:
        """Brings the counters that integrate over time up to the present."""
        self.store.count()
