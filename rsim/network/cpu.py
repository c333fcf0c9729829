"""A host's CPU: one queue with a service time for each kind of message and a bounded buffer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from rsim.clock import Clock
from rsim.network.settings import CpuSettings
from rsim.randomness import Stream
from rsim.wire import MESSAGE_KINDS, PPID_ASAP, PPID_ENRP

_PROTOCOLS = (PPID_ASAP, PPID_ENRP)

Job = tuple[float, float, Callable[..., object], tuple[object, ...]]


@dataclass(slots=True)
class CpuCounters:
    """Counters of a CPU since the run began."""

    cpu_jobs: int = 0
    """Messages and handshakes served."""
    cpu_dropped: int = 0
    """Messages that found the buffer full."""
    cpu_busy: float = 0.0
    """Time in s of work."""
    cpu_waited: float = 0.0
    """Time in s that served work had waited, added up."""
    cpu_time: float = 0.0
    """Time in s, busy or not."""


class Cpu:
    """First come, first served; what does not fit into the buffer is refused.

    Where ENRP goes first, a message between servers is served before all others, and is let in
    whatever the others have filled.

    Parameters: `clock` of the run; `settings` of the CPU; `stream` of its draws.
    """

    __slots__ = (
        "_application",
        "_clock",
        "_epoch",
        "_queue",
        "_service",
        "_settings",
        "_stream",
        "_urgent",
        "_working",
        "counters",
    )

    def __init__(self, clock: Clock, settings: CpuSettings, stream: Stream) -> None:
        self.counters = CpuCounters()
        self._clock = clock
        self._settings = settings
        self._stream = stream
        self._service = {
            kind: settings.service_times[name]
            for kind, name in MESSAGE_KINDS.items()
            if name in settings.service_times
        }
        self._application = settings.service_times.get("APPLICATION", settings.service_time)
        self._queue: deque[Job] = deque()
        self._urgent: deque[Job] = deque()
        self._working = False
        self._epoch = 0

    @property
    def full(self) -> bool:
        """Whether it would refuse one more; the one in service counts."""
        buffer = self._settings.buffer
        return buffer is not None and len(self._queue) + self._working >= buffer

    @property
    def length(self) -> int:
        """Jobs in the queue and in service."""
        return len(self._queue) + len(self._urgent) + self._working

    def urgent(self, ppid: int) -> bool:
        """Whether messages of this kind go first.

        Parameters: `ppid` payload protocol of a message.
        """
        return ppid == PPID_ENRP and self._settings.enrp_first

    def service_time(self, ppid: int, data: bytes) -> float:
        """Time in s that a message takes, by its kind.

        Parameters: `ppid` payload protocol of the message; `data` its octets.
        """
        kind = (ppid, data[0] if data else -1)
        default = self._application if ppid not in _PROTOCOLS else self._settings.service_time
        mean = self._service.get(kind, default)
        if mean > 0 and self._settings.distribution == "exponential":
            return mean * self._stream.exponential()
        return mean

    def submit(
        self, time: float, function: Callable[..., object], *args: object, urgent: bool = False
    ) -> None:
        """Calls `function(*args)` when its turn has come and `time` s of work are done.

        The buffer is not asked: whoever can refuse looks at `full` and calls `refuse` first.

        Parameters: `function` to call; `args` for it; `urgent` whether it goes before all that is
        not.
        """
        now = self._clock.now
        self.counters.cpu_jobs += 1
        if self._working:
            queue = self._urgent if urgent else self._queue
            queue.append((now, time, function, args))
        elif time > 0:
            self._serve(now, time, function, args)
        else:
            function(*args)

    def refuse(self) -> None:
        """Counts a message that found the buffer full."""
        self.counters.cpu_dropped += 1

    def settle(self) -> None:
        """Brings the counter of time, busy or not, up to the present."""
        self.counters.cpu_time = self._clock.now

    def clear(self) -> None:
        """Forgets all work, as when the host goes down."""
        self._queue.clear()
        self._urgent.clear()
        self._working = False
        self._epoch += 1

    def _serve(
        self, since: float, time: float, function: Callable[..., object], args: tuple[object, ...]
    ) -> None:
        now = self._clock.now
        self._working = True
        self.counters.cpu_waited += now - since
        self.counters.cpu_busy += time
        self._clock.call_at(now + time, self._done, self._epoch, function, args)

    def _done(self, epoch: int, function: Callable[..., object], args: tuple[object, ...]) -> None:
        if epoch != self._epoch:
            return
        function(*args)
        if epoch != self._epoch:
            return
        self._working = False
        if self._urgent:
            self._serve(*self._urgent.popleft())
        elif self._queue:
            self._serve(*self._queue.popleft())
