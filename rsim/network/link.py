"""Links: one direction of a path, with delay, jitter, loss, a rate with a queue, and cuts."""

from __future__ import annotations

from dataclasses import dataclass

from rsim._native import LinkCore
from rsim.distributions import Duration
from rsim.network.settings import LinkSettings
from rsim.randomness import Stream


@dataclass(frozen=True, slots=True)
class LinkCounters:
    """What a link has done with packets since the run began, as numbers that only grow."""

    packets: int = 0
    """Packets that entered the link."""
    octets: int = 0
    """Octets of those packets."""
    packets_lost: int = 0
    """Packets lost at random."""
    packets_overflowed: int = 0
    """Packets that found the queue full."""
    packets_cut: int = 0
    """Packets that the link lost because it was cut."""
    packets_dropped_early: int = 0
    """Packets that RED or CoDel dropped before the queue was full."""
    packets_fragmented: int = 0
    """Packets larger than the MTU, which IP split."""
    waiting_time: float = 0.0
    """Time in s that packets have waited in the queue, added up: the integral of its length."""

    @property
    def all_lost(self) -> int:
        """Packets that the link has lost, for whatever reason."""
        dropped = self.packets_overflowed + self.packets_dropped_early
        return self.packets_lost + dropped + self.packets_cut


class Link:
    """One direction of a path.

    Parameters: `name` for people; `settings` of the link; `sites` the two that it joins if it is on
    the path between sites; `stream` of its draws; `core` its native half; `cut_through` whether a
    packet goes on while it still comes in, as through a switch.
    """

    __slots__ = ("_cut_through", "_stream", "core", "name", "settings", "sites")

    def __init__(
        self,
        name: str,
        settings: LinkSettings,
        *,
        sites: tuple[str, ...],
        stream: Stream,
        core: LinkCore,
        cut_through: bool = False,
    ) -> None:
        self._cut_through = cut_through
        self.name = name
        self.settings = settings
        self.sites = sites
        self.core = core
        self._stream = stream
        self.change(settings)

    def change(self, settings: LinkSettings) -> None:
        """Does something else to packets from now on.

        Parameters: `settings` that it has from now on.
        """
        self.settings = settings
        delay, jitter = settings.delay, settings.jitter
        self.core.change(
            settings,
            varying=None if delay.fixed is not None else self._law(delay),
            jitter=None if jitter is None else self._law(jitter),
            cut_through=self._cut_through,
        )

    def _law(self, times: Duration) -> object:
        """What draws from a distribution: natively by its name, or else here."""
        sampler, stream = times.sampler, self._stream
        if sampler.kind in ("exponential", "uniform", "pareto"):
            return (sampler.kind, sampler.mean, sampler.variation, stream)
        return lambda: sampler.draw(stream)

    @property
    def up(self) -> bool:
        """Whether it carries packets; false: it is cut."""
        return self.core.up

    @property
    def counters(self) -> LinkCounters:
        """What it has done with packets one by one; those that go as one event it does not see."""
        return LinkCounters(*self.core.counters)
