"""The server hunt of pool elements and pool users (RFC 5352 3.6).

Timers: T5 of each round of at most three attempts at once; it doubles from round to round.
"""

from __future__ import annotations

from math import inf
from typing import Protocol

from rsim.endpoints.ports import Address, Channel, ClockPort
from rsim.endpoints.settings import HuntSettings
from rsim.network import Event
from rsim.wire import ASAP_PORT, SctpTransport, ServerAnnounce, receive


class ServerList:
    """The servers that an endpoint may turn to: configured ones, and those that are announced.

    Parameters: `clock` of the run; `settings` of the endpoint; `configured` in the order in which
    they are first tried.
    """

    def __init__(
        self, clock: ClockPort, settings: HuntSettings, configured: tuple[Address, ...] = ()
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._configured = configured
        self._tried: dict[Address, float] = dict.fromkeys(configured, -inf)
        self._announced: dict[Address, float] = {}

    def datagram(self, source: str, data: bytes) -> None:
        """Takes a datagram of the group in which servers announce themselves.

        Parameters: `source` address of the sender; `data` octets of the datagram.
        """
        message = receive(data, "asap").message
        if isinstance(message, ServerAnnounce):
            self.announced(message, source)

    def announced(self, message: ServerAnnounce, source: str) -> None:
        """Notes an announcement; by default at the sender's address and the ASAP port.

        Parameters: `message` of the server; `source` its address.
        """
        transports = [t for t in message.transports if isinstance(t, SctpTransport)]
        addresses: list[Address] = [(transport.hosts, transport.port) for transport in transports]
        for address in addresses or [((source,), ASAP_PORT)]:
            if len(self._announced) >= self._settings.max_announced:
                self._forget_outdated()
            if address in self._announced or len(self._announced) < self._settings.max_announced:
                self._announced[address] = self._clock.now

    def present(self) -> list[Address]:
        """Servers to turn to: those tried longest ago first.

        An announced one counts until it is unheard for T7, or three announcement intervals of as
        many servers as announce themselves, if that is longer.
        """
        self._forget_outdated()
        known = dict.fromkeys((*self._configured, *self._announced))
        self._tried = {address: self._tried.get(address, -inf) for address in known}
        return sorted(known, key=lambda address: self._tried[address])

    def count(self) -> int:
        """How many servers `present` would give, for who looks on without touching the list."""
        return len({*self._configured, *self._counting()})

    def _forget_outdated(self) -> None:
        self._announced = self._counting()

    def _counting(self) -> dict[Address, float]:
        now = self._clock.now
        settings = self._settings
        limit = settings.t7_enrp_outdate
        if settings.t7_scaling:
            limit = max(limit, 3 * len(self._announced) * settings.t6_serverannounce)
        return {
            address: heard for address, heard in self._announced.items() if now - heard <= limit
        }

    def trying(self, address: Address) -> None:
        """An attempt begins.

        Parameters: `address` of the server.
        """
        self._tried[address] = self._clock.now


class HuntUser(Protocol):
    """The endpoint that the server is hunted for."""

    def reach(self, address: Address) -> Channel:
        """Begins an association with a server.

        Parameters: `address` of the server.
        """

    def found(self, channel: Channel) -> None:
        """Takes the first one that is up.

        Parameters: `channel` to it.
        """


class ServerHunt:
    """Finds a server that answers, for `user`.

    Parameters: `clock` of the run; `settings` of the endpoint; `servers` that it may try.
    """

    def __init__(
        self,
        clock: ClockPort,
        settings: HuntSettings,
        servers: ServerList,
        user: HuntUser,
    ) -> None:
        self._settings = settings
        self._servers = servers
        self._user = user
        self._attempts: tuple[Channel, ...] = ()
        self._untried: tuple[Address, ...] = ()
        self._wait = settings.t5_serverhunt
        self._t5 = clock.timer(self._t5_expired)
        self._running = False
        self._silent: str | None = None

    @property
    def running(self) -> bool:
        """Whether a hunt is on."""
        return self._running

    def start(self, silent: Channel | None = None) -> None:
        """Begins a hunt, unless one is on.

        Parameters: `silent` association with a server that is asked again beside the hunt, which
        looks for other ones (RFC 5352 3.7.2).
        """
        if not self._running:
            self._wait = self._settings.t5_serverhunt
            self._silent = silent.remote_address if silent is not None else None
            self._round()

    def stop(self) -> None:
        """Ends the hunt, if one is on."""
        if not self._running:
            return
        self._running = False
        self._t5.stop()
        attempts, self._attempts = self._attempts, ()
        for channel in attempts:
            channel.close()

    def _round(self) -> None:
        self._running = True
        self._t5.start(self._wait)
        self._untried = tuple(
            address for address in self._servers.present() if self._silent not in address[0]
        )
        while self._running and self._untried:
            if len(self._attempts) >= self._settings.hunt_attempts:
                break
            self._try_next()

    def _try_next(self) -> None:
        address, self._untried = self._untried[0], self._untried[1:]
        self._servers.trying(address)
        channel = self._user.reach(address)
        self._attempts = (*self._attempts, channel)
        if channel.ready:
            self._success(channel)

    def _success(self, channel: Channel) -> None:
        self._no_attempt_now(channel)
        self.stop()
        self._user.found(channel)

    def _no_attempt_now(self, channel: Channel) -> None:
        self._attempts = tuple(other for other in self._attempts if other is not channel)

    def notify(self, channel: Channel, event: Event) -> bool:
        """Takes what the network tells; False if it is not about an attempt of this hunt."""
        if channel not in self._attempts:
            return False
        if event is Event.UP:
            self._success(channel)
        else:
            self._no_attempt_now(channel)
            if self._untried and self._running:
                self._try_next()
        return True

    def _t5_expired(self) -> None:
        """Nobody in time: once more, for twice as long, up to RETRAN-MAX."""
        self.stop()
        self._wait = min(2 * self._wait, self._settings.retran_max)
        self._round()
