"""Cost of the handlespace's operations from Python; bench_handlespace has the C++ figures.

Each row is measured in a process of its own, and only what is measured is kept beside the
handlespace: in large pools it is memory that costs, and so whatever else lies there.
"""

from __future__ import annotations

import random
import timeit
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, islice

import numpy as np

from rsim import wire
from rsim.handlespace import Draws, Handlespace

HANDLE = b"pool-000000"
POLICIES = (
    "round_robin",
    "random",
    "weighted_random",
    "least_used",
    "least_used_degradation",
    "randomized_least_used",
)


def value(name: str, source: random.Random) -> int:
    """A weight of 1 to 100, or any of 32 bits, as bench_handlespace has them."""
    return source.randrange(1, 101) if name == "weight" else source.getrandbits(32)


def elements(policy: str, count: int, source: random.Random) -> Iterator[wire.PoolElement]:
    """Elements with random values, identifiers in random order, made one by one."""
    transport = wire.SctpTransport(port=80, addresses=["10.0.0.1"])
    names = wire.policy_values(policy)
    identifiers = list(range(1, count + 1))
    source.shuffle(identifiers)
    for identifier in identifiers:
        yield wire.PoolElement(
            identifier=identifier,
            home_server=1,
            registration_life=300,
            user_transport=transport,
            policy=wire.Policy(policy, **{name: value(name, source) for name in names}),
            asap_transport=transport,
        )


def selecting(handlespace: Handlespace, count: int) -> float:
    """Least time of one selection over some batches, in ns."""
    draws = Draws(np.random.default_rng(1))
    known = {"select": handlespace.select, "handle": HANDLE, "count": count, "draws": draws}
    # Text, as a function that is timed would count with its own call.
    times = timeit.repeat("select(handle, count, draws)", globals=known, number=20_000, repeat=5)
    return min(times) / 20_000 * 1e9


def measure(policy: str, count: int) -> str:
    """A row of the table."""
    source = random.Random(1)
    handlespace = Handlespace()
    members = elements(policy, count, source)
    sample = list(islice(members, 4096))
    for element in chain(sample, members):
        handlespace.add(HANDLE, element, 300.0)

    def out() -> None:
        for element in sample:
            handlespace.remove(HANDLE, element.identifier)

    def into() -> None:
        for element in sample:
            handlespace.add(HANDLE, element, 300.0)

    removed, added = [], []
    for _ in range(max(1, 40_000 // len(sample))):
        removed.append(timeit.timeit(out, number=1))
        added.append(timeit.timeit(into, number=1))
    times = [min(added), timeit_best(into), min(removed)]
    cells = [time / len(sample) * 1e9 for time in times]
    cells += [selecting(handlespace, listed) for listed in range(1, 5)]
    return f"{policy:24}{count:9}" + "".join(f"{cell:9.0f}" for cell in cells)


def timeit_best(function) -> float:
    """Least time of one call of a function that takes a while."""
    return min(timeit.repeat(function, number=1, repeat=10))


def main() -> None:
    """Prints the table, in ns."""
    titles = ("register", "same", "remove", "select 1", "2", "3", "4")
    print(f"{'from Python':24}{'elements':>9}" + "".join(f"{title:>9}" for title in titles))
    sizes = (10, 1000, 100_000, 1_000_000)
    rows = [(policy, count) for policy in POLICIES for count in sizes]
    with ProcessPoolExecutor(1, max_tasks_per_child=1) as processes:
        for row in processes.map(measure, *zip(*rows, strict=True)):
            print(row, flush=True)


if __name__ == "__main__":
    main()
