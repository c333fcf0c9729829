"""Building the attackers of a scenario."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from rsim.attackers import AttackerSettings, PositionSettings, Surroundings, attacker_kinds
from rsim.endpoints import EnrpServer, authorisations
from rsim.endpoints.ports import Address
from rsim.network import Association, Host, Link, Receiver
from rsim.scenario.server_host import ServerHost
from rsim.wire import ENRP_PORT

if TYPE_CHECKING:
    from rsim.scenario.deployment import Deployment


def add_attackers(deployment: Deployment, name: str) -> None:
    """Adds a group of attackers to a deployment."""
    group = deployment.scenario.attackers[name]
    key = frozenset({group.key_for or group.pool})
    insider = group.credential == "valid"
    for number in range(group.count):
        host = deployment.add_host(name, number, group, "attackers", key)
        connect = deployment.connector(host, deployment.security.pe_enrp, group)
        surroundings = Surroundings(
            host.name,
            host,
            deployment.clock,
            deployment.streams,
            deployment.handle(group.pool),
            deployment.scenario.pools[group.pool].policy,
            deployment.dialect,
            partial(_connect, deployment, connect),
            tuple(ports.asap_address for ports, _ in deployment.servers),
            tuple(
                ports.enrp_address if insider else (ports.host.addresses, ENRP_PORT)
                for ports, _ in deployment.servers
            ),
            partial(_elements, deployment),
            partial(_tapped, deployment),
            partial(_make_server, deployment, host, group),
            deployment.group,
            deployment.profiles(deployment.security.pe_enrp, deployment.security.pu_enrp)
            if insider
            else (),
        )
        attacker = attacker_kinds()[group.kind](group, surroundings)
        deployment.clock.call_at(group.start, attacker.start)
        if group.stop is not None:
            deployment.clock.call_at(group.stop, attacker.stop)
        deployment.recorder.add("attackers", attacker.counters)
        deployment.attackers.append(attacker)


def _connect(
    deployment: Deployment,
    connect: Callable[[Receiver, Address], Association],
    receiver: Receiver,
    number: int,
) -> Association:
    servers = deployment.servers
    return connect(receiver, servers[number % len(servers)][0].asap_address)


def _elements(deployment: Deployment) -> list[Address]:
    """ASAP addresses of the pool elements that run."""
    return [
        (element.host.addresses, membership.endpoint.local_port)
        for element in deployment.elements
        if element.running
        for membership in element.memberships
    ]


def _tapped(deployment: Deployment, position: PositionSettings) -> list[Link]:
    network = deployment.network
    links: list[Link] = []
    if position.between is not None:
        links += network.path_links(*position.between)
    if position.at is not None:
        hosts = deployment.hosts.get(position.at, [])
        for host in hosts[: round(position.share * len(hosts))]:
            links += network.host_links(host)
    return links


def _make_server(
    deployment: Deployment,
    host: Host,
    group: AttackerSettings,
    cls: type[EnrpServer],
    mentors: tuple[Address, ...],
    identifier: int,
) -> EnrpServer:
    security, streams = deployment.security, deployment.streams
    insider = group.credential == "valid"
    ports = ServerHost(
        host,
        (),
        None,
        security.profile(security.enrp_enrp) if insider else None,
        streams.stream(host.actor, "restarts"),
        deployment.group,
    )
    server = cls(
        identifier,
        deployment.scenario.protocol.enrp_server,
        deployment.clock,
        ports,
        streams.draws(host.actor, "selection"),
        streams.stream(host.actor, "keep-alives"),
        deployment.dialect,
        authorisations()["open"](),
        mentors,
    )
    ports.start(server)
    return server
