"""Building the ENRP servers of a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from rsim.endpoints import EnrpServer, ServerSettings, authorisations
from rsim.endpoints.ports import Address
from rsim.network import Outage
from rsim.scenario.groups import ServerGroup
from rsim.scenario.server_host import ServerHost
from rsim.scenario.world import World


class PlacedServer(NamedTuple):
    """An ENRP server and its host.

    Parameters: `host` with its ports; `server` that runs on it.
    """

    host: ServerHost
    server: EnrpServer


def add_servers(
    world: World, groups: Mapping[str, ServerGroup], settings: ServerSettings
) -> list[PlacedServer]:
    """Adds all ENRP servers to a world. Hosts come first, so that each server can know the others.

    Parameters: `world` to which they are added; `groups` by name; `settings` of all servers.
    """
    placed = [
        (group, _add_host(world, name, number, group))
        for name, group in groups.items()
        for number in range(group.count)
    ]
    hosts = [host for _, host in placed]
    return [
        PlacedServer(
            host,
            _add_server(
                world, group, host, settings, others=[one for one in hosts if one is not host]
            ),
        )
        for group, host in placed
    ]


def _add_host(world: World, name: str, number: int, group: ServerGroup) -> ServerHost:
    security = world.security
    host = world.add_host("enrp_servers", name, number, group)
    secured = group.credential != "none"
    return ServerHost(
        host,
        element_offers=security.profiles(security.pe_enrp, security.pu_enrp),
        element_profile=security.profile(security.pe_enrp),
        peer_profile=security.profile(security.enrp_enrp) if secured else None,
        identifiers=world.streams.stream(host.actor, "identifiers"),
        group=world.group,
    )


def _add_server(
    world: World,
    group: ServerGroup,
    host: ServerHost,
    settings: ServerSettings,
    *,
    others: list[ServerHost],
) -> EnrpServer:
    actor = host.host.actor
    security, streams, accountability = world.security, world.streams, world.accountability
    mentors: tuple[Address, ...] = ()
    if group.mentors and others:
        order = streams.generator(actor, "mentors").permutation(len(others)).tolist()
        mentors = tuple(others[index].enrp_address for index in order)
    server = EnrpServer(
        streams.stream(actor, "identifier").identifier(),
        settings,
        clock=world.clock,
        host=host,
        draws=streams.draws(actor, "selection"),
        random=streams.stream(actor, "keep-alives"),
        dialect=world.dialect,
        authorisation=authorisations()[security.chosen_authorisation](),
        mentors=mentors,
        secured=security.enrp_enrp != "none",
        choices=accountability.authority(host.host.name),
        statements=accountability.store(),
        penalties=accountability.penalties(),
    )
    world.on_strike(host.host, server.vanish, partial(host.start, server))
    world.clock.call_at(group.start, host.start, server)
    if group.failures.active:
        Outage(
            world.clock,
            group.failures,
            streams.stream(actor, "failures"),
            switch=partial(world.strike, host.host)
            if group.failures.what == "host"
            else partial(_switch_process, host, server),
            begin=group.start,
        )
    world.recorder.add("enrp_servers", server.counters, server.settle)
    return server


def _switch_process(host: ServerHost, server: EnrpServer, up: bool) -> None:
    if up:
        host.start(server)
    else:
        host.stop(server)
