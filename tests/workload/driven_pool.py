"""Processors that a policy of the handlespace chooses from, driven by a Poisson stream."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from rsim import wire
from rsim.clock import Clock
from rsim.handlespace import Draws, Handlespace
from rsim.workload.processor_sharing import Processor

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
