"""Tries thousands of files and settings that nobody should write: `make hostile`.

Whatever comes, rsim answers with one line of at most 300 characters or does what it is asked:
no traceback, no crash, and nothing that takes more than 10 s of a processor.

    python -m tests.hostile COUNT [SEED]
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from . import files
from .children import Ended, command, ended
from .scenarios import examine, examine_study, mutated_scenarios, mutated_studies

STUDY = """
warm_up = 1
duration = 2
series_interval = 1
[pool_elements.element]
start = 0.1
count = 2
[pool_users.user]
count = 2
start = 0.2
request_size = 1e5
request_interval = 0.5
[sweep]
replications = 4
series = ["accepts"]
axes = { "pools.pool.policy" = ["random", "least_used"] }
[sweep.arms.one]
[sweep.arms.two]
set = { "network.delay" = 0.01 }
[sweep.figure]
x = "pools.pool.policy"
[[sweep.references]]
file = "reference.csv"
columns = { policy = "pools.pool.policy" }
metrics = { speed = "handling_speed_pct" }
"""
REFERENCE = "policy,metric,mean,ci95,runs\nrandom,speed,50,1,3\n"
SHARES = {"scenarios": 30, "studies": 20, "overrides": 10, "stores": 15}
SHARES |= {"arrivals": 8, "graphs": 7, "captures": 10}
"""Of a hundred cases."""

Try = tuple[str, Callable[[], int]]


def load() -> None:
    """Loads what the processes that are forked will need."""
    import matplotlib.figure
    import networkx
    import pandas
    import pyarrow.parquet

    import rsim.cli.commands
    import rsim.plots
    import rsim.studies
    import rsim.wire.dissect

    assert all((matplotlib.figure, networkx, pandas, pyarrow.parquet, rsim.plots, rsim.studies))
    assert rsim.cli.commands and rsim.wire.dissect


def prepare(folder: Path) -> None:
    """What the cases start from: a capture and two folders of results."""
    study = folder / "study.toml"
    study.write_text(STUDY)
    (folder / "reference.csv").write_text(REFERENCE)
    run = command("run", study, "--pcap", folder / "capture.pcapng")
    for action in (
        run,
        command("sweep", study, "--out", folder / "whole", "--jobs", 1),
        _stop(folder),
    ):
        found = ended(action)
        assert found.code == 0, found


def _stop(folder: Path) -> Callable[[], int]:
    """A sweep that is stopped half way."""

    def act() -> int:
        from rsim.sweep import sweep

        def stop(done: int, total: int, failed: int) -> None:
            if done == 9:
                raise KeyboardInterrupt

        try:
            sweep(folder / "study.toml", folder / "half", jobs=1, progress=stop)
        except KeyboardInterrupt:
            return 0
        return 1

    return act


def _refused(outcome: str) -> int:
    return 2 if outcome == "refused" else 0


def cases(kind: str, seed: int, count: int, folder: Path) -> Iterator[Try]:
    """What is tried, and what was changed."""
    if kind == "scenarios":
        for what, table in mutated_scenarios(seed, count):
            yield what, lambda table=table: _told(lambda: examine(table))
    elif kind == "studies":
        for what, text in mutated_studies(seed, count):
            yield what, lambda text=text: _told(lambda: examine_study(text, folder))
    else:
        for case in getattr(files, kind)(seed, count, folder):
            for arguments in case.commands:
                yield f"{case.what}: rsim {arguments[0]}", command(*arguments)


def _told(examined: Callable[[], str]) -> int:
    outcome = examined()
    if outcome == "refused":
        # `examine` has looked at the line itself.
        print("rsim: refused", file=sys.stderr)
    return _refused(outcome)


def attack(
    kind: str, count: int, seed: int = 1, tell: Callable[[str], None] = print
) -> tuple[Counter[str], list[str]]:
    """Tries so many of a kind; gives the numbers of outcomes, and the problems."""
    load()
    found: Counter[str] = Counter()
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if kind in ("stores", "captures"):
            prepare(folder)
        for what, action in cases(kind, seed, count, folder):
            result: Ended = ended(action)
            problem = result.problem
            found[result.outcome if problem is None else "problems"] += 1
            if problem is not None:
                problems.append(f"{kind}: {what}: {problem}")
                tell(problems[-1])
    tell(f"{kind}: {dict(found)}")
    return found, problems


def main() -> None:
    """Tries so many of all kinds; exits with 1 if there are problems."""
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    found: Counter[str] = Counter()
    for kind, share in SHARES.items():
        found += attack(kind, count * share // 100, seed, lambda text: print(text, flush=True))[0]
    print(f"{found.total()} cases: {dict(found)}")
    sys.exit(bool(found["problems"]))


if __name__ == "__main__":
    main()
