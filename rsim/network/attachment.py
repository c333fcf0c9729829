"""What the network knows of a host."""

from __future__ import annotations

from abc import ABC, abstractmethod

from rsim.network.frame import Endpoint, Frame


class Attachment(ABC):
    """What the network knows of a host.

    `address` and `site` are the primary ones; `up` tells whether it works.

    Parameters: `name` of the host; `actor` the name of its random streams; `sites` where it is;
    `addresses` one for each of them, the primary one first.
    """

    __slots__ = ("_up", "actor", "address", "addresses", "name", "site", "sites")

    def __init__(
        self, name: str, *, actor: str, sites: tuple[str, ...], addresses: tuple[str, ...]
    ) -> None:
        self._up = True
        self.address = addresses[0]
        self.site = sites[0]
        self.name = name
        self.actor = actor
        self.sites = sites
        self.addresses = addresses

    @property
    def up(self) -> bool:
        """Whether it works."""
        return self._up

    @abstractmethod
    def arrive(self, frame: Frame) -> None:
        """Takes a packet that has reached the host.

        Parameters: `frame` that has arrived.
        """

    @abstractmethod
    def inject(self, port: int, source: Endpoint, ppid: int, data: bytes) -> None:
        """Takes a message that somebody on the path has put into an association.

        Parameters: `port` of this host and `source` the other end of the association; `ppid`
        payload protocol of the message; `data` its bytes.
        """
