"""Whether those who must talk with each other stand at sites that a way joins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from rsim.errors import cut, shown
from rsim.scenario.fields import ScenarioFields

_SHOWN = 40
"""Characters of a group's name in an error."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where hosts of a group stand.

    Parameters: `group` with its table; `sites` at which each of them has an address; `regions`
    numbers of what ways join with one of these.
    """

    group: str
    sites: tuple[str, ...]
    regions: frozenset[int]


def check_ways(scenario: ScenarioFields) -> None:
    """Raises ValueError, which names both sites, where no way joins two that must talk.

    All must reach the ENRP servers, and pool users the elements of their pool. Attackers on a path
    listen to others, and need not talk.

    Parameters: `scenario` whose groups stand at sites that exist.
    """
    regions = scenario.network.regions()
    if len(set(regions.values())) < 2:
        return
    servers = _places(regions, "enrp_servers", scenario.enrp_servers)
    _check_pairs(combinations(servers, 2))
    _check_pairs(product(_places(regions, "pool_elements", scenario.pool_elements), servers))
    _check_pairs(product(_places(regions, "pool_users", scenario.pool_users), servers))
    attackers = {name: one for name, one in scenario.attackers.items() if not one.listens}
    _check_pairs(product(_places(regions, "attackers", attackers), servers))
    for pool in scenario.pools:
        users = {name: one for name, one in scenario.pool_users.items() if one.pool == pool}
        elements = {
            name: one
            for name, one in scenario.pool_elements.items()
            if pool in (one.pool, *one.further_pools)
        }
        _check_pairs(
            product(
                _places(regions, "pool_users", users), _places(regions, "pool_elements", elements)
            )
        )


def _places(regions: dict[str, int], section: str, groups: dict[str, Any]) -> list[_Place]:
    """One place for each set of regions in which there are hosts."""
    found: dict[frozenset[int], _Place] = {}
    for name, group in groups.items():
        turns = 1 if isinstance(group.site, str) else len(group.site)
        for number in range(min(group.count, turns)):
            sites = group.sites(number)
            place = _Place(f"{section}.{name}", sites, frozenset(regions[site] for site in sites))
            found.setdefault(place.regions, place)
    return list(found.values())


def _check_pairs(pairs: Iterable[tuple[_Place, _Place]]) -> None:
    for one, other in pairs:
        if not one.regions & other.regions:
            key, whom = cut(one.group, _SHOWN), cut(other.group, _SHOWN)
            raise ValueError(
                f"{key}.site: no way joins {shown(one.sites[0])} and {shown(other.sites[0])}, "
                f"where {whom} is, with which it must talk; add a path"
            )
