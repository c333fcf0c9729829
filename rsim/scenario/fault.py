"""The component of a deployment in which an error occurred, found from its stack frames."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any

from rsim.network import Host


def component(trace: TracebackType | None) -> str | None:
    """Name of the host whose actor raised an error, None if none was at work.

    Looks from the innermost frame outwards for an object that is a host, has one, or works for an
    object that has one.

    Parameters: `trace` of the error.
    """
    frames = []
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    for frame in reversed(frames):
        for value in list(frame.f_locals.values()):
            host = _host(value) or next(filter(None, map(_host, _parts(value))), None)
            if host is not None:
                return host.name
    return None


def _host(value: Any) -> Host | None:
    if isinstance(value, Host):
        return value
    try:
        host = getattr(value, "host", None)
    except Exception:
        # A stranger's property may raise what it likes.
        return None
    return host if isinstance(host, Host) else None


def _parts(value: Any) -> Iterator[Any]:
    """What an actor is made of; nothing for plain data and for code."""
    if type(value).__module__.startswith("rsim."):
        names = [name for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ())]
        for name in [*names, *getattr(value, "__dict__", {})]:
            yield getattr(value, name, None)
