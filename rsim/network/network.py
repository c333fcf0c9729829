"""Hosts at sites, and the paths between them."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address

from rsim.clock import Clock
from rsim.network.association import Association, Receiver
from rsim.wire import PPID_ASAP, PPID_ENRP

Acceptor = Callable[[Association], Receiver | None]


class Traffic:
    """Messages and bytes sent, by payload protocol and message type."""

    def __init__(self) -> None:
        self.messages: dict[int, list[int]] = {PPID_ASAP: [0] * 256, PPID_ENRP: [0] * 256}
        self.bytes: dict[int, int] = {PPID_ASAP: 0, PPID_ENRP: 0}

    def count(self, ppid: int, data: bytes) -> None:
        """Counts one message under its type, which its first byte gives."""
        messages = self.messages.get(ppid)
        if messages is None:
            messages = self.messages[ppid] = [0] * 256
            self.bytes[ppid] = 0
        messages[data[0]] += 1
        self.bytes[ppid] += len(data)


class Host:
    """A machine with an address at a site, on which endpoints listen and connect."""

    __slots__ = ("_listeners", "_next_port", "address", "name", "network", "site", "up")

    def __init__(self, network: Network, name: str, site: str, address: str) -> None:
        self.network = network
        self.name = name
        self.site = site
        self.address = address
        self.up = True
        self._listeners: dict[int, Acceptor] = {}
        self._next_port = 49152

    def listen(self, port: int, acceptor: Acceptor) -> None:
        """Calls `acceptor` with each new association to `port`; it returns who receives."""
        self._listeners[port] = acceptor

    def close(self, port: int) -> None:
        """Stops listening; associations that exist go on."""
        self._listeners.pop(port, None)

    def new_port(self) -> int:
        """A port that this host has not used before."""
        port = self._next_port
        self._next_port += 1
        if port > 65535:
            # A host that outlives its ports starts over, as real ones do.
            self._next_port = 49153
            port = 49152
        return port

    def connect(self, address: str, port: int, receiver: Receiver) -> Association:
        """An association to a port of the host with that address, from a new port of this one."""
        local_port = self.new_port()
        remote = self.network.host_at(address)
        delay = self.network.delay(self.site, remote.site) if remote else 0.0
        kind = self.network.association
        here = kind(self, (self.address, local_port), (address, port), delay, receiver)
        if remote is not None:
            there = kind(remote, (address, port), (self.address, local_port), delay, None)
            here._peer = there
            there._peer = here
        return here

    def accept(self, association: Association) -> Receiver | None:
        """Who receives on an association that has just reached this host, or None."""
        acceptor = self._listeners.get(association.local_port)
        return acceptor(association) if acceptor else None


class Network:
    """All hosts, and the one-way delay (s) between and within sites.

    Parameters: `clock`; `delay` within a site; `delays` between two sites, in either direction;
    `association` class of the associations, another one where they are observed.
    """

    def __init__(
        self,
        clock: Clock,
        delay: float = 0.0,
        delays: dict[tuple[str, str], float] | None = None,
        association: type[Association] = Association,
    ) -> None:
        self.clock = clock
        self.association = association
        self.traffic = Traffic()
        self._delay = delay
        self._delays = dict(delays or {})
        self._delays.update({(b, a): value for (a, b), value in list(self._delays.items())})
        self._hosts: dict[str, Host] = {}
        self._next_address = int(IPv4Address("10.0.0.1"))

    def add_host(self, name: str, site: str) -> Host:
        """A new host with the next free address."""
        address = str(IPv4Address(self._next_address))
        self._next_address += 1
        host = self._hosts[address] = Host(self, name, site, address)
        return host

    def host_at(self, address: str) -> Host | None:
        """The host with that address, if any."""
        return self._hosts.get(address)

    def delay(self, site: str, other: str) -> float:
        """One-way delay (s) between hosts at two sites, or at one."""
        return self._delay if site == other else self._delays.get((site, other), self._delay)
