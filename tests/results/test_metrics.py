"""Every metric, computed a second time from a trace of the run, by its definition in words."""

import itertools
import math
import statistics
from functools import cache, partial

import pytest

import rsim
from rsim.results import METRICS
from rsim.threats import threat
from rsim.wire import PPID_ASAP, PPID_ENRP

from ..interpreted import call
from .trace import Trace

# Some scenarios are there for what has no effect in them.
pytestmark = pytest.mark.filterwarnings("ignore::rsim.errors.RsimWarning")

BUSY = {
    "warm_up": 300,
    "duration": 600,
    "observe_interval": 7,
    "network": {"delay": "10ms"},
    "enrp_servers": {
        "steady": {"cpu": {"service_time": "20ms", "buffer": 2}},
        "failing": {
            "failures": {"schedule": "down@100s, up@+120s, down@+120s, up@+200s"},
            "cpu": {"service_time": "20ms"},
        },
    },
    "pool_elements": {
        "element": {
            "count": 4,
            "start": 10,
            "failures": {
                "what": "host",
                "uptime": {"distribution": "exponential", "mean": 100},
                "downtime": {"distribution": "exponential", "mean": 20},
                "clean_shutdown_probability": 0.4,
            },
        }
    },
    "pool_users": {
        "user": {
            "count": 8,
            "start": 20,
            "keep_alive_interval": 5,
            "keep_alive_timeout": 2,
            "request_size": {"distribution": "exponential", "mean": 1e7},
            "request_interval": {"distribution": "exponential", "mean": 30},
        },
        "impatient": {
            "count": 3,
            "start": 20,
            "failover": "none",
            "request_size": {"distribution": "exponential", "mean": 1e7},
            "request_interval": {"distribution": "exponential", "mean": 30},
        },
    },
    "attackers": {"flood": {"kind": "registration-flood", "interval": 100}},
}
LOSSY = {
    "warm_up": 200,
    "duration": 400,
    "network": {"delay": "10ms", "loss": 0.03},
    "security": {"pe_enrp": "psk-aes128-cbc", "pu_enrp": "rsa-aes128-cbc"},
    "pool_elements": {"element": {"count": 3, "start": 10}},
    "pool_users": {
        "user": {
            "count": 5,
            "start": 20,
            "request_size": {"distribution": "exponential", "mean": 5e6},
            "request_interval": {"distribution": "exponential", "mean": 20},
        }
    },
}
# A server that keeps state for each INIT, and is flooded with them.
SHUT_OUT = {
    "warm_up": 50,
    "duration": 200,
    "network": {"delay": "10ms"},
    "enrp_servers": {"server": {"stack": {"cookies": False, "half_open": 20}}},
    "pool_elements": {
        "element": {"count": 3, "start": 10, "failures": {"schedule": "down@190s, up@+30s"}}
    },
    "pool_users": {
        "user": {
            "count": 6,
            "start": 20,
            "request_size": 5e6,
            "request_interval": {"distribution": "exponential", "mean": 20},
        }
    },
    "attackers": {"flood": {"kind": "init-flood", "interval": 0.7, "start": 30}},
}
LIMITED = {
    "warm_up": 50,
    "duration": 200,
    "protocol": {"enrp_server": {"max_registration_rate": 0.2}},
    "pools": {"pool": {"policy": "least_used"}},
    "pool_elements": {"element": {"count": 3, "start": 10}},
    "pool_users": {
        "user": {
            "count": 6,
            "start": 20,
            "request_size": 5e6,
            "request_interval": {"distribution": "exponential", "mean": 20},
        }
    },
}
# One accuser who soon accuses: that finds liars, and honest elements, too.
HASTY = {
    "warm_up": 80.0,
    "duration": 1500.0,
    "security.accusers": 1,
    "security.accusation_level": 2.5,
}
SHORT = {"warm_up": 200.0, "duration": 300.0}
ATTACKS = "2.2a 2.2b 2.3a 2.5c 2.5d 2.8 2.9 2.10a 2.10b 2.11 2.12b 2.12c 2.14b 2.15 2.16 N4 N7"
MITIGATED = "2.13 2.14a 2.17a"

SCENARIOS = {
    "failures": lambda: rsim.scenario(BUSY),
    "loss and TLS": lambda: rsim.scenario(LOSSY),
    "limits": lambda: rsim.scenario(LIMITED),
    "INIT flood": lambda: rsim.scenario(SHUT_OUT),
    "liars": lambda: threat("2.17b").scenario("mitigated", HASTY),
    **{
        f"{name} {arm}": partial(lambda name, arm: threat(name).scenario(arm, SHORT), name, arm)
        for arm, names in (("attack", ATTACKS), ("mitigated", MITIGATED), ("still", "2.11"))
        for name in names.split()
    },
}


