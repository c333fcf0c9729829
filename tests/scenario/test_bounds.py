"""Numbers of settings: types are strict, and each has a smallest and a largest value."""

import math
import typing

import pytest
from pydantic import BaseModel

import rsim
from rsim.attackers import attacker_kinds
from rsim.errors import ScenarioError
from rsim.scenario.groups import GROUPS
from rsim.scenario.model import Scenario
from rsim.sweep import SweepTable

ROOTS = [
    Scenario,
    SweepTable,
    *GROUPS.values(),
    *(kind.Settings for kind in attacker_kinds().values()),
]


def models():
    """All models that a file can fill."""
    found, waiting = {}, list(ROOTS)

    def parts(annotation):
        yield annotation
        for part in typing.get_args(annotation):
            yield from parts(part)

    while waiting:
        model = waiting.pop()
        if model in found:
            continue
        found[model] = None
        for field in model.model_fields.values():
            waiting += [
                part
                for part in parts(field.annotation)
                if isinstance(part, type) and issubclass(part, BaseModel)
            ]
    return list(found)


def numbers(schema):
    """The schemas of numbers within one."""
    if isinstance(schema, dict):
        if schema.get("type") in ("integer", "number"):
            yield schema
        for key, part in schema.items():
            if key not in ("$defs", "default", "properties"):
                yield from numbers(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from numbers(part)


def fields():
    for model in models():
        schema = model.model_json_schema()
        for name, field in schema.get("properties", {}).items():
            for number in numbers(field):
                yield model, name, number


def test_every_number_has_a_smallest_and_a_largest_value():
    found = list(fields())
    assert len(found) > 150
    for model, name, number in found:
        low = {"minimum", "exclusiveMinimum", "ge"} & number.keys()
        high = {"maximum", "exclusiveMaximum", "le"} & number.keys()
        if not (low and high):
            # Sizes of any magnitude, in text or not: 0, or from 1e-9 to 1e18.
            for value in (1e300, 5e-324, -1e300, "1e300"):
                with pytest.raises(ValueError, match=name):
                    model.model_validate({name: value})


WRONG = [True, "five", [1], {"a": 1}, math.nan, math.inf]


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_no_number_takes_another_kind_of_value(value):
    for model, name, number in fields():
        if "anyOf" in str(model.model_json_schema()["properties"][name]) and name == "warm_up":
            continue
        given = value
        if number["type"] == "integer" and value == "five":
            given = 5.0
        with pytest.raises(ValueError, match=name):
            model.model_validate({name: given})


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("pool_elements.e.count", True, "should be a valid integer"),
        ("pool_elements.e.count", "5", "should be a valid integer"),
        ("seed", 1.5, "should be a valid integer"),
        ("seed", 1.0, "should be a valid integer"),
        ("protocol.enrp_server.check_identity", 0.0, "should be a valid boolean"),
        ("protocol.enrp_server.check_identity", "no", "should be a valid boolean"),
        ("network.loss", True, "should be a valid number"),
        ("network.loss", "0.5", "should be a valid number"),
        ("network.delay", True, "should be a valid number|delay"),
        ("warm_up", True, "warm_up: True is neither a time nor 'mser5'"),
        ("warm_up", "mser6", "warm_up: 'mser6' is not a number such as"),
        ("warm_up", -5, "warm_up: -5 is not a time from 0 to 1e.09 s"),
        ("attackers.a.interval", 1e-300, "greater than or equal to 0.000001"),
        ("attackers.a.interval", "1e10", "less than or equal to 1000000000"),
        ("attackers.a.ramp", 5e-324, "must be 0 or at least 1e-06 s"),
        ("attackers.a.start", 1e300, "less than or equal to 1000000000"),
        ("protocol.enrp_server.peer_heartbeat_cycle", 1e-300, "greater than or equal to 0.000001"),
        ("protocol.enrp_server.rate_buckets", 10**9, "less than or equal to 1048576"),
        ("enrp_servers.s.outages", {"uptime": 0, "downtime": 0}, "mean: 0 s: must be at least"),
        ("pool_elements.e.failures", {"uptime": 1e-300}, "must be 0, or from 1e-09"),
        ("pool_elements.e.failures", {"uptime": 1e-8}, "mean: 1e-08 s: must be at least 1e-06"),
        ("pool_elements.e.capacity", "1e300", "must be 0, or from 1e-09 to 1e.18"),
        ("pool_elements.e.registration_life", 2**31, "less than or equal to 2147483647"),
        ("pool_elements.e.registration_life", 0, "must be at least 1 s, or -1 for ever"),
        ("pool_users.u.request_interval", 1e-7, "mean: 1e-07 s: must be at least 1e-06"),
        (
            "pool_users.u.request_size",
            {"distribution": "gamma", "mean": 1, "variation": 1e200},
            "variation: .*less than or equal to 1000",
        ),
        ("pool_users.u.pu_to_pe_ratio", 1e300, "less than or equal to 1000000"),
        ("duration", 1e10, "less than or equal to 1000000000"),
        ("duration", 1e9, "duration: a run of .* is too long, at most 1e.09 s"),
        ("pool_users.u.request_interval", 1e-6, "makes 9e.09 requests in this time, at most"),
        ("enrp_servers.s.failures", {"schedule": "down@1e300"}, "lies after 1e.09 s"),
    ],
)
def test_values_beyond_their_limits_are_told_the_limits(path, value, message):
    table = {
        "pool_elements": {"e": {}},
        "pool_users": {"u": {}},
        "enrp_servers": {"s": {}},
        "attackers": {"a": {"kind": "report-flood"}},
    }
    place = table
    *parents, last = path.split(".")
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
    with pytest.raises(ScenarioError, match=rf"^scenario: .*({message})") as caught:
        rsim.scenario(table)
    assert path.split(".")[0] in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 300


def test_whole_numbers_serve_as_numbers_and_units_as_times():
    scenario = rsim.scenario(
        {
            "duration": 60,
            "network": {"loss": 0, "delay": "10ms"},
            "pool_elements": {"e": {"capacity": "1e6"}},
        },
    )
    assert scenario.duration == 60.0
    assert scenario.network.delay.mean == 0.01
    assert scenario.pool_elements["e"].capacity == 1e6


def test_the_longest_name_of_a_pool_fits_what_servers_tell_each_other():
    pool = "p" * 255
    table = {
        "warm_up": 0,
        "duration": 100,
        "observe_interval": 50,
        "network": {"delay": "10ms"},
        "pools": {pool: {}},
        "enrp_servers": {"server": {"count": 2}},
        "pool_elements": {"e": {"count": 5, "start": 10, "pool": pool}},
    }
    # News takes 10 ms to the other server: 0.005% of the time for five elements.
    assert rsim.run(rsim.scenario(table)).metrics["divergence_pct"] < 0.01


def test_a_load_that_follows_stays_within_limits():
    table = {
        "pool_elements": {"e": {"capacity": 1e-9}},
        "pool_users": {"u": {"count": 1, "request_size": 1e18, "target_utilisation": 0.5}},
    }
    with pytest.raises(ScenarioError, match=r"makes the mean request_interval 2e.27, at least"):
        rsim.scenario(table)
    users = {"pu_to_pe_ratio": 1e6}
    table = {"pool_elements": {"e": {"count": 1000}}, "pool_users": {"u": users}}
    with pytest.raises(ScenarioError, match=r"pu_to_pe_ratio: makes 1e.09 users, at most 1000000"):
        rsim.scenario(table)
