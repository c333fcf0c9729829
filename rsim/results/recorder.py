"""The recorder: takes counters at the end of the warm-up and at the end of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import reduce
from operator import add, attrgetter
from typing import Any, TypeVar

_Counters = TypeVar("_Counters")

Totals = dict[str, float]
"""Sums by name, such as `pool_users.accepts`."""


class Recorder:
    """Knows the counters of all actors, by role, and sums them up at given instants."""

    def __init__(self) -> None:
        self._counters: dict[tuple[str, type], list[Any]] = {}
        self._settles: list[Callable[[], None]] = []
        self._gauges: list[tuple[str, Callable[[], Iterable[tuple[str, float]]]]] = []

    def add(self, role: str, counters: Any, settle: Callable[[], None] | None = None) -> None:
        """Adds a dataclass of counters; `settle` brings those that integrate up to date.

        Parameters: `role` of the actor; `counters` of the actor.
        """
        self._counters.setdefault((role, type(counters)), []).append(counters)
        if settle is not None:
            self._settles.append(settle)

    def share(self, role: str, counters: _Counters) -> _Counters:
        """Counters of that kind in which all of a role count: these, if they are the first.

        Thousands of actors then write to one place, not each to one that is in no cache.

        Parameters: `role` of the actor; `counters` of a new actor.
        """
        first: _Counters = self._counters.setdefault((role, type(counters)), [counters])[0]
        return first

    def add_totals(self, role: str, totals: Callable[[], Iterable[tuple[str, float]]]) -> None:
        """Adds names and sums that are computed when they are asked for.

        Parameters: `role` whose names they are; `totals` gives names and sums since the run began.
        """
        self._gauges.append((role, totals))

    def totals(self) -> Totals:
        """Present sums of all counters, by role and name."""
        result: Totals = {}
        for settle in self._settles:
            settle()
        for (role, kind), counters in self._counters.items():
            for counter in fields(kind):
                name = f"{role}.{counter.name}"
                # Not `sum`, which rounds otherwise from Python 3.12 on.
                result[name] = reduce(
                    add, map(attrgetter(counter.name), counters), result.get(name, 0)
                )
        for role, totals in self._gauges:
            for name, value in totals():
                result[f"{role}.{name}"] = result.get(f"{role}.{name}", 0) + value
        return result
