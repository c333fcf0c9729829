"""How long a run takes to settle, from its load and the sizes of its requests."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, sqrt

from rsim.scenario.groups import UserGroup
from rsim.scenario.model import Scenario

_GOES_BY_LOAD = "least_used"
"""Part of the names of policies that go by load: all elements of a pool work like one queue."""
SETTLING = 1.5
"""Relaxation times that a warm-up should have: the mean handling time of requests of 10 s at a load
of 0.8 is then 0.9% too low in two hours (docs/scenarios.md)."""


def relaxation_time(service_time: float, load: float) -> float:
    """Time in s in which a queue forgets all but 37% of how it began, infinite from a load of 1 on.

    The reciprocal of the gap in the spectrum of M/M/1, service time / (1 - sqrt(load))^2. Source:
    Cohen, "The Single Server Queue", 1982, II.2.

    Parameters: `service_time` mean in s; `load` share of the time that it is busy.

    >>> round(relaxation_time(10.0, 0.8))
    897
    """
    return service_time / (1 - sqrt(load)) ** 2 if load < 1 else inf


def last_start(scenario: Scenario, before: float = inf) -> float:
    """When the last group of servers, elements and users starts, in s of simulated time.

    Parameters: `scenario` with its groups; `before` time in s from which on none counts.
    """
    groups = (scenario.enrp_servers, scenario.pool_elements, scenario.pool_users)
    starts = [group.start for role in groups for group in role.values() if group.count]
    return max((start for start in starts if start < before), default=0.0)


def settling_times(scenario: Scenario) -> Iterator[tuple[str, float, float, float]]:
    """For each group of users whose load is known: its name, S, load and relaxation time (s).

    The time is that of the slower of two queues: that of a user, who has one request in service at
    a time, and that of its pool. Under policies that go by load the pool is one queue with as many
    servers as elements, under others each element is one. What has no steady state (a load of 1 or
    more) is left out.

    Parameters: `scenario` with its groups.
    """
    offered = {name: _offered(group) for name, group in scenario.pool_users.items()}
    for name, group in scenario.pool_users.items():
        rate = offered[name]
        elements = [e for e in scenario.pool_elements.values() if e.count and e.pool == group.pool]
        pools = [one for one, users in scenario.pool_users.items() if users.pool == group.pool]
        asked = [offered[one] for one in pools]
        if not rate or not elements or None in asked:
            continue
        number = sum(e.count for e in elements)
        capacity = sum(e.count * e.capacity for e in elements)
        load = sum(one for one in asked if one is not None) / capacity
        service = group.request_size.mean / (capacity / number)
        own = rate / group.count / (capacity / number)
        if load >= 1 or own >= 1:
            continue
        of_pool = relaxation_time(service, load)
        if _GOES_BY_LOAD in scenario.pools[group.pool].policy:
            of_pool = max(service, of_pool / number)
        yield name, service, load, max(of_pool, relaxation_time(service, own))


def _offered(group: UserGroup) -> float | None:
    """Calculations/s that a group asks for; None if that is not known."""
    if not group.count:
        return 0.0
    if group.arrivals is not None or group.workload != "calcapp":
        return None
    return group.count * group.request_size.mean / group.request_interval.mean
