"""How hosts find ENRP servers, and reach them."""

from __future__ import annotations

from collections.abc import Callable

from rsim.endpoints import HuntSettings, ServerList
from rsim.endpoints.ports import Address
from rsim.network import Host, HostSettings
from rsim.scenario.connector import Connector
from rsim.scenario.world import World
from rsim.wire import ASAP_PORT


class Discovery:
    """Tells hosts of ENRP servers, and has them listen where servers announce themselves.

    Parameters: `world` of the hosts; `servers` addresses of those that are configured, none where
    hosts learn of them by `multicast`.
    """

    def __init__(self, world: World, servers: tuple[Address, ...], *, multicast: bool) -> None:
        self.lists: list[ServerList] = []
        """The list of each host that looks for servers."""
        self._world = world
        self._servers = () if multicast else servers
        self._multicast = multicast

    def server_list(self, host: Host, settings: HuntSettings) -> ServerList:
        """Makes the list of servers of `host`, in an order of its own.

        Parameters: `settings` of its endpoint: how it hunts for a server.
        """
        addresses = self._servers
        if len(addresses) > 1:
            order = self._world.streams.generator(host.actor, "servers").permutation(len(addresses))
            addresses = tuple(addresses[index] for index in order.tolist())
        servers = ServerList(self._world.clock, settings, addresses)
        self.lists.append(servers)
        return servers

    def listen(self, host: Host, servers: ServerList) -> Callable[[], None] | None:
        """Has `host` hear announcements for its list of `servers`.

        Gives what makes it listen again after an outage; None where servers don't announce
        themselves.
        """
        if not self._multicast:
            return None

        def listen() -> None:
            host.listen_datagrams(
                ASAP_PORT,
                lambda source, data: servers.datagram(source[0], data),
                self._world.group,
            )

        listen()
        return listen

    def connector(
        self,
        host: Host,
        choice: str,
        settings: HostSettings,
        *,
        local_port: int | None = None,
        tcp: bool = False,
    ) -> Connector:
        """Makes what connects `host` to servers; without a credential it speaks in clear.

        Parameters: `choice` name of the TLS profile, or "none"; `settings` of the host's group;
        `local_port` None: a new one each time; `tcp` instead of SCTP.
        """
        security = self._world.security
        return Connector(
            host,
            None if settings.credential == "none" else security.profile(choice),
            local_port=local_port,
            tcp=tcp,
            downgrade=security.downgrade,
        )
