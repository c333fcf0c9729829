"""The network: hosts, and the links between them."""

from __future__ import annotations

from rsim.network.fabric import Fabric
from rsim.network.host import Host
from rsim.network.settings import LinkSettings


class Network(Fabric):
    """All links and hosts; see `Fabric` for its parameters."""

    def add_host(
        self, name: str, *sites: str, access: LinkSettings | None = None, actor: str | None = None
    ) -> Host:
        """Adds a host with the next free address at each of its sites.

        Parameters: `name` of the host; `sites` where it is; `access` the links between the host and
        its sites, None if there is nothing to say about them; `actor` the name of its random
        streams, its own name if None.
        """
        host = Host(
            self,
            name,
            actor=name if actor is None else actor,
            sites=sites,
            addresses=self.new_addresses(sites),
        )
        self.attach(host, access)
        return host

    def host_at(self, address: str) -> Host | None:
        """The host with an address, if there is one.

        Parameters: `address` of a host.
        """
        host = self.attached(address)
        return host if isinstance(host, Host) else None
