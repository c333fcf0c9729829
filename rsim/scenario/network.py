"""The settings of a scenario's network: sites, what joins them, and what goes down."""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address
from typing import Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from rsim.errors import shown
from rsim.network import (
    ETHERNET_MTU,
    LEAST_IPV6_MTU,
    LinkSettings,
    OutageSettings,
    SctpSettings,
    topology,
)
from rsim.suggestions import unknown
from rsim.units import Name, Share

Topology = topology.Kind
DelaySource = topology.DelaySource


class PathSettings(LinkSettings):
    """The path between two sites."""

    sites: tuple[str, str] = Field(description="the two sites that it joins")


class SiteOutage(OutageSettings):
    """Something that goes down: a path, a site's links, or a share of hosts."""

    path: tuple[str, str] | None = Field(None, description="two sites whose path is cut")
    site: str | None = Field(None, description="site that is struck")
    what: Literal["links", "hosts"] = Field(
        "links", description="of a site: its paths to others, or hosts at it"
    )
    groups: tuple[str, ...] = Field(
        (), description="groups whose hosts at the site are struck; none: all groups"
    )
    share: Share = Field(1.0, description="share of these hosts, drawn at random")

    @model_validator(mode="after")
    def _one_target(self) -> SiteOutage:
        if (self.path is None) == (self.site is None):
            raise ValueError("must name either a path (two sites) or a site")
        if self.what == "hosts" and self.site is None:
            raise ValueError("what: hosts are lost at a site, not on a path")
        if self.what == "links" and (self.groups or self.share < 1):
            raise ValueError("groups and share: say which hosts, with what = 'hosts'")
        if not self.active:
            raise ValueError("needs an uptime or a schedule, else nothing ever goes down")
        return self


