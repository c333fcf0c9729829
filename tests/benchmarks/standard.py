"""Cost of the standard run, beside the cost of a SimPy timeout measured in the same process.

Run as `python tests/benchmarks/standard.py`. Ratios compare across machines, seconds do not.
"""

from __future__ import annotations

from pathlib import Path

from yardstick import cpu_seconds, timeout

import rsim

REPEATS = 5


def main() -> None:
    """Prints a line for the run and one for the yardstick."""
    scenario = rsim.load(Path(__file__).with_name("standard.toml"))
    counters = rsim.run(scenario).counters
    pairs = [(cpu_seconds(lambda: rsim.run(scenario)), timeout()) for _ in range(REPEATS)]
    run = min(pair[0] for pair in pairs)
    yardstick = min(pair[1] for pair in pairs)
    ratios = sorted(pair[0] / pair[1] for pair in pairs)
    messages = counters["network.messages"]
    print(f"SimPy timeout      {yardstick * 1e6:8.3f} µs")
    print(f"standard run       {run:8.3f} s   {messages / run:,.0f} messages/s (measured part)")
    print(f"in timeouts        {ratios[REPEATS // 2]:8,.0f}   (median of {REPEATS} pairs)")


if __name__ == "__main__":
    main()
