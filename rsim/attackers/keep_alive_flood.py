"""Floods of endpoint keep-alives to pool elements, and theft of their home (RFC 5355 2.14)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from rsim.attackers.base import Flooder, FlooderSettings, Surroundings, attacker
from rsim.endpoints.ports import Address
from rsim.network import Association, Event
from rsim.wire import (
    PPID_ASAP,
    EndpointKeepAlive,
    EndpointKeepAliveAck,
    Registration,
    RegistrationResponse,
    receive,
)


class KeepAliveFloodSettings(FlooderSettings):
    """A flood of keep-alives."""

    home: bool = Field(
        False, description="claims to be the home of the element: it registers there from then on"
    )
    grant: bool = Field(True, description="grants the registrations that it gets")


@attacker
class KeepAliveFlood(Flooder[KeepAliveFloodSettings]):
    """Sends keep-alives to all pool elements in turn.

    Parameters: `settings` of the group; `surroundings` what it finds there.
    """

    kind: ClassVar[str] = "keep-alive-flood"
    Settings: ClassVar[type[FlooderSettings]] = KeepAliveFloodSettings

    def __init__(self, settings: KeepAliveFloodSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        random = surroundings.stream("identifiers")
        self._identifier = random.identifier()
        self._turn = 0
        self._associations: dict[Address, Association] = {}
        self._captured: set[Association] = set()

    def act(self) -> None:
        """Sends one keep-alive to the next element."""
        targets = self.surroundings.elements()
        if not targets:
            return
        address = targets[self._turn % len(targets)]
        self._turn += 1
        association = self._associations.get(address)
        if association is None:
            here = self.surroundings
            # An insider is heard by elements that hear nobody without a key.
            profile = here.offers[0] if here.offers else None
            association = here.host.connect(address[0][0], address[1], self, profile=profile)
            self._associations[address] = association
        message = EndpointKeepAlive(
            server_identifier=self._identifier,
            pool_handle=self.surroundings.pool_handle,
            home=self.settings.home,
        )
        self.send(association, message)

    def receive(self, association: Association, ppid: int, data: bytes) -> None:
        """Counts answers; grants registrations of elements that take it for their home."""
        message = receive(data, "asap").message if ppid == PPID_ASAP else None
        if isinstance(message, EndpointKeepAliveAck):
            self.counters.answers_received += 1
            self.counters.octets_answered += len(data)
        elif isinstance(message, Registration):
            if association not in self._captured:
                self._captured.add(association)
                self.counters.elements_captured += 1
            if self.settings.grant:
                granted = RegistrationResponse(
                    pool_handle=message.pool_handle,
                    pe_identifier=message.pool_element.identifier,
                )
                association.send(PPID_ASAP, granted.encode(self.surroundings.dialect))

    def notify(self, association: Association, event: Event) -> None:
        """Forgets an association that has ended."""
        if event is not Event.UP:
            self._captured.discard(association)
            for address in [a for a, one in self._associations.items() if one is association]:
                del self._associations[address]
