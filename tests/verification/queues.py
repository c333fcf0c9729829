"""Rows of the verification page: processors under policies, CPUs and links."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
from scipy.optimize import brentq
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve

from rsim import wire
from rsim.clock import Clock
from rsim.handlespace import Draws, Handlespace
from rsim.workload.processor_sharing import Processor
from tests.network.test_cpu import flood
from tests.network.test_link import Wire
from tests.verification.rows import Row

HANDLE = b"pool"
SIZES = {
    "fixed": lambda random, n: np.ones(n),
    "uniform": lambda random, n: random.uniform(0, 2, n),
    "exponential": lambda random, n: random.exponential(1, n),
    "hyperexponential": lambda random, n: (
        random.exponential(1, n) * np.where(random.random(n) < 0.9, 5 / 9, 5)
    ),
}
"""Four distributions of mean 1 whose squared coefficients of variation are 0, 1/3, 1 and 5.2."""


# Processors and policies, driven by a Poisson stream ---------------------------------------------


class Pool:
    """Processors, each of capacity 1, that a policy of the handlespace chooses from.

    Parameters: `policy` "least_used", "round_robin", "random", or "two": the less loaded of two
    that the random policy lists.
    """

    def __init__(self, policy: str, servers: int, seed: int) -> None:
        self.clock = Clock()
        self.policy = policy
        self.tasks = [0] * servers
        self.left: list[float] = []
        self.entered: dict[int, tuple[float, int]] = {}
        self.seen: list[int] = []
        self.area = 0.0
        self.changed = 0.0
        user = SimpleNamespace(finished=self._finished)
        self.processors = [Processor(self.clock, 1.0, user) for _ in range(servers)]
        self._space = Handlespace()
        self._draws = Draws(np.random.Generator(np.random.PCG64(seed)))
        for server in range(servers):
            self._tell(server)

    def _tell(self, server: int) -> None:
        kind = "random" if self.policy == "two" else self.policy
        values = {"load": self.tasks[server]} if kind == "least_used" else {}
        transport = wire.SctpTransport(port=1, addresses=["10.0.0.1"])
        element = wire.PoolElement(
            identifier=server + 1,
            home_server=1,
            user_transport=transport,
            policy=wire.Policy(kind, **values),
        )
        self._space.add(HANDLE, element)

    def _settle(self) -> None:
        now = self.clock.now
        self.area += sum(self.tasks) * (now - self.changed)
        self.changed = now

    def arrive(self, number: int, size: float) -> None:
        """A request comes and goes to one of the processors."""
        self._settle()
        self.seen.append(sum(self.tasks))
        count = 2 if self.policy == "two" else 1
        listed = [one.identifier - 1 for one in self._space.select(HANDLE, count, self._draws)]
        server = min(listed, key=lambda one: self.tasks[one])
        self.tasks[server] += 1
        self.entered[number] = (self.clock.now, server)
        self.processors[server].add(number, size, 0.0, size)
        if self.policy == "least_used":
            self._tell(server)

    def _finished(self, task: object) -> None:
        self._settle()
        time, server = self.entered.pop(task.owner)
        self.tasks[server] -= 1
        self.left.append(self.clock.now - time)
        if self.policy == "least_used":
            self._tell(server)


def drive(policy: str, servers: int, load: float, sizes: str, seed: int) -> Pool:
    """A pool after 12,000 requests, of which the first 2,000 only fill it."""
    random = np.random.default_rng(seed)
    pool = Pool(policy, servers, seed)
    times = np.cumsum(random.exponential(1 / (load * servers), 12_000))
    for number, (time, size) in enumerate(
        zip(times.tolist(), SIZES[sizes](random, 12_000).tolist(), strict=True)
    ):
        pool.clock.call_at(time, pool.arrive, number, size)
    pool.clock.run_until(times[2000])
    pool._settle()
    pool.area, pool.seen, pool.left = 0.0, [], []
    pool.clock.run_until(times[-1])
    pool._settle()
    pool.duration = times[-1] - times[2000]
    return pool


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
