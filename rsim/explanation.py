"""How a mistake in settings becomes one line: the place, what is wrong, what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rsim.errors import cut, shown
from rsim.suggestions import nearest, suggestion

_QUOTED = re.compile("'([^']*)'")
"""A choice in a text of pydantic."""
_LONGEST_PLACE = 100
"""Characters of a place: a third of the line, which leaves room for what is wrong there."""


def explain(
    error: ValidationError,
    source: str | Path,
    keys: Callable[[list[str]], list[str]] = lambda place: [],
    section: str = "",
) -> str:
    """What is wrong with a table, as a line: the first problem, and how many more there are.

    Parameters: `error` of pydantic; `source` file or class that the line begins with; `keys` gives
    the keys that the table at a place may have, as far as they are known; `section` is the table's
    own place in its file.
    """
    problems = error.errors(include_url=False)
    first = _problem(problems[0], f"{source}: {section}." if section else f"{source}: ", keys)
    return f"{first} (and {len(problems) - 1} more)" if len(problems) > 1 else first


def _problem(problem: Any, begin: str, keys: Callable[[list[str]], list[str]]) -> str:
    place = [str(part) for part in problem["loc"] if not str(part).startswith("function-")]
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        message = "unknown key"
        candidates = keys(place[:-1])
        if candidates:
            message += f"; {suggestion(place[-1], candidates)}"
    elif problem["type"] == "literal_error":
        message += f" (it is {shown(problem['input'])})"
        close = nearest(problem["input"], _QUOTED.findall(problem["ctx"]["expected"]))
        if close is not None:
            message += f"; did you mean '{close}'?"
    elif not isinstance(problem["input"], (dict, list)) and problem["type"] != "value_error":
        message += f" (it is {shown(problem['input'])})"
    where = cut(".".join(place), _LONGEST_PLACE)
    return f"{begin}{where}: {message}" if where else f"{begin}{message}"
