"""Requests that a pool element has accepted and not finished yet."""

from __future__ import annotations

from collections.abc import Callable

from rsim.clock import Clock
from rsim.network import Association
from rsim.workload.processor_sharing import Task


class AcceptedRequest:
    """A request in progress, and the association it came by.

    `task` is its work, None while it waits; `waiting` tells that its user owes a keep-alive.

    Parameters: `association` to the user; `number` of the request there; `clock` of the run;
    `on_expiry` is called with it when its timer expires.
    """

    __slots__ = ("_on_expiry", "association", "number", "task", "timer", "waiting")

    def __init__(
        self,
        association: Association,
        number: int,
        clock: Clock,
        on_expiry: Callable[[AcceptedRequest], None],
    ) -> None:
        self.association = association
        self.number = number
        self.task: Task | None = None
        self.waiting = False
        self._on_expiry = on_expiry
        self.timer = clock.timer(self._expire)

    def _expire(self) -> None:
        self._on_expiry(self)

    def end(self) -> None:
        """Nothing expires any more, and the task is let go."""
        self.timer.cancel()
        self.task = None
