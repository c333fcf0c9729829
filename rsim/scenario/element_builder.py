"""Building the pool elements of a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from rsim.endpoints import (
    PoolElementEndpoint,
    PoolElementSettings,
    PoolUserEndpoint,
    PoolUserSettings,
    ServerList,
)
from rsim.endpoints.choice import ChoiceJudge
from rsim.network import Association, Host, Receiver
from rsim.scenario.discovery import Discovery
from rsim.scenario.groups import ElementGroup
from rsim.scenario.world import World
from rsim.workload import (
    CalcAppServer,
    ElementSurroundings,
    Lifecycle,
    Membership,
    begin,
    services,
)
from rsim.workload.cheating import Liar


class ElementBuilder:
    """Adds groups of pool elements to a world.

    Parameters: `world` to which they are added; `discovery` of servers; `settings` of all pool
    elements; `user_settings` of the pool user's side that elements with business cards have;
    `policies` of pools by name.
    """

    def __init__(
        self,
        world: World,
        discovery: Discovery,
        *,
        settings: PoolElementSettings,
        user_settings: PoolUserSettings,
        policies: Mapping[str, str],
    ) -> None:
        self._world = world
        self._discovery = discovery
        self._settings = settings
        self._user_settings = user_settings
        self._policies = policies
        self.services: list[ElementSurroundings] = []
        """The elements added so far that offer a service of the user's own."""

    def add(self, name: str, group: ElementGroup) -> list[CalcAppServer]:
        """Adds the group `name`. Gives its applications; none if it offers a service of the user's.

        Parameters: `group` its settings.
        """
        capacities = group.heterogeneity.capacities(
            group.capacity,
            group.count,
            self._world.streams.generator("pool_elements", "capacities", name),
        )
        found = [
            self._add(name, number, group.model_copy(update={"capacity": capacity}))
            for number, capacity in enumerate(capacities)
        ]
        return [application for application in found if application is not None]

    def _add(self, name: str, number: int, group: ElementGroup) -> CalcAppServer | None:
        world = self._world
        pools = (group.pool, *group.further_pools)
        host = world.add_host("pool_elements", name, number, group, pools=frozenset(pools))
        servers = self._discovery.server_list(host, self._settings)
        memberships = []
        listeners: list[Callable[[], None]] = []
        for pool in pools:
            membership, listener = self._join(host, group, pool, servers)
            memberships.append(membership)
            listeners.append(listener)
        for listener in listeners:
            listener()
        listen = self._discovery.listen(host, servers)
        if listen is not None:
            listeners.append(listen)
        if group.service != "calcapp":
            self._add_service(host, group, memberships[0])
            return None
        application = self._application(host, number, group, memberships)
        lifecycle = Lifecycle(
            world.clock,
            application,
            group.failures,
            stream=world.streams.stream(host.actor, "failures"),
            switch_host=partial(world.strike, host),
        )

        def recover() -> None:
            for listener in listeners:
                listener()
            lifecycle.recover()

        world.on_strike(host, lifecycle.crash, recover)
        world.clock.call_at(group.start, lifecycle.start)
        world.recorder.add("pool_elements", application.counters, application.settle)
        lifecycle.counters = world.recorder.share("pool_elements", lifecycle.counters)
        return application

    def _join(
        self, host: Host, group: ElementGroup, pool: str, servers: ServerList
    ) -> tuple[Membership, Callable[[], None]]:
        """An element's place in a pool, and what has its host listen for it."""
        world, security = self._world, self._world.security
        port = host.new_port()
        endpoint = PoolElementEndpoint(
            world.handle(pool),
            life=group.registration_life,
            settings=self._settings,
            clock=world.clock,
            servers=servers,
            connect=self._discovery.connector(host, security.pe_enrp, group, local_port=port),
            dialect=world.dialect,
            user=self._as_user(host) if group.business_cards else None,
            local_port=port,
        )
        endpoint.counters = world.recorder.share("pool_elements", endpoint.counters)
        offers = () if group.credential == "none" else security.profiles(security.pe_enrp)
        listener = partial(host.listen, port, partial(_receiver, endpoint), offers)
        return Membership(endpoint, self._policies[pool]), listener

    def _application(
        self, host: Host, number: int, group: ElementGroup, memberships: list[Membership]
    ) -> CalcAppServer:
        world, security = self._world, self._world.security
        streams = world.streams
        judges = [self._judge(membership.endpoint) for membership in memberships]
        return CalcAppServer(
            world.clock,
            host,
            group,
            identifiers=streams.stream(host.actor, "identifiers"),
            memberships=tuple(memberships),
            offers=() if group.credential == "none" else security.profiles(security.pu_pe),
            optional=security.pu_pe_optional,
            key=f"cookies of {group.pool}".encode() if security.sign_cookies else None,
            liar=self._liar(number, group),
            signer=world.accountability.signer(host.name),
            judges=tuple(judge for judge in judges if judge is not None),
            rejections=streams.stream(host.actor, "whims") if group.reject_probability else None,
        )

    def _liar(self, number: int, group: ElementGroup) -> Liar | None:
        clock = self._world.clock
        lies = group.lie.kind != "none" and number < round(group.lie.share * group.count)
        return Liar(group.lie, lambda: clock.now) if lies else None

    def _judge(self, endpoint: PoolElementEndpoint) -> ChoiceJudge | None:
        return self._world.accountability.judge(endpoint.pool_handle, lambda: endpoint.identifier)

    def _add_service(self, host: Host, group: ElementGroup, membership: Membership) -> None:
        """Has an element offer a service of the user's own."""
        world = self._world
        surroundings = ElementSurroundings(
            host.name,
            host,
            clock=world.clock,
            streams=world.streams,
            policy=membership.policy,
            capacity=group.capacity,
            endpoint=membership.endpoint,
        )
        self.services.append(surroundings)
        world.recorder.add("pool_elements", surroundings.counters)
        offered = services()[group.service]

        def start() -> None:
            begin(world.clock, offered(surroundings, group.service_settings))

        world.on_strike(host, membership.endpoint.vanish, start)
        world.clock.call_at(group.start, start)

    def _as_user(self, host: Host) -> PoolUserEndpoint:
        """The pool user's side of a pool element: it asks its home server, and no other."""
        world = self._world
        return PoolUserEndpoint(
            self._user_settings,
            world.clock,
            servers=ServerList(world.clock, self._user_settings),
            connect=lambda endpoint, address: host.connect(address[0][0], address[1], endpoint),
            draws=world.streams.draws(host.actor, "selection"),
            dialect=world.dialect,
        )


def _receiver(receiver: Receiver, association: Association) -> Receiver:
    return receiver
