"""Proof of choice: what it lets through, and what it does not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from rsim import wire
from rsim.endpoints.choice import (
    ChoiceAuthority,
    ChoiceJudge,
    ChoiceUser,
    decode_grant,
    weights_of,
)
from rsim.endpoints.signing import Signer
from rsim.handlespace import policy_with

HANDLE = b"pool"
PERIOD = 5.0
requirement = pytest.mark.conformance
SERVER = Signer("server 1")
TRANSPORT = wire.SctpTransport(port=1, addresses=["10.0.0.9"], use=1)


def element(identifier, policy="random", **values):
    return wire.PoolElement(
        identifier=identifier, user_transport=TRANSPORT, policy=policy_with(policy, values)
    )


class World:
    """A server, its elements as judges, and a clock."""

    def __init__(self, policy="random", values=None, count=10, allowance=1):
        self.now = 0.0
        values = values or [{} for _ in range(count)]
        self.elements = [element(n + 1, policy, **v) for n, v in enumerate(values)]
        self.authority = ChoiceAuthority(SERVER, PERIOD)
        self.allowance = allowance
        self.judges = {
            e.identifier: ChoiceJudge(
                HANDLE,
                (SERVER.public,),
                lambda i=e.identifier: i,
                PERIOD,
                allowance,
                lambda: self.now,
            )
            for e in self.elements
        }

    def grant(self, user="10.0.0.1"):
        return decode_grant(self.authority.grant(HANDLE, self.elements, user, self.now))

    def find(self, identifier):
        return next((e for e in self.elements if e.identifier == identifier), None)

    def choose(self, user="10.0.0.1", chooser=None):
        chooser = chooser or ChoiceUser(user, PERIOD, self.allowance)
        chosen = chooser.choose(self.grant(user), self.find)
        return chosen.identifier, chooser.proof

    def objection(self, identifier, proof, user="10.0.0.1"):
        return self.judges[identifier].objection(proof, user)


@requirement("SEC-020")
def test_an_honest_choice_is_served_once():
    world = World()
    identifier, proof = world.choose()
    assert world.objection(identifier, proof) is None
    assert world.objection(identifier, proof) == "used before"


@requirement("SEC-020")
def test_at_any_other_element_it_is_refused():
    world = World()
    identifier, proof = world.choose()
    for other in world.judges:
        if other != identifier:
            assert world.objection(other, proof) == "another element was chosen"


@requirement("SEC-020")
def test_asking_again_within_an_epoch_gives_the_same_choice():
    world = World()
    assert len({world.choose()[0] for _ in range(50)}) == 1
    world.now = PERIOD
    chosen = set()
    for epoch in range(1, 60):
        world.now = epoch * PERIOD
        chosen.add(world.choose()[0])
    assert len(chosen) > 8


@pytest.mark.parametrize(
    ("policy", "values", "weights"),
    [
        ("random", [{}] * 10, [1] * 10),
        ("weighted_random", [{"weight": w} for w in (1, 2, 3, 4)], [1, 2, 3, 4]),
        (
            "randomized_least_used",
            [{"load": int(share * 0xFFFFFFFF)} for share in (0, 0.5, 0.9)],
            [1.0, 0.5, 0.1],
        ),
    ],
)
def test_choices_of_many_users_have_the_policys_distribution(policy, values, weights):
    """10^5 choices: those of 1,000 users in 100 epochs."""
    world = World(policy, values)
    counts = np.zeros(len(values))
    for epoch in range(100):
        world.now = epoch * PERIOD
        grant = world.grant()
        for user in range(1000):
            counts[grant.chosen(f"10.{user >> 8}.{user & 255}.1".encode(), 0)] += 1
    expected = np.array(weights) / sum(weights) * counts.sum()
    assert counts.sum() == 100_000
    assert chisquare(counts, expected).pvalue > 1e-4


def test_a_lone_cheat_is_served_as_the_policy_would_or_not_at_all():
    """10^5 attempts at one victim: what is served is what chance gives, an epoch each."""
    world = World()
    victim, served, honest = 3, 0, np.zeros(10)
    for epoch in range(20_000):
        world.now = epoch * PERIOD
        identifier, proof = world.choose("10.0.0.66")
        honest[identifier - 1] += 1
        # It tries its luck five times with what it has.
        outcomes = [world.objection(victim, proof, "10.0.0.66") for _ in range(5)]
        served += outcomes.count(None)
        if identifier != victim:
            assert set(outcomes) == {"another element was chosen"}
    assert served == honest[victim - 1]
    assert chisquare(honest).pvalue > 1e-4
    assert abs(served / 20_000 - 0.1) < 0.01


@pytest.mark.parametrize("allowance", [1, 2, 3])
def test_more_choices_in_an_epoch_are_more_draws(allowance):
    """With g draws a liked element is met with 1 - (1 - 1/M)^g."""
    world = World(allowance=allowance)
    met = 0
    for epoch in range(4000):
        world.now = epoch * PERIOD
        chooser = ChoiceUser("10.0.0.66", PERIOD, allowance)
        found = [world.choose("10.0.0.66", chooser) for _ in range(allowance)]
        met += any(i == 3 and world.objection(3, p, "10.0.0.66") is None for i, p in found)
    assert met / 4000 == pytest.approx(1 - 0.9**allowance, abs=0.03)


def test_what_is_beyond_the_allowance_waits_for_the_next_epoch():
    world = World()
    world.now = 7.0
    chooser = ChoiceUser("10.0.0.1", PERIOD, 1)
    grant = world.grant()
    assert chooser.wait(grant, world.now) == 0
    chooser.choose(grant, world.find)
    assert chooser.wait(world.grant(), world.now) == pytest.approx(3.0)
    chooser.choose(grant, world.find)
    [identifier] = [i for i in world.judges if i == grant.entries[grant.chosen(b"10.0.0.1", 1)][0]]
    assert world.objection(identifier, chooser.proof) == "beyond the allowance"


@pytest.mark.parametrize("policy", ["round_robin", "least_used", "priority"])
def test_other_policies_have_tickets_for_one_user_and_one_use(policy):
    world = World(policy, [{} for _ in range(5)])
    identifier, proof = world.choose("10.0.0.1")
    assert identifier == 1
    assert world.objection(1, proof, "10.0.0.2") == "another user's ticket"
    assert world.objection(2, proof) == "another element was chosen"
    assert world.objection(1, proof) is None
    assert world.objection(1, proof) == "used before"
    # The next answer, in the same epoch, is another ticket.
    assert world.objection(*world.choose("10.0.0.1")) is None


@requirement("SEC-020")
def test_old_grants_and_those_of_strangers_are_refused():
    world = World()
    identifier, proof = world.choose()
    world.now = 2 * PERIOD
    assert world.objection(identifier, proof) == "out of date"
    stranger = ChoiceAuthority(Signer("stranger"), PERIOD)
    grant = decode_grant(stranger.grant(HANDLE, world.elements[2:3], "10.0.0.1", world.now))
    assert world.objection(3, grant.proof(0)) == "not signed by a server"
    other = decode_grant(world.authority.grant(b"other", world.elements, "10.0.0.1", world.now))
    objections = {world.objection(i, other.proof(0)) for i in world.judges}
    assert objections == {"not signed by a server"}


@requirement("SEC-020")
@settings(max_examples=300)
@given(st.data())
def test_forged_stripped_and_swapped_proofs_are_refused(data):
    world = World(data.draw(st.sampled_from(["random", "round_robin"])))
    identifier, proof = world.choose()
    _, other = world.choose("10.0.0.2")
    kind = data.draw(st.sampled_from(["flip", "cut", "swap", "nothing", "noise"]))
    if kind == "flip":
        place = data.draw(st.integers(0, len(proof) - 1))
        bit = 1 << data.draw(st.integers(0, 7))
        forged = proof[:place] + bytes([proof[place] ^ bit]) + proof[place + 1 :]
    elif kind == "cut":
        forged = proof[: data.draw(st.integers(0, len(proof) - 1))]
    elif kind == "swap":
        forged = proof[:-64] + other[-64:]
    elif kind == "nothing":
        forged = b""
    else:
        forged = data.draw(st.binary(max_size=300))
    if forged != proof:
        assert world.objection(identifier, forged) is not None


def test_memory_is_that_of_two_epochs():
    world = World(count=1)
    for epoch in range(50):
        world.now = epoch * PERIOD
        for user in range(20):
            world.objection(*world.choose(f"10.0.1.{user}"), f"10.0.1.{user}")
    assert len(world.judges[1]._seen) <= 2


def test_weights_of_nothing_are_even():
    assert weights_of([element(n, "weighted_random", weight=0) for n in (1, 2)]) == [1, 1]
