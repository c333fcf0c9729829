"""Which settings each arm of a study varies, and a check that each has an effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rsim.sweep.design import Axes
from rsim.sweep.table import SweepTable
from rsim.sweep.values import overlap


@dataclass(frozen=True)
class Plan:
    """What an arm varies.

    Parameters: `name` of the arm; `axes` that combine, its own and those of all arms; `paths` of
    everything that is varied, by the key of the sweep table that says so.
    """

    name: str
    axes: Axes
    paths: dict[str, list[str]]


def make_plan(sweep: SweepTable, name: str, quick: bool) -> Plan:
    """What an arm of a study varies, in the whole study or its quick version.

    Parameters: `sweep` the table; `name` of the arm; `quick` whether it is the version that takes a
    minute.
    """
    axes: Axes = {**sweep.axes, **sweep.arms[name].axes}
    if quick and sweep.quick is not None:
        axes = {path: sweep.quick.axes.get(path, values) for path, values in axes.items()}
    sampled = sweep.sample.ranges if sweep.sample is not None else {}
    paths = {
        "axes": list(axes),
        "zip": list(sweep.zip),
        "points": list(dict.fromkeys(path for point in sweep.points for path in point)),
        "sample": list(sampled),
    }
    return Plan(name, axes, paths)


def declared(sweep: SweepTable) -> dict[str, list[Any]]:
    """All values by path that the study gives, whether its quick version has them or not.

    Parameters: `sweep` the table.
    """
    found: dict[str, list[Any]] = {}
    for axes in (sweep.axes, sweep.zip, *(arm.axes for arm in sweep.arms.values())):
        for path, values in axes.items():
            found.setdefault(path, []).extend(values)
    for point in sweep.points:
        for path, value in point.items():
            found.setdefault(path, []).append(value)
    return found


def check_plans(sweep: SweepTable, plans: list[Plan], settings: dict[str, Any]) -> None:
    """Raises ValueError if a value would have no effect, as another one replaces it.

    Parameters: `sweep` the table; `plans` of all arms; `settings` the values by path that hold in
    all arms, of the quick version and of the command line.
    """
    for arm in plans:
        varied = [path for paths in arm.paths.values() for path in paths]
        with at(f"arms.{arm.name}"):
            _check_seed([*varied, *sweep.arms[arm.name].set])
            found = overlap(varied)
            if found is not None:
                one, other = found
                raise ValueError(
                    f"axes: {one} is varied twice"
                    if one == other
                    else f"axes: {other} is a part of {one}, which is varied, too"
                )
            _check_replaced("set", sweep.arms[arm.name].set, varied, "is varied")
            _check_replaced("set", sweep.arms[arm.name].set, sweep.derived, "is derived")
            _check_replaced("axes", varied, sweep.derived, "is derived")
    in_all = set.intersection(
        *({path for paths in arm.paths.values() for path in paths} for arm in plans)
    )
    _check_seed(sweep.derived)
    _check_replaced("set", settings, in_all, "is varied in all arms")
    _check_replaced("set", settings, sweep.derived, "is derived")
    if sweep.quick is not None:
        known = {*sweep.axes, *(path for arm in sweep.arms.values() for path in arm.axes)}
        for path in sweep.quick.axes:
            if path not in known:
                raise ValueError(f"quick.axes: {path} is an axis of no arm")


def _check_seed(paths: Iterable[str]) -> None:
    if "seed" in paths:
        raise ValueError("seed: follows from the scenario's seed and replications, for each point")


def _check_replaced(what: str, paths: Iterable[str], others: Iterable[str], why: str) -> None:
    """Refuses a path that another one, or a table that holds it, takes the place of."""
    taken = set(others)
    for path in paths:
        parts = path.split(".")
        for length in range(1, len(parts) + 1):
            whole = ".".join(parts[:length])
            if whole in taken:
                raise ValueError(f"{what}: {path}: has no effect, as {whole} {why}")


@contextmanager
def at(place: str) -> Iterator[None]:
    """Puts a place before the text of a ValueError.

    Parameters: `place` dotted path within the table.
    """
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
