"""What pool elements and pool users count."""

from __future__ import annotations

from dataclasses import dataclass

from mypy_extensions import mypyc_attr


@mypyc_attr(acyclic=True)
@dataclass(slots=True)
class PoolElementCounters:
    """What a pool element has done since it began, as numbers that only grow."""

    registrations_sent: int = 0
    registrations_refused: int = 0
    registration_timeouts: int = 0
    keep_alives_answered: int = 0
    keep_alives_ignored: int = 0
    first_registrations: int = 0
    first_registration_time: float = 0.0
    registrations_late: int = 0
    homes_adopted: int = 0


@mypyc_attr(acyclic=True)
@dataclass(slots=True)
class PoolUserCounters:
    """What a pool user has done since it began, as numbers that only grow."""

    resolutions_sent: int = 0
    resolution_timeouts: int = 0
    resolution_failures: int = 0
    unreachable_reports: int = 0
    reports_withheld: int = 0
    answers_unprotected: int = 0
    statements_altered: int = 0
    choices_postponed: int = 0
    evidence_sent: int = 0
    server_selections: int = 0
