"""Servers and pool elements on a real network, and what must hold of them."""

from __future__ import annotations

import rsim
from rsim.endpoints.element_states import ElementState
from rsim.handlespace import Handlespace
from rsim.network import LinkSettings
from rsim.scenario import Deployment

SITES = ("a", "b", "c")


class World:
    """A deployment without users; servers and elements are spread over three sites.

    Parameters: `life` registration life of the elements in s; `loss` on all links until `calm`;
    `mentors` whether servers are told of each other.
    """

    def __init__(
        self,
        servers=3,
        elements=6,
        seed=1,
        loss=0.0,
        life=120,
        policies=None,
        mentors=True,
        **protocol,
    ):
        pools = policies or {"pool": "round_robin"}
        names = list(pools)
        groups = {
            f"element{number}": {
                "count": 1,
                "pool": names[number % len(names)],
                "site": SITES[number % len(SITES)],
                "start": f"{20 + 3 * number}s",
                "registration_life": life,
            }
            for number in range(elements)
        }
        table = {
            "seed": seed,
            "network": {
                "sites": SITES,
                "topology": "mesh",
                "delay": "1ms",
                "loss": loss,
                "wan": {"delay": "10ms", "loss": loss},
            },
            "pools": {name: {"policy": policy} for name, policy in pools.items()},
            "protocol": {"enrp_server": protocol},
            "enrp_servers": {"server": {"count": servers, "site": SITES, "mentors": mentors}},
            "pool_elements": groups,
        }
        self.deployment = Deployment(rsim.scenario(table))
        self.clock = self.deployment.world.clock
        self.network = self.deployment.world.network
        self.servers = [server for _, server in self.deployment.servers]
        self.ports = [ports for ports, _ in self.deployment.servers]
        self.elements = self.deployment.elements
        # Links come into being with their first packet; `calm` must know all of them.
        for site in SITES:
            for other in SITES:
                self.network.path_links(site, other)
        self.absent = set()

    def run(self, time):
        self.clock.run_until(self.clock.now + time)
        return self

    # Faults ---------------------------------------------------------------------------------------

    def crash_server(self, number):
        self.deployment.world.strike(self.ports[number].host, False)

    def restart_server(self, number):
        self.deployment.world.strike(self.ports[number].host, True)

    def kill_process(self, number):
        self.ports[number].stop(self.servers[number])

    def start_process(self, number):
        self.ports[number].start(self.servers[number])

    def crash_element(self, number):
        self.deployment.world.strike(self.elements[number].host, False)

    def restart_element(self, number):
        self.deployment.world.strike(self.elements[number].host, True)

    def leave(self, number):
        """The element deregisters; False if it isn't registered now."""
        element = self.elements[number]
        if element.endpoint.state is not ElementState.REGISTERED:
            return False
        element.endpoint.on_deregistered = lambda: None
        element.shut_down()
        self.absent.add(number)
        return True

    def come_back(self, number):
        """The element registers anew."""
        self.absent.discard(number)
        self.elements[number].vanish()
        self.elements[number].start()

    def partition(self, site, up=False):
        """Cuts a site off from the others, or joins it again."""
        links = [
            link
            for other in SITES
            if other != site
            for link in self.network.path_links(site, other)
        ]
        self.network.cut(links, up)

    def calm(self):
        """No more loss, and all sites are joined."""
        for link in self.network.links.values():
            self.network.change([link], LinkSettings(delay=link.settings.delay))
        for site in SITES:
            self.partition(site, up=True)

    # What holds -----------------------------------------------------------------------------------

    @property
    def living(self):
        """Servers that are up."""
        return [s for s, p in zip(self.servers, self.ports, strict=True) if s.state.value > 1]

    def table(self, server):
        """Home server by pool handle and PE identifier."""
        pools, _ = server.handlespace.table(limit=10**6, octets=10**9)
        return {
            (pool.pool_handle, element.identifier): element.home_server
            for pool in pools
            for element in pool.pool_elements
        }

    def registered(self):
        """Elements that live and think that they are registered."""
        return {
            (element.endpoint.pool_handle, element.endpoint.identifier)
            for element in self.elements
            if element.host.up and element.endpoint.state is ElementState.REGISTERED
        }

    def check_checksums(self):
        """Each checksum is that of a handlespace made anew."""
        for server in self.living:
            fresh = Handlespace()
            pools, _ = server.handlespace.table(limit=10**6, octets=10**9)
            for pool in pools:
                for element in pool.pool_elements:
                    fresh.add(pool.pool_handle, element)
            for owner in {*self.table(server).values(), server.identifier, 12345}:
                assert server.handlespace.checksum(owner) == fresh.checksum(owner)

    def check_converged(self):
        """One handlespace, of exactly the living elements, each with one living home."""
        alive = {
            (element.endpoint.pool_handle, element.endpoint.identifier)
            for number, element in enumerate(self.elements)
            if element.host.up and number not in self.absent
        }
        assert self.registered() == alive
        identifiers = {server.identifier for server in self.living}
        tables = [self.table(server) for server in self.living]
        for server, table in zip(self.living, tables, strict=True):
            assert set(table) == alive
            assert set(table.values()) <= identifiers
            assert table == tables[0]
            assert {peer.identifier for peer in server.peers} == identifiers - {server.identifier}
            for key, home in table.items():
                entry = server.store.own(*key)
                assert (entry is not None) == (home == server.identifier)
        self.check_checksums()
