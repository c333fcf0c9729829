"""Registrations of pool elements that do not serve (RFC 5355 2.1, 2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from rsim.attackers.base import Attacker, AttackerSettings, Surroundings, attacker
from rsim.handlespace import load_value, policy_with
from rsim.network import Association
from rsim.units import Seconds
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
_WORST = 0xFFFFFFFF


class RegistrationFloodSettings(AttackerSettings):
    """A flood of registrations."""

    interval: Seconds = Field(1.0, gt=0, description="time between two registrations")
    new_identifiers: bool = Field(
        True,
        description="a new PE identifier each time; false: always the same, as where a server "
        "ties an authenticated sender to one identifier",
    )
    answer_keep_alives: bool = Field(True, description="answers endpoint keep-alives")
    registration_life: int = Field(1_000_000, ge=-1, description="registration life asked for, s")
    load: float = Field(0.0, ge=0, le=1, description="load that the fake elements state")
    load_degradation: float = Field(0.25, ge=0, le=1, description="load degradation they state")
    weight: int = Field(_WORST, ge=0, le=_WORST, description="weight they state")
    priority: int = Field(_WORST, ge=0, le=_WORST, description="priority they state")


@dataclass(slots=True)
class RegistrationFloodCounters:
    """What the attacker has done since it began, as numbers that only grow."""

    attack_messages: int = 0
    attack_bytes: int = 0
    application_messages_ignored: int = 0


@attacker
class RegistrationFlood(Attacker[RegistrationFloodSettings]):
    """Registers fake elements at its own address and ignores whoever is sent there."""

    kind: ClassVar[str] = "registration-flood"
    Settings: ClassVar[type[AttackerSettings]] = RegistrationFloodSettings

    def __init__(self, settings: RegistrationFloodSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        self.counters: RegistrationFloodCounters = RegistrationFloodCounters()
        self._random = surroundings.streams.stream(surroundings.name, "identifiers")
        self._timer = surroundings.clock.timer(self._attack)
        self._identifiers: dict[Association, int] = {}
        self._association: Association | None = None
        host = surroundings.host
        host.listen(_PORT, lambda association: self)
        self._transport = SctpTransport(port=_PORT, addresses=(host.address,), use=1)
        offered = {
            "load": load_value(settings.load),
            "load_degradation": load_value(settings.load_degradation),
            "weight": settings.weight,
            "priority": settings.priority,
        }
        self._policy = policy_with(surroundings.policy, offered)

    def start(self) -> None:
        """The first registration follows one interval later."""
        self._timer.start(self.settings.interval)

    def stop(self) -> None:
        """Registers no more; what is registered stays."""
        self._timer.stop()

    def _attack(self) -> None:
        # Keep-alives name no element, so each fake one has an association of its own.
        if self._association is None or self.settings.new_identifiers:
            self._association = self.surroundings.connect(self)
            self._identifiers[self._association] = self._random.identifier()
        element = PoolElement(
            identifier=self._identifiers[self._association],
            registration_life=self.settings.registration_life,
            user_transport=self._transport,
            policy=self._policy,
        )
        message = Registration(
            pool_handle=self.surroundings.pool_handle, pool_element=element
        ).encode(self.surroundings.dialect)
        self.counters.attack_messages += 1
        self.counters.attack_bytes += len(message)
        self._association.send(PPID_ASAP, message)
        self._timer.start(self.settings.interval)

    def receive(self, association: Association, ppid: int, data: bytes) -> None:
        """Answers keep-alives, if it does, and nothing else."""
        identifier = self._identifiers.get(association)
        if identifier is None:
            self.counters.application_messages_ignored += 1
            return
        message = receive(data, "asap").message
        if self.settings.answer_keep_alives and isinstance(message, EndpointKeepAlive):
            answer = EndpointKeepAliveAck(pool_handle=message.pool_handle, pe_identifier=identifier)
            association.send(PPID_ASAP, answer.encode(self.surroundings.dialect))
