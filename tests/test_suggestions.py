"""Errors about unknown names: they suggest the nearest, or list what there is."""

import doctest

import pytest

import rsim
from rsim import suggestions
from rsim.handlespace import policy_with
from rsim.threats import threat

CASES = [
    ({"pools": {"pool": {"policy": "randon"}}}, "policy 'randon'; did you mean 'random'?"),
    ({"pools": {"pool": {"policy": "Random"}}}, "policy 'Random'; did you mean 'random'?"),
    (
        {"attackers": {"a": {"kind": "amplifer"}}},
        "kind of attacker 'amplifer'; did you mean 'amplifier'?",
    ),
    (
        {"protocol": {"enrp_server": {"detector": "rate_anomly"}}},
        "detector 'rate_anomly'; did you mean 'rate_anomaly'?",
    ),
    ({"security": {"pe_enrp": "noen"}}, "TLS profile 'noen'; did you mean 'none'?"),
    ({"security": {"authorisation": "opne"}}, "authorisation 'opne'; did you mean 'open'?"),
    ({"pool_users": {"user": {"pool": "pol"}}}, "pool 'pol'; did you mean 'pool'?"),
    ({"pool_users": {"user": {"site": "lann"}}}, "site 'lann'; did you mean 'lan'?"),
    ({"pool_users": {"user": {"cuont": 3}}}, "unknown key; did you mean 'count'?"),
    ({"network": {"transport": "sctpp"}}, "(it is 'sctpp'); did you mean 'sctp'?"),
]


@pytest.mark.parametrize(("table", "text"), CASES)
def test_a_near_miss_in_a_scenario_is_told_the_name_that_was_meant(table, text):
    with pytest.raises(rsim.ScenarioError) as caught:
        rsim.scenario(table)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("look", "text"),
    [
        (
            lambda: policy_with("priorty", {}),
            "there is no policy 'priorty'; did you mean 'priority'?",
        ),
        (lambda: threat("2.3aa"), "threat '2.3aa'; did you mean '2.3a'?"),
    ],
)
def test_a_near_miss_elsewhere_is_told_too(look, text):
    with pytest.raises((rsim.RsimError, ValueError)) as caught:
        look()
    assert text in str(caught.value)


def test_a_long_list_of_names_leaves_room_in_the_line():
    text = suggestions.unknown("pool", "zzz", [f"pool-of-number-{n}" for n in range(100)])
    assert len(text) < 250 and text.endswith("91 more")


def test_a_list_of_no_names_says_so():
    assert suggestions.unknown("arm", "x", []) == "there is no arm 'x'; there are none"


def test_the_examples_are_true():
    assert doctest.testmod(suggestions).failed == 0
