"""The receiving half of an SCTP association: what has arrived, in which order it is handed on, and
when it is acknowledged (RFC 9260 6.2, 6.5, 6.6)."""

from __future__ import annotations

from collections.abc import Callable

from rsim.clock import Clock
from rsim.network.frame import Data, Sack


class Reception:
    """Received TSNs and messages that wait for those before them.

    Parameters: `deliver` takes messages in the order of their stream; `acknowledge` sends a SACK;
    `delay` in s for which a SACK may wait for a second packet.
    """

    def __init__(
        self,
        clock: Clock,
        cumulative: int,
        deliver: Callable[[Data], None],
        acknowledge: Callable[[], None],
        delay: float,
    ) -> None:
        self.cumulative = cumulative
        self.sequence = 0
        self._beyond: set[int] = set()
        self._sequences: dict[int, int] = {}
        self._held: dict[tuple[int, int], Data] = {}
        self._deliver = deliver
        self._acknowledge = acknowledge
        self._delay = delay
        self._packets = 0
        self._timer = clock.timer(acknowledge)

    def take(self, packet: tuple[Data, ...]) -> None:
        """Takes the user messages of one packet and sees to their acknowledgement."""
        at_once = False
        ready: list[Data] = []
        for data in packet:
            if data.tsn <= self.cumulative or data.tsn in self._beyond:
                at_once = True
                continue
            self.arrived(data.tsn)
            ready += self.in_order(data)
        if self._beyond:
            at_once = True
        self._packets += 1
        if at_once or self._packets >= 2 or self._delay == 0:
            self._acknowledge()
        elif not self._timer.running:
            self._timer.start(self._delay)
        for data in ready:
            self._deliver(data)

    def arrived(self, tsn: int) -> None:
        """Notes that a TSN has arrived."""
        if tsn != self.cumulative + 1:
            self._beyond.add(tsn)
            return
        self.cumulative = tsn
        while self._beyond and self.cumulative + 1 in self._beyond:
            self.cumulative += 1
            self._beyond.remove(self.cumulative)

    def in_order(self, data: Data) -> list[Data]:
        """What can be handed on now that this message is here; ordered streams wait for gaps."""
        if data.unordered:
            return [data]
        stream = data.stream
        expected = self.sequence if stream == 0 else self._sequences.get(stream, 0)
        if data.sequence != expected:
            self._held[stream, data.sequence] = data
            return []
        ready = [data]
        expected += 1
        while (stream, expected) in self._held:
            ready.append(self._held.pop((stream, expected)))
            expected += 1
        if stream == 0:
            self.sequence = expected
        else:
            self._sequences[stream] = expected
        return ready

    def sack(self) -> Sack:
        """The acknowledgement as of now; nothing waits for one any more."""
        self._packets = 0
        self._timer.stop()
        return Sack(self.cumulative, tuple(sorted(self._beyond)))

    @property
    def owes(self) -> bool:
        """Whether an acknowledgement waits to ride with data."""
        return self._packets > 0

    def stop(self) -> None:
        """Acknowledges nothing any more."""
        self._timer.stop()
