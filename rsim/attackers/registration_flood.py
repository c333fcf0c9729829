"""Registrations of elements that do not serve, or serve and listen (RFC 5355 2.1, 2.2, 2.4)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from rsim.attackers.base import Flooder, FlooderSettings, Surroundings, attacker
from rsim.attackers.false_element import FalseService, LureSettings, lure
from rsim.network import Association
from rsim.units import RegistrationLife
from rsim.wire import (
    PPID_ASAP,
    EndpointKeepAlive,
    EndpointKeepAliveAck,
    PoolElement,
    Registration,
    SctpTransport,
    receive,
)

_PORT = 9999
NOBODY = "10.255.255.1"
"""An address at which nobody is."""


class RegistrationFloodSettings(FlooderSettings, LureSettings):
    """A flood of registrations; with `new_identifiers = false` an element that should not be."""

    new_identifiers: bool = Field(
        True,
        description="a new PE identifier each time; false: always the same, as where a server "
        "ties an authenticated sender to one identifier",
    )
    answer_keep_alives: bool = Field(True, description="answers endpoint keep-alives")
    registration_life: RegistrationLife = Field(
        1_000_000, description="registration life asked for, s"
    )
    addresses: Literal["own", "nobody"] = Field(
        "own", description="whether the false elements are at its own address, or nowhere"
    )


@attacker
class RegistrationFlood(Flooder[RegistrationFloodSettings]):
    """Registers false elements.

    Parameters: `settings` of the group; `surroundings` what it finds there.
    """

    kind: ClassVar[str] = "registration-flood"
    Settings: ClassVar[type[FlooderSettings]] = RegistrationFloodSettings

    def __init__(self, settings: RegistrationFloodSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        self._random = surroundings.stream("identifiers")
        self._identifiers: dict[Association, int] = {}
        self._association: Association | None = None
        host = surroundings.host
        FalseService(
            surroundings.clock, host, port=_PORT, settings=settings, counters=self.counters
        )
        address = host.address if settings.addresses == "own" else NOBODY
        self._transport = SctpTransport(port=_PORT, addresses=(address,), use=1)
        self._policy = lure(surroundings.policy, settings)

    def act(self) -> None:
        """Registers one element."""
        # Keep-alives may name no element, so each false one has an association of its own.
        association = self._association
        if association is None or self.settings.new_identifiers:
            association = self.surroundings.connect(self, 0)
            self._association = association
            identifier = 0
            if not self.settings.new_identifiers and self._identifiers:
                identifier = next(iter(self._identifiers.values()))
            self._identifiers[association] = identifier or self._random.identifier()
        element = PoolElement(
            identifier=self._identifiers[association],
            registration_life=self.settings.registration_life,
            user_transport=self._transport,
            policy=self._policy,
        )
        handle = self.surroundings.pool_handle
        self.send(association, Registration(pool_handle=handle, pool_element=element))

    def receive(self, association: Association, ppid: int, data: bytes) -> None:
        """Answers keep-alives, if it does, and nothing else."""
        identifier = self._identifiers.get(association)
        message = receive(data, "asap").message if ppid == PPID_ASAP else None
        if (
            identifier is not None
            and self.settings.answer_keep_alives
            and isinstance(message, EndpointKeepAlive)
        ):
            answer = EndpointKeepAliveAck(pool_handle=message.pool_handle, pe_identifier=identifier)
            association.send(PPID_ASAP, answer.encode(self.surroundings.dialect))
