"""What a pool element's application counts."""

from __future__ import annotations

from dataclasses import dataclass

from mypy_extensions import mypyc_attr


@mypyc_attr(acyclic=True)
@dataclass(slots=True)
class ElementCounters:
    """What the application has done since it began, as numbers that only grow."""

    accepts: int = 0
    rejects: int = 0
    completions: int = 0
    aborts: int = 0
    cookies_sent: int = 0
    cookies_refused: int = 0
    work_claimed: float = 0.0
    cards_sent: int = 0
    proofs_refused: int = 0
    registrations_told_refused: int = 0
    work: float = 0.0
    capacity_time: float = 0.0
