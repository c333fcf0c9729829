"""Values of the parameters of a sweep: each setting's in one form, as frames and keys hold it.

Numbers and times are the numbers that the scenario holds, tables and lists compact JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from rsim.errors import shown
from rsim.scenario.model import Scenario
from rsim.units import seconds

_JSON = ("{", "[", '"')
"""What the text of a parameter begins with that is JSON."""
_EXACT = 2**53
"""Largest whole number up to which a float is exact."""
_FILES = ("graph", "arrivals", "code")
"""Settings that name files: the scenario holds where they are, parameters what the study says."""

Given = list[tuple[dict[str, Any], Scenario]]
"""Values by path as a study gives them, and the scenario that they make."""


class Forms:
    """The one form of each value of each path that points give.

    Parameters: `given` values by path, and the scenario that they make, of each point.
    """

    def __init__(self, given: Given) -> None:
        held: dict[str, dict[str, tuple[Any, Any]]] = {}
        for values, scenario in given:
            document: dict[str, Any] | None = None
            for path, value in values.items():
                known = held.setdefault(path, {})
                key = _text(value)
                if key not in known:
                    if document is None:
                        document = scenario.model_dump(mode="json", exclude_unset=True)
                    known[key] = value, _held(document, path, value)
        self._forms = {path: _column(path, known) for path, known in held.items()}

    def of(self, path: str, value: Any) -> Any:
        """The form of a value, or of one that is in its form; KeyError if no point has it.

        Parameters: `path` of a parameter; `value` as a study gives it, or in its form.
        """
        forms = self._forms[path]
        key = _text(value)
        if key in forms:
            return forms[key]
        wanted = _measured(value)
        for form in forms.values():
            if _same(form, value) or _same(_measured(value_of(form)), wanted):
                return form
        raise KeyError(key)

    def values(self, path: str) -> list[Any]:
        """All values of a path.

        Parameters: `path` of a parameter.
        """
        return list(self._forms[path].values())


def value_of(parameter: Any) -> Any:
    """The setting that a parameter stands for, as a scenario's table holds it.

    Parameters: `parameter` a value from a frame of results. Whole floating-point numbers become
    whole numbers, as a column that has gaps holds no others.
    """
    value = parameter.item() if hasattr(parameter, "item") else parameter
    if isinstance(value, str) and value.startswith(_JSON):
        return json.loads(value)
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return int(value)
    return value


def _measured(value: Any) -> Any:
    """A value with numbers for texts such as "10ms", also within tables and lists."""
    if isinstance(value, dict):
        return {key: _measured(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_measured(part) for part in value]
    try:
        return seconds(value)
    except ValueError:
        return value


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _held(document: dict[str, Any], path: str, given: Any) -> Any:
    """What the scenario holds for a value; the value itself where it holds something else."""
    parts = path.split(".")
    if parts[-1] in _FILES or _names_file(given):
        return given
    value: Any = document
    for part in parts:
        if not isinstance(value, dict) or part not in value:
            return given
        value = value[part]
    if isinstance(given, (dict, list, tuple)) or value is None:
        return value if isinstance(value, (dict, list)) else given
    if isinstance(value, dict):
        # A number that stands for a fixed distribution.
        return value if value.keys() == {"mean"} else given
    return given if _same(given, value) else value


def _names_file(value: Any) -> bool:
    return isinstance(value, dict) and any(
        key in _FILES or _names_file(part) for key, part in value.items()
    )


def _column(path: str, known: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    """The forms of the values of a path, all of one kind."""
    tables = any(isinstance(given, (dict, list, tuple)) for given, _ in known.values())
    forms = {}
    for key, (given, held) in known.items():
        scalar = not isinstance(given, (dict, list, tuple))
        if scalar and isinstance(held, dict):
            forms[key] = held if tables else held["mean"]
            if not tables and _same(given, held["mean"]):
                forms[key] = given
        else:
            forms[key] = held
    kinds = {
        _kind(form): given for form, (given, _) in zip(forms.values(), known.values(), strict=True)
    }
    if len(kinds) > 1:
        listed = " and ".join(f"{kind} ({shown(given)})" for kind, given in kinds.items())
        raise ValueError(f"{path}: values are of one kind, but these are {listed}")
    return {key: _stored(form) for key, form in forms.items()}


def _kind(form: Any) -> str:
    if isinstance(form, bool):
        return "booleans"
    if isinstance(form, (int, float)):
        return "numbers"
    return "text" if isinstance(form, str) else "tables or lists"


def _stored(form: Any) -> Any:
    if isinstance(form, (dict, list, tuple)) or (isinstance(form, str) and form.startswith(_JSON)):
        return _text(form)
    return form


def overlap(paths: Iterable[str]) -> tuple[str, str] | None:
    """Two paths, one of which is or contains the other; None if there are none.

    Parameters: `paths` with dots.
    """
    ordered = sorted(path.split(".") for path in paths)
    for one, other in pairwise(ordered):
        if other[: len(one)] == one:
            return ".".join(one), ".".join(other)
    return None
