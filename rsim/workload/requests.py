"""Requests of all pool users, as what a run returns about each."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import nan
from struct import Struct
from typing import Any, Final, get_type_hints

import numpy as np
import numpy.typing as npt
from mypy_extensions import mypyc_attr


@mypyc_attr(acyclic=True)
@dataclass(slots=True, eq=False)
class Request:
    """One request and what became of it; times in s, NaN for what has not happened.

    `row` is its place in the log.
    """

    user: str
    """Name of the pool user."""
    number: int
    """Number at that user."""
    size: float
    """Size in calculations."""
    generated: float
    """When it came into being."""
    started: float = nan
    """When it was first sent."""
    accepted: float = nan
    """When an element accepted it last."""
    completed: float = nan
    """When it was finished."""
    failed: float = nan
    """When it was given up."""
    attempts: int = 0
    """Elements that it was sent to."""
    failovers: int = 0
    """Elements that took over from another one."""
    cheat: bool = False
    """Whether its user is a cheat."""
    row: int = field(default=-1, init=False, repr=False)


_KINDS: Final = {
    name: kind for name, kind in get_type_hints(Request).items() if name not in ("user", "row")
}
_ROW: Final = np.dtype(list(_KINDS.items()), align=True)
_WIDTH: Final = _ROW.itemsize
_BLOCK: Final = 1024 * _WIDTH
_write: Final = Struct("".join(_ROW[name].char for name in _KINDS)).pack_into


class RequestLog:
    """All requests in the order in which they came.

    Those in progress are objects, which whoever has them may change. Those that have ended are
    numbers, a row for each: an object takes twice the memory.
    """

    def __init__(self) -> None:
        # Of a request that has ended its user is left.
        self._known: list[Request | str] = []
        self._rows = bytearray(_BLOCK)
        self._shown = False

    def append(self, request: Request) -> None:
        """Adds a request.

        Parameters: `request` that has been generated.
        """
        row = request.row = len(self._known)
        if (row + 1) * _WIDTH > len(self._rows):
            self._unshare()
            self._rows += bytes(_BLOCK)
        self._known.append(request)

    def ended(self, request: Request) -> None:
        """Keeps a request as it is now; you must not change it afterwards.

        Parameters: `request` that has ended.

        Raises ValueError if it is not in progress here.
        """
        row = request.row
        if not 0 <= row < len(self._known) or self._known[row] is not request:
            raise ValueError(f"request {request.number} of {request.user} is not in progress")
        self._unshare()
        self._put(request)
        self._known[row] = request.user

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """What is known of all requests, as they are now: arrays by name."""
        self._unshare()
        users = np.empty(len(self._known), object)
        for row, known in enumerate(self._known):
            if isinstance(known, Request):
                self._put(known)
                users[row] = known.user
            else:
                users[row] = known
        rows = np.frombuffer(self._rows, _ROW, len(users))
        self._shown = True
        return {"user": users, **{name: rows[name] for name in _KINDS}}

    def _unshare(self) -> None:
        # What has been shown stays as it is.
        if self._shown:
            self._rows = self._rows[:]
            self._shown = False

    def _put(self, request: Request) -> None:
        _write(
            self._rows,
            request.row * _WIDTH,
            request.number,
            request.size,
            request.generated,
            request.started,
            request.accepted,
            request.completed,
            request.failed,
            request.attempts,
            request.failovers,
            request.cheat,
        )
