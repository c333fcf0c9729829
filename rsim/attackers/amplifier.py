"""Servers made to send more than they get: subscriptions and error messages."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from rsim.attackers.base import Flooder, FlooderSettings, Surroundings, attacker
from rsim.attackers.false_element import LureSettings, lure
from rsim.network import Association, Event
from rsim.wire import (
    PPID_ASAP,
    Deregistration,
    EndpointKeepAlive,
    EndpointKeepAliveAck,
    HandleResolution,
    PoolElement,
    Registration,
    SctpTransport,
    receive,
)

_PORT = 9995
_UNKNOWN = 0x0F
_ASKS = 0x40
"""A message type that nobody knows, and the bit by which it asks for a report (RFC 5354 4)."""


class AmplifierSettings(FlooderSettings, LureSettings):
    """Subscribes to changes that it makes itself, or sends what has to be reported."""

    means: Literal["subscriptions", "errors"] = Field(
        "subscriptions", description="which kind of answers it provokes"
    )
    subscriptions: int = Field(10, ge=0, le=10_000, description="associations that subscribe")
    size: int = Field(400, ge=4, le=65_000, description="errors: octets of each unknown message")

    asks: bool = Field(
        True, description="errors: whether unknown messages ask for a report (RFC 5354 4)"
    )

    @model_validator(mode="after")
    def _settings_serve(self) -> Self:
        self._belongs("subscriptions", "means", "subscriptions")
        self._belongs("size", "means", "errors")
        self._belongs("asks", "means", "errors")
        return self


@attacker
class Amplifier(Flooder[AmplifierSettings]):
    """Each action provokes answers; their octets against its own are what it gains.

    Parameters: `settings` of the group; `surroundings` what it finds there.
    """

    kind: ClassVar[str] = "amplifier"
    Settings: ClassVar[type[FlooderSettings]] = AmplifierSettings

    def __init__(self, settings: AmplifierSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        self._identifier = surroundings.stream("ids").identifier()
        self._associations: list[Association] = []
        self._registered = False

    def start(self) -> None:
        """Subscribes, where it is that."""
        connect = self.surroundings.connect
        count = self.settings.subscriptions if self.settings.means == "subscriptions" else 0
        self._associations = [connect(self, 0) for _ in range(count + 1)]
        question = HandleResolution(
            pool_handle=self.surroundings.pool_handle, send_updates=self.settings.means != "errors"
        )
        for association in self._associations[1:]:
            self.send(association, question)
        super().start()

    def act(self) -> None:
        """A change of the pool, or an unknown message."""
        if not self._associations:
            return
        first = self._associations[0]
        if self.settings.means == "errors":
            size = self.settings.size
            kind = _UNKNOWN | _ASKS if self.settings.asks else _UNKNOWN
            data = bytes([kind, 0, *size.to_bytes(2)]) + bytes(size - 4)
            self.send_octets(first, data)
            return
        handle = self.surroundings.pool_handle
        if self._registered:
            self.send(first, Deregistration(pool_handle=handle, pe_identifier=self._identifier))
        else:
            host = self.surroundings.host
            element = PoolElement(
                identifier=self._identifier,
                registration_life=300,
                user_transport=SctpTransport(port=_PORT, addresses=(host.address,), use=1),
                policy=lure(self.surroundings.policy, self.settings),
            )
            self.send(first, Registration(pool_handle=handle, pool_element=element))
        self._registered = not self._registered

    def receive(self, association: Association, ppid: int, data: bytes) -> None:
        """Counts what it gets."""
        self.counters.answers_received += 1
        self.counters.octets_answered += len(data)
        message = receive(data, "asap").message if ppid == PPID_ASAP else None
        if isinstance(message, EndpointKeepAlive):
            answer = EndpointKeepAliveAck(
                pool_handle=message.pool_handle, pe_identifier=self._identifier
            )
            association.send(PPID_ASAP, answer.encode(self.surroundings.dialect))

    def notify(self, association: Association, event: Event) -> None:
        """Does without an association that has ended."""
        if event is not Event.UP and association in self._associations:
            self._associations.remove(association)
