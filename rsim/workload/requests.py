"""Requests of all pool users, as what a run returns about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from math import nan
from operator import attrgetter
from sys import getrefcount
from typing import Any, get_type_hints

import numpy as np
import numpy.typing as npt
import pandas as pd
from mypy_extensions import mypyc_attr

BLOCK = 4096
"""Requests whose columns lie together."""
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
        self._kinds: dict[str, Any] = {
            name: object if kind is str else kind for name, kind in get_type_hints(Request).items()
        }
        self._known: dict[int, Request] = {}
        self._blocks: list[dict[str, npt.NDArray[Any]]] = []
        self._count = 0
        self._most = _BATCH
        self._alone = _references({0: object()})[0]

    def append(self, request: Request) -> None:
        """Adds a request, which may change as long as somebody has it."""
        if len(self._known) >= self._most:
            self._let_go()
            # However many are in progress, each is looked at a few times only.
            self._most = max(_BATCH, 2 * len(self._known))
        if self._count % BLOCK == 0:
            self._blocks.append({name: np.empty(BLOCK, kind) for name, kind in self._kinds.items()})
        self._known[self._count] = request
        self._count += 1

    def frame(self) -> pd.DataFrame:
        """A row for each request, as they are now."""
        self._write(list(self._known))
        columns = {
            name: np.concatenate([np.empty(0, kind), *(block[name] for block in self._blocks)])
            for name, kind in self._kinds.items()
        }
        return pd.DataFrame(
            {name: column[: self._count] for name, column in columns.items()}, copy=False
        )

    def _let_go(self) -> None:
        references = zip(self._known, _references(self._known), strict=True)
        ended = [index for index, count in references if count == self._alone]
        self._write(ended)
        for index in ended:
            del self._known[index]

    def _write(self, indices: list[int]) -> None:
        for number, group in groupby(indices, lambda index: index // BLOCK):
            indices = list(group)
            requests = [self._known[index] for index in indices]
            rows = np.array(indices) % BLOCK
            for name, kind in self._kinds.items():
                values = np.fromiter(map(attrgetter(name), requests), kind, len(requests))
                self._blocks[number][name][rows] = values


def _references(known: Mapping[int, object]) -> list[int]:
    return [getrefcount(one) for one in list(known.values())]
