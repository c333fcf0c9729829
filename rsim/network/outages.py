"""Outages: what goes down and comes back, by a schedule or at random."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from rsim.clock import Clock
from rsim.randomness import Stream
from rsim.units import LONGEST, seconds

if TYPE_CHECKING:
    from rsim.network.settings import OutageSettings

_CHANGE = re.compile(r"\s*(up|down)\s*@\s*(\+?)\s*([^\s,]+)\s*")


def parse_schedule(text: str) -> list[tuple[float, bool]]:
    """Changes of state in a schedule as times in s and whether it is up from then on.

    `down@100s, up@+30s`: down at 100 s, up 30 s later. Raises ValueError where the text is no
    schedule or goes back in time.
    """
    changes: list[tuple[float, bool]] = []
    time = 0.0
    for part in text.split(",") if text.strip() else []:
        match = _CHANGE.fullmatch(part)
        if match is None:
            raise ValueError(f"'{part.strip()}' is no change of state such as down@100s or up@+30s")
        given = float(seconds(match[3]))
        due = time + given if match[2] else given
        if due > LONGEST:
            raise ValueError(f"'{part.strip()}' lies after {LONGEST:g} s, when all runs have ended")
        if due < time or given < 0:
            raise ValueError(f"'{part.strip()}' lies before what stands left of it")
        time = due
        changes.append((time, match[1] == "up"))
    return changes


class Outage:
    """Switches something off and on.

    Parameters: `switch` is called with whether it is up; `begin` in s is when the first up-time
    starts.
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
