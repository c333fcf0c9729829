"""Makes `docs/verification.md`: theory against simulation, with z-scores and a joint test.

`make verification` runs it, which takes some minutes. A short form runs among the tests.
"""

from __future__ import annotations

import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import groupby
from math import isnan
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from rsim.errors import RsimWarning
from rsim.results import half_width_text, holm, p_text, rounded
from tests.verification import pools, protocols, queues
from tests.verification.rows import Outcome, joint, outcome_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
ROWS = [*pools.ROWS, *queues.ROWS, *protocols.ROWS]

HEAD = """# Verification

Theory against simulation. Made by `make verification`; do not edit.

Each row has a value that theory gives and its mean over independent runs, with seeds of its own.
z is the distance in standard errors, corrected for the number of runs (the normal value that is as
improbable as Student's t). Where all runs must give the value itself, the row says `exact`. Rows of
one page are many tests: they are judged together.
"""


def verdict(outcomes: list[Outcome]) -> str:
    """What all rows say together."""
    total, number, p = joint(outcomes)
    z = np.array([o.z for o in outcomes if not isnan(o.z) and not o.row.approximate])
    p_values = holm(2 * stats.norm.sf(np.abs(z)))
    exact = [o for o in outcomes if o.row.exact]
    told = "not rejected" if p >= 0.01 else "rejected"
    held = sum(one.holds for one in exact)
    return (
        f"**{len(outcomes)} rows.** Joint test of the {number} rows with z whose formula holds to "
        f"the letter: the sum of z² is {total:.1f}, chi-square with {number} degrees of freedom, "
        f"p = {p_text(p)}: {told} at 1%. The smallest p of a row after Holm's correction is "
        f"{p_text(float(np.min(p_values)))}. Of {len(exact)} exact rows, {held} are exact. "
        "Formulas that leave something out stand outside the joint test, with what that is.\n"
    )


def _cell(one: Outcome) -> str:
    row = one.row
    mean = rounded(one.mean, one.error)
    if row.exact:
        told = "exact" if one.holds else "WRONG"
        cells = [row.name, rounded(row.expected), rounded(one.mean), "-", told]
    else:
        cells = [
            *(row.name, rounded(row.expected, one.error), mean),
            half_width_text(one.error) if one.error else "all equal",
            "-" if isnan(one.z) else f"{one.z:+.2f}",
        ]
    return "| " + " | ".join([*cells, *([row.approximate] if row.approximate else [])]) + " |"


def text(outcomes: list[Outcome]) -> str:
    """The page."""
    parts = [HEAD, verdict(outcomes)]
    parts.append("![z-scores of all rows against the normal distribution](data/verification.png)\n")
    for group, members in groupby(outcomes, key=lambda one: one.row.group):
        rows = list(members)
        more = " what it leaves out |" if rows[0].row.approximate else ""
        parts += [
            f"## {group[0].upper()}{group[1:]}\n",
            f"| | theory | simulation | standard error | z |{more}",
            "| --- | --- | --- | --- | --- |" + (" --- |" if more else ""),
            *map(_cell, rows),
            "",
        ]
    return "\n".join(parts)


def figure(outcomes: list[Outcome]) -> Figure:
    """The z-scores in order against what normal ones would be."""
    z = np.sort([one.z for one in outcomes if not isnan(one.z) and not one.row.approximate])
    expected = stats.norm.ppf((np.arange(z.size) + 0.5) / z.size)
    drawing = Figure(figsize=(5, 5), layout="constrained")
    axes = drawing.add_subplot()
    axes.plot(expected, z, "o", ms=4)
    axes.plot([-3, 3], [-3, 3], color="0.5", lw=1)
    axes.set_xlabel("z of a standard normal distribution")
    axes.set_ylabel("z of the rows")
    axes.grid(alpha=0.3)
    return drawing


def _simulated(number: int) -> tuple[int, float, float, float]:
    """What a row gave, without the row: its functions do not go from process to process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RsimWarning)
        one = outcome_of(ROWS[number], number)
    return number, one.mean, one.error, one.z


def main() -> None:
    """Simulates all rows and writes the page."""
    found = {}
    with ProcessPoolExecutor() as processes:
        futures = [processes.submit(_simulated, number) for number in range(len(ROWS))]
        for future in as_completed(futures):
            number, mean, error, z = future.result()
            row = ROWS[number]
            found[number] = Outcome(row, mean, error, z)
            told = f"{row.group}: {row.name}: {row.expected:.6g}, {mean:.6g}, z {z:.2f}"
            print(told, flush=True)
    outcomes = [found[number] for number in range(len(ROWS))]
    figure(outcomes).savefig(DOCS / "data" / "verification.png", dpi=100)
    (DOCS / "verification.md").write_text(text(outcomes), encoding="utf-8")
    print(verdict(outcomes))


if __name__ == "__main__":
    main()
