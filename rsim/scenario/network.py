"""The network and its security in a scenario, and building them."""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address
from typing import Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from rsim.clock import Clock
from rsim.endpoints import authorisations
from rsim.errors import shown
from rsim.network import (
    PROFILES,
    Authority,
    Cpu,
    Credentials,
    Host,
    HostSettings,
    Key,
    LinkSettings,
    Network,
    Outage,
    OutageSettings,
    PacketCapture,
    Profile,
    SctpSettings,
    topology,
)
from rsim.randomness import Streams
from rsim.units import MOST, Interval, Model, Name, Seconds, Share, SomeCount

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
                known = ", ".join(get_args(DelaySource))
                raise ValueError(f"delay_from: {shown(source)} is none of {known}")
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
                raise ValueError(f"{where}: there is no site '{site}'")
        if self.topology is not None and self.paths:
            raise ValueError("topology: joins the sites already; leave out paths or topology")
        if self.topology is None and self.wan != LinkSettings():
            raise ValueError("wan: does nothing without a topology, which it is the paths of")
        if self.delay_from != "attribute":
            raise ValueError("delay_from: does nothing without a graph")
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
        return self

    @field_validator("multicast_group")
    @classmethod
    def _group_is_an_address(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                multicast = ip_address(value).is_multicast
            except ValueError:
                multicast = False
            if not multicast:
                raise ValueError(f"{shown(value)} is no multicast address such as 224.0.1.185")
        return value

    @model_validator(mode="after")
    def _instant_is_simple(self) -> NetworkSettings:
        if self.transport == "instant":
            for link in (self, *self.paths, self.wan):
                if link.loss or link.jitter or link.bandwidth or link.delay.fixed is None:
                    raise ValueError(
                        "transport: only sctp knows loss, jitter, bandwidth and delays that vary"
                    )
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
        """Whether there is a way between two sites; without any path all are neighbours."""
        links = self.links()
        neighbours: dict[str, list[str]] = {}
        for a, b in links:
            neighbours.setdefault(a, []).append(b)
            neighbours.setdefault(b, []).append(a)
        reached, waiting = {site}, [site]
        while waiting:
            for one in neighbours.get(waiting.pop(), ()):
                if one not in reached:
                    reached.add(one)
                    waiting.append(one)
        return not links or other in reached


_OF_GRAPH = ("graph", "delay_from")
_TLS_CHOICES = ("none", *PROFILES)


class SecuritySettings(Model):
    """TLS on each kind of association (RFC 5355 3), and who may do what."""

    pe_enrp: str = Field("none", description="pool element - ENRP server: a TLS profile or none")
    enrp_enrp: str = Field("none", description="ENRP server - ENRP server: a TLS profile or none")
    pu_enrp: str = Field("none", description="pool user - ENRP server: a TLS profile or none")
    pu_pe: str = Field("none", description="pool user - pool element: a TLS profile or none")
    pu_pe_optional: bool = Field(
        False, description="pool elements serve pool users that speak in clear as well"
    )
    sign_cookies: bool = Field(
        False, description="elements sign cookies with a key of their pool (RFC 5352 3.8)"
    )
    proof_of_choice: bool = Field(
        False, description="elements serve only users that prove that the policy has sent them"
    )
    choice_period: Interval = Field(5.0, description="time for which a nonce is good")
    choice_allowance: SomeCount = Field(
        1, description="choices that a user may make with one nonce"
    )
    statements: bool = Field(
        False, description="elements sign what they state, and users hold them to it"
    )
    accusation_level: float = Field(
        5.0, gt=0, le=1e6, description="standard errors beyond which an element is accused"
    )
    accusation_observations: int = Field(
        10, ge=2, le=MOST, description="requests at an element before a user judges it"
    )
    accusers: SomeCount = Field(3, description="different users that it takes for a penalty")
    accusation_memory: Interval = Field(
        "60min", validate_default=True, description="time for which an accusation counts"
    )
    penalty: Literal["quarantine", "worst", "evict"] = Field(
        "quarantine",
        description="elements found to lie are refused for a while, listed last, or banned",
    )
    penalty_time: Interval = Field(
        "30min", validate_default=True, description="how long a penalty lasts"
    )
    shared_key: bool = Field(
        False, description="one pre-shared key for all hosts, instead of one for each"
    )
    resumption: bool = Field(False, description="clients resume sessions by ticket (no 0-RTT)")
    downgrade: bool = Field(
        False, description="clients that are refused, or refuse, go on in clear the next time"
    )
    rekey: Seconds | None = Field(
        None,
        description="when all pre-shared keys are replaced; attackers keep the old ones",
    )
    authorisation: str | None = Field(
        None, description="who may register what; null: identity with TLS, open without"
    )

    @field_validator("pe_enrp", "enrp_enrp", "pu_enrp", "pu_pe")
    @classmethod
    def _profile_exists(cls, value: str) -> str:
        if value not in _TLS_CHOICES:
            raise ValueError(f"'{value}' is no TLS profile; they are {', '.join(_TLS_CHOICES)}")
        return value

    @field_validator("authorisation")
    @classmethod
    def _authorisation_exists(cls, value: str | None) -> str | None:
        if value is not None and value not in authorisations():
            known = ", ".join(authorisations())
            raise ValueError(f"'{value}' is no authorisation; they are {known}")
        return value

    @property
    def used(self) -> bool:
        """Whether TLS protects anything."""
        return any(v != "none" for v in (self.pe_enrp, self.enrp_enrp, self.pu_enrp, self.pu_pe))

    @property
    def chosen_authorisation(self) -> str:
        """The authorisation in force."""
        if self.authorisation is not None:
            return self.authorisation
        return "open" if self.pe_enrp == "none" else "identity"

    def profile(self, choice: str) -> Profile | None:
        """The profile of a choice, None for none."""
        return PROFILES.get(choice)


def build_network(
    settings: NetworkSettings, clock: Clock, streams: Streams, capture: PacketCapture | None
) -> Network:
    """The network of a scenario, without hosts."""
    links = settings.links()
    hops = topology.next_hops(settings.sites, links) if links else None
    return Network(
        clock,
        streams,
        LinkSettings(**{name: getattr(settings, name) for name in LinkSettings.model_fields}),
        links,
        hops,
        sctp=settings.sctp,
        instant=settings.transport == "instant",
        ipv6=settings.ipv6,
        capture=capture,
    )


class KeyRing:
    """Hands hosts what they hold for TLS.

    Parameters: `shared` one key for all instead of one for each.
    """

    def __init__(self, shared: bool) -> None:
        self._shared = shared
        self._authority = Authority("authority")
        self._stranger = Authority("stranger")
        self._keys: dict[str, Key] = {}
        self._revoked: set[str] = set()

    def rekey(self, hosts: list[Host]) -> None:
        """Gives these hosts new keys under their identities; the old ones are worth nothing."""
        for host in hosts:
            old = host.credentials.key
            if old is not None and old.secret != "wrong":
                new = Key(old.identity, f"new {old.secret}", old.pools)
                host.credentials.key = new
                if old.identity in self._keys:
                    self._keys[old.identity] = new

    def equip(self, host: Host, credential: str, pools: frozenset[str] | None) -> None:
        """Gives a host its key and certificate, good or bad, and whom it trusts."""
        identity = "shared" if self._shared else host.name
        key = Key(identity, f"secret of {identity}", None if self._shared else pools)
        authority = self._stranger if credential == "unknown_authority" else self._authority
        subject = f"not-{host.name}" if credential == "wrong_name" else host.name
        end = 0.0 if credential == "expired" else float("inf")
        certificate = authority.issue(subject, end=end)
        # A pre-shared key proves both sides: who has no good one can't check those of others.
        keys = {} if credential in ("none", "wrong_key", "unknown_identity") else self._keys
        host.credentials = Credentials(
            key, keys, self._revoked, certificate, frozenset({self._authority})
        )
        if credential == "none":
            host.credentials.key = None
            host.credentials.certificate = None
        elif credential == "wrong_key":
            host.credentials.key = Key(identity, "wrong", pools)
            self._keys.setdefault(identity, key)
        elif credential == "unknown_identity":
            host.credentials.key = Key("unknown", "unknown", pools)
        else:
            self._keys[identity] = key
            if credential == "revoked":
                self._revoked.add(identity)
                self._authority.revoked.add(certificate.serial)


def equip_host(host: Host, settings: HostSettings, clock: Clock, streams: Streams) -> None:
    """Gives a host its CPU and the outages of its links."""
    if settings.cpu is not None:
        host.cpu = Cpu(clock, settings.cpu, streams.stream(host.actor, "cpu"))
    if settings.outages != OutageSettings():
        links = host.network.host_links(host)
        stream = streams.stream(host.actor, "outages")
        Outage(clock, settings.outages, stream, lambda up: host.network.cut(links, up))


class Disaster:
    """Carries an outage of the scenario out.

    Parameters: `hosts` by what their group is called; `struck` is called with a host and whether it
    is up.
    """

    def __init__(
        self,
        number: int,
        settings: SiteOutage,
        network: Network,
        sites: tuple[str, ...],
        hosts: dict[str, list[Host]],
        streams: Streams,
        struck: Any,
    ) -> None:
        stream = streams.stream("network", "outage", str(number), "times")
        self._struck = struck
        self._network = network
        if settings.what == "hosts":
            there = [
                host
                for group, members in hosts.items()
                if not settings.groups or group in settings.groups
                for host in members
                if settings.site in host.sites
            ]
            count = round(settings.share * len(there))
            choice = streams.generator("network", "outage", str(number), "choice")
            order = choice.permutation(len(there))
            self._hosts = [there[index] for index in sorted(order[:count].tolist())]
            Outage(network.clock, settings, stream, self._strike)
            return
        if settings.path is not None:
            self._links = network.path_links(*settings.path)
        else:
            site = settings.site
            assert site is not None
            self._links = [
                link
                for other in sites
                if other != site
                for link in network.path_links(site, other)
                if site in link.sites
            ]
        Outage(network.clock, settings, stream, self._cut)

    def _strike(self, up: bool) -> None:
        for host in self._hosts:
            self._struck(host, up)

    def _cut(self, up: bool) -> None:
        self._network.cut(self._links, up)
