"""Schedules of outages, as scenarios write them."""

from __future__ import annotations

import re

from rsim.units import LONGEST, seconds

_CHANGE = re.compile(r"\s*(up|down)\s*@\s*(\+?)\s*([^\s,]+)\s*")


def parse_schedule(text: str) -> list[tuple[float, bool]]:
    """Changes of state in a schedule as times in s and whether it is up from then on.

    `down@100s, up@+30s`: down at 100 s, up 30 s later. Raises ValueError where the text is no
    schedule or goes back in time.

    Parameters: `text` of the schedule.
    """
    changes: list[tuple[float, bool]] = []
    time = 0.0
    for part in text.split(",") if text.strip() else []:
        match = _CHANGE.fullmatch(part)
        if match is None:
            raise ValueError(
                f"'{part.strip()}' is not a change of state such as down@100s or up@+30s"
            )
        given = float(seconds(match[3]))
        due = time + given if match[2] else given
        if due > LONGEST:
            raise ValueError(f"'{part.strip()}' lies after {LONGEST:g} s, when all runs have ended")
        if due < time or given < 0:
            raise ValueError(f"'{part.strip()}' lies before what stands left of it")
        time = due
        changes.append((time, match[1] == "up"))
    return changes
