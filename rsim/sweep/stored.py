"""What a folder of results says, held against itself, before anything is made of it.

Whoever wrote it may have been another version, another program, or a person with an editor.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rsim.errors import shown
from rsim.results import METRICS
from rsim.sweep.figures import check_named, check_reference
from rsim.sweep.plans import at
from rsim.sweep.values import value_of
from rsim.units import LARGEST_SEED

if TYPE_CHECKING:
    import pandas as pd

    from rsim.sweep.table import SweepTable

_OWN = {"run", "arm", "replication", "seed", "scenario", "digest", "code"}
"""Columns of the table of runs that are neither parameters nor metrics."""


def parameters_of(names: Any) -> list[str]:
    """The columns that make a point, as a manifest names them.

    Parameters: `names` as the manifest has them. Raises ValueError if it can't be.
    """
    right = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if (
        not right
        or names[:1] != ["arm"]
        or len(set(names)) < len(names)
        or {*_OWN, *METRICS} & {*names[1:]}
    ):
        raise ValueError(f"parameters is {shown(names)}, must be a list of paths after 'arm'")
    return list(names)


def check_manifest(table: SweepTable, parameters: list[str]) -> None:
    """Raises ValueError where a figure or a reference names what the results don't have.

    Parameters: `table` of the sweep; `parameters` columns that make a point.
    """
    for number, panel in enumerate(table.figure):
        with at(f"sweep.figure.{number}"):
            check_named(panel, table.arms, parameters[1:])
            for path, value in panel.where.items():
                if isinstance(value, dict | list):
                    raise ValueError(
                        f"where: {path} is {shown(value)}, must be a value of a parameter"
                    )
    for number, reference in enumerate(table.references):
        with at(f"sweep.references.{number}"):
            check_reference(reference, table.arms, parameters[1:])


def check_runs(runs: pd.DataFrame, parameters: list[str], arms: Iterable[str]) -> None:
    """Raises ValueError where runs are of no arm or seed, or a parameter is no value.

    Parameters: `runs` one row each; `parameters` columns that make a point; `arms` names of all.
    """
    for name in ("run", "arm", "seed", *parameters):
        if name not in runs:
            raise ValueError(f"column '{name}' is missing")
    for key, arm, seed in zip(runs["run"], runs["arm"], runs["seed"], strict=True):
        check_run(key, arm, seed, arms)
    for name in parameters[1:]:
        for value in runs[name].tolist():
            _check_value(name, value)


def check_failures(failures: list[dict[str, Any]], parameters: list[str], arms: set[str]) -> None:
    """The same of runs that have failed.

    Parameters: `failures` one row each; `parameters` columns that make a point; `arms` names of
    all.
    """
    for row in failures:
        check_run(row.get("run"), row.get("arm"), row.get("seed"), arms)
        for name in parameters[1:]:
            _check_value(name, row.get(name))


def check_run(key: Any, arm: Any, seed: Any, arms: Iterable[str]) -> None:
    """Raises ValueError where these are none of a run.

    Parameters: `key`, `arm` and `seed` of the run; `arms` names of all.
    """
    if not isinstance(key, str):
        raise ValueError(f"run is {shown(key)}, must be a text")
    if not isinstance(arm, str) or arm not in arms:
        raise ValueError(f"run {shown(key)}: arm is {shown(arm)}, the study has none such")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= 2 * LARGEST_SEED:
        raise ValueError(f"run {shown(key)}: seed is {shown(seed)}, must be a whole number from 0")


def _check_value(name: str, value: Any) -> None:
    if value is not None and not isinstance(value, str | bool | int | float):
        raise ValueError(f"column '{name}': has {shown(value)}, must be a value of a setting")
    try:
        value_of(value)
    except (ValueError, RecursionError):
        raise ValueError(f"column '{name}': has {shown(value)}, must be JSON") from None
