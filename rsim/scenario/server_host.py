"""An ENRP server on its host: ports, peers, multicast, failure and return."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rsim.endpoints import EnrpServer
from rsim.endpoints.ports import Address
from rsim.network import Association, Endpoint, Host, Profile, Receiver
from rsim.randomness import Stream
from rsim.wire import ASAP_PORT, ASAP_TLS_PORT, ENRP_PORT, ENRP_TLS_PORT, PPID_ASAP, PPID_ENRP


class ServerHost:
    """What an ENRP server needs of its host.

    Parameters: `host` on which the server runs; `element_offers` TLS profiles for pool elements and
    users; `element_profile` towards pool elements; `peer_profile` between servers, None without
    TLS; `identifiers` for restarts; `group` the multicast group of announcements.
    """

    def __init__(
        self,
        host: Host,
        element_offers: tuple[Profile, ...],
        element_profile: Profile | None,
        peer_profile: Profile | None,
        identifiers: Stream,
        group: str,
    ) -> None:
        self.host = host
        self.asap_port = ASAP_TLS_PORT if element_offers else ASAP_PORT
        # Where pool elements and users find the server in clear; one tuple for all of them.
        self.asap_address: Address = (host.addresses, ASAP_PORT)
        self._offers = element_offers
        self._element_profile = element_profile
        self._peer_profile = peer_profile
        self._identifiers = identifiers
        self._group = group
        self._restart = False

    @property
    def enrp_port(self) -> int:
        """Port at which peers are heard."""
        return ENRP_PORT if self._peer_profile is None else ENRP_TLS_PORT

    @property
    def enrp_address(self) -> Address:
        """Where peers find the server."""
        return (self.host.addresses, self.enrp_port)

    # Life -----------------------------------------------------------------------------------------

    def start(self, server: EnrpServer) -> None:
        """Listens, and starts the server; after a failure under a new identifier.

        Parameters: `server` that runs here.
        """
        host = self.host
        accept: Callable[[Association], Receiver] = partial(_receiver, server)
        host.listen(ASAP_PORT, accept, tcp=True)
        if self._offers:
            host.listen(ASAP_TLS_PORT, accept, self._offers, tcp=True)
        host.listen(ENRP_PORT, accept)
        if self._peer_profile is not None:
            host.listen(ENRP_TLS_PORT, accept, (self._peer_profile,))
        if server.settings.announce:
            for port, ppid in (
                (ASAP_PORT, PPID_ASAP),
                (ENRP_PORT, PPID_ENRP),
            ):
                host.listen_datagrams(port, partial(_datagram, server, ppid), self._group)
        identifier = None
        if self._restart and not server.settings.keep_identifier:
            identifier = self._identifiers.identifier()
        self._restart = True
        server.start(identifier)

    def stop(self, server: EnrpServer) -> None:
        """The process dies: the host answers for it with ABORT.

        Parameters: `server` that runs here.
        """
        server.vanish()
        for port in (ASAP_PORT, ASAP_TLS_PORT, ENRP_PORT, ENRP_TLS_PORT):
            self.host.close(port, silently=True)
        for association in self.host.associations:
            association.discard()
        for port in (ASAP_PORT, ENRP_PORT):
            self.host.close_datagrams(port, self._group)

    # What the server asks for ---------------------------------------------------------------------

    def connect(self, receiver: Receiver, address: Address, ppid: int) -> Association:
        """An association with a peer (ENRP) or with a pool element (ASAP).

        Parameters: `receiver` of its events and messages; `address` of the other side; `ppid`
        payload protocol: ENRP or ASAP.
        """
        addresses, port = address
        profile = self._peer_profile if ppid == PPID_ENRP else self._element_profile
        return self.host.connect(
            addresses[0],
            port,
            receiver,
            further=addresses[1:],
            profile=profile,
        )

    def new_identifier(self) -> int:
        """An identifier that the server has not had."""
        return self._identifiers.identifier()

    def information(self) -> Address:
        """Own addresses and ENRP port."""
        return self.enrp_address

    def announce(self, data: bytes, ppid: int) -> None:
        """Sends a datagram to the multicast group, at the port of ASAP or of ENRP.

        Parameters: `data` an encoded message; `ppid` payload protocol: ENRP or ASAP.
        """
        port = ASAP_PORT if ppid == PPID_ASAP else ENRP_PORT
        self.host.send_datagram(port, (self._group, port), data)

    def distance(self, address: str, other: str | None = None) -> float:
        """Distance in ms from this host, or from an `other` address, to an address.

        Parameters: `address` IP address.
        """
        network = self.host.network
        here, there = network.site_of(other or self.host.address), network.site_of(address)
        if here is None or there is None:
            return 0.0
        return 1000.0 * network.delay(here, there)


def _receiver(receiver: Receiver, association: Association) -> Receiver:
    return receiver


def _datagram(server: EnrpServer, ppid: int, source: Endpoint, data: bytes) -> None:
    server.receive_datagram(ppid, source[0], data)
