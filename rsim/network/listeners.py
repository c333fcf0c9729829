"""Who listens at which port of a host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rsim.network.association import Association, Receiver
from rsim.network.profiles import Profile

Acceptor = Callable[[Association], Receiver | None]
"""Takes a new association and returns its receiver; None refuses it."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who takes the associations to a port.

    Parameters: `port` from 1 to 65535; `acceptor` is called with each of them; `offers` TLS
    profiles; a client must use one of them, or may if TLS is `optional`; `tcp` whether it takes
    TCP connections as well as SCTP associations.
    """

    port: int
    acceptor: Acceptor
    offers: tuple[Profile, ...]
    optional: bool
    tcp: bool


class Listeners:
    """The listeners of one host; few hosts have more than one."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: tuple[Listener, ...] = ()

    def open(self, listener: Listener) -> None:
        """Listens at a port; replaces an earlier listener.

        Parameters: `listener` with its port.
        """
        self._open = (*(one for one in self._open if one.port != listener.port), listener)

    def close(self, port: int) -> None:
        """Stops listening at a port.

        Parameters: `port` from 1 to 65535.
        """
        self._open = tuple(one for one in self._open if one.port != port)

    def clear(self) -> None:
        """Stops listening at all ports."""
        self._open = ()

    def find(self, port: int, tcp: bool = False) -> Listener | None:
        """Who listens at a port, None if nobody does.

        Parameters: `port` from 1 to 65535; `tcp` whether over TCP.
        """
        for one in self._open:
            if one.port == port:
                return one if one.tcp or not tcp else None
        return None