def ratio(part, whole):
    return part / whole if whole else math.nan


def spans(trace, begin, end):
    return [one[end] - one[begin] for one in trace.measured(end)]


def mean(values):
    return statistics.fmean(values) if values else math.nan


def quantile(values, share):
    """Linear between the two order statistics around it."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def reference(trace):
    return statistics.fmean(one["capacity"] for one in trace.elements)


def work(trace):
    """Calculations: an element that has something to do does as much as it can."""
    busy = trace.integrals("busy")
    return sum(time * one["capacity"] for time, one in zip(busy, trace.elements, strict=True))


def loads(trace, liars=(True, False)):
    busy = trace.integrals("busy")
    return [t for t, one in zip(busy, trace.elements, strict=True) if one["liar"] in liars]


def speed(trace, requests, credited, begin="generated"):
    time = sum(one["completed"] - one[begin] for one in requests)
    return 100 * ratio(credited, time * reference(trace))


def own_speed(trace, requests, begin="generated"):
    """What the fastest element would need / what it took, each request by its own work."""
    fastest = max([one["capacity"] for one in trace.elements], default=math.nan)
    times = [one["completed"] - one[begin] for one in requests]
    needed = [one["size"] / fastest for one in requests]
    return 100 * ratio(sum(map(min, needed, times)), sum(times))


def handling(trace, cheats):
    done = [one for one in trace.measured("completed") if one["cheat"] == cheats]
    return mean([one["completed"] - one["generated"] for one in done])


def cheat_speed(trace, cheats):
    done = [one for one in trace.measured("completed") if one["cheat"] == cheats]
    return own_speed(trace, done)


def credited(trace):
    return trace.total("pool_users.work_credited")


def in_time(trace):
    new = trace.measured("generated")
    return 100 * ratio(sum(one["completed"] < trace.end for one in new), len(new))


def jain(trace):
    values = loads(trace)
    squares = len(values) * sum(value**2 for value in values)
    return ratio(sum(values) ** 2, squares)


def gain(trace):
    liars, honest = loads(trace, [True]), loads(trace, [False])
    return ratio(mean(liars), mean(honest)) if liars and honest else math.nan


def selections(trace, *kinds):
    return 100 * ratio(
        trace.total(*(f"auditor.selections_{kind}" for kind in kinds)),
        trace.total("auditor.selections"),
    )


def honest_hours(trace):
    return trace.duration / 3600 * sum(not one["liar"] for one in trace.elements)


def cpu_time(trace):
    return sum(trace.integrals("cpu"))


def product_limit(trace, found):
    """Ages at which spans end, with the share that lasts longer."""
    seen = []
    for begun, over, happened in found:
        over = math.inf if over is None or math.isnan(over) else over
        if begun < trace.end and over >= trace.begin:
            left = min(over, trace.end) - begun
            seen.append((max(trace.begin - begun, 0), left, happened and over < trace.end))
    share, curve = 1.0, []
    for age in sorted({left for _, left, ended in seen if ended}):
        risk = sum(left >= age and (entered < age or entered == 0) for entered, left, _ in seen)
        share *= 1 - sum(ended and left == age for _, left, ended in seen) / risk
        curve.append((age, share))
    return curve if seen else None


def restricted(trace, found):
    curve = product_limit(trace, found)
    if curve is None:
        return math.nan
    area, share, before = 0.0, 1.0, 0.0
    for age, after in [*curve, (trace.duration, 0.0)]:
        area += share * (min(age, trace.duration) - min(before, trace.duration))
        share, before = after, age
    return area


def late(trace):
    curve = product_limit(trace, trace.registrations())
    if curve is None:
        return math.nan
    return 100 * min([share for age, share in curve if age <= 1], default=1.0)


def unfinished(begin, end):
    return lambda trace: restricted(
        trace, [(one[begin], one[end], True) for one in trace.measured(begin)]
    )


def over_time(trace, name):
    states = trace.integrals(name)
    return sum(states) / trace.duration if states else math.nan


def running(trace):
    """Length of each part of the measured time, and how many elements run in it."""
    outages = trace.outages()
    ends = {time for each in outages for span in each for time in span}
    times = sorted(ends | {trace.begin, trace.end})
    return [
        (until - since, sum(not any(b <= since < e for b, e in each) for each in outages))
        for since, until in itertools.pairwise(times)
    ]


def outage_distance(trace):
    """The shortest window that meets an outage of each element that has one."""
    outages = [each for each in trace.outages() if each]
    if not trace.elements:
        return math.nan
    gaps = [
        max(min((max(0.0, b - x) for b, e in each if e >= x), default=math.inf) for each in outages)
        for x in {end for each in outages for _, end in each}
    ]
    none = len(trace.elements) - len(outages)
    return none * trace.duration + (min(gaps) if gaps else 0.0)


def per(trace, part, whole):
    return ratio(trace.total(part), trace.total(whole))


def rate(trace, name):
    return trace.total(name) / trace.duration


def capacity(trace):
    return trace.duration * sum(one["capacity"] for one in trace.elements)


def expected(trace):
    """Calculations that Poisson processes ask for."""
    total = 0.0
    for group in trace.groups:
        assert group.request_interval.distribution == "exponential"
        rate = group.count / group.request_interval.mean
        total += rate * (trace.end - max(group.start, trace.begin)) * group.request_size.mean
    return total


_COOKIES = (11, 12)

DEFINITIONS = {
    "utilisation_pct": lambda t: (
        100
        * ratio(
            work(t),
            sum(
                time * one["capacity"]
                for time, one in zip(t.integrals("in service"), t.elements, strict=True)
            ),
        )
    ),
    "offered_load_pct": lambda t: (
        100 * ratio(sum(one["size"] for one in t.measured("generated")), capacity(t))
    ),
    "expected_load_pct": lambda t: 100 * ratio(expected(t), capacity(t)),
    "handling_speed_pct": lambda t: own_speed(t, t.measured("completed")),
    "processing_speed_pct": lambda t: own_speed(t, t.measured("completed"), "accepted"),
    "rspsim_handling_speed_pct": lambda t: speed(t, t.measured("completed"), credited(t)),
    "rspsim_processing_speed_pct": lambda t: speed(
        t, t.measured("completed"), credited(t), "accepted"
    ),
    **{
        f"{name}_{suffix}s": lambda t, begin=begin, end=end, share=share: (
            mean(spans(t, begin, end)) if share is None else quantile(spans(t, begin, end), share)
        )
        for name, begin, end in (
            ("queuing_delay", "generated", "started"),
            ("startup_delay", "started", "accepted"),
            ("processing_time", "accepted", "completed"),
            ("handling_time", "generated", "completed"),
        )
        for suffix, share in (("", None), ("p50_", 0.5), ("p95_", 0.95), ("p99_", 0.99))
    },
    "requests_generated": lambda t: len(t.measured("generated")),
    "requests_completed": lambda t: len(t.measured("completed")),
    "requests_failed": lambda t: len(t.measured("failed")),
    "completed_share_pct": in_time,
    "work_lost_pct": lambda t: 100 * ratio(work(t) - credited(t), work(t)),
    "pu_queue_length": lambda t: over_time(t, "queued"),
    "pu_queue_length_at_end": lambda t: t.queued,
    "failover_time_s": lambda t: t.total("pool_users.failover_time"),
    "failover_mean_s": lambda t: per(t, "pool_users.failover_time", "pool_users.failovers"),
    "mean_pool_elements": lambda t: sum(t.integrals("entries")) / t.duration,
    "asap_messages_per_s": lambda t: (
        (t.sent(PPID_ASAP) - t.sent(PPID_ASAP, *_COOKIES)) / t.duration
    ),
    "asap_octets_per_s": lambda t: t.octets(PPID_ASAP) / t.duration,
    "enrp_messages_per_s": lambda t: t.sent(PPID_ENRP) / t.duration,
    "enrp_octets_per_s": lambda t: t.octets(PPID_ENRP) / t.duration,
    "updates_per_s": lambda t: t.sent(PPID_ENRP, 4) / t.duration,
    "tables": lambda t: t.sent(PPID_ENRP, 3),
    "unavailable_pct": lambda t: (
        100 * sum(length for length, number in running(t) if not number) / t.duration
        if t.elements
        else math.nan
    ),
    "least_running": lambda t: min(number for _, number in running(t)) if t.elements else math.nan,
    "outage_distance_s": outage_distance,
    "divergence_pct": lambda t: 100 * over_time(t, "divergence"),
    "orphans": lambda t: over_time(t, "orphans"),
    "fairness": jain,
    "takeover_time_s": lambda t: restricted(t, t.takeovers()),
    "startup_delay_restricted_s": unfinished("started", "accepted"),
    "handling_time_restricted_s": unfinished("generated", "completed"),
    "packets_lost_pct": lambda t: 100 * per(t, "network.packets_lost", "network.packets"),
    "server_cpu_load_pct": lambda t: 100 * ratio(t.total("enrp_servers.cpu_busy"), cpu_time(t)),
    "server_half_open": lambda t: sum(t.integrals("half-open")) / t.duration,
    "server_associations": lambda t: sum(t.integrals("associations")) / t.duration,
    "server_memory_octets": lambda t: sum(t.integrals("memory")) / t.duration,
    "server_cpu_wait_s": lambda t: per(t, "enrp_servers.cpu_waited", "enrp_servers.cpu_jobs"),
    "rogue_share_pct": lambda t: selections(t, "rogue", "dead"),
    "diverted_share_pct": lambda t: selections(t, "rogue"),
    "insecure_share_pct": lambda t: selections(t, "insecure"),
    "listed_pct": lambda t: 100 * over_time(t, "genuine") / max(1, len(t.elements)),
    "false_entries": lambda t: over_time(t, "false"),
    "servers_unknown_pct": lambda t: (
        100 * per(t, "observer.servers_unknown", "observer.looks_at_lists")
    ),
    "registration_delay_s": lambda t: restricted(t, t.registrations()),
    "registrations_late_pct": late,
    "attack_messages_per_s": lambda t: rate(t, "attackers.attack_messages"),
    "attack_octets_per_s": lambda t: rate(t, "attackers.attack_octets"),
    "exposed_octets": lambda t: t.total("attackers.application_octets_read"),
    "knowledge_pct": lambda t: 100 * ratio(t.total("attackers.elements_known"), len(t.elements)),
    "work_forged": lambda t: t.total("attackers.work_forged"),
    "amplification": lambda t: per(t, "attackers.octets_answered", "attackers.attack_octets"),
    "cheat_speed_pct": lambda t: cheat_speed(t, True),
    "honest_speed_pct": lambda t: cheat_speed(t, False),
    "cheat_advantage": lambda t: ratio(handling(t, False), handling(t, True)),
    "liars_gain": gain,
    "most_loaded_pct": lambda t: 100 * max(loads(t)) / t.duration,
    "false_accusations": lambda t: 1000 * t.total("penalties.honest_accused") / honest_hours(t),
    "false_penalties": lambda t: 1000 * t.total("penalties.honest_penalised") / honest_hours(t),
    "liars_found_pct": lambda t: (
        100 * ratio(t.total("penalties.liars_found"), sum(one["liar"] for one in t.elements))
    ),
    "detection_time_s": lambda t: per(t, "penalties.detection_time", "penalties.liars_found"),
}
"""What the rest of the catalogue is: the total of the counter that its formula names."""


def definition(name):
    if name in DEFINITIONS:
        return DEFINITIONS[name]
    words, _, counter = METRICS[name].formula.rpartition(" ")
    assert words == "total of", f"{name}: no definition here"
    return lambda trace: trace.total(counter)


@cache
def measured(name):
    return rsim.run(SCENARIOS[name](), 3)


@pytest.fixture(scope="module", params=SCENARIOS)
def traced(request):
    return measured(request.param), call(Trace, SCENARIOS[request.param](), 3)


def test_every_metric_is_what_its_definition_says(traced):
    result, trace = traced
    # Some requests, and work on them, straddle the end of the warm-up.
    cut = [one for one in trace.requests if one["generated"] < trace.begin <= one["completed"]]
    assert cut or not trace.measured("completed")
    wrong = {}
    for name, value in result.metrics.items():
        expected = definition(name)(trace)
        if value != pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True):
            wrong[name] = (value, expected)
    assert not wrong


def test_every_metric_is_moved_by_some_scenario():
    """What is nothing everywhere would agree with anything."""
    moved = {
        name for one in SCENARIOS for name, value in measured(one).metrics.items() if value > 0
    }
    assert METRICS.keys() - moved == set()


@pytest.mark.parametrize("name", METRICS)
def test_no_metric_is_negative_and_no_interval_of_a_mean_says_so(name):
    low, high = METRICS[name].bounds
    assert low == 0
    # Few runs that differ much: an interval by t begins below 0.
    found = METRICS[name].interval([0.0, 0.0, min(high, 50.0)])
    assert low <= found.low <= found.mean <= found.high <= high
