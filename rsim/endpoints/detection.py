"""Rate limits and detectors that block senders.

A detector is a class with `suspicious`, registered by `@detector`; a scenario names it as
`protocol.enrp_server.detector`. It sees who sends what kind of request for which pool, and when;
what it calls suspicious is dropped without an answer and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from inspect import signature
from statistics import median
from typing import Any, Literal, Protocol

from rsim.errors import ScenarioError, shown
from rsim.registrations import note

Kind = Literal["registration", "resolution", "report"]
"""Kinds of requests."""


class Detector(Protocol):
    """Judges the requests to one ENRP server."""

    def suspicious(self, kind: Kind, source: str, pool: bytes, now: float) -> bool:
        """Whether to drop a request; `now` in s.

        Parameters: `kind` of the request; `source` address of its sender; `pool` handle that it
        names.
        """


class RateTable:
    """Rates by key over a sliding window of time stamps, in bounded memory.

    Keys are hashed into buckets, each with its last so many stamps; who shares a bucket with a
    flooder is taken for one. The rate is n / (newest - oldest) over the n stamps that are there.

    Parameters: `buckets` number of them; `stamps` kept in each; `salt` of the hash, so that who
    shares a bucket at one server does not at others.
    """

    def __init__(self, buckets: int, stamps: int, salt: int = 0) -> None:
        self._buckets: dict[int, list[float]] = {}
        self._salt = salt.to_bytes(4)
        self._number = buckets
        self._stamps = stamps

    def enter(self, source: str, pool: bytes, now: float) -> float:
        """Enters one event and gives the rate in 1/s; 0 for the first one.

        Parameters: `source` address of the sender; `pool` handle that it names; `now` the time in
        s.
        """
        name = source.encode() + b"\0" + pool
        key = int.from_bytes(blake2b(name, digest_size=8, key=self._salt).digest()) % self._number
        stamps = self._buckets.setdefault(key, [])
        stamps.append(now)
        if len(stamps) > self._stamps:
            del stamps[0]
        span = now - stamps[0]
        if len(stamps) < 2:
            return 0.0
        return len(stamps) / span if span > 0 else float("inf")

    def __len__(self) -> int:
        return sum(map(len, self._buckets.values()))


class RateLimits:
    """Most registrations, resolutions and reports per second of a sender and pool (RFC 5355 2.13).

    Parameters: `limits` in 1/s by kind, without those that have none; `buckets`, `stamps` and
    `salt` of the table of each kind.
    """

    def __init__(self, limits: dict[Kind, float], buckets: int, stamps: int, salt: int = 0) -> None:
        self._limits = limits
        self._tables = {kind: RateTable(buckets, stamps, salt) for kind in limits}

    def suspicious(self, kind: Kind, source: str, pool: bytes, now: float) -> bool:
        """Whether the sender is above its limit, the present request included."""
        limit = self._limits.get(kind)
        return limit is not None and self._tables[kind].enter(source, pool, now) > limit

    def __len__(self) -> int:
        return sum(map(len, self._tables.values()))


_REQUEST = (None, "report", "10.0.0.1", b"pool", 0.0)
"""Arguments of `suspicious`, with which a class is tried."""
_DETECTORS: dict[str, Callable[[], Detector]] = {}


def detector(name: str) -> Callable[[Any], Any]:
    """Registers a detector class under a name.

    Parameters: `name` under which a scenario names it. Raises ScenarioError where the decorator has
    no name, or the class no `suspicious` with the arguments of `Detector`.
    """
    if not isinstance(name, str):
        raise ScenarioError('@detector: needs a name, as in @detector("one_a_minute")')

    def register(cls: Any) -> Any:
        try:
            signature(cls).bind()
            signature(cls.suspicious).bind(*_REQUEST)
        except (AttributeError, TypeError) as error:
            raise ScenarioError(
                f"@detector: {shown(name)}: must be a class without arguments that has "
                f"suspicious(self, kind, source, pool, now): {error}"
            ) from None
        _DETECTORS[name] = cls
        note("detector", name, cls)
        return cls

    return register


def detectors() -> dict[str, Callable[[], Detector]]:
    """Registered detectors by name."""
    return dict(_DETECTORS)


@detector("rate_anomaly")
class RateAnomaly:
    """Calls senders suspicious that are far faster than most: no limit need be known beforehand.

    A sender's rate over its last requests is held against the median of those seen lately; above
    `FACTOR` times that it is an anomaly. Until enough senders are known nobody is one.
    """

    FACTOR = 10.0
    STAMPS = 16
    MOST_SENDERS = 4096
    LEAST_SENDERS = 5
    REVIEW = 10.0
    """Time in s between two looks at the median."""

    def __init__(self) -> None:
        self._stamps: dict[tuple[Kind, str, bytes], list[float]] = {}
        self._typical: dict[Kind, float] = {}
        self._reviewed: dict[Kind, float] = {}

    def suspicious(self, kind: Kind, source: str, pool: bytes, now: float) -> bool:
        """Whether the sender's rate stands out."""
        key = (kind, source, pool)
        stamps = self._stamps.pop(key, [])
        stamps.append(now)
        del stamps[: -self.STAMPS]
        self._stamps[key] = stamps
        if len(self._stamps) > self.MOST_SENDERS:
            del self._stamps[next(iter(self._stamps))]
        if now - self._reviewed.get(kind, float("-inf")) >= self.REVIEW:
            self._reviewed[kind] = now
            self._review(kind)
        typical = self._typical.get(kind)
        if typical is None or len(stamps) < self.STAMPS:
            return False
        span = now - stamps[0]
        return span <= 0 or (len(stamps) - 1) / span > self.FACTOR * typical

    def _review(self, kind: Kind) -> None:
        rates = [
            (len(stamps) - 1) / (stamps[-1] - stamps[0])
            for (of, _, _), stamps in self._stamps.items()
            if of == kind and len(stamps) > 1 and stamps[-1] > stamps[0]
        ]
        if len(rates) >= self.LEAST_SENDERS:
            self._typical[kind] = median(rates)
