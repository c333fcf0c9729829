"""Pool elements that fail and return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, field_validator

from rsim.clock import Clock
from rsim.distributions import IntervalDistribution
from rsim.network import parse_schedule
from rsim.randomness import Stream
from rsim.units import Model, Share
from rsim.workload.calcapp_server import CalcAppServer


class FailureSettings(Model):
    """When and how pool elements fail."""

    uptime: IntervalDistribution | None = Field(
        None, description="time in s from registration to shutdown; null: never"
    )
    downtime: IntervalDistribution | None = Field(
        None, description="time in s from the end of a shutdown to the next start; null: none"
    )
    schedule: str = Field(
        "", description='shutdowns and starts such as "down@100s, up@+30s", beside the others'
    )
    clean_shutdown_probability: Share = Field(
        1.0,
        description="share of shutdowns with deregistration, cookies and aborts; "
        "the others are silent",
    )
    what: Literal["process", "host"] = Field(
        "process",
        description="what fails silently: process (the host answers that it is gone) "
        "or host (nothing answers)",
    )

    @field_validator("schedule")
    @classmethod
    def _schedule_reads(cls, value: str) -> str:
        parse_schedule(value)
        return value


@dataclass(slots=True)
class LifecycleCounters:
    """Shutdowns since the run began."""

    clean_shutdowns: int = 0
    """Number of clean shutdowns."""
    unclean_shutdowns: int = 0
    """Number of silent failures."""


class Lifecycle:
    """Starts a pool element, shuts it down after its up-time, and starts it anew.

    Parameters: `clock` of the run; `element` that starts and ends; `settings` of its failures;
    `stream` of the draws; `switch_host` takes the host down, or up again with what runs on it.
    """

    def __init__(
        self,
        clock: Clock,
        element: CalcAppServer,
        settings: FailureSettings,
        stream: Stream,
        switch_host: Callable[[bool], None],
    ) -> None:
        self.counters = LifecycleCounters()
        self._element = element
        self._settings = settings
        self._stream = stream
        self._switch_host = switch_host
        self._shutdown = clock.timer(self._shut_down)
        self._restart = clock.timer(self._start_anew)
        self._scheduled = False
        for time, up in parse_schedule(settings.schedule):
            clock.call_at(time, self.switch, up)
        element.endpoint.on_registered = self._registered
        element.on_left = self._down
        for membership in element.memberships:
            membership.endpoint.on_deregistered = self._note_deregistered

    def start(self) -> None:
        """Starts the element for the first time, unless the return of its host has done so."""
        if not self._element.running:
            self._element.start()

    def switch(self, up: bool) -> None:
        """The schedule shuts the element down, or starts it anew.

        Parameters: `up` whether it is to be up.
        """
        self._shutdown.stop()
        self._restart.stop()
        self._scheduled = not up
        if self._element.running and not up:
            self._shut_down()
        elif up and not self._element.running:
            self._start_anew()

    def crash(self) -> None:
        """The host goes down, and the element with it, whatever it was doing."""
        self._shutdown.stop()
        self._restart.stop()
        self._element.vanish()

    def recover(self) -> None:
        """The host is back: the element starts anew."""
        self._element.start()

    def _registered(self) -> None:
        if self._settings.uptime is not None:
            self._shutdown.start(self._settings.uptime.draw(self._stream))

    def _shut_down(self) -> None:
        if self._stream.uniform() < self._settings.clean_shutdown_probability:
            self.counters.clean_shutdowns += 1
            self._element.shut_down()
        else:
            self.counters.unclean_shutdowns += 1
            if self._settings.what == "host":
                self._switch_host(False)
            else:
                self._element.vanish()
            self._down()

    def _start_anew(self) -> None:
        if self._element.host.up:
            self._element.start()
        else:
            self._switch_host(True)

    def _note_deregistered(self) -> None:
        """Down once the last pool granted the deregistration and the last request is finished."""
        if self._element.running:
            self._element.finish_leaving()
        elif not any(one.endpoint.deregistering for one in self._element.memberships):
            self._down()

    def _down(self) -> None:
        if self._scheduled:
            return
        downtime = self._settings.downtime
        self._restart.start(downtime.draw(self._stream) if downtime is not None else 0.0)
