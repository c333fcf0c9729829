"""Building the pool users of a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rsim.endpoints import Channel, Messenger, PoolUserEndpoint, TransportAddress
from rsim.endpoints.messenger import Link
from rsim.network import Host
from rsim.scenario.model import UserGroup
from rsim.wire import PoolElement
from rsim.workload import CalcAppClient, UserSurroundings, begin, workloads
from rsim.workload.arrivals import from_file
from rsim.workload.cheating import UserCheat
from rsim.workload.intervals import at_intervals

if TYPE_CHECKING:
    from rsim.scenario.deployment import Deployment


def add_users(deployment: Deployment, name: str, group: UserGroup) -> None:
    """Adds a group of pool users to a deployment."""
    for number in range(group.count):
        _add_user(deployment, name, number, group)


def _nothing() -> None:
    pass


def _add_user(deployment: Deployment, name: str, number: int, group: UserGroup) -> None:
    host = deployment.add_host(name, number, group, "pool_users")
    clock, streams = deployment.clock, deployment.streams
    settings = deployment.scenario.protocol.pool_user
    endpoint = PoolUserEndpoint(
        settings,
        clock,
        deployment.server_list(host, settings),
        deployment.connector(
            host, deployment.security.pu_enrp, group, tcp=group.asap_over == "tcp"
        ),
        streams.draws(host.actor, "selection"),
        deployment.dialect,
    )
    endpoint.choice = deployment.accountability.choice(host.address)
    endpoint.ledger = deployment.accountability.ledger()
    if deployment.audited:
        endpoint.on_chosen = deployment.auditor.chosen
    listen = deployment.listen_for_servers(host, endpoint.servers)
    if listen is not None:
        deployment.on_strike(host, _nothing, listen)
    endpoint.counters = deployment.recorder.common("pool_users", endpoint.counters)
    if group.workload != "calcapp":
        _add_workload(deployment, host, group, endpoint)
        return
    intervals = streams.stream(host.actor, "intervals")
    application = CalcAppClient(
        clock,
        host,
        deployment.handle(group.pool),
        group,
        endpoint,
        streams.stream(host.actor, "sizes"),
        at_intervals(group.request_interval.sampler, intervals)
        if group.arrivals is None
        else from_file(group.arrivals, number, group.count, intervals),
        streams.stream(host.actor, "pauses"),
        deployment.requests,
        deployment.security.profile(deployment.security.pu_pe),
        _cheat(deployment, host, number, group),
    )
    clock.call_at(group.start, application.start)
    deployment.recorder.add("pool_users", application.counters)
    deployment.users.append(application)


def _cheat(deployment: Deployment, host: Host, number: int, group: UserGroup) -> UserCheat | None:
    settings = group.cheat
    if settings.kind == "none" or number >= round(settings.share * group.count):
        return None
    network = deployment.network

    def distance(address: str) -> float:
        site = network.site_of(address)
        return network.delay(host.site, site) if site is not None else float("inf")

    return UserCheat(settings, distance)


def _add_workload(
    deployment: Deployment, host: Host, group: UserGroup, endpoint: PoolUserEndpoint
) -> None:
    """A workload of the user's own."""
    profile = deployment.security.profile(deployment.security.pu_pe)

    def connect(link: Link, target: PoolElement | TransportAddress) -> Channel:
        addresses: tuple[str, ...]
        if isinstance(target, TransportAddress):
            addresses, port = (target.address,), target.port
        else:
            addresses, port = target.user_transport.hosts, target.user_transport.port
        return host.connect(
            addresses[0],
            port,
            link,
            further=addresses[1:],
            profile=profile,
        )

    surroundings = UserSurroundings(
        host.name,
        host,
        deployment.clock,
        deployment.streams,
        deployment.handle(group.pool),
        endpoint,
        Messenger(endpoint, connect),
        deployment.requests,
    )
    deployment.recorder.add("pool_users", surroundings.counters)
    wanted = workloads()[group.workload]

    def start() -> None:
        begin(deployment.clock, wanted(surroundings, group.workload_settings))

    deployment.clock.call_at(group.start, start)
