"""Random deployments give one digest each, whatever process runs them.

Each is run in fresh processes with several seeds of Python's hashes, from compiled modules and from
source, and by the workers of a sweep; digest and counters must be the same. Run as
`python -m tests.verification.determinism COUNT`; `make determinism` does 200.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import Phase, given, seed, settings
from loky import ProcessPoolExecutor

import rsim
from rsim.errors import RsimWarning, ScenarioError
from rsim.scenario import run
from tests.fuzz.deployments import QUIET, scenarios
from tests.interpreted import call

ROOT = Path(__file__).resolve().parents[2]
HASH_SEEDS = ("0", "1", "42", "4294967295")
PORTION = 20
"""Deployments that a process runs."""


def drawn(number, count):
    """So many tables of scenarios; the same for the same number."""
    tables = []

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=QUIET,
        phases=[Phase.generate],
    )
    @given(scenarios())
    def take(table):
        tables.append(table)

    take()
    for table in tables[::2]:
        if table["network"]["transport"] == "sctp":
            _busy(table)
    return tables


def _busy(table):
    """Has many of a kind do much: what goes by the order of a set shows where there are several."""
    table["security"] |= {"proof_of_choice": True, "statements": True}
    table["duration"] = 100
    for role, count in (("enrp_servers", 3), ("pool_elements", 6), ("pool_users", 6)):
        for group in table[role].values():
            group["count"] = count
            group.pop("failures", None)
    for users in table["pool_users"].values():
        users["request_size"], users["request_interval"] = 1e6, 3


def told(tables):
    """Digest and counters of each; an error's text where one can't be run."""
    found = []
    for table in tables:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RsimWarning)
                result = run(rsim.scenario(table))
            found.append([result.digest, {k: float(v) for k, v in result.counters.items()}])
        except ScenarioError as error:
            found.append([str(error), {}])
    return found


def in_a_process(tables, hash_seed):
    """The same in a fresh process with that seed of hashes."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.verification.determinism"],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        input=json.dumps(tables),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return json.loads(done.stdout)


def differences(tables, hash_seeds=HASH_SEEDS):
    """What differs from the first hash seed's: which deployment, and where it was run."""
    ways = {f"hash seed {one}": lambda one=one: in_a_process(tables, one) for one in hash_seeds}
    ways["from source"] = lambda: call(told, tables)
    ways["a worker"] = lambda: _worker(tables)
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        results = {name: threads.submit(way) for name, way in ways.items()}
    expected = results.pop(f"hash seed {hash_seeds[0]}").result()
    return [
        f"deployment {number}, {name}: {_difference(expected[number], found)}"
        for name, result in results.items()
        for number, found in enumerate(result.result())
        if found != expected[number]
    ]


def _worker(tables):
    with ProcessPoolExecutor(1) as executor:
        return executor.submit(told, tables).result()


def _difference(one, other):
    if one[0] != other[0]:
        return f"digest {one[0]} and {other[0]}"
    names = sorted(name for name in one[1] if one[1][name] != other[1].get(name))
    return ", ".join(f"{name} {one[1][name]} and {other[1].get(name)}" for name in names)


def main():
    """Tells what differs; as a process of its own, what comes of the tables that it is given."""
    if len(sys.argv) < 2:
        json.dump(told(json.load(sys.stdin)), sys.stdout)
        return
    # By their name in the module: other processes can't take what stands in the main program.
    from tests.verification.determinism import differences, drawn

    count = int(sys.argv[1])
    tables, found = drawn(1, count), []
    for begin in range(0, count, PORTION):
        found += differences(tables[begin : begin + PORTION])
        print(f"{min(begin + PORTION, count)} of {count}: {len(found)} differ", flush=True)
    print("\n".join(found))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
