"""Rows of the verification page: timers of the protocols, TLS, congestion control, threats."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from rsim.network import PROFILES
from rsim.scenario import Deployment, Scenario, run
from rsim.threats import predicted, threat
from tests.network.conftest import Pair
from tests.network.test_tls import secured
from tests.verification.rows import Row

# How long the dead are listed ---------------------------------------------------------------------


def until(deployment: Deployment, happened: Callable[[], bool], end: float) -> float:
    """Time in s at which something has happened."""
    clock = deployment.world.clock
    while not happened() and clock.peek() < end:
        clock.step()
    return float(clock.now)


def _dying(seed: int, first: float, spread: float) -> float:
    return first + spread * float(np.random.default_rng(seed).random())


def listed_after_death(seed: int, server: dict[str, float], life: float, spread: float) -> float:
    """Time in s from the end of an element until its server lists it no more.

    Parameters: `server` settings of it; `life` of registrations in s; `spread` of the ends in s.
    """
    dies = _dying(seed, 1000.0, spread)
    failures = {
        "what": "host",
        "schedule": f"down@{dies}s",
        "clean_shutdown_probability": 0,
    }
    element = {"start": 10, "registration_life": life, "failures": failures}
    scenario = {
        "warm_up": 0,
        "duration": 3000,
        "protocol": {"enrp_server": server},
        "pool_elements": {"element": element},
    }
    deployment = Deployment(Scenario.model_validate(scenario), seed)
    deployment.world.clock.run_until(dies)
    space = deployment.servers[0].server.handlespace
    return until(deployment, lambda: len(space) == 0, 3000.0) - dies


def life(seed: int) -> float:
    """Time in s until a registration ends, without keep-alives."""
    return listed_after_death(seed, {"keep_alive_interval": 1e5}, life=100, spread=800.0)


def keep_alive(seed: int) -> float:
    """Time in s until a keep-alive is missed."""
    server = {"keep_alive_interval": 20, "keep_alive_spread": 0, "keep_alive_timeout": 5}
    return listed_after_death(seed, server, life=3000, spread=1000.0)


def takeover(seed: int) -> float:
    """Time in s from a server's end until another one has taken it over."""
    dies = _dying(seed, 1000.0, 300.0)
    deployment = Deployment(
        Scenario.model_validate(
            {
                "warm_up": 0,
                "duration": 3000,
                "enrp_servers": {
                    "lasting": {"count": 2},
                    "dying": {"failures": {"schedule": f"down@{dies}s"}},
                },
            }
        ),
        seed,
    )
    deployment.world.clock.run_until(dies)
    servers = [server for _, server in deployment.servers]
    return (
        until(deployment, lambda: any(one.counters.takeovers_won for one in servers), 3000.0) - dies
    )


def _timers() -> list[Row]:
    group = "timers of the protocols"
    return [
        Row(group, "registration life 100 s, T4 80 s: life - T4 / 2", 60.0, life, runs=40),
        Row(group, "keep-alive each 20 s, time-out 5 s: 20 / 2 + 5", 15.0, keep_alive, runs=40),
        Row(
            group,
            "takeover: 61 s of silence + 5 s without answer - heartbeat of 30 s / 2",
            51.0,
            takeover,
            runs=40,
        ),
    ]


# TLS and congestion control -----------------------------------------------------------------------


def first_message(profile: str, seed: int) -> float:
    """Time in s to the first message over TLS, on a path with a round trip of 0.1 s."""
    two = secured(PROFILES[profile])
    two.association.send(1, b"?hello")
    two.run(2)
    return float(two.server.seen[0][0])


def handshake_cpu(profile: str, seed: int) -> float:
    """CPU time in s of a handshake at the server."""
    two = secured(PROFILES[profile], cpu=True)
    two.run(5)
    return float(two.server_host.cpu.counters.cpu_busy)


def transfer(octets: int, seed: int) -> float:
    """Time in s of a message at 10 Mbit/s over a round trip of 0.1 s, from slow start on."""
    two = Pair(bandwidth=10e6)
    association = two.established(5)
    start = two.clock.now
    association.send(1, bytes(octets))
    two.run(5)
    return float(two.server.seen[0][0] - start)


def _exact() -> list[Row]:
    rows = []
    for name, profile in PROFILES.items():
        trips = 1 + (2 if profile.version < 1.3 else 1)
        rows.append(
            Row(
                "TLS: round trips of SCTP and of the handshake, and half a one",
                f"{name}: {trips} + 1/2 round trips",
                0.1 * trips + 0.05,
                partial(first_message, name),
                exact=True,
            )
        )
        rows.append(
            Row(
                "TLS: CPU time of a handshake",
                f"{name}, at the server",
                profile.server_time,
                partial(handshake_cpu, name),
                exact=True,
            )
        )
    rows += [
        Row(
            "slow start, by hand",
            f"{octets:,} octets",
            time,
            partial(transfer, octets),
            exact=True,
            tolerance=1e-4,
        )
        for octets, time in ((10_000, 0.1559), (64_000, 0.4743), (100_000, 0.5836))
    ]
    return rows


# Threats -----------------------------------------------------------------------------------------


def effect(name: str, strength: float, seed: int) -> float:
    """The metric of a threat under attack, for a quarter of an hour."""
    one = threat(name)
    changes = {one.strength.path: one.strength.setting(strength), "duration": 900.0}
    return run(one.scenario("attack", changes), seed % 1000 + 1).metrics[one.metric]


CYCLES = "the mean over cycles of timers, and a run begins at one phase of them"
GROWTH = "false entries grow evenly, not one by one"
LIFE = "elements that fail and return are not in it"
STRENGTHS: dict[str, tuple[float, str]] = {
    "2.1": (1.0, CYCLES),
    "2.2b": (0.1, GROWTH),
    "2.3a": (0.1, "elements go evenly over a cycle; several deregistrations may meet one element"),
    "2.4": (5, "intruders register one after the other"),
    "2.5b": (0.03, GROWTH),
    "2.6": (1, "who answers first is as good as drawn"),
    "2.7": (1, "who answers first is as good as drawn"),
    "2.10a": (0.5, "a share of thirty users is a whole number"),
    "2.12a": (0.3, "a share of ten elements is a whole number"),
    "2.15": (5, "users go on where they were after a failover"),
    "2.16": (0.1, "the attack begins with the measured time, a forgery early or late"),
    "2.17b": (2, "each liar takes load from the others"),
    "N7": (8, "announcements come in bursts of servers that began together"),
}
"""Strength at which each closed form of a threat is tried, and what it leaves out."""


def _threats() -> list[Row]:
    return [
        Row(
            "closed forms of threats",
            f"{name} {threat(name).name.lower()}, at {strength:g}",
            predicted(threat(name), [strength])[0],
            partial(effect, name, strength),
            runs=8,
            approximate=why,
        )
        for name, (strength, why) in STRENGTHS.items()
    ]


ROWS = [*_timers(), *_exact(), *_threats()]
