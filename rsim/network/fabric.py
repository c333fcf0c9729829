"""What carries packets: the links between sites and hosts, and the way of each packet."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from itertools import pairwise
from math import inf
from typing import Literal

from rsim._native import FabricCore, LinkCore, Traffic
from rsim.clock import Clock
from rsim.network.attachment import Attachment
from rsim.network.capture import PacketCapture
from rsim.network.frame import Endpoint, Frame
from rsim.network.link import Link
from rsim.network.settings import LARGEST_MTU, LinkSettings, SctpSettings
from rsim.network.tap import Tap
from rsim.randomness import Streams
from rsim.wire import ASAP_PORT, PPID_ASAP, PPID_ENRP

Direction = Literal["both", "towards", "from"]
"""Of packets, as seen from one end."""

NextHops = Callable[[str, str, frozenset[tuple[str, str]]], tuple[str, ...]]
"""Gives the sites from one to another, with the pairs of neighbours that are down."""


class Fabric:
    """All links, and what is attached to them.

    Parameters: `clock` of the run; `streams` of its random numbers; `sctp` settings of
    associations; `ipv6` whether hosts get IPv6 addresses; `lan` the links within each site; `paths`
    those between two sites; `next_hops` the sites on the way from one to another, both included, if
    not directly, where pairs of neighbours are down, and none if there is no way; `instant` for
    associations without set-up and loss; `capture` takes all packets; `reroute` whether packets go
    round paths that are cut.
    """

    def __init__(
        self,
        clock: Clock,
        streams: Streams,
        lan: LinkSettings | None = None,
        paths: dict[tuple[str, str], LinkSettings] | None = None,
        next_hops: NextHops | None = None,
        *,
        sctp: SctpSettings | None = None,
        instant: bool = False,
        ipv6: bool = False,
        capture: PacketCapture | None = None,
        reroute: bool = True,
    ) -> None:
        self.clock = clock
        self.instant = instant
        self.capture = capture
        self.traffic = Traffic((PPID_ASAP, PPID_ENRP))
        self.links: dict[tuple[str, ...], Link] = {}
        self._streams = streams
        self._lan = lan or LinkSettings()
        self._paths = dict(paths or {})
        self._next_hops = next_hops or (lambda here, there, down: (here, there))
        self._reroutes = reroute and next_hops is not None
        self._down: frozenset[tuple[str, str]] = frozenset()
        self._attached: dict[str, Attachment] = {}
        # Kept by hosts: each message asks whether any is down, and only then which.
        self.hosts_down = 0
        self._delays: dict[tuple[str, str], float] = {}
        self._sites: dict[str, str] = {}
        self._site_numbers: dict[str, int] = {}
        self._access: dict[str, tuple[Link, Link]] = {}
        self._groups: dict[str, list[Attachment]] = {}
        self._next_address = ip_address("fd00::1" if ipv6 else "10.0.0.1")
        self.core = FabricCore(
            clock.events,
            plan=self,
            stream=streams.stream("network", "associations"),
            traffic=self.traffic,
            sctp=sctp or SctpSettings(),
            ipv6=ipv6,
        )
        self.core.capturing = capture is not None

    # Hosts ----------------------------------------------------------------------------------------

    def new_addresses(self, sites: tuple[str, ...]) -> tuple[str, ...]:
        """The next free addresses.

        Parameters: `sites` one for each address.
        """
        addresses = []
        for site in sites:
            address = str(self._next_address)
            self._next_address += 1
            self._sites[address] = site
            number = self._site_numbers.setdefault(site, len(self._site_numbers))
            self.core.add_address(address, number)
            if self._lan.bandwidth is not None:
                # It has ports of its own at its site's switch.
                self.core.add_access(address)
            addresses.append(address)
        return tuple(addresses)

    def attach(self, host: Attachment, access: LinkSettings | None = None) -> None:
        """Attaches a host at its addresses.

        Parameters: `host` with addresses of this network; `access` the links between the host and
        its sites, None if there is nothing to say about them.
        """
        for address in host.addresses:
            self._attached[address] = host
        if access is not None:
            self._add_access(host, access)

    def attached(self, address: str) -> Attachment | None:
        """What has an address, if anything has.

        Parameters: `address` of a host.
        """
        return self._attached.get(address)

    def site_of(self, address: str) -> str | None:
        """The site of an address, if it is known.

        Parameters: `address` of a host.
        """
        return self._sites.get(address)

    def name_of(self, address: str) -> str | None:
        """The name under which the host with an address is known.

        Parameters: `address` of a host.
        """
        host = self._attached.get(address)
        return host.name if host is not None else None

    def names(self) -> dict[str, str]:
        """Names of all hosts by address."""
        return {address: host.name for address, host in self._attached.items()}

    # Links and routes -----------------------------------------------------------------------------

    def delay(self, site: str, other: str) -> float:
        """Mean one-way delay (s) between hosts at two sites, or at one, without their access.

        Parameters: `site` of one host; `other` of the other one.
        """
        delay = self._delays.get((site, other))
        if delay is None:
            links = self._shortest(site, other)
            delay = float(sum(link.settings.delay.mean for link in links)) if links else inf
            self._delays[site, other] = delay
        return delay

    def plain_delay(self, source: str, destination: str) -> float | None:
        """The delay in s from one address to another, None if links do more than delay.

        Parameters: `source` address; `destination` address.
        """
        return self.core.plain_delay(source, destination)

    def _link(self, key: tuple[str, ...], name: str, settings: LinkSettings) -> Link:
        """The link that a key tells from all others, whatever sites and hosts are called."""
        link = self.links.get(key)
        if link is None:
            stream = self._streams.stream("network", "link", *key)
            sites = key[1:] if key[0] == "path" else ()
            core = self.core.add_link(stream)
            link = self.links[key] = Link(
                name,
                settings,
                sites=sites,
                stream=stream,
                core=core,
                cut_through=key[0] == "port" and key[-1] == "in",
            )
        return link

    def _between(self, site: str, other: str) -> tuple[Link, ...]:
        """The links that packets take now; a link that is never up where there is no way."""
        links = self._shortest(site, other, self._down) if self._down else ()
        links = links or self._shortest(site, other)
        if not links:
            link = self._link(("nowhere",), "nowhere", self._lan)
            link.core.up = False
            return (link,)
        return links

    def _shortest(
        self, site: str, other: str, down: frozenset[tuple[str, str]] = frozenset()
    ) -> tuple[Link, ...]:
        """The links of the shortest way round those that are down; none if there is no way."""
        if site == other:
            return (self._link(("site", site), site, self._lan.without_queue),)
        hops = self._next_hops(site, other, down)
        return tuple(self._path_link(a, b) for a, b in pairwise(hops))

    def _path_link(self, site: str, other: str) -> Link:
        settings = self._settings_between(site, other)
        return self._link(("path", site, other), f"{site} -> {other}", settings)

    def _port(self, address: str, direction: str) -> Link:
        """A port of a host at the switch of its site, where that has a bandwidth."""
        return self._link(("port", address, direction), f"{address} {direction}", self._lan.port)

    def _settings_between(self, site: str, other: str) -> LinkSettings:
        known = self._paths.get((site, other)) or self._paths.get((other, site))
        return known or self._lan

    def _add_access(self, host: Attachment, settings: LinkSettings) -> None:
        for number, address in enumerate(host.addresses):
            key, name = ("access", host.actor, str(number)), f"{host.name} {address}"
            up = self._link((*key, "up"), f"{name} up", settings)
            self._access[address] = (up, self._link((*key, "down"), f"{name} down", settings))
            self.core.add_access(address)

    def find_links(self, source: str, destination: str) -> list[LinkCore]:
        """The links from one address to another; an unknown address is a dead end.

        Parameters: `source` address; `destination` address.
        """
        site, other = self._sites.get(source), self._sites.get(destination)
        up, down = self._access.get(source), self._access.get(destination)
        links: list[Link] = [up[0]] if up else []
        if site is not None and other is not None:
            ports = site == other and self._lan.bandwidth is not None
            links += [self._port(source, "out")] if ports else []
            links += self._between(site, other)
            links += [self._port(destination, "in")] if ports else []
        if down:
            links.append(down[1])
        return [link.core for link in links]

    def path_links(self, site: str, other: str, direction: Direction = "both") -> list[Link]:
        """The links of the path between two sites, or those within one.

        Without a path of their own it is all that is on the shortest way between them.

        Parameters: `site` at one end; `other` at the other end; `direction` towards `other`, from
        it, or both.
        """
        links: list[Link] = []
        for a, b, left_out in ((site, other, "from"), (other, site, "towards")):
            if direction != left_out:
                direct = (a, b) in self._paths or (b, a) in self._paths
                links += [self._path_link(a, b)] if direct else self._shortest(a, b)
        return list({id(link): link for link in links}.values())

    def host_links(self, host: Attachment, direction: Direction = "both") -> list[Link]:
        """The links between a host and its sites; made if there are none yet.

        Parameters: `host` at one end; `direction` towards it, from it, or both.
        """
        if host.address not in self._access:
            self._add_access(host, LinkSettings(mtu=LARGEST_MTU))
            self.core.reroute()
        links: list[Link] = []
        for address in host.addresses:
            up, down = self._access[address]
            links += [up] if direction != "towards" else []
            links += [down] if direction != "from" else []
        return links

    def changed(self) -> None:
        """Looks at all routes again, and has all associations watch their peers."""
        self.core.refresh()
        self.core.watch_peers()

    def cut(self, links: list[Link], up: bool = False) -> None:
        """Cuts links, or mends them.

        Parameters: `links` to cut or mend; `up` whether to mend them.
        """
        for link in links:
            link.core.up = up
        if self._reroutes:
            self._find_ways_round()
        self.changed()

    def _find_ways_round(self) -> None:
        """Looks for all routes anew if other paths are down than before."""
        down = frozenset(
            (link.sites[0], link.sites[1])
            for link in self.links.values()
            if link.sites and not link.up
        )
        if down != self._down:
            self._down = down
            self.core.reroute()

    def change(self, links: list[Link], settings: LinkSettings) -> None:
        """Has links do something else to packets from now on.

        Parameters: `links` to change; `settings` that they have from now on.
        """
        for link in links:
            link.change(settings)
        self.changed()

    def tap(self, links: list[Link], tap: Tap) -> None:
        """Has a tap see all that the links carry.

        Parameters: `links` that it stands on; `tap` that sees what they carry.
        """
        if self.instant:
            raise ValueError("instant associations pass no taps")
        tap.network = self
        for link in links:
            self.core.add_tap(link.core, tap)
        self.changed()

    def untap(self, links: list[Link], tap: Tap) -> None:
        """Has a tap see no more of what the links carry.

        Parameters: `links` that it stands on; `tap` that saw what they carry.
        """
        for link in links:
            self.core.remove_tap(link.core, tap)
        self.changed()

    # Packets --------------------------------------------------------------------------------------

    def reach(self, frame: Frame) -> None:
        """Hands a packet to the host that it is for, if there is one."""
        self.core.deliver(frame)

    def inject(self, source: Endpoint, destination: Endpoint, ppid: int, data: bytes) -> None:
        """Puts a message into the association between two endpoints, as if `source` had sent it."""
        host = self._attached.get(destination[0])
        if host is not None:
            host.inject(destination[1], source, ppid, data)

    def join(self, group: str, host: Attachment) -> None:
        """Makes a host a member of a multicast group.

        Parameters: `group` address of the group; `host` that joins.
        """
        members = self._groups.setdefault(group, [])
        if host not in members:
            members.append(host)

    def send_datagram(
        self, host: Attachment, source: Endpoint, destination: Endpoint, data: bytes
    ) -> None:
        """Sends a datagram from a host, to a host or to each other member of a group.

        Parameters: `host` that sends; `source` address and port to be shown; `destination` address
        and port of a host or a group; `data` the octets.
        """
        self.traffic.count(self.datagram_protocol(destination[1]), data)
        group = self._groups.get(destination[0])
        members = [self._attached.get(destination[0])] if group is None else group
        for member in members:
            if member is not None and member is not host:
                self.core.send_datagram(
                    via=host.address,
                    member=member.address if group is not None else destination[0],
                    source=source,
                    destination=destination,
                    data=data,
                )

    def datagram_protocol(self, port: int) -> int:
        """The payload protocol identifier under which datagrams to a port are counted.

        Parameters: `port` of the destination.
        """
        return PPID_ASAP if port == ASAP_PORT else PPID_ENRP

    def write(self, frame: Frame, arrival: float | None) -> None:
        """Adds a packet to the capture.

        Parameters: `frame` the packet; `arrival` in s, None if it is not known.
        """
        assert self.capture is not None
        self.capture.frame(self.clock.now, frame, arrival)

    @property
    def packets(self) -> int:
        """Packets that have been sent on links; each link that a packet takes counts."""
        return sum(self.packets_by_link().values())

    def packets_by_link(self) -> dict[str, int]:
        """Packets that have been sent on each link, by its name."""
        packets = {link.name: link.counters.packets for link in self.links.values()}
        names = {link.core: link.name for link in self.links.values()}
        for links, sent, _ in self.core.packets_by_route():
            for core in links:
                packets[names[core]] += sent
        return packets

    @property
    def packets_lost(self) -> int:
        """Packets that a link has lost, for whatever reason."""
        whole = sum(cut for _, _, cut in self.core.packets_by_route())
        return whole + sum(link.counters.all_lost for link in self.links.values())
