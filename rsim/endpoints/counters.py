"""What pool elements and pool users count."""

from __future__ import annotations

from dataclasses import dataclass

from mypy_extensions import mypyc_attr


@mypyc_attr(acyclic=True)
@dataclass(slots=True)
class PoolElementCounters:
    """Counters of a pool element since it began."""

    registrations_sent: int = 0
    """ASAP_REGISTRATION messages that left (RFC 5352 3.1)."""
    registrations_refused: int = 0
    """Responses that refused a registration."""
    registration_timeouts: int = 0
    """Registrations without a response within T2."""
    keep_alives_answered: int = 0
    """Keep-alives acknowledged (RFC 5352 3.4)."""
    keep_alives_ignored: int = 0
    """Keep-alives over the limit, or of a home that changed too soon."""
    first_registrations: int = 0
    """Registrations granted for the first time after a start."""
    first_registration_time: float = 0.0
    """Time in s from each start to that grant, added up."""
    registrations_late: int = 0
    """Of those, the ones that took longer than a second."""
    homes_adopted: int = 0
    """Servers that told the element that they are its home now."""


@mypyc_attr(acyclic=True)
@dataclass(slots=True)
class PoolUserCounters:
    """Counters of a pool user since it began."""

    resolutions_sent: int = 0
    """ASAP_HANDLE_RESOLUTION messages that left (RFC 5352 3.3)."""
    resolution_timeouts: int = 0
    """Resolutions without a response within T1."""
    resolution_failures: int = 0
    """Resolutions given up after the last try."""
    unreachable_reports: int = 0
    """ASAP_ENDPOINT_UNREACHABLE messages (RFC 5352 3.5)."""
    reports_withheld: int = 0
    """Failures of an element that was reported already."""
    answers_unprotected: int = 0
    """Responses that TLS did not protect."""
    statements_altered: int = 0
    """Statements that did not fit their element."""
    choices_postponed: int = 0
    """Choices that had to wait for the next epoch."""
    evidence_sent: int = 0
    """Accusations that left."""
    server_selections: int = 0
    """Elements chosen."""
