"""Reading scenario files, and errors that name file, field, and what would be right."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from rsim.attackers import attacker_kinds
from rsim.errors import ScenarioError, shown
from rsim.explanation import explain
from rsim.reading import read_regular
from rsim.scenario.code import admit
from rsim.scenario.groups import GROUPS
from rsim.scenario.model import Scenario
from rsim.suggestions import unknown

LARGEST_FILE = 1 << 20
"""Bytes; TOML is read slowly and whole. Long lists of requests go into files of their own."""
DEEPEST = 30
"""Tables and lists within each other; no setting has as many."""


_HERE = "scenario"
"""Where a table comes from that no file holds."""


def read_table(path: str | Path) -> dict[str, Any]:
    """The table in a TOML file.

    Parameters: `path` of the file, at most 1 MiB. Raises ScenarioError if there is none.
    """
    try:
        return parse_table(read_regular(path, LARGEST_FILE).decode())
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: can't be read: {error.reason}, must be UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path}: not valid TOML: {error}") from None
    except ValueError as error:
        raise ScenarioError(f"{path}: {error}") from None


def parse_table(text: str) -> dict[str, Any]:
    """The table that TOML text holds.

    Parameters: `text` of a file. Raises TOMLDecodeError where it is no TOML, and ValueError where
    it can't be taken.
    """
    try:
        table = tomllib.loads(text)
    except RecursionError:
        table = None
    if table is None or _deeper(table, DEEPEST):
        raise ValueError(f"tables or lists are nested too deep, more than {DEEPEST} levels")
    return table


def _deeper(value: Any, levels: int) -> bool:
    """Whether a value is nested more than so many levels deep."""
    inside = value.values() if isinstance(value, Mapping) else value
    return isinstance(value, (Mapping, list, tuple)) and (
        levels == 0 or any(_deeper(one, levels - 1) for one in inside)
    )


def complete(table: dict[str, Any], source: str | Path, allow_code: bool) -> dict[str, Any]:
    """A scenario's table with its files under absolute names, and its `code` allowed and run.

    Parameters: `table` of the scenario; `allow_code` whether its Python files may run; `source` the
    scenario's file, which names are relative to. Names that are absolute and code that has run stay
    as they are. Raises ScenarioError where code may not run.
    """
    base = Path(source).absolute().parent
    table = admit(table, source, allow_code)
    network, users = table.get("network"), table.get("pool_users")
    if isinstance(network, dict):
        table = {**table, "network": _absolute(network, "graph", base)}
    if isinstance(users, dict):
        groups = {
            name: _absolute(group, "arrivals", base) if isinstance(group, dict) else group
            for name, group in users.items()
        }
        table = {**table, "pool_users": groups}
    return table


def _absolute(table: dict[str, Any], key: str, base: Path) -> dict[str, Any]:
    """The table with the file at a key, a name or a table that has one, under an absolute name."""
    value = table.get(key)
    if isinstance(value, str):
        return {**table, key: str(base / value)}
    if isinstance(value, dict):
        return {**table, key: _absolute(value, "file", base)}
    return table


def set_path(table: dict[str, Any], path: str, value: Any) -> None:
    """Puts a value at a dotted path, such as `pools.pool.policy`, making tables on the way.

    Parameters: `table` that is changed; `path` of keys with dots between them; `value` that is put
    there.
    """
    *parents, last = parts = path.split(".")
    if not all(parts) or len(parts) > DEEPEST:
        raise ScenarioError(
            f"{shown(path)}: is not the path of a setting, such as pools.pool.policy"
        )
    for i, key in enumerate(parents):
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise ScenarioError(f"{path}: '{'.'.join(parents[: i + 1])}' is a value, not a table")
    table[last] = value


def get_path(table: dict[str, Any], path: str, where: str) -> Any:
    """The value at a dotted path.

    Parameters: `table` that is looked into; `path` of keys with dots between them. Raises
    ScenarioError, which says `where`, if there is none.
    """
    value: Any = table
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            known = value if isinstance(value, dict) else ()
            raise ScenarioError(f"{where}: {path}: {unknown('key', part, known)}")
        value = value[part]
    return value


def validate(table: dict[str, Any], source: str | Path, *, allow_code: bool = False) -> Scenario:
    """The scenario that a table describes.

    Parameters: `table` of settings; `source` the table's file, for errors and for the names of
    files in the table; `allow_code` runs the Python files that it names. Raises ScenarioError,
    which tells the first problem and how many there are.
    """
    table = complete(table, source, allow_code)
    try:
        return Scenario.model_validate(table)
    except ValidationError as error:
        raise ScenarioError(explain(error, source, partial(_known_keys, table))) from None
    except RecursionError:
        raise ScenarioError(f"{source}: tables or lists are nested too deep") from None


def scenario(
    table: Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    *,
    allow_code: bool = False,
) -> Scenario:
    """The scenario that a table describes, as a scenario file would.

    Parameters: `table` of settings, with tables in it as in the file; it stays as it is.
    `overrides` values by dotted path, such as `pool_users.user.count`; `allow_code` runs the Python
    files that the scenario names. Names of files are relative to the working folder. Raises
    ScenarioError for whatever is wrong with it.

    >>> import rsim
    >>> small = rsim.scenario({
    ...     "duration": "10min",
    ...     "pool_elements": {"element": {"count": 3}},
    ...     "pool_users": {"user": {"count": 9}},
    ... })
    >>> small.duration
    600.0
    >>> rsim.scenario({"durration": "10min"})
    Traceback (most recent call last):
    ...
    rsim.errors.ScenarioError: scenario: durration: unknown key; did you mean 'duration'?
    """
    if not isinstance(table, Mapping):
        raise ScenarioError(f"scenario: {shown(table)} is not a table of settings, such as a dict")
    if _deeper(table, DEEPEST):
        raise ScenarioError(f"scenario: tables or lists are nested more than {DEEPEST} levels deep")
    changed = _copied(table)
    for key, value in (overrides or {}).items():
        set_path(changed, key, value)
    return validate(changed, _HERE, allow_code=allow_code)


def _copied(value: Any) -> Any:
    """A copy of a table, down to what its overrides may change."""
    if isinstance(value, Mapping):
        return {key: _copied(part) for key, part in value.items()}
    return value


def load(
    path: str | Path, overrides: dict[str, Any] | None = None, *, allow_code: bool = False
) -> Scenario:
    """The scenario in a TOML file; its sweep, if any, is left aside.

    Parameters: `path` of the file; `overrides` values by dotted path; `allow_code` runs the Python
    files that the scenario names. Raises ScenarioError for whatever is wrong with the file.

    >>> import rsim
    >>> scenario = rsim.load("scenario.toml", {"pool_users.user.count": 7})
    >>> scenario.name, scenario.pool_users["user"].count
    ('small', 7)
    """
    table = read_table(path)
    table.pop("sweep", None)
    for key, value in (overrides or {}).items():
        set_path(table, key, value)
    return validate(table, path, allow_code=allow_code)


def files_of(scenario: Scenario) -> list[str]:
    """The files that a scenario names.

    Parameters: `scenario` that names them.
    """
    found = [code.file for code in scenario.code]
    found += [users.arrivals.file for users in scenario.pool_users.values() if users.arrivals]
    return found + ([scenario.network.graph] if scenario.network.graph else [])


def _known_keys(table: dict[str, Any], place: list[str]) -> list[str]:
    """Keys that the table at a place may have, as far as the place itself is known."""
    model: type[BaseModel] = Scenario
    values: Any = table
    for depth, part in enumerate(place):
        values = values.get(part) if isinstance(values, dict) else None
        if depth == 1 and place[0] in GROUPS:
            kind = values.get("kind") if isinstance(values, dict) else None
            attacker = attacker_kinds().get(kind) if isinstance(kind, str) else None
            model = attacker.Settings if attacker else GROUPS[place[0]]
        elif part in model.model_fields:
            annotation = model.model_fields[part].annotation
            if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                model = annotation
            elif part not in GROUPS:
                return []
        else:
            return []
    return list(model.model_fields)