class NetworkSettings(LinkSettings):
    """Sites and what joins them; the link settings of the table itself hold within each site."""

    transport: Literal["sctp", "instant"] = Field(
        "sctp", description="SCTP, or RSPSIM's transport without set-up, loss and TLS"
    )
    ipv6: bool = Field(False, description="hosts have IPv6 addresses")
    sites: tuple[Name, ...] = Field(("lan",), min_length=1, description="names of the sites")
    paths: tuple[PathSettings, ...] = Field((), description="paths between sites")
    topology: Topology | None = Field(
        None,
        description="joins the sites by paths as in wan: row, star (the first is the hub), mesh",
    )
    wan: LinkSettings = Field(LinkSettings(), description="paths of the topology")
    graph: str | None = Field(
        None, description="file with sites and paths instead: .graphml, .gml or .csv"
    )
    delay_from: DelaySource = Field(
        "attribute",
        description="delays of the graph's paths: its attribute `delay`, or the way of light in "
        "fibre between the nodes' coordinates",
    )
    reroute: bool = Field(
        True,
        description="packets go round a path that is cut, by the shortest way that is left; "
        "false: they are lost there",
    )
    sctp: SctpSettings = SctpSettings()
    outages: tuple[SiteOutage, ...] = Field((), description="cuts and disasters")
    multicast_group: str | None = Field(
        None,
        description="group in which servers announce themselves; null: that of RFC 5352 8.4",
    )

    @model_validator(mode="before")
    @classmethod
    def _graph_becomes_paths(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("graph"), str):
            for key in ("sites", "paths", "topology"):
                if value.get(key):
                    raise ValueError(f"{key}: comes from the graph already")
            rest = {key: entry for key, entry in value.items() if key not in _OF_GRAPH}
            source = value.get("delay_from", "attribute")
            if source not in get_args(DelaySource):
                known = get_args(DelaySource)
                raise ValueError(f"delay_from: {unknown('source of delays', source, known)}")
            return {**rest, **topology.read_graph(value["graph"], source)}
        return value

    @model_validator(mode="after")
    def _sites_exist(self) -> NetworkSettings:
        named = [(f"paths.{n}", site) for n, path in enumerate(self.paths) for site in path.sites]
        for number, outage in enumerate(self.outages):
            places = outage.path or (outage.site,)
            named += [(f"outages.{number}", site) for site in places if site is not None]
        for where, site in named:
            if site not in self.sites:
                raise ValueError(f"{where}: {unknown('site', site, self.sites)}")
        if self.topology is not None and self.paths:
            raise ValueError("topology: joins the sites already; leave out paths or topology")
        if self.topology is None and self.wan != LinkSettings():
            raise ValueError("wan: does nothing without a topology, which it is the paths of")
        if self.delay_from != "attribute":
            raise ValueError("delay_from: does nothing without a graph")
        if not self.reroute and not self.links():
            raise ValueError("reroute: does nothing without paths, which it is the ways of")
        return self

    @model_validator(mode="after")
    def _nothing_is_there_twice(self) -> NetworkSettings:
        for number, site in enumerate(self.sites):
            if " -> " in site:
                raise ValueError(f"sites.{number}: the name of a site has no ' -> ' in it")
        for site, times in Counter(self.sites).items():
            if times > 1:
                raise ValueError(f"sites: '{site}' is there {times} times")
        seen: dict[frozenset[str], int] = {}
        for number, path in enumerate(self.paths):
            before = seen.setdefault(frozenset(path.sites), number)
            if before != number:
                raise ValueError(f"paths.{number}: joins the same sites as paths.{before}")
            if path.sites[0] == path.sites[1]:
                raise ValueError(f"paths.{number}: joins '{path.sites[0]}' to itself")
        count = len(self.sites)
        if self.topology == "mesh" and count * (count - 1) // 2 > topology.MOST_PATHS:
            raise ValueError(
                f"topology: a mesh of {count} sites has more than {topology.MOST_PATHS} paths"
            )
        for number, outage in enumerate(self.outages):
            if outage.path is not None and not self.joined(*outage.path):
                raise ValueError(f"outages.{number}.path: nothing joins these two sites")
            if outage.site is not None and outage.what == "links" and self._alone(outage.site):
                raise ValueError(
                    f"outages.{number}.site: nothing joins {shown(outage.site)} with other sites, "
                    "so that no path can be cut (what = 'hosts' strikes its hosts)"
                )
        return self

    def _alone(self, site: str) -> bool:
        found = self.regions()
        return not any(found[other] == found[site] for other in self.sites if other != site)

    @field_validator("multicast_group")
    @classmethod
    def _group_is_an_address(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                multicast = ip_address(value).is_multicast
            except ValueError:
                multicast = False
            if not multicast:
                raise ValueError(f"{shown(value)} is not a multicast address such as 224.0.1.185")
        return value

    @model_validator(mode="after")
    def _mtu_fits_ipv6(self) -> NetworkSettings:
        if self.ipv6:
            named = [("", self), *((f"paths.{n}.", path) for n, path in enumerate(self.paths))]
            for where, link in (*named, ("wan.", self.wan)):
                if link.mtu < LEAST_IPV6_MTU:
                    raise ValueError(f"{where}mtu: IPv6 needs at least {LEAST_IPV6_MTU} octets")
        return self

    @model_validator(mode="after")
    def _instant_is_simple(self) -> NetworkSettings:
        if self.transport == "instant":
            for link in (self, *self.paths, self.wan):
                if link.loss or link.jitter or link.bandwidth or link.delay.fixed is None:
                    raise ValueError(
                        "transport: only sctp knows loss, jitter, bandwidth and delays that vary"
                    )
                if link.mtu != ETHERNET_MTU:
                    raise ValueError("transport: only sctp knows an mtu")
            if self.outages:
                raise ValueError("transport: only sctp knows outages")
        return self

    @property
    def group(self) -> str:
        """The multicast group of announcements."""
        return self.multicast_group or ("ff05::133" if self.ipv6 else "224.0.1.185")

    def links(self) -> dict[tuple[str, str], LinkSettings]:
        """Paths by the pair of sites that they join."""
        if self.topology is not None:
            return dict.fromkeys(topology.pairs(self.topology, self.sites), self.wan)
        return {path.sites: path for path in self.paths}

    def joined(self, site: str, other: str) -> bool:
        """Whether there is a way between two sites; without any path all are neighbours.

        Parameters: `site` and `other` their names.
        """
        found = self.regions()
        return found[site] == found[other]

    def regions(self) -> dict[str, int]:
        """A number for each site, the same for all those between which there is a way."""
        return topology.regions(self.sites, self.links())


_OF_GRAPH = ("graph", "delay_from")
