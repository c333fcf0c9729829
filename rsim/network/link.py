"""Links: one direction of a path, with delay, jitter, loss, a rate with a queue, and cuts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rsim.clock import Clock
from rsim.network.frame import Frame
from rsim.network.settings import LinkSettings
from rsim.network.tap import Tap
from rsim.randomness import Stream


@dataclass(slots=True)
class LinkCounters:
    """What a link has done with packets since the run began, as numbers that only grow."""

    frames: int = 0
    """Packets that entered the link."""
    octets: int = 0
    """Octets of those packets."""
    frames_lost: int = 0
    """Packets lost at random."""
    frames_overflowed: int = 0
    """Packets that found the queue full."""
    frames_cut: int = 0
    """Packets that the link lost because it was cut."""


@dataclass(slots=True)
class Link:
    """One direction of a path.

    Parameters: `clock` of the run; `settings` of the link; `taps` that stand on it; `counters` of
    it; `name` for people; `stream` of its draws; `sites` the two that it joins if it is on the path
    between sites. `up` false: it is cut.
    """

    name: str
    clock: Clock
    settings: LinkSettings
    stream: Stream
    sites: tuple[str, ...] = ()
    up: bool = True
    taps: list[Tap] = field(default_factory=list)
    counters: LinkCounters = field(default_factory=LinkCounters)
    _free_at: float = 0.0
    _there_at: float = 0.0

    @property
    def plain_delay(self) -> float | None:
        """The delay in s of a link that does nothing but delay, else None."""
        settings = self.settings
        fixed = settings.delay.fixed
        if not self.up or self.taps or settings.loss > 0 or settings.bandwidth is not None:
            return None
        return fixed if settings.jitter is None else None

    def carry(self, frame: Frame, onward: Callable[[Frame], None]) -> None:
        """Takes a packet; calls `onward` with it at the far end, unless it gets lost.

        A packet waits for those before it, then for its own bits (size / bandwidth), then takes
        delay and jitter. Delays that vary keep the order, as a queue on the way does; packets with
        different jitter may overtake each other.

        Parameters: `frame` that enters the link.
        """
        counters = self.counters
        if not self.up:
            counters.frames += 1
            counters.frames_cut += 1
            return
        passing = frame
        held = 0.0
        for tap in self.taps:
            altered = tap.frame(passing)
            if altered is None:
                return
            passing = altered
            held += tap.hold(passing)
        settings, stream = self.settings, self.stream
        size = passing.size
        counters.frames += 1
        counters.octets += size
        time = self.clock.now
        if settings.bandwidth is not None:
            waiting = max(0.0, self._free_at - time)
            if settings.queue is not None and waiting * settings.bandwidth / 8 > settings.queue:
                counters.frames_overflowed += 1
                return
            self._free_at = time = time + waiting + 8 * size / settings.bandwidth
        if settings.loss > 0 and stream.uniform() < settings.loss:
            counters.frames_lost += 1
            return
        fixed = settings.delay.fixed
        if fixed is None:
            time = self._there_at = max(self._there_at, time + settings.delay.draw(stream))
        else:
            time += fixed
        time += held
        if settings.jitter is not None:
            time += settings.jitter.draw(stream)
        self.clock.call_at(time, self._leave, passing, onward)

    def _leave(self, frame: Frame, onward: Callable[[Frame], None]) -> None:
        if self.up:
            onward(frame)
        else:
            self.counters.frames_cut += 1
