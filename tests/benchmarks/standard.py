"""Cost of the standard run, beside the cost of a SimPy timeout measured in the same process.

Run as `python tests/benchmarks/standard.py`. Ratios compare across machines, seconds do not.
"""

from __future__ import annotations

import time
from pathlib import Path

import simpy

import rsim

REPEATS = 5


def cpu_seconds(function) -> float:
    """Processor time of one call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def timeouts() -> None:
    """100 processes with 3,000 timeouts each."""
    environment = simpy.Environment()

    def process():
        for _ in range(3000):
            yield environment.timeout(1)

    for _ in range(100):
        environment.process(process())
    environment.run()


def main() -> None:
    """Prints a line for the run and one for the yardstick."""
    scenario = rsim.load(Path(__file__).with_name("standard.toml"))
    counters = rsim.run(scenario).counters
    pairs = [
        (cpu_seconds(lambda: rsim.run(scenario)), cpu_seconds(timeouts)) for _ in range(REPEATS)
    ]
    run = min(pair[0] for pair in pairs)
    timeout = min(pair[1] for pair in pairs) / 300_000
    ratios = sorted(pair[0] / (pair[1] / 300_000) for pair in pairs)
    messages = counters["network.messages"]
    print(f"SimPy timeout      {timeout * 1e6:8.3f} µs")
    print(f"standard run       {run:8.3f} s   {messages / run:,.0f} messages/s (measured part)")
    print(f"in timeouts        {ratios[REPEATS // 2]:8,.0f}   (median of {REPEATS} pairs)")


if __name__ == "__main__":
    main()
