"""Rows of the verification page: whole runs of pools against queueing theory."""

from __future__ import annotations

from functools import partial
from math import factorial, log

from rsim.scenario import Scenario, run
from rsim.sweep import rare_event
from tests.sweep.test_rare_events import exact, pool
from tests.verification.rows import Row


def one_user(metric: str, load: float, distribution: str, seed: int) -> float:
    """M/G/1 of service time 1 s: the requests of one user wait for one element."""
    scenario = Scenario.model_validate(
        {
            "profile": "rspsim",
            "warm_up": 1200,
            "duration": 10_000,
            "pool_elements": {"element": {"count": 1}},
            "pool_users": {
                "user": {
                    "count": 1,
                    "request_size": {"distribution": distribution, "mean": 1e6},
                    "request_interval": {"distribution": "exponential", "mean": 1 / load},
                }
            },
        }
    )
    return run(scenario, seed).metrics[metric]


def _one_user() -> list[Row]:
    rows = []
    for load in (0.3, 0.5, 0.7):
        sojourn = 1 / (1 - load)
        for metric, name, expected, sizes in (
            ("handling_time_s", "M/M/1, handling time", sojourn, "exponential"),
            ("handling_time_p95_s", "M/M/1, 95% of it", -log(0.05) * sojourn, "exponential"),
            ("utilisation_pct", "M/M/1, utilisation", 100 * load, "exponential"),
            ("handling_time_s", "M/D/1, handling time", 1 + load * sojourn / 2, "fixed"),
            ("queuing_delay_s", "M/D/1, queuing delay", load * sojourn / 2, "fixed"),
        ):
            rows.append(
                Row(
                    "a pool with one user and one element",
                    f"{name}, load {load}",
                    expected,
                    partial(one_user, metric, load, sizes),
                    runs=12,
                )
            )
    return rows


def erlang_c(servers: int, load: float) -> float:
    """Mean wait in M/M/c of service time 1."""
    offered = servers * load
    last = offered**servers / factorial(servers) / (1 - load)
    waits = last / (sum(offered**k / factorial(k) for k in range(servers)) + last)
    return waits / (servers - offered)


def central(servers: int, load: float, seed: int) -> float:
    """Mean wait of 300 users for elements that serve one request each and refuse others."""
    scenario = Scenario.model_validate(
        {
            "profile": "rspsim",
            "warm_up": 600,
            "duration": 2000,
            "pools": {"pool": {"policy": "random"}},
            "pool_elements": {"element": {"count": servers, "min_capacity_per_request": 1e6}},
            "pool_users": {
                "user": {
                    "count": 300,
                    "retry_delay": 0.02,
                    "request_size": {"distribution": "exponential", "mean": 1e6},
                    "request_interval": {
                        "distribution": "exponential",
                        "mean": 300 / (servers * load),
                    },
                }
            },
        }
    )
    metrics = run(scenario, seed).metrics
    return metrics["queuing_delay_s"] + metrics["startup_delay_s"]


def _central() -> list[Row]:
    return [
        Row(
            "M/M/c: elements that serve one request each",
            f"wait, c = {servers}, load {load}",
            erlang_c(servers, load),
            partial(central, servers, load),
            runs=8,
            approximate="refused requests come again after up to 0.02 s, from 300 users",
        )
        for servers, load in ((2, 0.5), (3, 0.6))
    ]


def closed(ratio: int, distribution: str, seed: int) -> float:
    """Utilisation of ten elements under the random policy; users always have a request waiting."""
    scenario = Scenario.model_validate(
        {
            "profile": "rspsim",
            "warm_up": 600,
            "duration": 1200,
            "pools": {"pool": {"policy": "random"}},
            "pool_elements": {"element": {"count": 10}},
            "pool_users": {
                "user": {
                    "pu_to_pe_ratio": ratio,
                    "request_size": {"distribution": distribution, "mean": 4e6},
                    "request_interval": {"distribution": "fixed", "mean": 0.5},
                }
            },
        }
    )
    return run(scenario, seed).metrics["utilisation_pct"]


def _closed() -> list[Row]:
    return [
        Row(
            "closed pools: K / (K + M - 1)",
            f"M = 10, K = {10 * ratio}, {distribution} sizes",
            100 * 10 * ratio / (10 * ratio + 9),
            partial(closed, ratio, distribution),
            runs=16,
        )
        for ratio, distribution in (
            *((1, "exponential"), (1, "fixed"), (2, "exponential"), (3, "fixed")),
        )
    ]


def split(count: int, seed: int) -> float:
    """Probability by splitting that none of so many elements runs at some time."""
    return rare_event(
        Scenario.model_validate(pool(count, 300, 10, 60)),
        "outage_distance_s",
        0,
        streams=["failures"],
        particles=50,
        moves=3,
        repetitions=2,
        seed=seed,
        jobs=1,
    ).probability.mean


def _rare() -> list[Row]:
    return [
        Row(
            "rare events by splitting: Markov chain",
            f"probability that none of {count} elements runs, in 100,000",
            1e5 * exact(count, 300, 10, 60),
            lambda seed, count=count: 1e5 * split(count, seed),
            runs=5,
            approximate="estimates have no bias, but are skewed",
        )
        for count in (2, 3)
    ]


ROWS = [*_one_user(), *_closed(), *_central(), *_rare()]
