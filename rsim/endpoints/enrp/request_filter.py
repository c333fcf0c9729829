"""Which requests of pool elements and pool users an ENRP server drops (RFC 5355 2.13)."""

from __future__ import annotations

from rsim.endpoints.detection import Detector, Kind, RateLimits, detectors
from rsim.endpoints.enrp.counters import ServerCounters
from rsim.endpoints.ports import Channel, ClockPort
from rsim.endpoints.settings import ServerSettings


class RequestFilter:
    """Rate limits and a detector, as the settings name them.

    Parameters: `salt` of the hash of senders, the same for the whole run; `settings` of the server;
    `clock` of the run; `counters` of the server.
    """

    def __init__(
        self, salt: int, settings: ServerSettings, clock: ClockPort, counters: ServerCounters
    ) -> None:
        self._clock = clock
        self._counters = counters
        rates: dict[Kind, float | None] = {
            "registration": settings.max_registration_rate,
            "resolution": settings.max_resolution_rate,
            "report": settings.max_report_rate,
        }
        limits = {kind: rate for kind, rate in rates.items() if rate is not None}
        found: list[Detector] = []
        if limits:
            found.append(RateLimits(limits, settings.rate_buckets, settings.rate_stamps, salt))
        if settings.detector is not None:
            found.append(detectors()[settings.detector]())
        self._detectors = tuple(found)

    def drops(self, kind: Kind, channel: Channel, handle: bytes) -> bool:
        """Whether the sender has asked for too much; then it gets no answer.

        Parameters: `kind` of the request; `channel` it came on; `handle` of the pool.
        """
        if not self._detectors:
            return False
        now = self._clock.now
        source = channel.remote_address
        # Each one sees every request.
        verdicts = [one.suspicious(kind, source, handle, now) for one in self._detectors]
        if any(verdicts):
            self._counters.requests_ignored += 1
            return True
        return False
