"""Floods of INITs, or of SYNs of TCP, that never go on (RFC 9260 5.1.3; RFC 4987)."""

from __future__ import annotations

from ipaddress import ip_address
from typing import ClassVar

from pydantic import Field

from rsim.attackers.base import Flooder, FlooderSettings, Surroundings, attacker
from rsim.network import Association, Chunk, Control, Frame

_PORTS = 1 << 16
_FORGED = ip_address("198.18.0.0")
"""First of the addresses that are forged, which no host has (RFC 2544 C.2.2)."""
_FORGED_COUNT = 1 << 17


class InitFloodSettings(FlooderSettings):
    """A flood of INITs."""

    forged: bool = Field(
        True, description="sources are forged: what is answered goes to nobody; false: its own"
    )
    tcp: bool = Field(False, description="SYNs of TCP instead of INITs of SCTP")


@attacker
class InitFlood(Flooder[InitFloodSettings]):
    """Begins associations with the ENRP servers in turn, and never goes on with one.

    Parameters: `settings` of the group; `surroundings` what it finds there.
    """

    kind: ClassVar[str] = "init-flood"
    Settings: ClassVar[type[FlooderSettings]] = InitFloodSettings

    def __init__(self, settings: InitFloodSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        self._random = surroundings.stream("sources")
        self._turn = 0

    def act(self) -> None:
        """Sends one INIT to the next server."""
        here = self.surroundings
        if not here.asap_servers:
            return
        addresses, port = here.asap_servers[self._turn % len(here.asap_servers)]
        self._turn += 1
        draw = self._random.identifier()
        address = here.host.address
        if self.settings.forged:
            address = str(_FORGED + draw % _FORGED_COUNT)
        source = (address, draw % (_PORTS - 1024) + 1024)
        chunk = Chunk(Control.INIT, tag=draw, tsn=draw, window=1500)
        frame = Frame(source, (addresses[0], port), 0, (chunk,), tcp=self.settings.tcp)
        here.host.send_packet(frame)
        self.counters.attack_messages += 1
        self.counters.attack_octets += frame.size

    def receive(self, association: Association, ppid: int, data: bytes) -> None:
        """Receives nothing, as no association is ever set up."""
