"""Signals at random times to sweeps and their workers: nothing is lost, double or different.

    python -m tests.hostile.signals COUNT [SEED]

A third each with one process, with two, and with a Dask cluster on this machine.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

import rsim

STUDY = """
warm_up = "1min"
duration = "1min"
[pool_elements.element]
count = 2
start = "10s"
[pool_users.user]
count = 3
start = "15s"
request_size = { distribution = "exponential", mean = 1e6 }
request_interval = { distribution = "exponential", mean = 5 }
[sweep]
replications = 1000
[sweep.axes]
"pools.pool.policy" = ["random", "least_used", "round_robin"]
"""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
MODES = {"one process": ("--jobs", "1"), "two processes": ("--jobs", "2")}
MODES["Dask"] = ("--dask", "local")
LONGEST_END = 5.0
"""Seconds after which no process of a sweep that has ended may be left."""


def disturb(study: Path, out: Path, mode: str, chance: random.Random) -> list[str]:
    """Starts a sweep, sends a signal to it or to one of its processes; gives the problems."""
    command = [sys.executable, "-m", "rsim.cli", "sweep", study, "--out", out, "--resume"]
    process = subprocess.Popen(
        [*map(str, command), *MODES[mode]],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    time.sleep(chance.uniform(0.3, 6.0))
    number = chance.choice(SIGNALS)
    family = []
    if process.poll() is None:
        try:
            family = psutil.Process(process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            family = []
        target = chance.choice(["parent", "worker"]) if family else "parent"
        if target == "worker":
            _send(chance.choice(family), number)
            time.sleep(chance.uniform(0.0, 3.0))
        try:
            family = psutil.Process(process.pid).children(recursive=True) or family
            process.send_signal(number)
        except (psutil.NoSuchProcess, ProcessLookupError):
            pass
    _, told = process.communicate()
    problems = []
    _, alive = psutil.wait_procs(family, timeout=LONGEST_END)
    if alive:
        problems.append(f"{len(alive)} processes are left: {[one.cmdline()[:4] for one in alive]}")
        for one in alive:
            one.kill()
    if "Traceback" in told and number != signal.SIGKILL:
        problems.append(f"a traceback after {number.name}: {told[-1500:]}")
    if number == signal.SIGINT and process.returncode not in (130, 0, 1):
        problems.append(f"exit code {process.returncode} after SIGINT: {told[-300:]}")
    return problems


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def stored(out: Path) -> dict[str, str]:
    """Digests of all stored runs by their keys."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rsim.RsimWarning)
            runs = rsim.read(out)
    except rsim.ResultError:
        return {}
    if runs.empty:
        return {}
    assert runs["run"].is_unique
    return dict(zip(runs["run"], runs["digest"], strict=True))


def attack(count: int, seed: int = 1) -> list[str]:
    """Sends so many signals; gives the problems."""
    chance = random.Random(seed)
    problems: list[str] = []
    done: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        study = Path(name) / "study.toml"
        study.write_text(STUDY)
        expected: dict[str, str] = {}
        for mode in MODES:
            out = Path(name) / mode.replace(" ", "-")
            kept: dict[str, str] = {}
            for _ in range(count // len(MODES)):
                problems += [f"{mode}: {one}" for one in disturb(study, out, mode, chance)]
                found = stored(out)
                if not kept.items() <= found.items():
                    problems.append(f"{mode}: {len(kept.items() - found.items())} runs are lost")
                kept = found
                different = [
                    run for run, digest in found.items() if expected.get(run, digest) != digest
                ]
                if different:
                    problems.append(f"{mode}: {len(different)} runs are different")
                expected.update(found)
                done[mode] += 1
                if len(kept) == 3000:
                    out, kept = out.with_name(f"{out.name}-again"), {}
                print(json.dumps(done), len(kept), len(problems), flush=True)
    return problems


if __name__ == "__main__":
    wrong = attack(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    print("\n".join(wrong))
    print(f"{len(wrong)} problems")
    sys.exit(bool(wrong))
