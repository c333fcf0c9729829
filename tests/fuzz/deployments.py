"""Random deployments with faults and attackers: none crashes, hangs or breaks an invariant.

Run as `python -m tests.fuzz.deployments COUNT`, on all cores; `make soak` does 10,000.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from math import isclose

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from loky import ProcessPoolExecutor

import rsim
from rsim.attackers import attacker_kinds
from rsim.handlespace import policy_kinds
from rsim.scenario import Deployment

LONGEST = 60
"""Seconds of a processor that a run may take; all here take far less."""
MOST_PENDING = 20_000
"""Entries that the queue of events may hold at the end."""
UNBOUNDED = {
    "expected_load_pct",
    "knowledge_pct",
    "offered_load_pct",
    "packets_lost_pct",
    "work_lost_pct",
}
"""Shares that can leave 0 to 100%: work credited that was done before the warm-up's end;
identifiers of elements that return under new ones; packets sent before and lost after that end."""

policies = st.sampled_from(sorted(name for name in policy_kinds() if name != "newest"))
profiles = st.sampled_from(["none", "psk-aes128-cbc", "rsa-aes128-cbc", "tls13-psk-ecdhe"])
sites = st.sampled_from(["north", "south"])


def times(low, high):
    """Exponential times with a mean in a range."""
    means = st.floats(low, high)
    return means.map(lambda mean: {"distribution": "exponential", "mean": mean})


def maybe(strategy):
    """A setting that is often left out."""
    return st.one_of(st.none(), strategy)


failures = st.fixed_dictionaries(
    {
        "what": st.sampled_from(["host", "process"]),
        "uptime": times(10, 100),
        "downtime": times(1, 50),
    }
)


@st.composite
def attackers(draw, security):
    """A group of any kind, with settings of the kind drawn where they are few."""
    kind = draw(st.sampled_from(sorted(k for k in attacker_kinds() if k not in ("quitter",))))
    names = attacker_kinds()[kind].Settings.model_fields
    group = {"kind": kind, "start": draw(st.floats(0, 60)), "site": draw(sites)}
    if "interval" in names:
        group["interval"] = draw(st.floats(0.05, 20))
    if draw(st.booleans()):
        group["stop"] = group["start"] + draw(st.floats(1, 60))
    if "position" in names:
        group["position"] = {"between": ["north", "south"]}
    for name in ("action", "means", "mode", "identifier", "answers", "alteration"):
        choices = getattr(names.get(name), "annotation", None)
        options = getattr(choices, "__args__", ())
        if options and all(isinstance(one, str) for one in options):
            group[name] = draw(st.sampled_from(sorted(options)))
    # What does nothing is refused.
    if group.get("action", "alter") != "alter":
        group.pop("alteration", None)
    if "join" in names:
        group["join"] = True
    if "cookie" in names:
        group["cookie"] = "stolen"
    if group.get("action") == "aim":
        group["victim"] = "10.0.0.1"
    if security:
        group["credential"] = draw(st.sampled_from(["none", "valid", "wrong_key", "revoked"]))
    return group


@st.composite
def scenarios(draw):
    """A table for a scenario of at most two simulated minutes that any user could write."""
    instant = draw(st.booleans())
    network = {"delay": draw(st.sampled_from([0, 0.001, 0.01, 0.2]))}
    network["sites"] = ["north", "south"]
    security = {}
    if instant:
        network["transport"] = "instant"
        network["paths"] = [{"sites": ["north", "south"], "delay": 0.02}]
    else:
        network["transport"] = "sctp"
        path = {"sites": ["north", "south"], "delay": 0.02}
        path["loss"] = draw(st.sampled_from([0, 0, 0.01, 0.2]))
        path["jitter"] = draw(maybe(times(0.001, 0.1)))
        network["paths"] = [path]
        if draw(st.booleans()):
            cut = {"path": ["north", "south"], "schedule": "down@40s, up@+20s"}
            network["outages"] = [cut]
        for name in ("pe_enrp", "pu_enrp", "enrp_enrp"):
            security[name] = draw(profiles)
        security["statements"] = draw(st.booleans())
        security["proof_of_choice"] = draw(st.booleans())
    # Groups of different roles may have one name.
    names = [draw(st.sampled_from([role, "node"])) for role in ("server", "element", "user")]
    table = {
        "warm_up": draw(st.sampled_from([0, 20])),
        "duration": draw(st.floats(20, 100)),
        "observe_interval": draw(maybe(st.floats(1, 10))),
        "series_interval": draw(maybe(st.floats(5, 20))),
        "profile": draw(st.sampled_from(["rfc", "literal", "rspsim"])),
        "network": network,
        "security": {key: value for key, value in security.items() if value},
        "pools": {"pool": {"policy": draw(policies)}},
        "enrp_servers": {
            names[0]: {
                "count": draw(st.integers(1, 3)),
                "site": draw(sites),
                **({"failures": draw(failures)} if draw(st.booleans()) else {}),
            }
        },
        "pool_elements": {
            names[1]: {
                "count": draw(st.integers(1, 6)),
                "start": draw(st.floats(0, 10)),
                "site": draw(sites),
                "registration_life": draw(st.integers(5, 60)),
                "discipline": draw(st.sampled_from(["sharing", "in_order"])),
                "cookie_interval": draw(st.sampled_from([1e5, 1e6, 1e7])),
                **({"failures": draw(failures)} if draw(st.booleans()) else {}),
            }
        },
        "pool_users": {
            names[2]: {
                "count": draw(st.integers(1, 6)),
                "start": draw(st.floats(0, 15)),
                "site": draw(sites),
                "request_size": {"distribution": "exponential", "mean": draw(st.floats(1e5, 1e7))},
                "request_interval": draw(times(0.5, 20)),
                "request_timeout": draw(st.floats(1, 10)),
                "keep_alive_interval": draw(st.floats(1, 20)),
                "keep_alive_timeout": draw(st.floats(1, 10)),
                "failover": draw(st.sampled_from(["cookies", "restart", "none"])),
            }
        },
        "attackers": {
            f"attacker{n}": group
            for n, group in enumerate(
                draw(st.lists(attackers(bool(any(security.values()))), max_size=2))
            )
        },
    }
    if instant:
        # Only SCTP knows TLS, and attackers on the path stand on links of it.
        table["security"] = {}
        for name, group in list(table["attackers"].items()):
            group.pop("credential", None)
            if "position" in group:
                del table["attackers"][name]
    return table


@contextmanager
def limited(seconds):
    """Ends what takes too long."""

    def late(*_):
        raise TimeoutError(f"a run of at most 120 simulated s takes more than {seconds} s")

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def check(table):
    """Runs a scenario and looks at what must hold whatever has happened in it."""
    deployment = Deployment(rsim.scenario(table))
    with limited(LONGEST):
        result = deployment.run()
    end = deployment.world.clock.now
    assert end == deployment.scenario.warm_up + deployment.scenario.duration
    assert len(deployment.world.clock.events) < MOST_PENDING
    requests_are_conserved(deployment, result, end)
    work_is_conserved(deployment)
    for _, server in deployment.servers:
        handlespace_is_whole(server)
    for name, value in result.metrics.items():
        assert value != float("inf") and value != float("-inf"), name
        if name.endswith("_pct") and "speed" not in name and value == value:
            assert -1e-6 <= value <= 100 + 1e-6 or name in UNBOUNDED, (name, value)
    return result


def requests_are_conserved(deployment, result, end):
    """Each request is queued, in service, completed or failed; its times follow each other."""
    for user in deployment.users:
        counted = user.counters
        left = counted.requests_generated - counted.requests_completed - counted.requests_failed
        in_service = user._request is not None
        assert left == user.queue_length + in_service
    for row in result.requests.itertuples():
        known = [t for t in (row.generated, row.started, row.accepted) if t == t]
        known += [t for t in (row.completed, row.failed) if t == t]
        assert known == sorted(known) and all(0 <= time <= end for time in known)
        assert not (row.completed == row.completed and row.failed == row.failed)


def work_is_conserved(deployment):
    """Elements do at most what they can; users get credit for at most what they asked."""
    for element in deployment.elements:
        element.settle()
        capacity = element.settings.capacity
        assert element.counters.work <= element.counters.capacity_time * (1 + 1e-9) + 1e-3
        assert element.counters.capacity_time <= capacity * deployment.world.clock.now * (1 + 1e-9)
    asked = deployment.world.requests.columns()["size"].sum()
    credited = sum(user.counters.work_credited for user in deployment.users)
    assert credited <= asked * (1 + 1e-9)


def handlespace_is_whole(server):
    """What tables list is what is counted, and nothing has outlived its registration."""
    space = server.handlespace
    pools, following = space.table(limit=1 << 30, octets=1 << 30)
    assert following is None
    assert sum(len(pool.pool_elements) for pool in pools) == len(space)
    assert sum(space.owned(o) for o in {e.home_server for p in pools for e in p.pool_elements}) == (
        len(space)
    )
    assert space.next_expiry() >= server.clock.now or isclose(space.next_expiry(), server.clock.now)


QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def soak(number, count):
    """Checks so many scenarios; says what has failed, the smallest that hypothesis finds."""

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=QUIET,
        phases=[Phase.generate, Phase.shrink],
    )
    @given(scenarios())
    def run(table):
        check(table)

    run()
    return count


def main():
    """Prints how many scenarios have held."""
    count, cores = int(sys.argv[1]), os.cpu_count() or 1
    # In portions, so that each begins anew and memory shows what it keeps.
    portions = [500] * (count // 500) + ([count % 500] if count % 500 else [])
    done = 0
    # By its name in the module: workers can't take what stands in the main program.
    from tests.fuzz.deployments import soak

    with ProcessPoolExecutor(cores) as executor:
        for held in executor.map(soak, range(len(portions)), portions):
            done += held
            print(f"{done} of {count} scenarios hold", flush=True)


if __name__ == "__main__":
    main()
