"""The simulated clock: SimPy's environment on a native queue, with light events and timers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import simpy
from simpy.core import EmptySchedule, StopSimulation
from simpy.events import NORMAL, Event

from rsim._native import EventQueue, Timer

__all__ = ["Clock", "Timer"]

_FIRST = -1
"""Priority before all that SimPy gives."""


class Clock(simpy.Environment):
    """SimPy environment on which a plain call can be scheduled without an event or a process.

    Light calls, timers and SimPy's events stand in one queue and share one order: time, then
    priority, then insertion.

    Parameters: `initial_time` in s, at which it begins.
    """

    __slots__ = ("_now",)

    now: float
    """Simulated time in s."""
    call_at: Callable[..., None]
    """Calls `function(*args)` at `time` (s, absolute); it can't be called back."""
    call_method_at: Callable[..., None]
    """Calls `owner.name(*args)`, given time, name, owner and arguments, without a bound method."""
    timer: Callable[[Callable[[], object]], Timer]
    """A timer that calls a function when it expires; it isn't running yet."""

    def __init__(self, initial_time: float = 0) -> None:
        super().__init__(initial_time)
        self.events = EventQueue(self, initial_time)
        """What is due."""
        # Bound here to save a Python call for each use.
        self.call_at = self.events.call_at
        self.call_method_at = self.events.call_method_at
        self.timer = self.events.timer

    def schedule(self, event: Event, priority: int = NORMAL, delay: float = 0) -> None:
        """Puts an event into the queue.

        Parameters: `event` of SimPy; `priority` among events of the same instant; `delay` in s from
        now.
        """
        self.events.schedule(self._now + delay, priority, event)

    def peek(self) -> float:
        """When something is due next, infinity if nothing is."""
        return self.events.peek()

    @property
    def fingerprint(self) -> int:
        """Fingerprint of the times of all that has happened, in its order."""
        return self.events.fingerprint

    def step(self) -> None:
        """Processes the next entry of the queue."""
        if not self.events.step():
            raise EmptySchedule

    def run_until(self, time: float) -> None:
        """Runs to `time` (s), before what is due at that very time; like `run(until=time)`."""
        self.events.run_until(time)
        self._now = time

    def _process(self, event: Any) -> None:
        callbacks, event.callbacks = event.callbacks, None
        done = 0
        try:
            for callback in callbacks:
                done += 1
                callback(event)
        except StopSimulation:
            # The others have their turn when the simulation goes on, before all else.
            event.callbacks = callbacks[done:]
            self.schedule(event, _FIRST)
            raise
        if not event._ok and not hasattr(event, "_defused"):
            raise event._value


# Each message reads it several times: without a call of Python's, which SimPy's property would be.
Clock.now = Clock.__dict__["_now"]
