"""Takeover of a peer that is dead: arbitration, and what the winner does (RFC 5353 3.5).

Of two servers that want to take over the same target, the one with the higher identifier goes on.
A PRESENCE of the target at any time ends it. Timer of each takeover: MAX-TIME-NO-RESPONSE, first
for the acknowledgements, then for the peers that have not sent theirs and are asked whether they
live.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import auto

from rsim.endpoints.enrp.counters import ServerCounters
from rsim.endpoints.enrp.homes import Homes
from rsim.endpoints.enrp.node import Node
from rsim.endpoints.enrp.peers import Peer, PeerEvent, Peers, PeerState
from rsim.endpoints.enrp.startup import Startup
from rsim.endpoints.ports import Channel, ClockPort, TimerPort
from rsim.endpoints.settings import ServerSettings
from rsim.endpoints.waits import Waits
from rsim.states import RoleEvent, RoleState, StateTable
from rsim.wire import InitTakeover, InitTakeoverAck, TakeoverServer


class TakeoverState(RoleState):
    """States of a takeover, as its initiator sees it."""

    WAITING = auto()
    """Acknowledgements of peers are missing."""
    ASKING = auto()
    """The peers whose acknowledgements are missing have been asked whether they live."""
    WON = auto()
    GIVEN_UP = auto()


class TakeoverEvent(RoleEvent):
    """What changes the state of a takeover."""

    ASK = auto()
    """Acknowledgements are missing after MAX-TIME-NO-RESPONSE."""
    COMPLETE = auto()
    """All peers that live have acknowledged."""
    LIVE = auto()
    """The target has sent a PRESENCE."""
    YIELD = auto()
    """A stronger initiator wants the same target, or has taken it over."""
    DROP = auto()
    """Acknowledgements are missing, and the settings say that this ends it."""


_ARBITRATION, _TAKING = "RFC 5353 3.5.1", "RFC 5353 3.5.2"

TAKEOVER_STATES = StateTable(
    "takeover",
    TakeoverState.WAITING,
    [
        (TakeoverState.WAITING, TakeoverEvent.ASK, TakeoverState.ASKING, _ARBITRATION),
        (TakeoverState.WAITING, TakeoverEvent.COMPLETE, TakeoverState.WON, _TAKING),
        (TakeoverState.ASKING, TakeoverEvent.COMPLETE, TakeoverState.WON, _TAKING),
        (TakeoverState.WAITING, TakeoverEvent.LIVE, TakeoverState.GIVEN_UP, _ARBITRATION),
        (TakeoverState.ASKING, TakeoverEvent.LIVE, TakeoverState.GIVEN_UP, _ARBITRATION),
        (TakeoverState.WAITING, TakeoverEvent.YIELD, TakeoverState.GIVEN_UP, _ARBITRATION),
        (TakeoverState.ASKING, TakeoverEvent.YIELD, TakeoverState.GIVEN_UP, _ARBITRATION),
        (TakeoverState.WAITING, TakeoverEvent.DROP, TakeoverState.GIVEN_UP, _ARBITRATION),
    ],
)


@dataclass(slots=True)
class _Takeover:
    """A takeover that this server has initiated: the peers that have not acknowledged it."""

    target: int
    began: float
    timer: TimerPort
    missing: set[int] = field(default_factory=set)
    state: TakeoverState = TAKEOVER_STATES.initial

    def enter(self, event: TakeoverEvent) -> None:
        self.state = TAKEOVER_STATES.after(self.state, event)


class Takeovers:
    """Takeovers that this server initiates, and those of others.

    Parameters: `node` the server; `peers` of it; `homes` that takes elements over; `startup` that
    fetches the table anew; `settings` of the server; `clock` of the run; `counters` of the server.
    """

    def __init__(
        self,
        node: Node,
        peers: Peers,
        homes: Homes,
        startup: Startup,
        *,
        settings: ServerSettings,
        clock: ClockPort,
        counters: ServerCounters,
    ) -> None:
        self._node = node
        self._peers = peers
        self._homes = homes
        self._startup = startup
        self._settings = settings
        self._clock = clock
        self._counters = counters
        self._initiated: dict[int, _Takeover] = {}
        self._won: dict[int, float] = {}
        self._granted: dict[int, int] = {}
        self.waits = Waits()
        """From a death that was found to its takeover; those that were needless are left out."""

    def stop(self) -> None:
        """Forgets all."""
        for takeover in self._initiated.values():
            takeover.timer.stop()
            self.waits.end(self._clock.now, False, takeover.target)
        self._initiated.clear()
        self._won.clear()
        self._granted.clear()

    # Initiating (3.5.1) ---------------------------------------------------------------------------

    def begin(self, target: Peer) -> None:
        """Asks all peers, the target included, whether they object.

        Parameters: `target` that did not answer.
        """
        identifier = target.identifier
        if identifier in self._initiated:
            return
        target.enter(PeerEvent.SUSPEND)
        target.timer.stop()
        timer = self._clock.timer(lambda: self._expire(identifier))
        now = self._clock.now
        takeover = self._initiated[identifier] = _Takeover(identifier, now, timer)
        self.waits.begin(now, identifier)
        takeover.missing = {
            peer.identifier
            for peer in self._peers.introduced()
            if peer is not target and peer.state is PeerState.ACTIVE
        }
        timer.start(self._settings.max_time_no_response)
        message = InitTakeover(sender=self._node.identifier, receiver=0, target=identifier)
        self._peers.send_all(message)
        self._win_if_complete(takeover)

    def acknowledge(self, channel: Channel, message: InitTakeoverAck) -> None:
        """Takes the acknowledgement of a peer.

        Parameters: `channel` it came on; `message` with its sender and the target.
        """
        takeover = self._initiated.get(message.target)
        if takeover is not None:
            takeover.missing.discard(message.sender)
            self._win_if_complete(takeover)

    def _expire(self, identifier: int) -> None:
        """Who has not answered is asked, and after as long again does not count any more."""
        takeover = self._initiated[identifier]
        if self._settings.missing_acks == "drop":
            self._end(takeover, TakeoverEvent.DROP)
            self._peers.remove(identifier)
            return
        if takeover.state is TakeoverState.ASKING:
            takeover.missing.clear()
        else:
            takeover.enter(TakeoverEvent.ASK)
            for missing in sorted(takeover.missing):
                peer = self._peers.get(missing)
                if peer is None:
                    takeover.missing.discard(missing)
                elif peer.state is PeerState.ACTIVE:
                    self._peers.ask(peer)
            takeover.timer.start(self._settings.max_time_no_response)
        self._win_if_complete(takeover)

    def hear_presence(self, peer: Peer) -> None:
        """Ends the takeover of a peer that lives: whoever wanted it was wrong.

        Parameters: `peer` that has sent a PRESENCE.
        """
        takeover = self._initiated.get(peer.identifier)
        self._granted.pop(peer.identifier, None)
        if takeover is not None:
            self._counters.takeovers_given_up += 1
            self._end(takeover, TakeoverEvent.LIVE)
        if peer.state is not PeerState.ACTIVE:
            self._peers.watch(peer)

    def _end(self, takeover: _Takeover, event: TakeoverEvent) -> None:
        takeover.enter(event)
        takeover.timer.stop()
        del self._initiated[takeover.target]
        if event in (TakeoverEvent.COMPLETE, TakeoverEvent.DROP):
            self.waits.end(self._clock.now, event is TakeoverEvent.COMPLETE, takeover.target)
        else:
            self.waits.forget(takeover.target)

    # Of others (3.5.1) ----------------------------------------------------------------------------

    def answer(self, channel: Channel, message: InitTakeover) -> None:
        """Grants a takeover, says that this server lives, or goes on with a takeover of its own.

        Parameters: `channel` it came on; `message` with its initiator and the target.
        """
        node = self._node
        target = message.target
        if target == node.identifier:
            self._peers.tell_all()
            return
        takeover = self._initiated.get(target)
        if takeover is not None:
            if not self._stronger(message.sender, channel):
                return
            self._counters.takeovers_given_up += 1
            self._end(takeover, TakeoverEvent.YIELD)
        peer = self._peers.get(target)
        if peer is not None:
            self._peers.suspend(peer)
        self._granted[target] = message.sender
        ack = InitTakeoverAck(sender=node.identifier, receiver=message.sender, target=target)
        node.send(channel, ack)

    def _stronger(self, other: int, channel: Channel) -> bool:
        """Whether the other initiator goes on; of equal ones that with the higher address."""
        identifier = self._node.identifier
        if other != identifier:
            return other > identifier
        return channel.remote_address > self._node.host.information()[0][0]

    # Taking over (3.5.2) --------------------------------------------------------------------------

    def _win_if_complete(self, takeover: _Takeover) -> None:
        if takeover.missing or takeover.target not in self._initiated:
            return
        self._end(takeover, TakeoverEvent.COMPLETE)
        target, counters, now = takeover.target, self._counters, self._clock.now
        counters.takeovers_won += 1
        counters.takeover_time += now - takeover.began
        self._won[target] = now
        self._peers.remove(target)
        message = TakeoverServer(sender=self._node.identifier, receiver=0, target=target)
        self._peers.send_all(message)
        counters.elements_taken_over += self._homes.take_all(target)

    def yield_to(self, channel: Channel, message: TakeoverServer) -> None:
        """Takes the news that a server has taken another one over.

        Parameters: `channel` it came on; `message` with the winner and the target.
        """
        identifier = self._node.identifier
        target, winner = message.target, message.sender
        granted = self._granted.pop(target, None)
        if self._settings.check_takeovers and granted != winner:
            self._counters.updates_refused += 1
            return
        if target == identifier:
            # Held dead while alive: the others know better where the elements are now.
            self._homes.rehome(identifier, winner)
            self._peers.tell_all()
            self._startup.download_anew(winner)
            return
        takeover = self._initiated.get(target)
        if takeover is not None:
            self._end(takeover, TakeoverEvent.YIELD)
        if target in self._won and winner < identifier:
            return
        self._peers.remove(target)
        self._homes.rehome(target, winner)
        if target in self._won:
            self._homes.yield_taken(target, winner)
