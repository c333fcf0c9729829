"""Building the pool users of a scenario."""

from __future__ import annotations

from collections.abc import Callable

from rsim.endpoints import (
    Channel,
    Messenger,
    PoolUserEndpoint,
    PoolUserSettings,
    TransportAddress,
)
from rsim.endpoints.messenger import DestinationAssociation as ChannelUser
from rsim.network import Host
from rsim.scenario.discovery import Discovery
from rsim.scenario.groups import UserGroup
from rsim.scenario.world import World
from rsim.wire import PoolElement
from rsim.workload import CalcAppClient, UserSurroundings, begin, workloads
from rsim.workload.arrivals import from_file
from rsim.workload.cheating import UserCheat
from rsim.workload.intervals import at_intervals


class UserBuilder:
    """Adds groups of pool users to a world.

    Parameters: `world` to which they are added; `discovery` of servers; `settings` of all pool
    users; `on_chosen` is called with each pool element to which a user is about to turn, None:
    nothing is.
    """

    def __init__(
        self,
        world: World,
        discovery: Discovery,
        *,
        settings: PoolUserSettings,
        on_chosen: Callable[[PoolElement], None] | None,
    ) -> None:
        self._world = world
        self._discovery = discovery
        self._settings = settings
        self._on_chosen = on_chosen
        self.workloads: list[UserSurroundings] = []
        """The users added so far that have a workload of the user's own."""

    def add(self, name: str, group: UserGroup) -> list[CalcAppClient]:
        """Adds the group `name`. Gives its applications; none if its workload is the user's own.

        Parameters: `group` its settings.
        """
        found = [self._add(name, number, group) for number in range(group.count)]
        return [application for application in found if application is not None]

    def _add(self, name: str, number: int, group: UserGroup) -> CalcAppClient | None:
        world = self._world
        host = world.add_host("pool_users", name, number, group)
        endpoint = self._endpoint(host, group)
        if group.workload != "calcapp":
            self._add_workload(host, group, endpoint)
            return None
        intervals = world.streams.stream(host.actor, "intervals")
        application = CalcAppClient(
            world.clock,
            host,
            world.handle(group.pool),
            settings=group,
            endpoint=endpoint,
            sizes=world.streams.stream(host.actor, "sizes"),
            arrivals=at_intervals(group.request_interval.sampler, intervals)
            if group.arrivals is None
            else from_file(group.arrivals, number, group.count, intervals),
            pauses=world.streams.stream(host.actor, "pauses"),
            record=world.requests,
            profile=world.security.profile(world.security.pu_pe),
            cheat=self._cheat(host, number, group),
        )
        world.clock.call_at(group.start, application.start)
        world.recorder.add("pool_users", application.counters)
        return application

    def _endpoint(self, host: Host, group: UserGroup) -> PoolUserEndpoint:
        world, discovery = self._world, self._discovery
        endpoint = PoolUserEndpoint(
            self._settings,
            world.clock,
            servers=discovery.server_list(host, self._settings),
            connect=discovery.connector(
                host, world.security.pu_enrp, group, tcp=group.asap_over == "tcp"
            ),
            draws=world.streams.draws(host.actor, "selection"),
            dialect=world.dialect,
        )
        endpoint.choice = world.accountability.choice(host.address)
        endpoint.ledger = world.accountability.ledger()
        endpoint.on_chosen = self._on_chosen
        listen = discovery.listen(host, endpoint.servers)
        if listen is not None:
            world.on_strike(host, _nothing, listen)
        endpoint.counters = world.recorder.share("pool_users", endpoint.counters)
        return endpoint

    def _cheat(self, host: Host, number: int, group: UserGroup) -> UserCheat | None:
        settings = group.cheat
        if settings.kind == "none" or number >= round(settings.share * group.count):
            return None
        network = self._world.network

        def distance(address: str) -> float:
            site = network.site_of(address)
            return network.delay(host.site, site) if site is not None else float("inf")

        return UserCheat(settings, distance)

    def _add_workload(self, host: Host, group: UserGroup, endpoint: PoolUserEndpoint) -> None:
        """Has a pool user do what a workload of the user's own says."""
        world = self._world
        profile = world.security.profile(world.security.pu_pe)

        def connect(user: ChannelUser, target: PoolElement | TransportAddress) -> Channel:
            addresses: tuple[str, ...]
            if isinstance(target, TransportAddress):
                addresses, port = (target.address,), target.port
            else:
                addresses, port = target.user_transport.hosts, target.user_transport.port
            return host.connect(addresses[0], port, user, further=addresses[1:], profile=profile)

        surroundings = UserSurroundings(
            host.name,
            host,
            clock=world.clock,
            streams=world.streams,
            pool=world.handle(group.pool),
            endpoint=endpoint,
            messenger=Messenger(endpoint, connect),
            record=world.requests,
        )
        self.workloads.append(surroundings)
        world.recorder.add("pool_users", surroundings.counters)
        wanted = workloads()[group.workload]

        def start() -> None:
            begin(world.clock, wanted(surroundings, group.workload_settings))

        world.clock.call_at(group.start, start)


def _nothing() -> None:
    pass
