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


class EvenRing(SelectionPolicy):
    """Weighted round robin by a ring in which the copies of each element are spread evenly.

    The k-th copy of a weight of w has its place in the k-th of w equal parts of the ring; of those
    whose part has begun, the one whose part ends first is next.
    """

    name = "even_ring"
    type_code = 0x80000105
    values = ("weight",)

    def __init__(self):
        self.weights, self.ring = {}, []

    def insert(self, element):
        self.weights[element.identifier] = weight = self.values_of(element)["weight"]
        assert weight > 0
        self.ring = []

    update = insert

    def remove(self, identifier):
        del self.weights[identifier]
        self.ring = []

    def select(self, count, draws):
        if not self.ring:
            total, had = sum(self.weights.values()), dict.fromkeys(self.weights, 0)
            for place in range(total):
                begun = [i for i, w in self.weights.items() if had[i] * total <= place * w]
                self.ring.append(min(begun, key=lambda i: ((had[i] + 1) / self.weights[i], i)))
                had[self.ring[-1]] += 1
        chosen = list(dict.fromkeys(self.ring))[:count]
        self.ring.append(self.ring.pop(0))
        return chosen


@pytest.mark.conformance("POL-008")
@pytest.mark.parametrize("weights", [(2, 1, 1), (3, 1), (4, 2), (4, 4, 4), (5, 3, 1), (3, 2, 2, 1)])
def test_a_policy_of_ones_own_may_walk_the_most_even_ring(weights):
    if "even_ring" not in policy_kinds():
        policy(EvenRing)
    handlespace, total = Handlespace(), sum(weights)
    for number, weight in enumerate(weights, 1):
        handlespace.add(b"pool", element(number, "even_ring", weight=weight))
    draws = Draws(np.random.default_rng(1))
    order = [handlespace.select(b"pool", 1, draws)[0].identifier for _ in range(2 * total)]
    for number, weight in enumerate(weights, 1):
        assert order[:total].count(number) == weight
        places = [place for place, one in enumerate(order) if one == number]
        assert all(abs(gap - total / weight) <= 1 for gap in np.diff(places)), order


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
