"""First come, first served: the first task gets the whole capacity, the others wait."""

from __future__ import annotations

from collections import deque
from typing import Any

from rsim.clock import Clock
from rsim.workload.processor_sharing import ProcessorUser, Task


class InOrderProcessor:
    """A processor that works on one task after another.

    Parameters: `clock` of the run; `capacity` in calculations per s; `user` that is notified of
    ends and thresholds. They are those of the processor-sharing `Processor`, which it can replace.
    """

    def __init__(
        self,
        clock: Clock,
        capacity: float,
        user: ProcessorUser,
    ) -> None:
        self.capacity = capacity
        self._clock = clock
        self._user = user
        self._queue: deque[Task] = deque()
        self._settled = clock.now
        self._work = 0.0
        self._timer = clock.timer(self._due)

    @property
    def tasks(self) -> int:
        """Tasks in service and waiting."""
        return len(self._queue)

    def work(self) -> float:
        """Calculations done so far by all tasks together."""
        self._settle()
        return self._work

    def progress(self, task: Task) -> float:
        """Calculations done of a task, those before it came here included.

        Parameters: `task` in progress.
        """
        self._settle()
        return task.done

    def add(self, owner: Any, size: float, done: float, mark: float) -> Task:
        """Lines up a task of `size` calculations, `done` of them elsewhere; `mark` comes first.

        Parameters: `owner` of the task.
        """
        self._settle()
        task = Task(owner, size, done, 0.0)
        task.mark = mark
        self._queue.append(task)
        if len(self._queue) == 1:
            self._schedule()
        return task

    def remove(self, task: Task) -> None:
        """Gives a task up."""
        self._settle()
        self._queue.remove(task)
        self._schedule()

    def clear(self) -> None:
        """Gives all tasks up."""
        self._settle()
        self._queue.clear()
        self._timer.stop()

    def _settle(self) -> None:
        now = self._clock.now
        if self._queue and now > self._settled:
            task = self._queue[0]
            work = min((now - self._settled) * self.capacity, max(0.0, task.mark - task.done))
            task.done += work
            self._work += work
        self._settled = now

    def _schedule(self) -> None:
        if self._queue:
            task = self._queue[0]
            self._timer.start(max(0.0, task.mark - task.done) / self.capacity)
        else:
            self._timer.stop()

    def _due(self) -> None:
        self._settle()
        task = self._queue[0]
        # Rounding must not leave the task that the timer was set for a hair short of its mark.
        self._work += task.mark - task.done
        task.done = task.mark
        if task.mark < task.size:
            task.mark = self._user.reached(task)
        else:
            self._queue.popleft()
            self._user.finished(task)
        self._schedule()
