"""What a pool element's application counts."""

from __future__ import annotations

from dataclasses import dataclass

from mypy_extensions import mypyc_attr


@mypyc_attr(acyclic=True)
@dataclass(slots=True)
class ElementCounters:
    """Counters of the application since it began."""

    accepts: int = 0
    """Requests accepted."""
    rejects: int = 0
    """Requests rejected."""
    completions: int = 0
    """Requests finished."""
    aborts: int = 0
    """Requests given up by the element."""
    cookies_sent: int = 0
    """Cookies sent (RFC 5352 3.8)."""
    cookies_refused: int = 0
    """Cookies that did not hold."""
    work_claimed: float = 0.0
    """Work in calculations that accepted cookies claimed."""
    cards_sent: int = 0
    """Business cards sent (RFC 5352 3.9)."""
    proofs_refused: int = 0
    """Proofs of choice that did not hold (RFC 5355 2.17)."""
    registrations_told_refused: int = 0
    """Registrations that a server refused."""
    work: float = 0.0
    """Work done, in calculations."""
    capacity_time: float = 0.0
    """Time in service times capacity, in calculations."""

    def count_cookie(self) -> None:
        """A cookie leaves."""
        self.cookies_sent += 1

    def count_card(self) -> None:
        """A business card leaves."""
        self.cards_sent += 1
