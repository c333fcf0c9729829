"""What the parts of a scenario say of each other: names that exist, and times that fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from rsim.attackers import AttackerSettings, PositionSettings
from rsim.network import LEAST_IPV6_MTU, HostSettings, OutageSettings, StackSettings
from rsim.scenario.fields import ACTORS, HONEST, ScenarioFields
from rsim.scenario.groups import ElementGroup, UserGroup
from rsim.scenario.network import SiteOutage
from rsim.scenario.reachability import check_ways
from rsim.suggestions import unknown
from rsim.units import LONGEST

_MOST_SAMPLES = 1_000_000
"""Samples of a run: each takes some 100 bytes and time, and a figure shows a few thousand."""
MOST_REQUESTS = 100_000_000
"""Requests of a run; more than memory holds."""


def check(scenario: ScenarioFields) -> None:
    """Raises ValueError, which begins with the place, where the parts don't fit each other.

    Parameters: `scenario` with all its fields.
    """
    _check_times(scenario)
    if sum(group.count for group in scenario.enrp_servers.values()) < 1:
        raise ValueError("enrp_servers: there must be at least one server")
    if scenario.discovery == "multicast" and not scenario.protocol.enrp_server.announce:
        raise ValueError("discovery: multicast needs protocol.enrp_server.announce = true")
    sites = frozenset(scenario.network.sites)
    for section in ACTORS:
        for name, group in getattr(scenario, section).items():
            where = f"{section}.{name}"
            _check_host(scenario, sites, where, group)
            _check_pools(scenario, where, group)
    for name, elements in scenario.pool_elements.items():
        _check_share(f"pool_elements.{name}.lie", elements.lie, elements.count)
    for name, users in scenario.pool_users.items():
        _check_share(f"pool_users.{name}.cheat", users.cheat, users.count)
        _check_requests(scenario, f"pool_users.{name}", users)
    for name, attackers in scenario.attackers.items():
        _check_attackers(scenario, f"attackers.{name}", attackers)
    for number, outage in enumerate(scenario.network.outages):
        _check_outage(scenario, f"network.outages.{number}", outage)
    check_ways(scenario)
    if scenario.network.transport == "instant" and scenario.security.used:
        raise ValueError("security: only network.transport = 'sctp' knows TLS")


def twice(values: Iterable[Any]) -> Iterator[Any]:
    """Those that are there more than once.

    Parameters: `values` of any number.
    """
    return (value for value, number in Counter(values).items() if number > 1)


def _check_times(scenario: ScenarioFields) -> None:
    whole = scenario.length
    for key in ("series_interval", "observe_interval"):
        interval = getattr(scenario, key)
        if interval is not None and whole / interval > _MOST_SAMPLES:
            raise ValueError(f"{key}: makes more than {_MOST_SAMPLES} samples; take it longer")
    if whole > LONGEST:
        raise ValueError(f"duration: a run of {whole:g} s is too long, at most {LONGEST:g} s")
    if scenario.warm_up == "mser5" and not scenario.pool_users:
        raise ValueError("warm_up: mser5 looks at handling times, so there must be pool users")


def _check_host(
    scenario: ScenarioFields, sites: frozenset[str], where: str, group: HostSettings
) -> None:
    placed = (group.site,) if isinstance(group.site, str) else group.site
    for key, named in (("site", placed), ("also_at", group.also_at)):
        for site in named:
            if site not in sites:
                known = scenario.network.sites
                raise ValueError(f"{where}.{key}: {unknown('site', site, known)}")
    if scenario.network.ipv6 and group.access and group.access.mtu < LEAST_IPV6_MTU:
        raise ValueError(f"{where}.access.mtu: IPv6 needs at least {LEAST_IPV6_MTU} octets")
    if scenario.network.transport == "instant" and (
        group.also_at
        or group.access
        or group.cpu
        or group.stack != StackSettings()
        or group.outages != OutageSettings()
    ):
        raise ValueError(
            f"{where}: only network.transport = 'sctp' knows also_at, access, cpu, stack and "
            "outages"
        )


def _check_pools(scenario: ScenarioFields, where: str, group: HostSettings) -> None:
    pools = scenario.pools
    named = [(key, getattr(group, key, None)) for key in ("pool", "key_for")]
    further: tuple[str, ...] = getattr(group, "further_pools", ())
    for key, pool in (*named, *(("further_pools", pool) for pool in further)):
        if pool is not None and pool not in pools:
            raise ValueError(f"{where}.{key}: {unknown('pool', pool, pools)}")
    for pool in twice((getattr(group, "pool", None), *further)):
        raise ValueError(f"{where}.further_pools: they register in '{pool}' already")


def _check_share(where: str, settings: Any, count: int) -> None:
    if settings.kind != "none":
        _check_some(where, settings.share, count)


def _check_some(where: str, share: float, count: int) -> None:
    if share > 0 and count > 0 and round(share * count) == 0:
        raise ValueError(
            f"{where}.share: {share:g} of {count} is less than one; take 0 for none, or more than "
            f"{0.5 / count:g} for at least one"
        )


def _check_requests(scenario: ScenarioFields, where: str, users: UserGroup) -> None:
    if users.workload != "calcapp" or users.count == 0:
        return
    time = max(0.0, scenario.length - users.start)
    if users.arrivals is not None:
        key = "arrivals"
        try:
            number = users.arrivals.expected(users.count, time)
        except ValueError as error:
            raise ValueError(f"{where}.arrivals: {error}") from None
        if number == 0:
            raise ValueError(f"{where}.arrivals: makes no request before the run ends")
    else:
        number = users.count * time / users.request_interval.mean
        key = "request_interval"
    if number > MOST_REQUESTS:
        raise ValueError(
            f"{where}.{key}: makes {number:.3g} requests in this time, at most {MOST_REQUESTS:.0e}"
        )


def _check_attackers(scenario: ScenarioFields, where: str, attackers: AttackerSettings) -> None:
    position = getattr(attackers, "position", None)
    if not isinstance(position, PositionSettings):
        return
    if scenario.network.transport == "instant":
        raise ValueError(
            f"{where}.kind: '{attackers.kind}' listens on a path, which only "
            "network.transport = 'sctp' knows"
        )
    protocols = getattr(attackers, "protocols", ())
    if protocols == ("tcp",) and all(u.asap_over != "tcp" for u in scenario.pool_users.values()):
        raise ValueError(f"{where}.protocols: nobody speaks TCP; pool_users.NAME.asap_over does")
    if position.between is not None:
        for site in position.between:
            if site not in scenario.network.sites:
                known = scenario.network.sites
                raise ValueError(f"{where}.position.between: {unknown('site', site, known)}")
        if len(set(position.between)) == 1:
            raise ValueError(f"{where}.position.between: names a site twice; must name two")
        if not scenario.network.joined(*position.between):
            a, b = position.between
            raise ValueError(f"{where}.position.between: no path joins '{a}' and '{b}'")
    if position.at is not None:
        count = _one_group(scenario, f"{where}.position.at", position.at).count
        _check_some(f"{where}.position", position.share, count)
    elif position.between is None and attackers.count and attackers.listens:
        raise ValueError(
            f"{where}.position: says neither 'between' nor 'at', so that it stands nowhere"
        )


def _one_group(
    scenario: ScenarioFields, where: str, name: str, roles: Iterable[str] = HONEST
) -> Any:
    """The group that is called so, which must be one."""
    groups = [
        (scenario.label(role, group), group, settings)
        for role in roles
        for group, settings in getattr(scenario, role).items()
    ]
    for label, _, settings in groups:
        if label == name:
            return settings
    meant = " or ".join(label for label, group, _ in groups if group == name)
    if meant:
        raise ValueError(f"{where}: '{name}' may be {meant}; say which")
    known = [label for label, _, _ in groups]
    raise ValueError(f"{where}: {unknown('group', name, known)}")


def _check_outage(scenario: ScenarioFields, where: str, outage: SiteOutage) -> None:
    for name in outage.groups:
        _one_group(scenario, f"{where}.groups", name, ACTORS)
    if outage.what != "hosts":
        return
    assert outage.site is not None
    struck = 0
    for section in ACTORS:
        for name, group in getattr(scenario, section).items():
            if not outage.groups or scenario.label(section, name) in outage.groups:
                struck += _hosts_at(group, outage.site)
    _check_some(where, outage.share, struck)


def _hosts_at(group: ElementGroup | UserGroup | AttackerSettings, site: str) -> int:
    if site in group.also_at:
        return group.count
    placed = (group.site,) if isinstance(group.site, str) else group.site
    turns, rest = divmod(group.count, len(placed))
    return turns * placed.count(site) + placed[:rest].count(site)
