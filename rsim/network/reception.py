"""The receiving half of an SCTP association: what has arrived, in which order it is handed on, and
when it is acknowledged (RFC 9260 6.2, 6.5, 6.6)."""

from __future__ import annotations

from collections.abc import Callable

from rsim.clock import Clock, Timer
from rsim.network.frame import Data, Sack


def _nothing() -> None:
    pass


class Reception:
    """Received TSNs and messages that wait for those before them.

    Parameters: `clock` of the run; `cumulative` the TSN up to which all has arrived; `acknowledge`
    sends a SACK; `delay` in s for which one may wait for a second packet.
    """

    __slots__ = (
        "_acknowledge",
        "_beyond",
        "_clock",
        "_delay",
        "_held",
        "_packets",
        "_sequences",
        "_timer",
        "cumulative",
        "sequence",
    )

    def __init__(
        self,
        clock: Clock,
        cumulative: int,
        acknowledge: Callable[[], None],
        delay: float,
    ) -> None:
        self.cumulative = cumulative
        self.sequence = 0
        self._beyond: set[int] = set()
        self._sequences: dict[int, int] = {}
        self._held: dict[tuple[int, int], Data] = {}
        self._acknowledge = acknowledge
        self._delay = delay
        self._packets = 0
        self._clock = clock
        self._timer: Timer | None = None

    def take(self, packet: tuple[Data, ...]) -> list[Data]:
        """Takes the user messages of one packet and sees to their acknowledgement.

        Returns the messages that can be handed on now, in the order of their streams.

        Parameters: `packet` its messages.
        """
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
        else:
            if self._timer is None:
                self._timer = self._clock.timer(self._acknowledge)
            if not self._timer.running:
                self._timer.start(self._delay)
        return ready

    def arrived(self, tsn: int) -> None:
        """Notes that a TSN has arrived.

        Parameters: `tsn` of a message.
        """
        if tsn != self.cumulative + 1:
            self._beyond.add(tsn)
            return
        self.cumulative = tsn
        while self._beyond and self.cumulative + 1 in self._beyond:
            self.cumulative += 1
            self._beyond.remove(self.cumulative)

    def in_order(self, data: Data) -> list[Data]:
        """What can be handed on now that this message is here; ordered streams wait for gaps.

        Parameters: `data` the message.
        """
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
        self.stop()
        return Sack(self.cumulative, tuple(sorted(self._beyond)))

    @property
    def owes(self) -> bool:
        """Whether an acknowledgement waits to ride with data."""
        return self._packets > 0

    def stop(self) -> None:
        """No acknowledgement waits any more."""
        if self._timer is not None:
            self._timer.stop()

    def release(self) -> None:
        """Lets go of the association, which is at its end."""
        self._acknowledge = _nothing
        if self._timer is not None:
            self._timer.cancel()
