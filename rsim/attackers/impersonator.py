"""Registrations and deregistrations in the name of pool elements of others (RFC 5355 2.3)."""

from __future__ import annotations

from ipaddress import ip_address
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from rsim.attackers.base import Flooder, FlooderSettings, Surroundings, attacker
from rsim.attackers.false_element import FalseService, LureSettings, lure
from rsim.errors import shown
from rsim.network import Association, Event
from rsim.units import RegistrationLife
from rsim.wire import (
    PPID_ASAP,
    Deregistration,
    EndpointKeepAlive,
    EndpointKeepAliveAck,
    HandleResolution,
    HandleResolutionResponse,
    PoolElement,
    Registration,
    SctpTransport,
    receive,
)

_PORT = 9998


class ImpersonatorSettings(FlooderSettings, LureSettings):
    """Speaks for elements that it has learned of by a resolution."""

    action: Literal["deregister", "capture", "aim"] = Field(
        "deregister",
        description="deregisters the element, registers its own address for it, or a victim's",
    )
    victim: str = Field("", description="aim: address at which all users shall call")
    victim_port: int = Field(80, ge=1, le=65535, description="aim: and the port")
    registration_life: RegistrationLife = Field(300, description="registration life asked for, s")

    @model_validator(mode="after")
    def _victim_is_an_address(self) -> Self:
        self._belongs("victim", "action", "aim")
        self._belongs("victim_port", "action", "aim")
        if self.action == "aim":
            try:
                ip_address(self.victim)
            except ValueError:
                raise ValueError(
                    f"victim: {shown(self.victim)} is not an IP address such as 10.0.0.1"
                ) from None
        return self


@attacker
class Impersonator(Flooder[ImpersonatorSettings]):
    """Learns identifiers by asking for the pool, as anybody may, and uses them in turn.

    Parameters: `settings` of the group; `surroundings` what it finds there.
    """

    kind: ClassVar[str] = "impersonator"
    Settings: ClassVar[type[FlooderSettings]] = ImpersonatorSettings

    def __init__(self, settings: ImpersonatorSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        host = surroundings.host
        FalseService(
            surroundings.clock, host, port=_PORT, settings=settings, counters=self.counters
        )
        own = (host.address, _PORT)
        address, port = (settings.victim, settings.victim_port) if settings.victim else own
        self._transport = SctpTransport(port=port, addresses=(address,), use=1)
        self._policy = lure(surroundings.policy, settings)
        self._known: dict[int, None] = {}
        self._association: Association | None = None
        self._turn = 0

    def act(self) -> None:
        """Asks for the pool, and speaks for the next element that is known."""
        handle = self.surroundings.pool_handle
        if self._association is None:
            self._association = self.surroundings.connect(self, 0)
        known = list(self._known)
        if self._turn % max(1, len(known)) == 0:
            self.send(self._association, HandleResolution(pool_handle=handle))
        if not known:
            return
        identifier = known[self._turn % len(known)]
        self._turn += 1
        if self.settings.action == "deregister":
            message = Deregistration(pool_handle=handle, pe_identifier=identifier)
            self.send(self._association, message)
            return
        element = PoolElement(
            identifier=identifier,
            registration_life=self.settings.registration_life,
            user_transport=self._transport,
            policy=self._policy,
        )
        self.send(self._association, Registration(pool_handle=handle, pool_element=element))

    def receive(self, association: Association, ppid: int, data: bytes) -> None:
        """Learns from answers, and answers keep-alives for those that it has captured."""
        message = receive(data, "asap").message if ppid == PPID_ASAP else None
        if isinstance(message, HandleResolutionResponse):
            listed = [element.identifier for element in message.pool_elements]
            if listed:
                self._known = dict.fromkeys((*self._known, *listed))
        elif isinstance(message, EndpointKeepAlive) and message.pe_identifier is not None:
            answer = EndpointKeepAliveAck(
                pool_handle=message.pool_handle, pe_identifier=message.pe_identifier
            )
            association.send(PPID_ASAP, answer.encode(self.surroundings.dialect))

    def notify(self, association: Association, event: Event) -> None:
        """Begins anew where the association has ended."""
        if association is self._association and event is not Event.UP:
            self._association = None
