"""Cost of runs of many sizes: time, messages, memory, and instructions where they can be counted.

Run as `python tests/benchmarks/scale.py [NAME...]`. Each run has a process of its own; its cost is
stated in SimPy timeouts measured there, too.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

from yardstick import cpu_seconds, timeout

import rsim

LONGEST_COUNTED = 1.5
"""Time in s of a run whose instructions callgrind still counts."""
STANDARD = Path(__file__).with_name("standard.toml")
FLOODS = {
    "registration": {
        "pools": {"pool": {"policy": "least_used_degradation"}},
        "attackers": {"flood": {"kind": "registration-flood", "interval": 1.0}},
    },
    "resolution": {"attackers": {"flood": {"kind": "report-flood", "report_probability": 0.0}}},
}


def flood(kind: str, interval: float) -> dict[str, object]:
    """Changes that add a flood to the standard run."""
    changes = {key: dict(value) for key, value in FLOODS[kind].items()}
    changes["attackers"] = {"flood": {**changes["attackers"]["flood"], "interval": interval}}
    return changes


def sized(elements: int, users: int) -> dict[str, object]:
    """Changes that give the standard run other numbers of hosts."""
    return {
        "pool_elements.element.count": elements,
        "pool_users.user.count": users,
    }


RUNS: dict[str, dict[str, object]] = {
    "standard": {},
    "registration flood, 1/s": flood("registration", 1.0),
    "resolution flood, 10/s": flood("resolution", 0.1),
    "resolution flood, 100/s": flood("resolution", 0.01),
    "1 PE, 10 PUs": sized(1, 10),
    "100 PEs, 1,000 PUs": sized(100, 1000),
    "1,000 PEs, 10,000 PUs": sized(1000, 10_000),
    "8 servers": {"enrp_servers.server.count": 8},
}


def one(name: str) -> dict[str, float]:
    """Measures a run, in this process."""
    overrides = RUNS[name]
    scenario = rsim.load(STANDARD, dict(overrides))
    # The same run, measured from its beginning, so that all messages are counted.
    whole = {"warm_up": 0.0, "duration": float(scenario.warm_up) + scenario.duration}
    scenario = rsim.load(STANDARD, {**overrides, **whole})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yardstick = min(timeout() for _ in range(3))
    results = []
    seconds = cpu_seconds(lambda: results.append(rsim.run(scenario)))
    if seconds < 2:
        seconds = min([seconds, *(cpu_seconds(lambda: rsim.run(scenario)) for _ in range(3))])
    messages = results[0].counters["network.messages"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": seconds,
        "timeouts": seconds / yardstick,
        "messages": messages,
        "peak_mib": peak / 1024,
        "grown_mib": (peak - before) / 1024,
        "users": sum(group.count for group in scenario.pool_users.values()),
    }


def counted(name: str, tool: str) -> float | None:
    """Instructions of a process that makes a run, or of one that only gets ready for it."""
    command = [sys.executable, __file__, "--run", name]
    if tool == "perf":
        count = ["perf", "stat", "-x,", "-e", "instructions:u"]
    else:
        count = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run(
        [*count, *command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    found = re.search(r"^(\d+),|Collected : (\d+)", done.stderr, re.MULTILINE)
    return float(found[1] or found[2]) if found and not done.returncode else None


def instructions(name: str, seconds: float) -> float | None:
    """Instructions of a run beyond those of getting ready for it; None where nobody counts them.

    perf counts where the machine lets it; callgrind does anywhere, but takes sixty times as long.
    """
    tools = ["perf"] if seconds > LONGEST_COUNTED else ["perf", "valgrind"]
    for tool in filter(shutil.which, tools):
        with_run, without = counted(name, tool), counted("", tool)
        if with_run is not None and without is not None:
            return with_run - without
    return None


def main() -> None:
    """Prints the table."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(sys.argv[2])))
        return
    if sys.argv[1:2] == ["--run"]:
        scenario = rsim.load(STANDARD, dict(RUNS.get(sys.argv[2], {})))
        if sys.argv[2]:
            rsim.run(scenario)
        return
    titles = ("s", "timeouts", "messages/s", "timeouts/message", "peak MiB", "KiB/PU", "Ginstr.")
    print(f"{'run':26}" + "".join(f"{title:>18}" for title in titles))
    for name in sys.argv[1:] or RUNS:
        command = [sys.executable, __file__, "--one", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        row = json.loads(done.stdout)
        count = instructions(name, row["seconds"])
        cells = [
            f"{row['seconds']:.2f}",
            f"{row['timeouts']:,.0f}",
            f"{row['messages'] / row['seconds']:,.0f}",
            f"{row['timeouts'] / row['messages']:.2f}",
            f"{row['peak_mib']:.0f}",
            f"{1024 * row['grown_mib'] / row['users']:.1f}",
            "-" if count is None else f"{count / 1e9:.2f}",
        ]
        print(f"{name:26}" + "".join(f"{cell:>18}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
