"""The conformance table: each requirement of the RFCs, its tests, and the mutants that they kill.

`make conformance` runs all mutants and writes `docs/conformance.md`.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from .marks import marks

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "docs" / "data" / "conformance.csv"


@cache
def requirements() -> tuple[dict[str, str], ...]:
    """The rows of the list of requirements; a clause has the number of its row and a letter."""
    with REQUIREMENTS.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def row_of(name: str) -> str:
    """The row of a clause: `ASAP-062` of `ASAP-062b`."""
    return name.rstrip("abcdefgh")


@cache
def _marks() -> dict[str, dict[str, int]]:
    return marks()


def shown_by(name: str) -> dict[str, int]:
    """Lines by test of those that are marked with a row or clause; a mark with the row stands for
    all its clauses.

    Parameters: `name` of the row or clause.
    """
    return {**_marks().get(row_of(name), {}), **_marks().get(name, {})}


def named_tests(names: tuple[str, ...]) -> list[str]:
    """Tests that should notice a mutant, given by rows, or by name as `wire/test_twin.py`.

    Parameters: `names` of rows or of tests.
    """
    found: dict[str, None] = {}
    for name in names:
        found |= (
            {f"tests/{name}": None}
            if name.endswith((".py", "/"))
            else dict.fromkeys(shown_by(name))
        )
    return list(found)
