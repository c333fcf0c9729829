"""Processor sharing: n tasks get a capacity's n-th part each, ideally."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any, Protocol

from rsim.clock import Clock


class Task:
    """Work in progress: `due` in the processor's own time, when it passes its next `mark`.

    Tasks stand in the order in which they are due; of equals the first to wait comes first.

    Parameters: `owner` of the task; `size` in calculations; `done` of them; `entered` in s.
    """

    __slots__ = ("active", "done", "due", "entered", "mark", "order", "owner", "size")

    def __init__(self, owner: Any, size: float, done: float, entered: float) -> None:
        self.due = 0.0
        self.order = 0
        self.active = True
        self.mark = size
        self.size = size
        self.done = done
        self.entered = entered
        self.owner = owner

    def __lt__(self, other: Task) -> bool:
        if self.due == other.due:
            return self.order < other.order
        return self.due < other.due


class ProcessorUser(Protocol):
    """Whose tasks a processor works on."""

    def reached(self, task: Task) -> float:
        """A task has done `task.mark` calculations; returns its next mark.

        Parameters: `task` that has reached its threshold.
        """

    def finished(self, task: Task) -> None:
        """A task has done all, and has left.

        Parameters: `task` that is done.
        """


class Processor:
    """A processor-sharing server in virtual time.

    Virtual time counts the calculations that a task gets; a task is finished when it has advanced
    by the task's size, so arrivals and departures cost O(log n) whatever n.

    Parameters: `clock` of the run; `capacity` in calculations/s; `user` is notified of what tasks
    have done.
    """

    def __init__(
        self,
        clock: Clock,
        capacity: float,
        user: ProcessorUser,
    ) -> None:
        self.capacity = capacity
        self.tasks = 0
        self._settled = clock.now
        self._virtual = 0.0
        self._work = 0.0
        self._heap: list[Task] = []
        self._clock = clock
        self._timer = clock.timer(self._due)
        self._user = user
        self._sequence = 0

    def work(self) -> float:
        """Calculations done so far by all tasks together."""
        self._settle()
        return self._work

    def progress(self, task: Task) -> float:
        """Calculations done of a task, those before it came here included.

        Parameters: `task` in progress.
        """
        self._settle()
        return min(task.size, task.done + self._virtual - task.entered)

    def add(self, owner: Any, size: float, done: float, mark: float) -> Task:
        """Starts on a task of `size` calculations, `done` of them elsewhere; `mark` comes first.

        Parameters: `owner` of the task.
        """
        self._settle()
        task = Task(owner, size, done, self._virtual)
        self.tasks += 1
        self._push(task, mark)
        self._schedule()
        return task

    def remove(self, task: Task) -> None:
        """Gives a task up."""
        self._settle()
        task.active = False
        self.tasks -= 1
        self._schedule()

    def clear(self) -> None:
        """Gives all tasks up."""
        self._settle()
        for task in self._heap:
            task.active = False
        self._heap.clear()
        self.tasks = 0
        self._timer.stop()

    def _push(self, task: Task, mark: float) -> None:
        self._sequence += 1
        task.mark = mark
        task.due = task.entered + mark - task.done
        task.order = self._sequence
        heappush(self._heap, task)

    def _settle(self) -> None:
        now = self._clock.now
        if self.tasks and now > self._settled:
            work = (now - self._settled) * self.capacity
            self._work += work
            self._virtual += work / self.tasks
        self._settled = now

    def _schedule(self) -> None:
        heap = self._heap
        while heap and not heap[0].active:
            heappop(heap)
        if heap:
            left = max(0.0, heap[0].due - self._virtual)
            self._timer.start(left * self.tasks / self.capacity)
        else:
            self._timer.stop()

    def _due(self) -> None:
        self._settle()
        heap = self._heap
        # Rounding must not leave the task that the timer was set for a hair short of its mark.
        self._virtual = max(self._virtual, heap[0].due)
        while heap and heap[0].due <= self._virtual:
            task = heappop(heap)
            if not task.active:
                continue
            if task.mark < task.size:
                self._push(task, self._user.reached(task))
            else:
                task.active = False
                self.tasks -= 1
                self._user.finished(task)
        self._schedule()
