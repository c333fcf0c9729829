"""Reading scenario files, and errors that name file, field, and what would be right."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from rsim.attackers import attacker_kinds
from rsim.errors import ScenarioError
from rsim.scenario.model import Scenario


def read_table(path: str | Path) -> dict[str, Any]:
    """The table in a TOML file. Raises ScenarioError if there is none."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ScenarioError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: can't be read: {error}") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path}: not valid TOML: {error}") from None


def set_path(table: dict[str, Any], path: str, value: Any) -> None:
    """Puts a value at a dotted path, such as `pools.pool.policy`, making tables on the way."""
    *parents, last = path.split(".")
    for i, key in enumerate(parents):
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise ScenarioError(f"{path}: '{'.'.join(parents[: i + 1])}' is a value, no table")
    table[last] = value


def validate(table: dict[str, Any], source: str) -> Scenario:
    """The scenario that a table describes. Raises ScenarioError, one line a problem."""
    try:
        return Scenario.model_validate(table)
    except ValidationError as error:
        raise ScenarioError(
            "\n".join(_explain(problem, table, source) for problem in error.errors())
        ) from None


def load(path: str | Path, overrides: dict[str, Any] | None = None) -> Scenario:
    """The scenario in a TOML file; its sweep, if any, is left aside.

    `overrides`: values by dotted path. Raises ScenarioError for whatever is wrong with the file.
    """
    table = read_table(path)
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
    """Keys that the table at a place may have."""
    model: type[BaseModel] | None = Scenario
    values: Any = table
    for part in place:
        values = values.get(part) if isinstance(values, dict) else None
        if model is None:
            return []
        if part in model.model_fields:
            annotation = model.model_fields[part].annotation
            model = (
                annotation
                if isinstance(annotation, type) and issubclass(annotation, BaseModel)
                else None
            )
            if model is None:
                group = GROUPS.get(part)
                return _known_in_group(group, place, table) if group else []
    return list(model.model_fields) if model else []


def _known_in_group(group: type[BaseModel], place: list[str], table: dict[str, Any]) -> list[str]:
    values: Any = table
    for part in place:
        values = values.get(part) if isinstance(values, dict) else None
    if isinstance(values, dict) and values.get("kind") in attacker_kinds():
        group = attacker_kinds()[values["kind"]].Settings
    return list(group.model_fields)


def _group_models() -> dict[str, type[BaseModel]]:
    groups = {}
    for name, field in Scenario.model_fields.items():
        arguments = getattr(field.annotation, "__args__", ())
        if len(arguments) == 2:
            inner = getattr(arguments[1], "__origin__", arguments[1])
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                groups[name] = inner
    return groups


GROUPS = _group_models()

"""Models of the tables that hold groups by name."""
