"""Runs mutants and tells which survive: `python -m tests.mutants`.

`--sample 100 --seed 1` runs some of the Python ones, `--only TEXT` those whose file, row or name
has the text, `--jobs 2` so many at a time.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import sys
import time
from pathlib import Path

from tests.conformance import named_tests

from . import native, runner
from .catalogue import ROOT, Mutant, mutants


def _selected(arguments: argparse.Namespace) -> list[Mutant]:
    chosen = mutants()
    if arguments.only:
        chosen = [one for one in chosen if any(text in str(one) for text in arguments.only)]
    if arguments.sample:
        python = [one for one in chosen if not one.native and not one.survives]
        number = min(arguments.sample, len(python))
        chosen = random.Random(arguments.seed).sample(python, number)
    return chosen


def main() -> int:
    """Number of mutants whose verdict is not the one that the list says."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    chosen = _selected(arguments)
    module = Path(importlib.util.find_spec("rsim").origin).parent  # type: ignore[union-attr,arg-type]
    [ordinary] = [
        path
        for folder in (Path(p) / "rsim" for p in [str(module.parent), *sys.path])
        for path in folder.glob("_native*.so")
    ][:1]
    woven = ordinary
    if any(one.native for one in chosen):
        woven = native.build([one for one in mutants() if one.native])
    runner.load_others()
    work = [(one, named_tests(one.shows), woven if one.native else ordinary) for one in chosen]
    wrong = stopped = 0
    began = time.monotonic()
    for done, outcome in enumerate(runner.run(work, arguments.jobs, native.BUILD / "logs"), 1):
        mutant = outcome.mutant
        missed = [row for row in mutant.shows if not outcome.noticed_by(named_tests((row,)))]
        stopped += outcome.verdict == "stopped"
        if bool(missed) != bool(mutant.survives) or outcome.verdict == "broken":
            wrong += 1
            rows = "" if len(missed) == len(mutant.shows) else f" (not by {' '.join(missed)})"
            print(f"{outcome.verdict:8} {mutant.number} {mutant}{rows}", flush=True)
        elif done % 100 == 0:
            print(f"{done} of {len(work)} run, {time.monotonic() - began:.0f} s", flush=True)
    survivors = sum(bool(one.survives) for one in chosen)
    print(
        f"{len(chosen)} mutants, {survivors} known to survive, {wrong} not as the list says, "
        f"{stopped} have crashed or run without end; "
        f"{time.monotonic() - began:.0f} s"
    )
    return wrong


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(min(main(), 1))
