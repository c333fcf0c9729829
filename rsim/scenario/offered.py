"""How much work pool users ask for on average, as far as theory says it exactly."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan

import numpy as np

from rsim.results.observation import Columns
from rsim.scenario.groups import UserGroup
from rsim.scenario.model import Scenario

_FINITE_VARIANCE = 2.0
"""Shape of a Pareto distribution up to which it has no variance."""


def expected_work(
    scenario: Scenario,
    groups: Mapping[str, str],
    requests: Columns,
    begin: float,
    end: float,
) -> float:
    """Mean work of the requests that are generated from `begin` to `end`, by theory.

    Users generate requests whether those before are served or not, so that nothing in the pool has
    a part in it. Requests at exponential intervals, and at rates from a file, are Poisson processes
    with a known mean. Of other intervals theory knows no exact mean for a time that begins
    somewhere, so the mean is that for the number of requests that came: sizes are independent of
    it. Sizes from a file are what they are.

    NaN where the mean is not known: with workloads of the user's own, where sizes have no
    variance, and where MSER-5 takes the times from the run itself.

    Parameters: `scenario` with its groups; `groups` name of the group of each user by its own;
    `requests` columns of all requests of the run; `begin` and `end` in s. Gives calculations.
    """
    if scenario.warm_up == "mser5":
        return nan
    total = 0.0
    for name, group in scenario.pool_users.items():
        if group.count:
            total += _of_group(name, group, groups, requests=requests, span=(begin, end))
    return total


def _of_group(
    name: str,
    group: UserGroup,
    groups: Mapping[str, str],
    *,
    requests: Columns,
    span: tuple[float, float],
) -> float:
    begin, end = span
    if group.workload != "calcapp":
        return nan
    file, size = group.arrivals, group.request_size
    sized = file is not None and "size" in file.table()
    if not sized and size.distribution == "pareto" and (size.variation or 2) <= _FINITE_VARIANCE:
        return nan
    first, last = max(begin, group.start) - group.start, end - group.start
    if file is not None and "rate" in file.table():
        number = file.expected(group.count, last) - file.expected(group.count, first)
        return number * size.mean
    if file is None and group.request_interval.distribution == "exponential":
        return group.count * max(0.0, last - first) / group.request_interval.mean * size.mean
    generated, users = requests["generated"], [one for one, of in groups.items() if of == name]
    came = (generated >= begin) & (generated < end)
    own = came & np.isin(requests["user"], np.array(users, dtype=requests["user"].dtype))
    return float(requests["size"][own].sum()) if sized else int(own.sum()) * size.mean
