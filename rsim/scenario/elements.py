"""Building the pool elements of a scenario."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from rsim.endpoints import PoolElementEndpoint, PoolUserEndpoint, ServerList
from rsim.endpoints.choice import ChoiceJudge
from rsim.network import Association, Host, Receiver
from rsim.scenario.model import ElementGroup
from rsim.workload import (
    CalcAppServer,
    ElementSurroundings,
    Lifecycle,
    Membership,
    begin,
    services,
)
from rsim.workload.cheating import Liar

if TYPE_CHECKING:
    from rsim.scenario.deployment import Deployment


def add_elements(deployment: Deployment, name: str, group: ElementGroup) -> None:
    """Adds a group of pool elements to a deployment, and to what fails and returns in it."""
    capacities = group.heterogeneity.capacities(
        group.capacity,
        group.count,
        deployment.streams.generator("pool_elements", "capacities", name),
    )
    for number, capacity in enumerate(capacities):
        _add_element(deployment, name, number, group.model_copy(update={"capacity": capacity}))


def _receiver(receiver: Receiver, association: Association) -> Receiver:
    return receiver


def _add_element(deployment: Deployment, name: str, number: int, group: ElementGroup) -> None:
    scenario, security, clock = deployment.scenario, deployment.security, deployment.clock
    pools = (group.pool, *group.further_pools)
    host = deployment.add_host(name, number, group, "pool_elements", frozenset(pools))
    settings = scenario.protocol.pool_element
    servers = deployment.server_list(host, settings)
    offers = () if group.credential == "none" else deployment.profiles(security.pe_enrp)
    listeners: list[Callable[[], None]] = []
    memberships = []
    for pool in pools:
        port = host.new_port()
        endpoint = PoolElementEndpoint(
            deployment.handle(pool),
            group.registration_life,
            settings,
            clock,
            servers,
            deployment.connector(host, security.pe_enrp, group, port),
            deployment.dialect,
            _as_user(deployment, host) if group.business_cards else None,
            port,
        )
        listeners.append(partial(host.listen, port, partial(_receiver, endpoint), offers))
        memberships.append(Membership(endpoint, scenario.pools[pool].policy))
        endpoint.counters = deployment.recorder.common("pool_elements", endpoint.counters)
    for listener in listeners:
        listener()
    listen = deployment.listen_for_servers(host, servers)
    if listen is not None:
        listeners.append(listen)
    if group.service != "calcapp":
        _add_service(deployment, host, group, memberships[0])
        return
    judges = [_judge(deployment, membership.endpoint) for membership in memberships]
    application = CalcAppServer(
        clock,
        host,
        group,
        deployment.streams.stream(host.actor, "identifiers"),
        tuple(memberships),
        () if group.credential == "none" else deployment.profiles(security.pu_pe),
        security.pu_pe_optional,
        f"cookies of {group.pool}".encode() if security.sign_cookies else None,
        _liar(deployment, number, group),
        deployment.accountability.signer(host.name),
        tuple(judge for judge in judges if judge is not None),
        deployment.streams.stream(host.actor, "whims") if group.reject_probability else None,
    )
    failures = deployment.streams.stream(host.actor, "failures")
    lifecycle = Lifecycle(
        clock, application, group.failures, failures, partial(deployment.strike, host)
    )

    def recover() -> None:
        for listener in listeners:
            listener()
        lifecycle.recover()

    deployment.on_strike(host, lifecycle.crash, recover)
    clock.call_at(group.start, lifecycle.start)
    deployment.recorder.add("pool_elements", application.counters, application.settle)
    lifecycle.counters = deployment.recorder.common("pool_elements", lifecycle.counters)
    deployment.elements.append(application)


def _liar(deployment: Deployment, number: int, group: ElementGroup) -> Liar | None:
    lies = group.lie.kind != "none" and number < round(group.lie.share * group.count)
    return Liar(group.lie, lambda: deployment.clock.now) if lies else None


def _judge(deployment: Deployment, endpoint: PoolElementEndpoint) -> ChoiceJudge | None:
    return deployment.accountability.judge(endpoint.pool_handle, lambda: endpoint.identifier)


def _add_service(
    deployment: Deployment, host: Host, group: ElementGroup, membership: Membership
) -> None:
    """A service of the user's own."""
    surroundings = ElementSurroundings(
        host.name,
        host,
        deployment.clock,
        deployment.streams,
        membership.policy,
        group.capacity,
        membership.endpoint,
    )
    deployment.recorder.add("pool_elements", surroundings.counters)
    offered = services()[group.service]

    def start() -> None:
        begin(deployment.clock, offered(surroundings, group.service_settings))

    deployment.on_strike(host, membership.endpoint.vanish, start)
    deployment.clock.call_at(group.start, start)


def _as_user(deployment: Deployment, host: Host) -> PoolUserEndpoint:
    """The pool user's side of a pool element: it asks its home server, and no other."""
    settings = deployment.scenario.protocol.pool_user
    return PoolUserEndpoint(
        settings,
        deployment.clock,
        ServerList(deployment.clock, settings),
        lambda endpoint, address: host.connect(address[0][0], address[1], endpoint),
        deployment.streams.draws(host.actor, "selection"),
        deployment.dialect,
    )
