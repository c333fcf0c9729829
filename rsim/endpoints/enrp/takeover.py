"""Takeover of a peer that is dead: arbitration, and what the winner does (RFC 5353 3.5).

Of two servers that want to take over the same target, the one with the higher identifier goes on.
A PRESENCE of the target at any time ends it. Timer of each takeover: MAX-TIME-NO-RESPONSE, first
for the acknowledgements, then for the peers that have not sent theirs and are asked whether they
live.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rsim.endpoints.enrp.peers import Peer, PeerState
from rsim.endpoints.ports import Channel, TimerPort
from rsim.wire import InitTakeover, InitTakeoverAck, TakeoverServer

if TYPE_CHECKING:
    from rsim.endpoints.enrp.server import EnrpServer


@dataclass(slots=True)
class _Takeover:
    """A takeover that this server has initiated, and whose acknowledgements are missing."""

    target: int
    began: float
    timer: TimerPort
    missing: set[int] = field(default_factory=set)
    asked: bool = False


class Takeovers:
    """Takeovers that this server initiates, and those of others."""

    def __init__(self, server: EnrpServer) -> None:
        self._server = server
        self._mine: dict[int, _Takeover] = {}
        self._won: dict[int, float] = {}
        self._granted: dict[int, int] = {}

    def handlers(self) -> dict[type, Callable[[Channel, Any], None]]:
        """Handlers by type of message."""
        return {
            InitTakeover: self._init,
            InitTakeoverAck: self._ack,
            TakeoverServer: self._takeover_server,
        }

    def stop(self) -> None:
        """Forgets all."""
        for takeover in self._mine.values():
            takeover.timer.stop()
        self._mine.clear()
        self._won.clear()
        self._granted.clear()

    # Initiating (3.5.1) ---------------------------------------------------------------------------

    def begin(self, target: Peer) -> None:
        """Asks all peers, the target included, whether they object."""
        server = self._server
        identifier = target.identifier
        if identifier in self._mine:
            return
        target.state = PeerState.SUSPENDED
        target.timer.stop()
        timer = server.clock.timer(lambda: self._expired(identifier))
        takeover = self._mine[identifier] = _Takeover(identifier, server.clock.now, timer)
        takeover.missing = {
            peer.identifier
            for peer in server.peers.told()
            if peer is not target and peer.state is PeerState.ACTIVE
        }
        timer.start(server.settings.max_time_no_response)
        message = InitTakeover(sender=server.identifier, receiver=0, target=identifier)
        server.peers.send_all(message)
        self._win_if_complete(takeover)

    def _ack(self, channel: Channel, message: InitTakeoverAck) -> None:
        takeover = self._mine.get(message.target)
        if takeover is not None:
            takeover.missing.discard(message.sender)
            self._win_if_complete(takeover)

    def _expired(self, identifier: int) -> None:
        """Who has not answered is asked, and after as long again does not count any more."""
        server = self._server
        takeover = self._mine[identifier]
        if server.settings.missing_acks == "drop":
            self._drop(takeover)
            server.peers.remove(identifier)
            return
        if takeover.asked:
            takeover.missing.clear()
        else:
            takeover.asked = True
            for missing in sorted(takeover.missing):
                peer = server.peers.get(missing)
                if peer is None:
                    takeover.missing.discard(missing)
                elif peer.state is PeerState.ACTIVE:
                    server.peers.ask(peer)
            takeover.timer.start(server.settings.max_time_no_response)
        self._win_if_complete(takeover)

    def alive(self, peer: Peer) -> None:
        """A PRESENCE: the peer lives, and whoever wanted to take it over was wrong."""
        takeover = self._mine.get(peer.identifier)
        self._granted.pop(peer.identifier, None)
        if takeover is not None:
            self._server.counters.takeovers_given_up += 1
            self._drop(takeover)
        if peer.state is not PeerState.ACTIVE:
            self._server.peers.active(peer)

    def _drop(self, takeover: _Takeover) -> None:
        takeover.timer.stop()
        del self._mine[takeover.target]

    def _init(self, channel: Channel, message: InitTakeover) -> None:
        server = self._server
        target = message.target
        if target == server.identifier:
            server.peers.tell_all()
            return
        takeover = self._mine.get(target)
        if takeover is not None:
            if self._stronger(message.sender, channel):
                server.counters.takeovers_given_up += 1
                self._drop(takeover)
            else:
                return
        peer = server.peers.get(target)
        if peer is not None:
            server.peers.suspend(peer)
        self._granted[target] = message.sender
        ack = InitTakeoverAck(sender=server.identifier, receiver=message.sender, target=target)
        server.send(channel, ack)

    def _stronger(self, other: int, channel: Channel) -> bool:
        """Whether the other initiator goes on; of equal ones that with the higher address."""
        server = self._server
        if other != server.identifier:
            return other > server.identifier
        return channel.remote_address > server.ports.information()[0][0]

    # Taking over (3.5.2) --------------------------------------------------------------------------

    def _win_if_complete(self, takeover: _Takeover) -> None:
        if takeover.missing or takeover.target not in self._mine:
            return
        server = self._server
        self._drop(takeover)
        target = takeover.target
        server.counters.takeovers_won += 1
        server.counters.takeover_time += server.clock.now - takeover.began
        self._won[target] = server.clock.now
        server.peers.remove(target)
        message = TakeoverServer(sender=server.identifier, receiver=0, target=target)
        server.peers.send_all(message)
        server.counters.elements_taken_over += server.elements.take_all(target)

    def _takeover_server(self, channel: Channel, message: TakeoverServer) -> None:
        server = self._server
        target, winner = message.target, message.sender
        granted = self._granted.pop(target, None)
        if server.settings.check_takeovers and granted != winner:
            server.counters.updates_refused += 1
            return
        if target == server.identifier:
            # Held dead while alive: the others know better where the elements are now.
            server.elements.hand_over(winner)
            server.peers.tell_all()
            server.startup.download_anew(winner)
            return
        takeover = self._mine.get(target)
        if takeover is not None:
            self._drop(takeover)
        if target in self._won and winner < server.identifier:
            return
        server.peers.remove(target)
        server.elements.rehome(target, winner)
        if target in self._won:
            server.elements.yield_taken(target, winner)
