"""Taking what users have registered to other processes, which have not run what defines it."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import loads
from types import ModuleType
from typing import Any

from rsim.attackers import attacker
from rsim.endpoints import authorisation, detector
from rsim.errors import ResultError
from rsim.handlespace import policy
from rsim.registrations import registered_by_hand
from rsim.results.registry import metrics_by_hand, replace_by_hand
from rsim.workload import service, workload

_REGISTER: dict[str, Callable[[str], Callable[[Any], Any]]] = {
    "attacker": lambda _: attacker,
    "authorisation": authorisation,
    "detector": detector,
    "policy": lambda _: policy,
    "service": service,
    "workload": workload,
}
"""Decorators by kind, for a name."""
_unpacked: list[bytes] = [b""]
"""What was unpacked last."""


def pack() -> bytes:
    """What users have registered in this process, for others; empty if there is nothing.

    What Python files of scenarios register is left out: whoever runs the scenario runs the files.
    Raises ResultError where something can't be taken to another process.
    """
    metrics, others = metrics_by_hand(), registered_by_hand()
    if not metrics and not others:
        return b""
    named = [("metric", one.name, one.compute) for one in metrics]
    named += [(kind, name, what) for (kind, name), what in others.items()]
    with _by_value([what for _, _, what in named]):
        for kind, name, what in named:
            # Each by itself first, so that an error names the one that it is about.
            _dumped(f"{kind} '{name}'", what)
        return _dumped("what you have registered", (metrics, others))


def _dumped(name: str, what: Any) -> bytes:
    from cloudpickle import dumps

    try:
        return bytes(dumps(what))
    except Exception as error:
        # Whatever a function or class holds may refuse in a way of its own.
        raise ResultError(f"{name}: can't be taken to other processes: {error}") from None


@contextmanager
def _by_value(registered: Iterable[Any]) -> Iterator[None]:
    """Has what modules that are not installed define taken along, as others can't import them."""
    from cloudpickle import register_pickle_by_value, unregister_pickle_by_value

    names = dict.fromkeys(getattr(what, "__module__", None) for what in registered)
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


def unpack(packed: bytes) -> None:
    """Registers here what users have registered in another process.

    Metrics of an earlier one are forgotten, as each run would compute them.

    Parameters: `packed` as `pack` gave it there.
    """
    if _unpacked == [packed]:
        return
    metrics, others = loads(packed) if packed else ([], {})
    replace_by_hand(metrics)
    for (kind, name), what in others.items():
        _REGISTER[kind](name)(what)
    _unpacked[:] = [packed]
