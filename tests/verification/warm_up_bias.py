"""How much too low the mean handling time is after a warm-up: one user, one element.

Run as `python -m tests.verification.warm_up_bias` for the table of docs/scenarios.md. A user who
has one request in service at a time, of an element of its own, is the queue M/M/1. It begins empty.
Each run gives the mean over the requests that are completed in its measured time; the bias is that
of the mean over runs.
"""

import numpy as np

MEASURED = 7200.0
"""Measured time in s."""


def bias(service, load, warm_up, runs, measured=MEASURED, seed=1):
    """Bias in % and its standard error, by Lindley's recursion over many runs at once.

    Parameters: `service` mean service time and `warm_up` time under load, in s.
    """
    draws = np.random.default_rng(seed)
    end = warm_up + measured
    expected = end / service * load
    time, wait, before = np.zeros(runs), np.zeros(runs), np.zeros(runs)
    number, total = np.zeros(runs), np.zeros(runs)
    for _ in range(int(expected + 6 * np.sqrt(expected)) + 20):
        gap = draws.exponential(service / load, runs)
        time += gap
        wait = np.maximum(0.0, wait + before - gap)
        before = draws.exponential(service, runs)
        completed = time + wait + before
        counts = (completed >= warm_up) & (completed < end)
        number += counts
        total += np.where(counts, wait + before, 0.0)
    some = number > 0
    means = total[some] / number[some] * (1 - load) / service - 1
    return 100 * means.mean(), 100 * means.std() / np.sqrt(some.sum())


def main():
    """Prints the table."""
    print("| mean size | warm-up under load | load 0.3 | 0.6 | 0.8 | 0.95 |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for service, runs in ((1.0, 10_000), (10.0, 100_000), (100.0, 100_000)):
        for warm_up in (300.0, 1800.0):
            found = [bias(service, load, warm_up, runs)[0] for load in (0.3, 0.6, 0.8, 0.95)]
            cells = " | ".join(f"{one:.1f}%" for one in found)
            print(
                f"| {service:g} s | {warm_up / 60:g} min | {cells} |".replace("-", "\N{MINUS SIGN}")
            )


if __name__ == "__main__":
    main()
