"""How a host reaches ENRP servers."""

from __future__ import annotations

from rsim.endpoints.ports import Address
from rsim.network import Association, Host, Profile, Receiver
from rsim.wire import ASAP_PORT, ASAP_TLS_PORT


class Connector:
    """Begins associations of a host with servers.

    Parameters: `host` that connects; `tcp` instead of SCTP; `profile` of TLS, None to speak in
    clear; `local_port` a new one each time by default; `downgrade` speaks in clear to a server
    where TLS has failed before.
    """

    __slots__ = ("_host", "_last", "_local_port", "_profile", "_tcp")

    def __init__(
        self,
        host: Host,
        profile: Profile | None,
        local_port: int | None = None,
        tcp: bool = False,
        downgrade: bool = False,
    ) -> None:
        self._host = host
        self._profile = profile
        self._local_port = local_port
        self._tcp = tcp
        self._last: dict[Address, Association] | None = {} if downgrade else None

    def __call__(self, receiver: Receiver, address: Address) -> Association:
        """An association with the server at that address."""
        addresses, port = address
        profile = self._profile
        if profile is None and port == ASAP_TLS_PORT:
            # Announced for those who speak TLS; beside it the others are heard.
            port = ASAP_PORT
        if self._last is not None:
            before = self._last.get(address)
            if before is not None and before.refusal is not None:
                profile = None
        association = self._host.connect(
            addresses[0],
            port if profile is None else ASAP_TLS_PORT,
            receiver,
            further=addresses[1:],
            local_port=self._local_port,
            profile=profile,
            tcp=self._tcp,
        )
        if self._last is not None:
            self._last[address] = association
        return association
