"""The recorder: takes counters at the end of the warm-up and at the end of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

Totals = dict[str, float]
"""Sums by name, such as `pool_users.accepts`."""


def _nothing() -> None:
    pass


class Recorder:
    """Knows the counters of all actors, by role, and sums them up at given instants."""

    def __init__(self) -> None:
        self._sources: list[tuple[str, Any, Callable[[], None]]] = []
        self._gauges: list[tuple[str, Callable[[], Iterable[tuple[str, float]]]]] = []

    def add(self, role: str, counters: Any, settle: Callable[[], None] = _nothing) -> None:
        """Adds a dataclass of counters; `settle` brings those that integrate up to date."""
        self._sources.append((role, counters, settle))

    def add_totals(self, role: str, totals: Callable[[], Iterable[tuple[str, float]]]) -> None:
        """Adds names and sums that are computed when they are asked for."""
        self._gauges.append((role, totals))

    def totals(self) -> Totals:
        """Present sums of all counters, by role and name."""
        result: Totals = {}
        for role, counters, settle in self._sources:
            settle()
            for counter in fields(counters):
                name = f"{role}.{counter.name}"
                result[name] = result.get(name, 0) + getattr(counters, counter.name)
        for role, totals in self._gauges:
            for name, value in totals():
                result[f"{role}.{name}"] = result.get(f"{role}.{name}", 0) + value
        return result
