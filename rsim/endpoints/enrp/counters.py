"""What an ENRP server counts."""

from __future__ import annotations

from dataclasses import dataclass

from mypy_extensions import mypyc_attr


@mypyc_attr(acyclic=True)
@dataclass(slots=True)
class ServerCounters:
    """Counters of a server since it began."""

    registrations: int = 0
    """Registrations and renewals granted (RFC 5352 3.1)."""
    registrations_refused: int = 0
    """Registrations refused, for whatever cause."""
    deregistrations: int = 0
    """Elements that left on their own request (RFC 5352 3.2)."""
    handle_resolutions: int = 0
    """Requests to resolve a handle, those ignored included (RFC 5352 3.3)."""
    handle_resolutions_empty: int = 0
    """Resolutions of a handle without elements."""
    endpoint_unreachables: int = 0
    """Reports of unreachable elements (RFC 5352 3.5)."""
    keep_alives_sent: int = 0
    """ASAP_ENDPOINT_KEEP_ALIVE messages that left."""
    keep_alive_timeouts: int = 0
    """Elements removed because they did not acknowledge a keep-alive."""
    elements_expired: int = 0
    """Elements removed at the end of their registration life."""
    elements_reported_away: int = 0
    """Elements removed because of reports."""
    messages_refused: int = 0
    """Messages that could not be decoded or were not protected."""
    requests_ignored: int = 0
    """Requests that a rate limit or a detector dropped."""
    load_updates_ignored: int = 0
    """Of those, renewals that would have changed the policy of a listed element."""
    statements_refused: int = 0
    """Registrations whose statement did not hold (RFC 5355 2.17)."""
    accusations: int = 0
    """Accusations by users that named an element of this server."""
    elements_penalised: int = 0
    """Elements found guilty."""
    element_seconds: float = 0.0
    """Integral over time of the number of elements listed, in element seconds."""
    updates_sent: int = 0
    """ENRP_HANDLE_UPDATE messages that left (RFC 5353 3.3)."""
    updates_refused: int = 0
    """Updates and takeovers that did not hold."""
    tables_sent: int = 0
    """ENRP_HANDLE_TABLE_RESPONSE messages with elements that left."""
    audits: int = 0
    """Checksums of peers compared (RFC 5353 3.6)."""
    audit_mismatches: int = 0
    """Of those, checksums that differed."""
    peers_found_dead: int = 0
    """Peers that did not answer (RFC 5353 3.4.3)."""
    takeovers_won: int = 0
    """Takeovers that this server initiated and completed."""
    takeovers_given_up: int = 0
    """Takeovers that this server initiated and gave up."""
    takeover_time: float = 0.0
    """Time in s from the beginning of each completed takeover to its end, added up."""
    elements_taken_over: int = 0
    """Elements that this server became home of by takeovers."""
