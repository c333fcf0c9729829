"""What carries packets: the links between sites and hosts, and the way of each packet."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from itertools import pairwise
from math import inf

from rsim._native import Traffic
from rsim.clock import Clock
from rsim.network.attachment import Attachment
from rsim.network.capture import PacketCapture
from rsim.network.frame import Endpoint, Frame
from rsim.network.link import Link
from rsim.network.route import Route
from rsim.network.settings import LinkSettings, SctpSettings
from rsim.network.tap import Tap
from rsim.randomness import Stream, Streams
from rsim.wire import ASAP_PORT, PPID_ASAP, PPID_ENRP


class Fabric:
    """All links, and what is attached to them.

    Parameters: `clock` of the run; `streams` of its random numbers; `sctp` settings of
    associations; `ipv6` whether hosts get IPv6 addresses; `lan` the links within each site; `paths`
    those between two sites; `next_hops` the sites on the way from one to another, both included, if
    not directly; `instant` for associations without set-up and loss; `capture` takes all packets.
    """

    def __init__(
        self,
        clock: Clock,
        streams: Streams,
        lan: LinkSettings | None = None,
        paths: dict[tuple[str, str], LinkSettings] | None = None,
        next_hops: Callable[[str, str], tuple[str, ...]] | None = None,
        *,
        sctp: SctpSettings | None = None,
        instant: bool = False,
        ipv6: bool = False,
        capture: PacketCapture | None = None,
    ) -> None:
        self.clock = clock
        self.sctp = sctp or SctpSettings()
        self.tcp = self.sctp.model_copy(update={"heartbeat_interval": None})
        self.instant = instant
        self.capture = capture
        self.traffic = Traffic((PPID_ASAP, PPID_ENRP))
        self.cut_at = -inf
        self.stream: Stream = streams.stream("network", "associations")
        self.links: dict[tuple[str, ...], Link] = {}
        self._streams = streams
        self._lan = lan or LinkSettings()
        self._paths = dict(paths or {})
        self._next_hops = next_hops or (lambda here, there: (here, there))
        self._attached: dict[str, Attachment] = {}
        # Kept by hosts: each message asks whether any is down, and only then which.
        self.hosts_down = 0
        self._delays: dict[tuple[str, str], float] = {}
        self._sites: dict[str, str] = {}
        self._access: dict[str, tuple[Link, Link]] = {}
        self._routes: dict[tuple[str, str], Route] = {}
        self._groups: dict[str, list[Attachment]] = {}
        self._next_address = ip_address("fd00::1" if ipv6 else "10.0.0.1")

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
            delay = float(sum(link.settings.delay.mean for link in self._between(site, other)))
            self._delays[site, other] = delay
        return delay

    def _link(self, key: tuple[str, ...], name: str, settings: LinkSettings) -> Link:
        """The link that a key tells from all others, whatever sites and hosts are called."""
        link = self.links.get(key)
        if link is None:
            stream = self._streams.stream("network", "link", *key)
            sites = key[1:] if key[0] == "path" else ()
            link = self.links[key] = Link(
                name, self.clock, settings=settings, stream=stream, sites=sites
            )
        return link

    def _between(self, site: str, other: str) -> tuple[Link, ...]:
        if site == other:
            return (self._link(("site", site), site, self._lan),)
        hops = self._next_hops(site, other)
        return tuple(
            self._link(("path", a, b), f"{a} -> {b}", self._settings_between(a, b))
            for a, b in pairwise(hops)
        )

    def _settings_between(self, site: str, other: str) -> LinkSettings:
        known = self._paths.get((site, other)) or self._paths.get((other, site))
        return known or self._lan

    def _add_access(self, host: Attachment, settings: LinkSettings) -> None:
        for number, address in enumerate(host.addresses):
            key, name = ("access", host.actor, str(number)), f"{host.name} {address}"
            up = self._link((*key, "up"), f"{name} up", settings)
            self._access[address] = (up, self._link((*key, "down"), f"{name} down", settings))
        mine = host.addresses
        self._routes = {
            key: route
            for key, route in self._routes.items()
            if key[0] not in mine and key[1] not in mine
        }

    def route(self, source: str, destination: str) -> Route:
        """The way from one address to another; an unknown address is a dead end at no distance.

        Parameters: `source` address; `destination` address.
        """
        site, other = self._sites.get(source), self._sites.get(destination)
        up, down = self._access.get(source), self._access.get(destination)
        direct = up is None and down is None
        key = (site or "", other or "") if direct else (source, destination)
        route = self._routes.get(key)
        if route is None:
            links: list[Link] = [up[0]] if up else []
            if site is not None and other is not None:
                links += self._between(site, other)
            if down:
                links.append(down[1])
            route = self._routes[key] = Route(tuple(links))
        return route

    def new_tag(self) -> int:
        """A tag or first TSN that nobody can guess."""
        return 1 + int(self.stream.uniform() * 0xFFFFFFFF)

    def path_links(self, site: str, other: str) -> list[Link]:
        """Both directions of the path between two sites, or the links within one.

        Parameters: `site` at one end; `other` at the other end.
        """
        links = [*self._between(site, other), *self._between(other, site)]
        return list({id(link): link for link in links}.values())

    def host_links(self, host: Attachment) -> list[Link]:
        """The links between a host and its sites, both directions; made if there are none yet.

        Parameters: `host` at one end.
        """
        if host.address not in self._access:
            self._add_access(host, LinkSettings())
        links = [link for address in host.addresses for link in self._access[address]]
        for one in self._hosts():
            one.reroute()
        return links

    def _hosts(self) -> list[Attachment]:
        return list(dict.fromkeys(self._attached.values()))

    def changed(self) -> None:
        """Looks at all routes again, and has all associations watch their peers."""
        for route in self._routes.values():
            route.refresh()
        for host in self._hosts():
            host.watch_peers()

    def cut(self, links: list[Link], up: bool = False) -> None:
        """Cuts links, or mends them.

        Parameters: `links` to cut or mend; `up` whether to mend them.
        """
        for link in links:
            link.up = up
        if not up:
            self.cut_at = self.clock.now
            for route in self._routes.values():
                if any(link in links for link in route.links):
                    route.cut_at = self.clock.now
        self.changed()

    def tap(self, links: list[Link], tap: Tap) -> None:
        """Has a tap see all that the links carry.

        Parameters: `links` that it stands on; `tap` that sees what they carry.
        """
        if self.instant:
            raise ValueError("instant associations pass no taps")
        tap.network = self
        for link in links:
            link.taps.append(tap)
        self.changed()

    # Packets --------------------------------------------------------------------------------------

    def transmit(self, frame: Frame, route: Route) -> None:
        """Sends a packet on its way.

        Parameters: `frame` to send; `route` that it takes.
        """
        host = self._attached.get(frame.source[0])
        if host is not None and not host.up:
            return
        if self.capture is not None:
            self._write(frame, route)
        self._depart(frame, route, self._attached.get(frame.destination[0]))

    def _depart(self, frame: Frame, route: Route, host: Attachment | None) -> None:
        delay = route.plain_delay
        if delay is None:
            self._hop(frame, route.links, 0, host)
        elif host is not None:
            route.frames += 1
            now = self.clock.now
            self.clock.call_method_at(now + delay, "_land", self, frame, route, host, now)

    def _land(self, frame: Frame, route: Route, host: Attachment, sent_at: float) -> None:
        if route.cut_at < sent_at:
            host.arrive(frame)
        else:
            route.frames_cut += 1

    def _hop(
        self, frame: Frame, links: tuple[Link, ...], number: int, host: Attachment | None
    ) -> None:
        if number < len(links):
            links[number].carry(frame, lambda frame: self._hop(frame, links, number + 1, host))
        elif host is not None:
            host.arrive(frame)

    def reach(self, frame: Frame) -> None:
        """Hands a packet to the host that it is for, if there is one."""
        host = self._attached.get(frame.destination[0])
        if host is not None:
            host.arrive(frame)

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
                frame = Frame(source, destination, data=data)
                route = self.route(host.address, member.address)
                if self.capture is not None:
                    self._write(frame, route)
                self._depart(frame, route, member)

    def datagram_protocol(self, port: int) -> int:
        """The payload protocol identifier under which datagrams to a port are counted.

        Parameters: `port` of the destination.
        """
        return PPID_ASAP if port == ASAP_PORT else PPID_ENRP

    def _write(self, frame: Frame, route: Route) -> None:
        assert self.capture is not None
        now, delay = self.clock.now, route.plain_delay
        self.capture.frame(now, frame, None if delay is None else now + delay)

    @property
    def packets(self) -> int:
        """Packets that have been sent on links; each link that a packet takes counts."""
        events = sum(route.frames * len(route.links) for route in self._routes.values())
        return events + sum(link.counters.frames for link in self.links.values())

    def packets_by_link(self) -> dict[str, int]:
        """Packets that have been sent on each link, by its name."""
        packets = {link.name: link.counters.frames for link in self.links.values()}
        for route in self._routes.values():
            for link in route.links:
                packets[link.name] += route.frames
        return packets

    @property
    def packets_lost(self) -> int:
        """Packets that a link has lost, for whatever reason."""
        counters = [link.counters for link in self.links.values()]
        events = sum(route.frames_cut for route in self._routes.values())
        return events + sum(c.frames_lost + c.frames_overflowed + c.frames_cut for c in counters)
