"""Taking users' metrics to other processes, which have not run what defines them."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import loads
from types import ModuleType
from typing import Any

from rsim.errors import ResultError
from rsim.results.registry import metrics_by_hand, replace_by_hand

_unpacked: list[bytes] = [b""]
"""What was unpacked last."""


def pack() -> bytes:
    """The users' metrics of this process, for others; empty if there are none.

    Those that Python files of scenarios register are left out: whoever runs the scenario runs the
    files. Raises ResultError where a metric can't be taken to another process.
    """
    from cloudpickle import dumps

    chosen = metrics_by_hand()
    try:
        with _by_value([one.compute for one in chosen]):
            return bytes(dumps(chosen)) if chosen else b""
    except Exception as error:
        # Whatever a function holds may refuse in a way of its own.
        names = ", ".join(one.name for one in chosen)
        raise ResultError(f"metrics {names}: can't be taken to other processes: {error}") from None


@contextmanager
def _by_value(functions: list[Callable[..., Any]]) -> Iterator[None]:
    """Has functions of modules that are not installed taken along, as others can't import them."""
    from cloudpickle import register_pickle_by_value, unregister_pickle_by_value

    names = dict.fromkeys(getattr(function, "__module__", None) for function in functions)
    found = [sys.modules[name] for name in names if name in sys.modules and name != "__main__"]
    modules = [module for module in found if not _is_installed(module)]
    for module in modules:
        register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in modules:
            unregister_pickle_by_value(module)


def _is_installed(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    if module.__name__.partition(".")[0] == "rsim" or file is None:
        return True
    return any(Path(file).is_relative_to(path) for path in sysconfig.get_paths().values())


def unpack(metrics: bytes) -> None:
    """Has this process know users' metrics of another one, and no others but those of files.

    Parameters: `metrics` as `pack` gave them there.
    """
    if _unpacked != [metrics]:
        replace_by_hand(loads(metrics) if metrics else [])
        _unpacked[:] = [metrics]
