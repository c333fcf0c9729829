"""Rows of the verification page: processors under policies, CPUs and links."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.optimize import brentq
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve

from tests.network.test_cpu import flood
from tests.network.test_link import Wire
from tests.verification.rows import Row
from tests.workload.driven_pool import SIZES, Pool, drive

# Processors and policies, driven by a Poisson stream ---------------------------------------------


def sojourn(policy: str, servers: int, load: float, sizes: str, seed: int) -> float:
    """Mean time in a pool."""
    return float(np.mean(drive(policy, servers, load, sizes, seed).left))


def tasks_over_time(load: float, seed: int) -> float:
    """Tasks in one processor, averaged over time."""
    pool = drive("random", 1, load, "exponential", seed)
    return pool.area / pool.duration


def tasks_seen(load: float, seed: int) -> float:
    """Tasks in one processor that arrivals see."""
    return float(np.mean(drive("random", 1, load, "exponential", seed).seen))


def little(seed: int) -> float:
    """Tasks over time / (rate x time in the pool), over a time that begins and ends empty."""
    random = np.random.default_rng(seed)
    pool = Pool("least_used", 3, seed)
    times = np.cumsum(random.exponential(0.5, 2000))
    for number, time in enumerate(times.tolist()):
        pool.clock.call_at(time, pool.arrive, number, float(random.exponential(1)))
    pool.clock.run_until(times[-1] + 1000)
    pool._settle()
    return pool.area / sum(pool.left)


def chain(servers: int, load: float, two: bool, most: int) -> float:
    """Mean time in a pool by its Markov chain: joins the shortest, or the shorter of two drawn."""
    shape = (most + 1,) * servers
    states = list(np.ndindex(shape))
    place = {state: number for number, state in enumerate(states)}
    rates = lil_matrix((len(states), len(states)))

    def move(state: tuple[int, ...], server: int, by: int, rate: float) -> None:
        target = list(state)
        target[server] += by
        if target[server] <= most:
            rates[place[tuple(target)], place[state]] += rate
            rates[place[state], place[state]] -= rate

    pairs = [(a, b) for a in range(servers) for b in range(a + 1, servers)]
    for state in states:
        groups = pairs if two else [tuple(range(servers))]
        for group in groups:
            least = min(state[one] for one in group)
            best = [one for one in group if state[one] == least]
            for one in best:
                move(state, one, 1, load * servers / len(groups) / len(best))
        for one in range(servers):
            if state[one]:
                move(state, one, -1, 1.0)
    rates[0, :] = 1.0
    right = np.zeros(len(states))
    right[0] = 1.0
    share = spsolve(rates.tocsr(), right)
    return float(np.dot(share, [sum(state) for state in states])) / (load * servers)


def erlang(servers: int, load: float) -> float:
    """Mean time in E_c/M/1 of service time 1: each of c elements gets every c-th arrival."""
    rate = servers * load

    def gap(sigma: float) -> float:
        return (rate / (rate + 1 - sigma)) ** servers - sigma

    return 1 / (1 - brentq(gap, 0.0, 1 - 1e-9))


def _pools() -> list[Row]:
    rows = [
        Row(
            "M/G/1 with processor sharing: S / (1 - load)",
            f"{sizes} sizes, load {load}",
            1 / (1 - load),
            partial(sojourn, "random", 1, load, sizes),
        )
        for sizes in SIZES
        for load in (0.5, 0.8)
    ]
    for servers, load in ((2, 0.5), (2, 0.8), (3, 0.7)):
        expected = chain(servers, load, two=False, most=40 if servers == 2 else 18)
        rows.append(
            Row(
                "joining the shortest queue (least used): numeric Markov chain",
                f"{servers} elements, load {load}",
                expected,
                partial(sojourn, "least_used", servers, load, "exponential"),
            )
        )
    rows += [
        Row(
            "the shorter of two drawn: numeric Markov chain",
            f"3 elements, load {load}",
            chain(3, load, two=True, most=18),
            partial(sojourn, "two", 3, load, "exponential"),
        )
        for load in (0.5, 0.7)
    ]
    for servers, load in ((2, 0.5), (2, 0.8), (5, 0.7), (10, 0.8)):
        rows.append(
            Row(
                "round robin: E_c/M/1",
                f"{servers} elements, load {load}",
                erlang(servers, load),
                partial(sojourn, "round_robin", servers, load, "exponential"),
            )
        )
    for load in (0.5, 0.8):
        tasks = load / (1 - load)
        rows += [
            Row("PASTA", f"tasks over time, load {load}", tasks, partial(tasks_over_time, load)),
            Row("PASTA", f"tasks that arrivals see, load {load}", tasks, partial(tasks_seen, load)),
        ]
    name = "L / (rate x W), from empty to empty"
    return [*rows, Row("Little", name, 1.0, little, exact=True)]


# CPUs and links ----------------------------------------------------------------------------------


def cpu_wait(load: float, kind: str, seed: int) -> float:
    """Mean wait for a CPU of service time 1 s."""
    settings = {} if kind == "fixed" else {"distribution": kind}
    return float(flood(load, 8000, seed, **settings)[0][1500:].mean())


def cpu_loss(load: float, buffer: int, seed: int) -> float:
    """Share of messages that a CPU with a buffer drops."""
    _, cpu = flood(load, 8000, seed, distribution="exponential", buffer=buffer)
    return float(cpu.counters.cpu_dropped / 8000)


def link_wait(load: float, hops: int, seed: int) -> float:
    """Mean wait in s for a link of 1 Mbit/s that packets of 1,250 octets take, or for two."""
    service, count = 0.01, 8000
    times = np.cumsum(np.random.default_rng(seed).exponential(service / load, count))
    arrivals = times
    for _ in range(hops):
        arrivals = np.array(Wire(bandwidth=1e6).run(arrivals.tolist(), 1250))
    return float((arrivals - times - hops * service)[1500:].mean())


def _hosts() -> list[Row]:
    rows = []
    for load in (0.3, 0.6, 0.8):
        rows += [
            Row(
                "CPU: M/M/1",
                f"wait, load {load}",
                load / (1 - load),
                partial(cpu_wait, load, "exponential"),
            ),
            Row(
                "CPU: M/D/1",
                f"wait, load {load}",
                load / (2 - 2 * load),
                partial(cpu_wait, load, "fixed"),
            ),
            Row(
                "link: M/D/1",
                f"wait, load {load}, ms",
                10 * load / (2 - 2 * load),
                lambda seed, load=load: 1e3 * link_wait(load, 1, seed),
            ),
        ]
    for load, buffer in ((0.8, 3), (0.5, 1), (2.0, 5), (0.9, 8)):
        rows.append(
            Row(
                "CPU: M/M/1/K",
                f"share dropped, load {load}, buffer {buffer}",
                (1 - load) * load**buffer / (1 - load ** (buffer + 1)),
                partial(cpu_loss, load, buffer),
            )
        )
    for load in (0.5, 0.7):
        rows.append(
            Row(
                "tandem of two links: no wait at the second",
                f"wait at both, load {load}, ms",
                10 * load / (2 - 2 * load),
                lambda seed, load=load: 1e3 * link_wait(load, 2, seed),
            )
        )
    return rows


ROWS = [*_pools(), *_hosts()]
