"""Outages: what goes down and comes back, by a schedule or at random."""

from __future__ import annotations

from collections.abc import Callable

from rsim.clock import Clock
from rsim.network.schedule import parse_schedule
from rsim.network.settings import OutageSettings
from rsim.randomness import Stream


class Outage:
    """Switches something off and on.

    Parameters: `clock` of the run; `settings` of the outages; `stream` of their draws; `switch` is
    called with whether it is up; `begin` in s is when the first up-time starts.
    """

    def __init__(
        self,
        clock: Clock,
        settings: OutageSettings,
        stream: Stream,
        switch: Callable[[bool], None],
        begin: float = 0.0,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._stream = stream
        self._switch = switch
        for time, up in parse_schedule(settings.schedule):
            clock.call_at(time, switch, up)
        if settings.uptime is not None:
            clock.call_at(begin + settings.uptime.draw(stream), self._down)

    def _down(self) -> None:
        self._switch(False)
        if self._settings.downtime is not None:
            downtime = self._settings.downtime.draw(self._stream)
            self._clock.call_at(self._clock.now + downtime, self._up)

    def _up(self) -> None:
        self._switch(True)
        assert self._settings.uptime is not None
        uptime = self._settings.uptime.draw(self._stream)
        self._clock.call_at(self._clock.now + uptime, self._down)
