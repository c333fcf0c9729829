"""The conformance table: each requirement of the RFCs with the tests that show it.

`make conformance` writes `docs/conformance.md` from the markers on the tests.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / "docs" / "data" / "conformance.csv"
PAGE = ROOT / "docs" / "conformance.md"
_HEAD = """# Conformance

Every requirement of RFC 5351 to 5356 and 3237 that an implementation, or a simulator of one, can
be held to, and the tests that show it. Made by `make conformance` from the markers on the tests; a
test holds that it is up to date. Levels are the RFCs'; *behaviour* is what they describe without a
keyword.
"""


def requirements() -> list[dict[str, str]]:
    """The rows of the list of requirements."""
    with REQUIREMENTS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def page(shown: dict[str, list[str]]) -> str:
    """The page.

    Parameters: `shown` names of tests, as `tests/folder/file.py::test`, by id of the requirement.
    """
    rows = requirements()
    lines = [_HEAD]
    lines += ["| level | requirements | shown |", "| --- | ---: | ---: |"]
    for level, number in Counter(row["level"] for row in rows).items():
        have = sum(row["level"] == level and row["id"] in shown for row in rows)
        lines.append(f"| {level} | {number} | {have} |")
    for rfc in dict.fromkeys(row["rfc"] for row in rows):
        lines += ["", f"## RFC {rfc}", ""]
        lines += ["| id | section | level | who | requirement | shown by |"]
        lines += ["| --- | --- | --- | --- | --- | --- |"]
        for row in rows:
            if row["rfc"] == rfc:
                tests = "<br>".join(f"`{name}`" for name in shown.get(row["id"], [])) or "*gap*"
                text = row["requirement"].replace("|", "\\|")
                lines.append(
                    f"| {row['id']} | {row['section']} | {row['level']} | {row['actor']} "
                    f"| {text} | {tests} |"
                )
    return "\n".join(lines) + "\n"
