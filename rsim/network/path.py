"""Paths of an association: pairs of addresses with their round-trip times (RFC 9260 6.3, 6.4)."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from rsim.clock import Timer
from rsim.network.route import Route
from rsim.network.settings import SctpSettings

_ALPHA, _BETA = 1 / 8, 1 / 4
"""Weights of a new round-trip time (RFC 9260 16: RTO.Alpha, RTO.Beta)."""


class Path:
    """A pair of addresses, with its round-trip time and its errors.

    Timers: `t3` for what was sent this way, `beat_timer` for heartbeats. `beating`: one is
    awaited, with `number`.

    Parameters: `local` and `remote` address; `route` between them; `rto` the first retransmission
    time-out in s.
    """

    __slots__ = (
        "active",
        "beat_timer",
        "beating",
        "errors",
        "local",
        "number",
        "remote",
        "route",
        "rto",
        "rttvar",
        "sent_at",
        "srtt",
        "t3",
    )

    def __init__(self, local: str, remote: str, route: Route, rto: float) -> None:
        self.local = local
        self.remote = remote
        self.route = route
        self.rto = rto
        self.srtt: float | None = None
        self.rttvar = 0.0
        self.errors = 0
        self.active = True
        self.number = 0
        self.beating = False
        self.sent_at = -inf
        self.t3: Timer
        self.beat_timer: Timer

    def measured(self, time: float, settings: SctpSettings) -> None:
        """Takes a round-trip time in s into account (RFC 9260 6.3.1).

        Parameters: `time` in s of a round trip; `settings` of the association.
        """
        if self.srtt is None:
            self.srtt, self.rttvar = time, time / 2
        else:
            self.rttvar = (1 - _BETA) * self.rttvar + _BETA * abs(self.srtt - time)
            self.srtt = (1 - _ALPHA) * self.srtt + _ALPHA * time
        rto = self.srtt + 4 * self.rttvar
        self.rto = min(max(rto, settings.rto_min), settings.rto_max)


def paths_between(
    find_route: Callable[[str, str], Route],
    *,
    own: tuple[str, ...],
    local: str,
    addresses: tuple[str, ...],
    rto: float,
) -> list[Path]:
    """One path for each address of the peer.

    Parameters: `find_route` from one address to another; `own` addresses of this host; `local` the
    one of the first path, which those of the others follow; `addresses` of the peer; `rto` the
    retransmission time-out in s at the beginning.
    """
    start = own.index(local)
    here = [own[(start + number) % len(own)] for number in range(len(addresses))]
    return [
        Path(one, other, find_route(one, other), rto)
        for one, other in zip(here, addresses, strict=True)
    ]
