"""What benchmarks compare with: the cost of a SimPy timeout."""

from __future__ import annotations

import time
from collections.abc import Callable

import simpy

COUNT = 300_000
"""Timeouts of one measurement."""


def cpu_seconds(function: Callable[[], object]) -> float:
    """Processor time of one call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def timeout() -> float:
    """Processor time of one timeout, in 100 processes with 3,000 each."""
    environment = simpy.Environment()

    def process():
        for _ in range(COUNT // 100):
            yield environment.timeout(1)

    for _ in range(100):
        environment.process(process())
    return cpu_seconds(environment.run) / COUNT
