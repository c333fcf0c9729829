"""The simulated clock: SimPy's environment with light events and timers."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf
from typing import Any

import simpy
from simpy.core import EmptySchedule
from simpy.events import NORMAL


class Clock(simpy.Environment):
    """SimPy environment on which a plain call can be scheduled without an event or a process.

    Light calls stand in SimPy's queue as entries with one member more than those of its events, so
    both kinds share one order: time, then priority, then insertion.
    """

    def call_at(self, time: float, function: Callable[..., object], *args: object) -> None:
        """Calls `function(*args)` at `time` (s, absolute); it can't be called back."""
        heappush(self._queue, (time, NORMAL, next(self._eid), function, args))  # type: ignore[misc]

    def timer(self, function: Callable[[], object]) -> Timer:
        """A timer that calls `function` when it expires; it isn't running yet."""
        return Timer(self, function)

    def step(self) -> None:
        """Processes the next entry of the queue."""
        try:
            entry: tuple[Any, ...] = heappop(self._queue)
        except IndexError:
            raise EmptySchedule from None
        self._now = entry[0]
        if len(entry) == 5:
            entry[3](*entry[4])
        else:
            self._process(entry[3])

    def run_until(self, time: float) -> None:
        """Runs to `time` (s), before what is due at that very time; like `run(until=time)`."""
        queue: list[Any] = self._queue
        while queue and queue[0][0] < time:
            entry = heappop(queue)
            self._now = entry[0]
            if len(entry) == 5:
                entry[3](*entry[4])
            else:
                self._process(entry[3])
        self._now = time

    def _process(self, event: Any) -> None:
        callbacks, event.callbacks = event.callbacks, None
        for callback in callbacks:
            callback(event)
        if not event._ok and not hasattr(event, "_defused"):
            raise event._value


class Timer:
    """A named time-out that can be started, restarted and stopped.

    A timer has at most one entry in the queue that counts. One that is restarted for later keeps
    its entry and moves on when that comes up, so that frequent restarts cost no queue operation.
    """

    __slots__ = ("_clock", "_due", "_function", "_pending")

    def __init__(self, clock: Clock, function: Callable[[], object]) -> None:
        self._clock = clock
        self._function = function
        self._due = inf
        self._pending = inf

    @property
    def running(self) -> bool:
        """Whether it will expire if nobody stops it."""
        return self._due < inf

    def start(self, delay: float) -> None:
        """Expires `delay` seconds from now, whatever it was to do before."""
        clock = self._clock
        due = clock._now + delay
        self._due = due
        if due < self._pending:
            self._pending = due
            heappush(clock._queue, (due, NORMAL, next(clock._eid), self._come_up, (due,)))  # type: ignore[misc]

    def stop(self) -> None:
        """Does not expire, until it is started again."""
        self._due = inf

    def _come_up(self, time: float) -> None:
        if time != self._pending:
            return
        due = self._due
        if due == time:
            self._pending = self._due = inf
            self._function()
        elif due < inf:
            self._pending = due
            clock = self._clock
            heappush(clock._queue, (due, NORMAL, next(clock._eid), self._come_up, (due,)))  # type: ignore[misc]
        else:
            self._pending = inf
