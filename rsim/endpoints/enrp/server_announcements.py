"""Announcements of an ENRP server by multicast (RFC 5352 3.6).

Timer: T6-SERVERANNOUNCE, times one more than the number of other servers heard.
"""

from __future__ import annotations

from rsim.endpoints.enrp.heartbeat import Heartbeat
from rsim.endpoints.enrp.node import Node
from rsim.endpoints.ports import ClockPort, TimerPort, Uniform
from rsim.endpoints.settings import ServerSettings
from rsim.wire import PPID_ASAP, SctpTransport, ServerAnnounce


class ServerAnnouncements:
    """Sends ASAP_SERVER_ANNOUNCE, and a PRESENCE to the group of the servers with it.

    Parameters: `node` the server; `settings` of it; `clock` of the run; `random` for the time of
    the first one; `heartbeat` that sends the PRESENCE.
    """

    def __init__(
        self,
        node: Node,
        *,
        settings: ServerSettings,
        clock: ClockPort,
        random: Uniform,
        heartbeat: Heartbeat,
    ) -> None:
        self._node = node
        self._settings = settings
        self._clock = clock
        self._random = random
        self._heartbeat = heartbeat
        self._heard: dict[int, float] = {}
        self._timer: TimerPort = clock.timer(self._expire)

    def begin(self) -> None:
        """Announces the server from now on, if the settings say so."""
        if self._settings.announce:
            self._timer.start(self._settings.t6_serverannounce * self._random.uniform())

    def stop(self) -> None:
        """Falls silent."""
        self._timer.stop()

    def hear(self, identifier: int) -> None:
        """Takes the announcement of another server.

        Parameters: `identifier` of that server.
        """
        self._heard[identifier] = self._clock.now

    def _expire(self) -> None:
        node = self._node
        t6 = self._settings.t6_serverannounce
        horizon = self._clock.now - 3 * t6 * (len(self._heard) + 1)
        self._heard = {server: time for server, time in self._heard.items() if time >= horizon}
        if node.serving:
            addresses, _ = node.host.information()
            transport = SctpTransport(port=node.host.asap_port, addresses=addresses)
            message = ServerAnnounce(server_identifier=node.identifier, transports=(transport,))
            node.host.announce(message.encode(node.dialect), PPID_ASAP)
            self._heartbeat.announce()
        self._timer.start(t6 * (len(self._heard) + 1))
