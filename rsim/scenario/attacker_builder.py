"""Building the attackers of a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from rsim.attackers import (
    Attacker,
    AttackerSettings,
    PositionSettings,
    Surroundings,
    attacker_kinds,
)
from rsim.endpoints import EnrpServer, ServerSettings, authorisations
from rsim.endpoints.ports import Address
from rsim.network import Association, Direction, Host, Link, Receiver
from rsim.scenario.discovery import Discovery
from rsim.scenario.server_host import ServerHost
from rsim.scenario.world import World
from rsim.wire import ENRP_PORT
from rsim.workload import CalcAppServer


class AttackerBuilder:
    """Adds groups of attackers to a world.

    Parameters: `world` to which they are added; `discovery` of servers; `servers` the hosts of all;
    `elements` the applications of all pool elements; `settings` of the servers that attackers run;
    `policies` of pools by name.
    """

    def __init__(
        self,
        world: World,
        discovery: Discovery,
        *,
        servers: Sequence[ServerHost],
        elements: Sequence[CalcAppServer],
        settings: ServerSettings,
        policies: Mapping[str, str],
    ) -> None:
        self._world = world
        self._discovery = discovery
        self._servers = servers
        self._elements = elements
        self._settings = settings
        self._policies = policies

    def add(self, name: str, group: AttackerSettings) -> list[Attacker]:  # type: ignore[type-arg]
        """Adds the group `name`, and gives its attackers.

        Parameters: `group` its settings.
        """
        return [self._add(name, number, group) for number in range(group.count)]

    def _add(self, name: str, number: int, group: AttackerSettings) -> Attacker:  # type: ignore[type-arg]
        world = self._world
        key = frozenset({group.key_for or group.pool})
        host = world.add_host("attackers", name, number, group, pools=key)
        attacker = attacker_kinds()[group.kind](group, self._surroundings(host, group))
        world.clock.call_at(group.start, attacker.start)
        if group.stop is not None:
            world.clock.call_at(group.stop, attacker.stop)
        world.recorder.add("attackers", attacker.counters)
        return attacker

    def _surroundings(self, host: Host, group: AttackerSettings) -> Surroundings:
        world, security = self._world, self._world.security
        insider = group.credential == "valid"
        offers = security.profiles(security.pe_enrp, security.pu_enrp) if insider else ()
        connect = self._discovery.connector(host, security.pe_enrp, group)
        return Surroundings(
            name=host.name,
            host=host,
            clock=world.clock,
            streams=world.streams,
            pool_handle=world.handle(group.pool),
            policy=self._policies[group.pool],
            dialect=world.dialect,
            connect=partial(self._connect, connect),
            asap_servers=tuple(server.asap_address for server in self._servers),
            enrp_servers=tuple(
                server.enrp_address if insider else (server.host.addresses, ENRP_PORT)
                for server in self._servers
            ),
            elements=self._element_addresses,
            tapped=self._tapped,
            make_server=partial(self._make_server, host, insider),
            group=world.group,
            offers=offers,
        )

    def _connect(
        self,
        connect: Callable[[Receiver, Address], Association],
        receiver: Receiver,
        number: int,
    ) -> Association:
        return connect(receiver, self._servers[number % len(self._servers)].asap_address)

    def _element_addresses(self) -> list[Address]:
        """ASAP addresses of the pool elements that run."""
        return [
            (element.host.addresses, membership.endpoint.local_port)
            for element in self._elements
            if element.running
            for membership in element.memberships
        ]

    def _tapped(self, position: PositionSettings, direction: Direction = "both") -> list[Link]:
        links: list[Link] = []
        if position.between is not None:
            links += self._world.network.path_links(*position.between, direction)
        if position.at is not None:
            links += self._world.links_of(position.at, position.share, direction)
        return links

    def _make_server(
        self,
        host: Host,
        insider: bool,
        cls: type[EnrpServer],
        mentors: tuple[Address, ...],
        identifier: int,
    ) -> EnrpServer:
        world, security = self._world, self._world.security
        server_host = ServerHost(
            host,
            element_offers=(),
            element_profile=None,
            peer_profile=security.profile(security.enrp_enrp) if insider else None,
            identifiers=world.streams.stream(host.actor, "restarts"),
            group=world.group,
        )
        server = cls(
            identifier,
            self._settings,
            clock=world.clock,
            host=server_host,
            draws=world.streams.draws(host.actor, "selection"),
            random=world.streams.stream(host.actor, "keep-alives"),
            dialect=world.dialect,
            authorisation=authorisations()["open"](),
            mentors=mentors,
        )
        server_host.start(server)
        return server
