"""Requests of all pool users, as what a run returns about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from operator import attrgetter
from sys import getrefcount
from typing import Any, get_type_hints

import numpy as np
import numpy.typing as npt
import pandas as pd
from mypy_extensions import mypyc_attr

_BATCH = 1024
"""Requests at least that are looked through at once; as few as a processor's cache holds."""


@mypyc_attr(acyclic=True)
@dataclass(slots=True)
class Request:
    """One request and what became of it; times in s, NaN for what has not happened."""

    user: str
    number: int
    size: float
    generated: float
    started: float = nan
    accepted: float = nan
    completed: float = nan
    failed: float = nan
    attempts: int = 0
    failovers: int = 0
    cheat: bool = False


class RequestLog:
    """All requests in the order in which they came.

    Requests that nobody else knows any more can't change, and are kept as numbers: an object takes
    twice the memory, and time of the garbage collector.
    """

    def __init__(self) -> None:
        kinds = get_type_hints(Request).items()
        self._known: dict[int, Request] = {}
        self._columns: dict[str, npt.NDArray[Any]] = {
            name: np.empty(0, object if kind is str else kind) for name, kind in kinds
        }
        self._shown = False
        self._count = 0
        self._most = _BATCH
        self._alone = _references({0: object()})[0]

    def append(self, request: Request) -> None:
        """Adds a request, which may change as long as somebody has it."""
        if len(self._known) >= self._most:
            self._let_go()
            # However many are in progress, each is looked at a few times only.
            self._most = max(_BATCH, 2 * len(self._known))
        self._known[self._count] = request
        self._count += 1

    def frame(self) -> pd.DataFrame:
        """A row for each request, as they are now."""
        self._write(list(self._known))
        self._shown = True
        columns = {name: column[: self._count] for name, column in self._columns.items()}
        return pd.DataFrame(columns, copy=False)

    def _let_go(self) -> None:
        references = zip(self._known, _references(self._known), strict=True)
        ended = [index for index, count in references if count == self._alone]
        self._write(ended)
        for index in ended:
            del self._known[index]

    def _write(self, indices: list[int]) -> None:
        # A frame has the columns as they were.
        room = len(self._columns["number"])
        if self._count > room or self._shown:
            more = self._count + self._count // 4 - room if self._count > room else 0
            self._shown = False
            for name, column in self._columns.items():
                self._columns[name] = np.concatenate([column, np.empty(more, column.dtype)])
        requests = [self._known[index] for index in indices]
        rows = np.array(indices, dtype=np.intp)
        for name, column in self._columns.items():
            values = np.fromiter(map(attrgetter(name), requests), column.dtype, len(requests))
            column[rows] = values


def _references(known: Mapping[int, object]) -> list[int]:
    return [getrefcount(one) for one in list(known.values())]
