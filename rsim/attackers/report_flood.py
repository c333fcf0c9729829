"""Floods of resolutions and unreachability reports by a pool user (RFC 5355 2.13)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from rsim.attackers.base import Flooder, FlooderSettings, Surroundings, attacker
from rsim.network import Association, Event
from rsim.units import Share
from rsim.wire import (
    PPID_ASAP,
    EndpointUnreachable,
    HandleResolution,
    HandleResolutionResponse,
    receive,
)


class ReportFloodSettings(FlooderSettings):
    """A flood of resolutions, with reports about what they list."""

    report_probability: Share = Field(
        1.0, description="chance that it reports an element that an answer lists"
    )
    reports: int = Field(1, ge=1, le=10_000, description="reports about each of them")


@attacker
class ReportFlood(Flooder[ReportFloodSettings]):
    """Resolves the pool's handle again and again, and reports the elements in the answers.

    Parameters: `settings` of the group; `surroundings` what it finds there.
    """

    kind: ClassVar[str] = "report-flood"
    Settings: ClassVar[type[FlooderSettings]] = ReportFloodSettings

    def __init__(self, settings: ReportFloodSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        self._random = surroundings.stream("reports")
        self._association: Association | None = None

    def act(self) -> None:
        """Asks once."""
        if self._association is None:
            self._association = self.surroundings.connect(self, 0)
        self.send(self._association, HandleResolution(pool_handle=self.surroundings.pool_handle))

    def receive(self, association: Association, ppid: int, data: bytes) -> None:
        """Reports the elements of an answer."""
        message = receive(data, "asap").message if ppid == PPID_ASAP else None
        if not isinstance(message, HandleResolutionResponse):
            return
        for element in message.pool_elements:
            if self._random.uniform() < self.settings.report_probability:
                report = EndpointUnreachable(
                    pool_handle=message.pool_handle, pe_identifier=element.identifier
                )
                for _ in range(self.settings.reports):
                    self.send(association, report)

    def notify(self, association: Association, event: Event) -> None:
        """Begins anew where the association has ended."""
        if association is self._association and event is not Event.UP:
            self._association = None
