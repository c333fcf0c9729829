"""Policies written in Python, the documented one among them."""

import re
from pathlib import Path

import numpy as np
import pytest

from rsim import wire
from rsim.errors import PolicyError
from rsim.handlespace import (
    Draws,
    Handlespace,
    SelectionPolicy,
    load_value,
    policy,
    policy_kinds,
    policy_with,
)
from rsim.scenario import run

DOCUMENT = Path(__file__).parents[2] / "docs" / "policies.md"


@pytest.fixture(scope="module")
def newest():
    [example] = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    names = {}
    exec(example, names)
    return names["Newest"]


def element(identifier, name, **offered):
    return wire.PoolElement(
        identifier=identifier,
        user_transport=wire.SctpTransport(port=1, addresses=["10.0.0.1"]),
        policy=policy_with(name, offered),
    )


def test_documented_policy_selects(newest):
    handlespace = Handlespace()
    for identifier in (1, 2, 3):
        handlespace.add(b"pool", element(identifier, "newest"))
    handlespace.add(b"pool", element(1, "newest"))
    handlespace.remove(b"pool", 3)
    draws = Draws(np.random.default_rng(1))
    assert [e.identifier for e in handlespace.select(b"pool", 5, draws)] == [1, 2]
    assert newest.values_of(element(1, "newest", weight=7)) == {"weight": 7}


def test_documented_policy_runs_in_a_scenario(newest, small):
    result = run(small("newest"))
    assert result.metrics["requests_completed"] > 30
    assert result.digest == run(small("newest")).digest


class Copy(SelectionPolicy):
    """Least used in Python: lowest load, ties to the one chosen longest ago."""

    name = "python_least_used"
    type_code = 0x80000101
    values = ("load",)

    def __init__(self):
        self.loads, self.last, self.clock = {}, {}, 0

    def tick(self, identifier):
        self.clock += 1
        self.last[identifier] = self.clock

    def insert(self, element):
        self.loads[element.identifier] = self.values_of(element)["load"]
        self.tick(element.identifier)

    def remove(self, identifier):
        del self.loads[identifier]

    def update(self, element):
        self.loads[element.identifier] = self.values_of(element)["load"]

    def select(self, count, draws):
        order = sorted(self.loads, key=lambda i: (self.loads[i], self.last[i]))[:count]
        self.tick(order[0])
        return order


def test_policy_in_python_gives_the_run_of_its_native_twin(small):
    if "python_least_used" not in policy_kinds():
        policy(Copy)
    native, python = run(small("least_used")), run(small("python_least_used"))
    assert python.requests.equals(native.requests)


@pytest.mark.parametrize(
    "answer", [[1, 1], [9], [1, 2, 3]], ids=["repeated", "unknown", "too many"]
)
def test_answers_that_no_policy_may_give_are_refused(answer):
    class Broken(Copy):
        name = "broken"
        type_code = 0x80000102

        def select(self, count, draws):
            return answer

    policy(Broken)
    handlespace = Handlespace()
    for identifier in (1, 2, 3):
        handlespace.add(b"pool", element(identifier, "broken"))
    with pytest.raises(PolicyError, match="distinct elements of the pool"):
        handlespace.select(b"pool", 2, Draws(np.random.default_rng(1)))


def test_a_value_that_nobody_offers_is_named_and_not_taken_for_0():
    class Misspelt(Copy):
        name = "misspelt"
        type_code = 0x80000104
        values = ("wieght",)

    policy(Misspelt)
    with pytest.raises(PolicyError, match="misspelt: elements do not offer its value 'wieght'"):
        policy_with("misspelt", {"weight": 1})
    assert policy_with("misspelt", {"wieght": 7}).data == bytes([0, 0, 0, 7])


def test_names_and_codes_of_native_policies_are_taken():
    for attributes in (
        {"name": "random", "type_code": 0x80000103},
        {"name": "mine", "type_code": 0x40000001},
        {"name": "mine", "type_code": 0x100},
    ):
        with pytest.raises(PolicyError):
            policy(type("Mine", (Copy,), attributes))


def test_wrong_parameter_is_named():
    with pytest.raises(PolicyError, match="parameter of 0 bytes"):
        Copy.values_of(element(1, "random"))


def test_loads_are_rounded_and_clamped():
    assert [load_value(x) for x in (-1, 0, 0.5, 1, 2)] == [0, 0, 0x80000000, 2**32 - 1, 2**32 - 1]
