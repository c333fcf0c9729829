"""The load of a pool: from three of its quantities follows the fourth.

Pool users per pool element r, mean request size S (calculations), mean request interval I (s) of a
user, and target utilisation u hold I = max(1, r) * S / (u * C), where C is the mean capacity of a
pool element. A user has one request in service at a time, so u can't exceed r.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rsim.units import LARGEST_NUMBER, LONGEST, SHORTEST, SMALLEST_NUMBER
from rsim.workload import Distribution

MOST_HOSTS = 1_000_000
"""Of a group; more would not fit into any memory."""


@dataclass(frozen=True, slots=True)
class PoolCapacity:
    """Number of elements of a pool and their capacity in all (calculations/s).

    Parameters: `elements` number of them; `capacity` of all together in calculations/s.
    """

    elements: int
    capacity: float

    @property
    def mean(self) -> float:
        """Mean capacity of an element."""
        return self.capacity / self.elements


def derive_load(group: Any, pool: PoolCapacity) -> dict[str, Any]:
    """What follows from the quantities of a group of users that are given, by field.

    Parameters: `group` of pool users; `pool` that they use. Raises ValueError where they contradict
    each other or can't be met.
    """
    given = group.model_fields_set
    ratio, target = group.pu_to_pe_ratio, group.target_utilisation
    if ratio is None and target is None:
        return {}
    if pool.elements == 0:
        raise ValueError("pu_to_pe_ratio and target_utilisation need pool elements in the pool")
    if target is not None and group.arrivals is not None:
        raise ValueError("target_utilisation: arrivals from a file say how much is asked for")
    changes: dict[str, Any] = {}
    if ratio is not None:
        if "count" in given:
            raise ValueError("count and pu_to_pe_ratio both say how many users there are")
        changes["count"] = max(1, _count("pu_to_pe_ratio", ratio * pool.elements))
    if target is None:
        return changes

    size = group.request_size if "request_size" in given else None
    interval = group.request_interval if "request_interval" in given else None
    users = changes.get("count") or (group.count if "count" in given else None)
    if size and interval and users:
        raise ValueError(
            "target_utilisation follows from number of users, request_size and "
            "request_interval; leave one of the four out"
        )
    if sum(known is None for known in (size, interval, users)) > 1:
        raise ValueError(
            "target_utilisation needs two of number of users, request_size and request_interval"
        )
    return {**changes, **_fourth(group, pool, size=size, interval=interval, users=users)}


def _fourth(
    group: Any,
    pool: PoolCapacity,
    *,
    size: Distribution | None,
    interval: Distribution | None,
    users: int | None,
) -> dict[str, Any]:
    """What follows from target utilisation and two of mean size, mean interval and users."""
    target = group.target_utilisation
    offered = target * pool.mean
    if users is None and size and interval:
        needed = interval.mean * offered / size.mean
        if needed < 1:
            raise ValueError(f"no number of users gives target_utilisation {target:g}")
        return {"count": _count("target_utilisation", needed * pool.elements)}
    assert users is not None
    ratio = group.pu_to_pe_ratio
    r = ratio if ratio is not None else users / pool.elements
    if target > r:
        raise ValueError(
            f"target_utilisation {target:g} can't be met: with {r:g} users for each element, "
            f"one request at a time each, it is at most {r:g}"
        )
    if size is not None:
        mean = max(1.0, r) * size.mean / offered
        interval = _like(
            "request_interval", group.request_interval, mean, least=SHORTEST, most=LONGEST
        )
        return {"request_interval": interval}
    assert interval is not None
    mean = interval.mean * offered / max(1.0, r)
    ends = {"least": SMALLEST_NUMBER, "most": LARGEST_NUMBER}
    return {"request_size": _like("request_size", group.request_size, mean, **ends)}


def _count(source: str, users: float) -> int:
    if users > MOST_HOSTS:
        raise ValueError(f"{source}: makes {users:.3g} users, at most {MOST_HOSTS}")
    return round(users)


def _like(
    name: str, distribution: Distribution, mean: float, *, least: float, most: float
) -> Distribution:
    if not least <= mean <= most:
        raise ValueError(
            f"target_utilisation: makes the mean {name} {mean:.3g}, at least {least:g} and at most "
            f"{most:g}"
        )
    return distribution.model_copy(update={"mean": mean})
