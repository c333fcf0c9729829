"""The page `docs/conformance.md`: each row links to its section of the RFC and to its tests."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tests.mutants.catalogue import Mutant, mutants

from . import ROOT, requirements, row_of, shown_by

PAGE = ROOT / "docs" / "conformance.md"
_HEAD = """# Conformance

Every requirement of RFC 5351 to 5356 and 3237 that an implementation, or a simulator of one, can be
held to, and of RFC 9260 for what the network models of SCTP. Each is shown by tests, and the tests
are shown by mutants: small errors in the code that the tests of that row must notice. `make
conformance` runs them all and writes this page; `make test` runs a sample and holds that the page
is up to date.

A row is *shown* (it has tests), a *deviation* (rsim does otherwise for a reason, and a setting
gives the letter), or *not applicable*. Levels are the RFCs'; *behaviour* is what they describe
without a keyword. Point at the link to a test to see its name.
"""
_STATUS = {"": "shown", "deviation": "deviation", "not applicable": "not applicable"}


def status(row: dict[str, str]) -> str:
    """What a row is: shown, deviation or not applicable.

    Parameters: `row` of the list of requirements.
    """
    return _STATUS[row["status"]]


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _section(row: dict[str, str]) -> str:
    """The address of the section that the row is from."""
    found = re.match(r"[0-9.]+", row["section"])
    anchor = f"#section-{found[0].rstrip('.')}" if found else ""
    return f"https://www.rfc-editor.org/rfc/rfc{row['rfc']}{anchor}"


def _head(row: dict[str, str]) -> str:
    return f"[{row['id']}]({_section(row)})"


def _tests(row: dict[str, str]) -> str:
    """A link for each file, which tells the names of the tests in it."""
    names: dict[str, list[str]] = {}
    for test in shown_by(row["id"]):
        file, _, name = test.partition("::")
        names.setdefault(file, []).append(name.replace("::", " "))
    return " ".join(
        f'[{Path(file).stem.removeprefix("test_")}](../{file} "{", ".join(there)}")'
        for file, there in names.items()
    )


def mutants_of(name: str, every: list[Mutant]) -> list[Mutant]:
    """The mutants that violate a row or clause.

    Parameters: `name` of it; `every` mutant.
    """
    return [one for one in every if name in one.shows or row_of(name) in one.shows]


def _killed(row: dict[str, str], every: list[Mutant]) -> str:
    mine = mutants_of(row["id"], every)
    killed = sum(not one.survives for one in mine)
    return f"{killed} of {len(mine)}" if killed < len(mine) else str(killed)


def _counts(every: list[Mutant]) -> list[str]:
    lines = ["| RFC | rows | shown | deviations | not applicable | mutants | killed |"]
    lines += ["| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    rows = requirements()
    for rfc in dict.fromkeys(row["rfc"] for row in rows):
        here = [row for row in rows if row["rfc"] == rfc]
        kinds = Counter(status(row) for row in here)
        names = {name for row in here for name in (row["id"], row_of(row["id"]))}
        mine = [one for one in every if names & set(one.shows)]
        killed = sum(not one.survives for one in mine)
        lines.append(
            f"| [{rfc}](#rfc-{rfc}) | {len(here)} | {kinds['shown']} | {kinds['deviation']} "
            f"| {kinds['not applicable']} | {len(mine)} | {killed} |"
        )
    return lines


def _deviations() -> list[str]:
    lines = [
        "## Deviations",
        "",
        "| row | what the RFC asks | what rsim does, and why | the letter |",
    ]
    lines += ["| --- | --- | --- | --- |"]
    for row in requirements():
        if status(row) == "deviation":
            text, reason = _escaped(row["requirement"]), _escaped(row["reason"])
            lines.append(f"| {_head(row)} | {text} | {reason} | `{row['setting']}` |")
    return lines


def _survivors(every: list[Mutant]) -> list[str]:
    lines = ["## Mutants that survive", ""]
    left = [one for one in every if one.survives]
    if not left:
        return [*lines, "None."]
    lines += ["| rows | error | why no test kills it |", "| --- | --- | --- |"]
    for one in left:
        rows = " ".join(one.shows)
        lines.append(f"| {rows} | {_escaped(one.name)} | {_escaped(one.survives)} |")
    return lines


def _table(rfc: str, every: list[Mutant]) -> list[str]:
    lines = ["", f"## RFC {rfc}"]
    section = ""
    for row in requirements():
        if row["rfc"] != rfc:
            continue
        top = row["section"].split(".")[0]
        if top != section:
            section = top
            lines += ["", f"### RFC {rfc}, section {section}", ""]
            lines += ["| row | requirement | tests | mutants killed |"]
            lines += ["| --- | --- | --- | ---: |"]
        told = f"{row['level']}, {row['actor']}: {_escaped(row['requirement'])}"
        kind = status(row)
        if kind == "deviation":
            told += " *Deviation, see above.*"
        elif kind == "not applicable":
            told += f" *Not applicable: {_escaped(row['reason'])}*"
        lines.append(f"| {_head(row)} | {told} | {_tests(row)} | {_killed(row, every)} |")
    return lines


def page() -> str:
    """The page as it should be."""
    every = mutants()
    rows = {row["id"] for row in requirements()} | {row_of(row["id"]) for row in requirements()}
    rfcs = [one for one in every if rows & set(one.shows)]
    lines = [_HEAD, *_counts(every), ""]
    killed = sum(not one.survives for one in rfcs)
    lines += [
        f"In all {len(rfcs)} mutants, {killed} killed by a test of the row that they violate.",
        "",
    ]
    lines += [*_deviations(), "", *_survivors(rfcs)]
    for rfc in dict.fromkeys(row["rfc"] for row in requirements()):
        lines += _table(rfc, every)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
