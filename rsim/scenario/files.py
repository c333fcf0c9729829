"""Reading scenario files, and errors that name file, field, and what would be right."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from rsim.attackers import attacker_kinds
from rsim.errors import ScenarioError
from rsim.scenario.code import admit_code
from rsim.scenario.model import GROUPS, Scenario

LARGEST_FILE = 1 << 20
"""Bytes; TOML is read slowly and whole."""


def read_table(path: str | Path, allow_code: bool = False) -> dict[str, Any]:
    """The table in a TOML file. Raises ScenarioError if there is none.

    Parameters: `allow_code` runs the Python files that it names.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise ScenarioError(
                f"{path}: has {size} bytes; scenarios have at most {LARGEST_FILE} (long lists of "
                "requests go into a file of their own, see arrivals)"
            )
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ScenarioError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: can't be read: {error}") from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path}: not valid TOML: {error}") from None
    except RecursionError:
        raise ScenarioError(f"{path}: tables or lists are nested too deep") from None
    except ValueError as error:
        raise ScenarioError(f"{path}: {error}") from None
    network = table.get("network")
    if isinstance(network, dict) and isinstance(network.get("graph"), str):
        network["graph"] = str(path.parent / network["graph"])
    users = table.get("pool_users")
    for group in users.values() if isinstance(users, dict) else ():
        if isinstance(group, dict) and isinstance(group.get("arrivals"), str):
            group["arrivals"] = str(path.parent / group["arrivals"])
    admit_code(table, path, allow_code)
    return table


def set_path(table: dict[str, Any], path: str, value: Any) -> None:
    """Puts a value at a dotted path, such as `pools.pool.policy`, making tables on the way."""
    *parents, last = path.split(".")
    for i, key in enumerate(parents):
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise ScenarioError(f"{path}: '{'.'.join(parents[: i + 1])}' is a value, no table")
    table[last] = value


def get_path(table: dict[str, Any], path: str, where: str) -> Any:
    """The value at a dotted path. Raises ScenarioError, which says `where`, if there is none."""
    value: Any = table
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            known = ", ".join(value) if isinstance(value, dict) else "none, it is a value"
            raise ScenarioError(f"{where}: {path}: there is no '{part}'; known here: {known}")
        value = value[part]
    return value


def validate(table: dict[str, Any], source: str) -> Scenario:
    """The scenario that a table describes. Raises ScenarioError, one line a problem."""
    try:
        return Scenario.model_validate(table)
    except ValidationError as error:
        raise ScenarioError(
            "\n".join(_explain(problem, table, source) for problem in error.errors())
        ) from None


def load(
    path: str | Path, overrides: dict[str, Any] | None = None, *, allow_code: bool = False
) -> Scenario:
    """The scenario in a TOML file; its sweep, if any, is left aside.

    Parameters: `overrides` values by dotted path; `allow_code` runs the Python files that the
    scenario names. Raises ScenarioError for whatever is wrong with the file.
    """
    table = read_table(path, allow_code)
    for section in ("sweep", "study"):
        table.pop(section, None)
    for key, value in (overrides or {}).items():
        set_path(table, key, value)
    return validate(table, str(path))


def _explain(problem: Any, table: dict[str, Any], source: str) -> str:
    place = [str(part) for part in problem["loc"] if not str(part).startswith("function-")]
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        message = "unknown key"
        candidates = _known_keys(place[:-1], table)
        close = get_close_matches(place[-1], candidates, n=1)
        if close:
            message += f"; did you mean '{close[0]}'?"
        elif candidates:
            message += f"; known keys: {', '.join(candidates)}"
    elif not isinstance(problem["input"], (dict, list)) and problem["type"] != "value_error":
        message += f" (it is {problem['input']!r})"
    where = ".".join(place)
    return f"{source}: {where}: {message}" if where else f"{source}: {message}"


def _known_keys(place: list[str], table: dict[str, Any]) -> list[str]:
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
