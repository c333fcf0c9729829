"""The peers of an ENRP server: who they are, and whether they live (RFC 5353 3.4).

Timer of each peer: MAX-TIME-LAST-HEARD, then MAX-TIME-NO-RESPONSE, or the guard of a suspension.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import auto

from rsim.endpoints.enrp.node import Node
from rsim.endpoints.enrp.store import ElementStore
from rsim.endpoints.ports import Channel, ClockPort, TimerPort, count_sent
from rsim.endpoints.settings import ServerSettings
from rsim.states import RoleEvent, RoleState, StateTable
from rsim.wire import Message, Presence, ServerInformation


class PeerState(RoleState):
    """States of a peer, as another server sees it."""

    ACTIVE = auto()
    ASKED = auto()
    """It has been silent, and a PRESENCE with reply required is out."""
    SUSPENDED = auto()
    """A server takes it over; it is not watched meanwhile."""


class PeerEvent(RoleEvent):
    """What changes the state of a peer."""

    HEAR = auto()
    """A message of the peer has come."""
    ASK = auto()
    """It has been silent, its association has ended, or it has not acknowledged a takeover."""
    SUSPEND = auto()
    """This server or another one has begun to take it over."""


PEER_STATES = StateTable(
    "peer of an ENRP server",
    PeerState.ACTIVE,
    [
        (PeerState.ACTIVE, PeerEvent.HEAR, PeerState.ACTIVE, "RFC 5353 3.4.2"),
        (PeerState.ASKED, PeerEvent.HEAR, PeerState.ACTIVE, "RFC 5353 3.4.3"),
        (PeerState.SUSPENDED, PeerEvent.HEAR, PeerState.ACTIVE, "RFC 5353 3.5.1"),
        (PeerState.ACTIVE, PeerEvent.ASK, PeerState.ASKED, "RFC 5353 3.4.3"),
        (PeerState.SUSPENDED, PeerEvent.ASK, PeerState.ASKED, "RFC 5353 3.4.3"),
        (PeerState.ACTIVE, PeerEvent.SUSPEND, PeerState.SUSPENDED, "RFC 5353 3.5.1"),
        (PeerState.ASKED, PeerEvent.SUSPEND, PeerState.SUSPENDED, "RFC 5353 3.5.1"),
        (PeerState.SUSPENDED, PeerEvent.SUSPEND, PeerState.SUSPENDED, "RFC 5353 3.5.1"),
    ],
)


@dataclass(slots=True, eq=False)
class Peer:
    """A peer.

    Parameters: `identifier` 32 bits; `timer` of its supervision; `state` as this server sees it;
    `information` once it has told who it is; `channel` while there is an association.
    """

    identifier: int
    timer: TimerPort
    state: PeerState = PEER_STATES.initial
    information: ServerInformation | None = None
    channel: Channel | None = None

    def enter(self, event: PeerEvent) -> None:
        """Changes the state as an event demands.

        Parameters: `event` what is known of the peer now.
        """
        self.state = PEER_STATES.after(self.state, event)


class Peers:
    """The peer list.

    Parameters: `node` the server; `store` of its elements, for the checksum; `settings` of it;
    `clock` of the run; `on_failure` is called with a peer that did not answer.
    """

    def __init__(
        self,
        node: Node,
        store: ElementStore,
        *,
        settings: ServerSettings,
        clock: ClockPort,
        on_failure: Callable[[Peer], None],
    ) -> None:
        self._node = node
        self._store = store
        self._settings = settings
        self._clock = clock
        self._on_failure = on_failure
        self._peers: dict[int, Peer] = {}

    def __iter__(self) -> Iterator[Peer]:
        return iter(list(self._peers.values()))

    def __len__(self) -> int:
        return len(self._peers)

    @property
    def alone(self) -> bool:
        """Whether no peer is known."""
        return not self._peers

    def get(self, identifier: int) -> Peer | None:
        """The peer with an identifier, None if it is not known.

        Parameters: `identifier` of the server.
        """
        return self._peers.get(identifier)

    def introduced(self) -> list[Peer]:
        """Peers that count: they have told who they are (or all, by the letter of the RFC)."""
        literal = not self._settings.check_peers
        return [peer for peer in self if literal or peer.information is not None]

    def clear(self) -> None:
        """Forgets all peers."""
        for peer in self:
            peer.timer.stop()
        self._peers.clear()

    # Discovery (3.4.1) ----------------------------------------------------------------------------

    def hear(self, identifier: int, channel: Channel) -> None:
        """Makes a stranger that speaks a peer, and sets a peer's silence back to nothing.

        Parameters: `identifier` of the sender; `channel` that its message came on.
        """
        peer = self._peers.get(identifier)
        if peer is None:
            peer = self.add(identifier)
            peer.channel = channel
            self.tell_presence(peer, reply_required=True)
            return
        if peer.channel is None:
            peer.channel = channel
        if peer.state is not PeerState.SUSPENDED:
            self.watch(peer)

    def add(self, identifier: int, information: ServerInformation | None = None) -> Peer:
        """Adds a peer, if it was not known.

        Parameters: `identifier` of the server; `information` where it is, if that is known.
        """
        peer = self._peers.get(identifier)
        if peer is None:
            timer = self._clock.timer(lambda: self._expire(identifier))
            peer = self._peers[identifier] = Peer(identifier, timer)
            timer.start(self._settings.max_time_last_heard)
        if information is not None and peer.information is None and not self._is_me(information):
            peer.information = information
        return peer

    def _is_me(self, information: ServerInformation) -> bool:
        """Whether that is this very host: what is left of a server that ran here before."""
        own = self._node.host.information()
        transport = information.transport
        return transport.port == own[1] and not set(own[0]).isdisjoint(transport.hosts)

    def remove(self, identifier: int) -> None:
        """Takes a peer off the list.

        Parameters: `identifier` of the server.
        """
        peer = self._peers.pop(identifier, None)
        if peer is not None:
            peer.timer.stop()

    # Sending --------------------------------------------------------------------------------------

    def send(self, peer: Peer, message: Message, count: Callable[[], None] | None = None) -> None:
        """Sends a message, over a new association if there is none.

        Parameters: `peer` that gets it; `message` to send; `count` is called when it leaves.
        """
        if peer.channel is None:
            if peer.information is None:
                return
            transport = peer.information.transport
            address = (tuple(map(str, transport.addresses)), transport.port)
            peer.channel = self._node.connect(address)
        self._node.send(peer.channel, message)
        if count is not None:
            count_sent(peer.channel, count)

    def send_all(self, message: Message) -> None:
        """Sends one copy to each peer that counts (RFC 5353 1.1, 3.1).

        Parameters: `message` to send.
        """
        for peer in self.introduced():
            self.send(peer, message)

    def make_presence(
        self, receiver: int, *, reply_required: bool = False, introduce: bool = False
    ) -> Presence:
        """A PRESENCE with the present checksum of what this server is home of (3.4.2, 3.6.1).

        Parameters: `receiver` identifier of a peer, 0 where it is not known; `reply_required`
        whether it has to answer; `introduce` whether to tell who this server is.
        """
        node = self._node
        return Presence(
            sender=node.identifier,
            receiver=receiver,
            reply_required=reply_required,
            pe_checksum=self._store.handlespace.checksum(node.identifier),
            server_information=node.information() if introduce else None,
        )

    def tell_presence(self, peer: Peer, reply_required: bool = False) -> None:
        """Tells a peer that this server is there, and who it is.

        Parameters: `peer` that gets it; `reply_required` whether it has to answer.
        """
        presence = self.make_presence(
            peer.identifier, reply_required=reply_required, introduce=True
        )
        self.send(peer, presence)

    def tell_all(self) -> None:
        """Says to all that this server is alive."""
        self.send_all(self.make_presence(0))

    # Supervision (3.4.3) --------------------------------------------------------------------------

    def watch(self, peer: Peer) -> None:
        """Waits for the next message of a peer that lives.

        Parameters: `peer` that has been heard.
        """
        if peer.state is not PeerState.ACTIVE:
            peer.enter(PeerEvent.HEAR)
        peer.timer.start(self._settings.max_time_last_heard)

    def suspend(self, peer: Peer) -> None:
        """Does not watch a peer that another server takes over, until that should have ended.

        Parameters: `peer` to be taken over.
        """
        peer.enter(PeerEvent.SUSPEND)
        if self._settings.resume_watch:
            peer.timer.start(3 * self._settings.max_time_no_response)
        else:
            peer.timer.stop()

    def ask(self, peer: Peer) -> None:
        """Asks whether a silent peer is there.

        Parameters: `peer` that has not been heard.
        """
        peer.enter(PeerEvent.ASK)
        peer.timer.start(self._settings.max_time_no_response)
        self.tell_presence(peer, reply_required=True)

    def _expire(self, identifier: int) -> None:
        peer = self._peers[identifier]
        if not self._node.serving:
            peer.timer.start(self._settings.max_time_last_heard)
        elif peer.state is PeerState.ASKED:
            self._on_failure(peer)
        else:
            self.ask(peer)

    def lose_channel(self, channel: Channel) -> None:
        """An association has ended: a peer that was asked is dead, another one is asked.

        Parameters: `channel` that has ended.
        """
        for peer in self:
            if peer.channel is channel:
                peer.channel = None
                if peer.state is PeerState.ASKED:
                    self._on_failure(peer)
                elif peer.state is PeerState.ACTIVE and self._node.serving:
                    self.ask(peer)
