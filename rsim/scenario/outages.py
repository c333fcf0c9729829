"""Outages of sites, paths and hosts that a scenario asks for."""

from __future__ import annotations

from functools import partial

from rsim.network import Host, Link, Outage
from rsim.scenario.network import SiteOutage
from rsim.scenario.world import World


def add_outage(world: World, number: int, settings: SiteOutage, sites: tuple[str, ...]) -> None:
    """Applies a configured outage of a path, of a site's links or of hosts.

    Parameters: `world` with all hosts; `number` of the outage in the scenario, from 0; `settings`
    what goes down and when; `sites` names of all sites.
    """
    stream = world.streams.stream("network", "outage", str(number), "times")
    if settings.what == "hosts":
        switch = partial(_strike_hosts, world, _choose_hosts(world, number, settings))
    else:
        switch = partial(_cut_links, world, _choose_links(world, settings, sites))
    Outage(world.clock, settings, stream, switch)


def _choose_hosts(world: World, number: int, settings: SiteOutage) -> list[Host]:
    """The hosts at the site that are struck, drawn from all that may be."""
    there = [
        host
        for group, members in world.hosts.items()
        if not settings.groups or group in settings.groups
        for host in members
        if settings.site in host.sites
    ]
    count = round(settings.share * len(there))
    choice = world.streams.generator("network", "outage", str(number), "choice")
    order = choice.permutation(len(there))
    return [there[index] for index in sorted(order[:count].tolist())]


def _choose_links(world: World, settings: SiteOutage, sites: tuple[str, ...]) -> list[Link]:
    if settings.path is not None:
        return world.network.path_links(*settings.path)
    site = settings.site
    assert site is not None
    return [
        link
        for other in sites
        if other != site
        for link in world.network.path_links(site, other)
        if site in link.sites
    ]


def _strike_hosts(world: World, hosts: list[Host], up: bool) -> None:
    for host in hosts:
        world.strike(host, up)


def _cut_links(world: World, links: list[Link], up: bool) -> None:
    world.network.cut(links, up)
