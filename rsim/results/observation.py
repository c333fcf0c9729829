"""What a run has shown, and what a metric is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.float64]
Columns = dict[str, npt.NDArray[Any]]
"""A table by columns, which becomes a frame when one is asked for: pandas is slow to load."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a run has come to at an instant.

    Parameters: `time` in s; `totals` sums of all counters by role and name; `work` of each pool
    element / its capacity, in s; `queued` requests at all pool users.
    """

    time: float
    totals: dict[str, float]
    work: Column
    queued: int


@dataclass(frozen=True, slots=True)
class Observation:
    """What a run has shown in its measured time.

    Parameters: `begin`, `end` in s; `counters` by role and name, differences over the measured
    time; `requests` columns (s; NaN: has not happened) of all requests of the run; `reference`
    mean capacity of a pool element in calculations/s; `queued_at_end` requests; `loads` work of
    each pool element in the measured time / its capacity, in s, and which of them are `liars`;
    `cheats` which requests are those of users that cheat.
    """

    begin: float
    end: float
    counters: dict[str, float]
    requests: dict[str, Column]
    reference: float
    queued_at_end: int
    loads: Column
    liars: npt.NDArray[np.bool_]
    cheats: npt.NDArray[np.bool_]

    @classmethod
    def between(
        cls,
        before: Sample,
        after: Sample,
        *,
        requests: dict[str, Column],
        reference: float,
        liars: npt.NDArray[np.bool_],
        cheats: npt.NDArray[np.bool_],
    ) -> Observation:
        """What a run has shown between two samples."""
        counters = {
            name: total - before.totals.get(name, 0) for name, total in after.totals.items()
        }
        loads = after.work - before.work
        return cls(
            before.time,
            after.time,
            counters,
            requests,
            reference,
            after.queued,
            loads,
            liars,
            cheats,
        )

    @property
    def duration(self) -> float:
        """Measured time in s."""
        return self.end - self.begin

    def counter(self, name: str) -> float:
        """A counter's sum, 0 if no actor has it; `*.name` over all roles."""
        if name.startswith("*."):
            ending = name[1:]
            return sum(value for key, value in self.counters.items() if key.endswith(ending))
        return self.counters.get(name, 0.0)

    def during(self, event: str) -> npt.NDArray[np.bool_]:
        """Which requests had their `event` (a column) in the measured time."""
        times = self.requests[event]
        return (times >= self.begin) & (times < self.end)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: `compute` gives its value, NaN where it is undefined."""

    name: str
    unit: str
    label: str
    formula: str
    compute: Callable[[Observation], float]

    @property
    def axis(self) -> str:
        """Label with unit, for an axis."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def ratio(part: float, whole: float) -> float:
    """A quotient, NaN where nothing is divided."""
    return part / whole if whole else float("nan")


def _total(name: str, observation: Observation) -> float:
    return observation.counter(name)


def count(name: str, label: str, counter: str) -> Metric:
    """The metric that is the total of a counter."""
    return Metric(name, "", label, f"total of {counter}", partial(_total, counter))
