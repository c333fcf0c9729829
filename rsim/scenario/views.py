"""Views of what is in a simulation: read-only, and as it is at the moment of the reading.

Reading changes nothing: a run that is looked at has the digest of one that is not. A frame, a
dict or a tuple that a view has given stays as it is when the simulation goes on.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rsim.attackers import Attacker
from rsim.endpoints import EnrpServer, PoolElementEndpoint
from rsim.handlespace import policy_kinds
from rsim.network import Host, Network
from rsim.scenario.traffic import traffic_totals
from rsim.wire import PoolElement
from rsim.workload import CalcAppClient, CalcAppServer, ElementSurroundings, UserSurroundings

if TYPE_CHECKING:
    import pandas as pd

_ALL = 1 << 30
"""Entries and octets of a handle table that is not cut: more than memory holds."""


class HostView:
    """Something that runs on a host of its own.

    Parameters: `host` on which it runs.
    """

    __slots__ = ("_host",)

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def name(self) -> str:
        """Name of its host: its group and its number, from 1."""
        return self._host.name

    @property
    def site(self) -> str:
        """Site at which its host is."""
        return self._host.site

    @property
    def addresses(self) -> tuple[str, ...]:
        """IP addresses of its host, the primary one first."""
        return self._host.addresses

    @property
    def up(self) -> bool:
        """Whether its host is up."""
        return self._host.up

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class ServerView(HostView):
    """An ENRP server.

    Parameters: `host` on which it runs; `server` that is shown.
    """

    __slots__ = ("_server",)

    def __init__(self, host: Host, server: EnrpServer) -> None:
        super().__init__(host)
        self._server = server

    @property
    def identifier(self) -> int:
        """Its present server identifier."""
        return self._server.identifier

    @property
    def state(self) -> str:
        """`down`, `starting` or `serving`."""
        return self._server.state.name.lower()

    @property
    def handlespace(self) -> pd.DataFrame:
        """What it knows of all pools, one row for each pool element.

        Columns: `pool`, `identifier`, `home_server` (identifier), `registration_life` in s (-1: for
        ever), `policy` and a column for each value of the policies there, `addresses` and `port` at
        which users reach the element.
        """
        import pandas as pd

        pools, _ = self._server.handlespace.table(limit=_ALL, octets=_ALL)
        rows = [
            _entry(pool.pool_handle, element) for pool in pools for element in pool.pool_elements
        ]
        values = dict.fromkeys(name for row in rows for name in row if name not in _COLUMNS)
        return pd.DataFrame(rows, columns=[*_COLUMNS, *values])

    @property
    def peers(self) -> pd.DataFrame:
        """The other servers that it knows, one row each.

        Columns: `identifier`, and `state`: `active`; `asked` whether it lives; or `suspended`.
        """
        import pandas as pd

        rows = [(peer.identifier, peer.state.name.lower()) for peer in self._server.peers]
        return pd.DataFrame(rows, columns=["identifier", "state"])

    @property
    def counters(self) -> dict[str, float]:
        """What it has done since it began, by name of the counter."""
        return asdict(self._server.counters)


_COLUMNS = (
    "pool",
    "identifier",
    "home_server",
    "registration_life",
    "policy",
    "addresses",
    "port",
)


def _entry(handle: bytes, element: PoolElement) -> dict[str, Any]:
    policy = element.policy
    kinds = (kind for kind in policy_kinds().values() if kind.type_code == policy.type)
    kind = next(kinds, None)
    values: dict[str, Any] = {}
    if kind is not None and policy.name is not None:
        values = {name: getattr(policy, name) for name in kind.values}
    elif kind is not None:
        words = (policy.data[i : i + 4] for i in range(0, len(policy.data), 4))
        values = {
            name: int.from_bytes(word) for name, word in zip(kind.values, words, strict=False)
        }
    return {
        "pool": handle.decode(errors="replace"),
        "identifier": element.identifier,
        "home_server": element.home_server,
        "registration_life": element.registration_life,
        "policy": kind.name if kind is not None else f"0x{policy.type:x}",
        "addresses": element.user_transport.hosts,
        "port": element.user_transport.port,
        **values,
    }


class PoolElementView(HostView):
    """A pool element, with CalcApp or a service of your own.

    Parameters: `application` of the element that is shown: CalcApp, or what its service finds.
    """

    __slots__ = ("_application",)

    def __init__(self, application: CalcAppServer | ElementSurroundings) -> None:
        super().__init__(application.host)
        self._application = application

    def _endpoints(self) -> list[PoolElementEndpoint]:
        application = self._application
        if isinstance(application, ElementSurroundings):
            return [application.endpoint]
        return [place.endpoint for place in application.memberships]

    @property
    def pool(self) -> str:
        """Its pool; the first of them if it has several."""
        return self._endpoints()[0].pool_handle.decode()

    @property
    def identifier(self) -> int:
        """Its present identifier in that pool; 0 before it has one."""
        return self._endpoints()[0].identifier

    @property
    def state(self) -> str:
        """Its state there: `down`, `registering`, `registered`, `deregistering` or `refused`."""
        return self._endpoints()[0].state.name.lower()

    @property
    def memberships(self) -> pd.DataFrame:
        """All its pools, one row each: `pool`, `identifier`, `state`."""
        import pandas as pd

        rows = [
            (one.pool_handle.decode(), one.identifier, one.state.name.lower())
            for one in self._endpoints()
        ]
        return pd.DataFrame(rows, columns=["pool", "identifier", "state"])

    @property
    def capacity(self) -> float:
        """Calculations/s that it can do."""
        application = self._application
        if isinstance(application, ElementSurroundings):
            return application.capacity
        return application.settings.capacity

    @property
    def lies(self) -> bool:
        """Whether it states other policy values than the true ones."""
        application = self._application
        return isinstance(application, CalcAppServer) and application.liar is not None

    @property
    def counters(self) -> dict[str, float]:
        """What its application has done since it began, by name of the counter.

        `work` (calculations) and `capacity_time` are of the last change of its load.
        """
        return asdict(self._application.counters)


class PoolUserView(HostView):
    """A pool user, with CalcApp or a workload of your own.

    Parameters: `application` of the user that is shown: CalcApp, or what its workload finds.
    """

    __slots__ = ("_application",)

    def __init__(self, application: CalcAppClient | UserSurroundings) -> None:
        super().__init__(application.host)
        self._application = application

    @property
    def state(self) -> str:
        """State of its request: `idle`, `resolving`, `requesting`, `processing` or `pausing`.

        `own` for a workload of your own.
        """
        application = self._application
        if isinstance(application, UserSurroundings):
            return "own"
        return application.state.name.lower()

    @property
    def queued(self) -> int:
        """Requests that wait for the one in service; 0 for a workload of your own."""
        application = self._application
        return 0 if isinstance(application, UserSurroundings) else application.queue_length

    @property
    def counters(self) -> dict[str, float]:
        """What its application has done since it began, by name of the counter."""
        return asdict(self._application.counters)


class AttackerView(HostView):
    """An attacker.

    Parameters: `attacker` that is shown.
    """

    __slots__ = ("_attacker",)

    def __init__(self, attacker: Attacker) -> None:  # type: ignore[type-arg]
        super().__init__(attacker.surroundings.host)
        self._attacker = attacker

    @property
    def kind(self) -> str:
        """Its kind, by which scenarios name it."""
        return self._attacker.kind

    @property
    def counters(self) -> dict[str, float]:
        """What it has done and got since it began, by name of the counter."""
        return asdict(self._attacker.counters)


_OF_QUEUES = ("packets_lost", "packets_overflowed", "packets_dropped_early", "waiting_time")
"""Counters of links that tell of their queues."""


class NetworkView:
    """The network: hosts, links and traffic.

    Parameters: `network` that is shown; `hosts` by what their group is called.
    """

    __slots__ = ("_hosts", "_network")

    def __init__(self, network: Network, hosts: dict[str, list[Host]]) -> None:
        self._network = network
        self._hosts = hosts

    @property
    def hosts(self) -> pd.DataFrame:
        """All hosts, one row each: `name`, `group`, `site`, `addresses`, `up`."""
        import pandas as pd

        rows = [
            (host.name, group, host.site, host.addresses, host.up)
            for group, hosts in self._hosts.items()
            for host in hosts
        ]
        return pd.DataFrame(rows, columns=["name", "group", "site", "addresses", "up"])

    @property
    def links(self) -> pd.DataFrame:
        """The links that packets have needed so far, one row for each direction.

        Columns: `name`, `up`, and `packets` that have been sent on it; of those `packets_lost` at
        random, `packets_overflowed` that found the queue full, and `packets_dropped_early` by RED
        or CoDel; `waiting_time` in s that packets have waited in the queue, added up.
        """
        import pandas as pd

        packets = self._network.packets_by_link()
        rows = [
            (
                *(link.name, link.up, packets[link.name]),
                *(getattr(link.counters, name) for name in _OF_QUEUES),
            )
            for link in self._network.links.values()
        ]
        return pd.DataFrame(rows, columns=["name", "up", "packets", *_OF_QUEUES])

    @property
    def traffic(self) -> dict[str, float]:
        """Messages, bytes and packets since the run began, by name of the counter."""
        return dict(traffic_totals(self._network))

    def __repr__(self) -> str:
        hosts = sum(map(len, self._hosts.values()))
        return f"<NetworkView of {hosts} hosts>"
