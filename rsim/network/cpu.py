"""A host's CPU: one queue with a service time for each kind of message and a bounded buffer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rsim._native import CpuCore
from rsim.clock import Clock
from rsim.network.settings import CpuSettings
from rsim.randomness import Stream
from rsim.wire import MESSAGE_KINDS, PPID_ENRP


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

    __slots__ = ("_clock", "_counters", "_settings", "core")

    def __init__(self, clock: Clock, settings: CpuSettings, stream: Stream) -> None:
        self._clock = clock
        self._settings = settings
        self._counters = CpuCounters()
        times = settings.service_times
        self.core = CpuCore(
            clock.events,
            stream,
            service_times={
                kind: times[name] for kind, name in MESSAGE_KINDS.items() if name in times
            },
            default_time=settings.service_time,
            application_time=times.get("APPLICATION", settings.service_time),
            exponential=settings.distribution == "exponential",
            buffer=settings.buffer,
            urgent=PPID_ENRP if settings.enrp_first else None,
        )

    def control_time(self, name: str) -> float:
        """Time in s for a packet that sets up associations.

        Parameters: `name` INIT or COOKIE_ECHO.
        """
        return self._settings.service_times.get(name, 0.0)

    def admit(self, ppid: int = -1) -> bool:
        """Whether it takes one message more; one that it does not take is counted.

        Parameters: `ppid` payload protocol of the message, -1 for none that is urgent.
        """
        return self.core.admit(ppid)

    @property
    def counters(self) -> CpuCounters:
        """What it has done up to the present."""
        self.settle()
        return self._counters

    def service_time(self, ppid: int, data: bytes) -> float:
        """Time in s that a message takes, by its kind.

        Parameters: `ppid` payload protocol of the message; `data` its octets.
        """
        return self.core.service_time(ppid, data)

    def submit(
        self, time: float, function: Callable[..., object], *args: object, urgent: bool = False
    ) -> None:
        """Calls `function(*args)` when its turn has come and `time` s of work are done.

        The buffer is not asked: whoever can refuse a message calls `admit` first.

        Parameters: `function` to call; `args` for it; `urgent` whether it goes before all that is
        not.
        """
        self.core.submit(time, function, args, urgent)

    def settle(self) -> None:
        """Brings the counters up to the present."""
        counters = self._counters
        jobs, dropped, busy, waited = self.core.counters
        counters.cpu_jobs, counters.cpu_dropped = jobs, dropped
        counters.cpu_busy, counters.cpu_waited = busy, waited
        counters.cpu_time = self._clock.now

    def clear(self) -> None:
        """Forgets all work, as when the host goes down."""
        self.core.clear()
