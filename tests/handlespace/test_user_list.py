"""The pool user's rules (RFC 5356) against a plain list."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsim import wire
from rsim.errors import FieldError
from rsim.handlespace import Draws, UserList, UserRule, policy_kinds
from tests.handlespace.twin import Words

ELEMENT = wire.PoolElement(
    identifier=0,
    user_transport=wire.SctpTransport(port=1, addresses=["10.0.0.1"]),
    policy=wire.Policy("random"),
)


class Plain:
    """A list, and the identifier that comes next in the walk."""

    def __init__(self, identifiers, rule):
        self.left, self.rule, self.used = list(identifiers), rule, []

    def choose(self, words):
        if not self.left:
            return None
        if self.rule is UserRule.UNIFORM and len(self.left) > 1:
            return self.left[words.below(len(self.left))]
        if self.rule is not UserRule.WALK:
            return self.left[0]
        if len(self.used) >= len(self.left):
            self.used = []
        chosen = next(i for i in self.left if i not in self.used)
        self.used.append(chosen)
        return chosen

    def forget(self, identifier):
        self.left = [i for i in self.left if i != identifier]
        self.used = [i for i in self.used if i != identifier]


@given(
    st.integers(0, 6),
    st.sampled_from([UserRule.IN_ORDER, UserRule.WALK, UserRule.UNIFORM]),
    st.lists(st.one_of(st.none(), st.integers(0, 7)), max_size=40),
)
def test_rules_agree_with_a_plain_list(size, rule, history):
    native = UserList([ELEMENT.replace(identifier=i) for i in range(size)], rule)
    plain = Plain(range(size), rule)
    draws, words = Draws(np.random.Generator(np.random.PCG64(1))), Words(1)
    for forgotten in history:
        if forgotten is None:
            chosen = native.choose(draws)
            assert (chosen.identifier if chosen else None) == plain.choose(words)
        else:
            native.forget(forgotten)
            plain.forget(forgotten)
        assert len(native) == len(plain.left)


@pytest.mark.parametrize(
    ("policy", "rule"),
    [
        ("round_robin", UserRule.WALK),
        ("weighted_round_robin", UserRule.WALK),
        ("random", UserRule.UNIFORM),
        ("weighted_random", UserRule.UNIFORM),
        ("priority", UserRule.IN_ORDER),
        ("least_used", UserRule.IN_ORDER),
        ("least_used_degradation", UserRule.IN_ORDER),
        ("priority_least_used", UserRule.IN_ORDER),
        ("randomized_least_used", UserRule.UNIFORM),
    ],
)
def test_each_policy_has_the_rule_of_the_rfc(policy, rule):
    assert policy_kinds()[policy].user_rule is rule


def test_what_is_chosen_is_as_it_was_listed():
    listed = ELEMENT.replace(identifier=1)
    assert UserList([listed], UserRule.WALK).choose(Draws(np.random.default_rng(1))) == listed
    with pytest.raises(TypeError, match="elements: must be PoolElement"):
        UserList([listed, None], UserRule.WALK)
    with pytest.raises(TypeError, match="rule: must be a UserRule"):
        UserList([listed], "walk")
    with pytest.raises(TypeError, match="iterable"):
        UserList(listed, UserRule.WALK)
    mine = UserList(iter([listed]), rule=UserRule.IN_ORDER)
    for call, wrong in ((mine.choose, None), (mine.forget, "1")):
        with pytest.raises(TypeError, match="expected"):
            call(wrong)
    with pytest.raises(FieldError, match="identifier"):
        mine.forget(-1)
    assert len(mine) == 1


def test_an_answer_is_listed_without_an_object_for_each_element():
    elements = [ELEMENT.replace(identifier=i) for i in (3, 1, 2)]
    answer = wire.HandleResolutionResponse(pool_handle=b"p", pool_elements=elements)
    listed = UserList(answer, UserRule.IN_ORDER)
    assert list(listed) == elements == [listed[0], listed[1], listed[2]]
    assert listed.find(2) == elements[2] and listed.find(4) is None
    listed.forget(3)
    assert list(listed) == elements[1:] and listed.find(3) is None
    assert answer.pool_elements == tuple(elements)
    with pytest.raises(IndexError, match="list of 2"):
        listed[2]
    blocks = sys.getallocatedblocks()
    kept = [UserList(answer, UserRule.WALK) for _ in range(100)]
    # One object for each list.
    assert sys.getallocatedblocks() - blocks < 150 and len(kept) == 100


def test_an_element_of_an_answer_has_no_asap_transport():
    asap = wire.SctpTransport(port=2, addresses=["10.0.0.1"])
    listed = UserList([ELEMENT.replace(asap_transport=asap)], UserRule.WALK)
    assert list(listed) == [ELEMENT]
