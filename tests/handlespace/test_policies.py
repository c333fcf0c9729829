"""Selection policies (RFC 5356 and extensions) against their plain-Python twins."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from scipy import stats

import rsim
from rsim import wire
from rsim.handlespace import (
    Draws,
    Handlespace,
    UserRule,
    load_value,
    policy_kinds,
    user_rule,
)
from tests.handlespace import twin

HANDLE = b"pool"
TRANSPORT = wire.SctpTransport(port=1, addresses=["10.0.0.1"])
POLICIES = sorted(wire.policy_types())

# Small numbers make ties and zeros, large ones the edges of 32 bits.
VALUES = st.one_of(st.integers(0, 4), st.integers(0, 0xFFFFFFFF))
WEIGHTS = st.one_of(st.integers(0, 6), st.integers(0, 0xFFFFFFFF))
requirement = pytest.mark.conformance
FULL = 0xFFFFFFFF


def element(identifier, policy, values, owner=1):
    return wire.PoolElement(
        identifier=identifier,
        home_server=owner,
        user_transport=TRANSPORT,
        policy=wire.Policy(policy, **values),
    )


class Histories(RuleBasedStateMachine):
    """Random histories of registrations, updates, selections and removals."""

    known = Bundle("known")

    @initialize(
        policy=st.sampled_from(POLICIES),
        increment=st.integers(1, 3),
        per_selection=st.integers(0, 2),
        at_registration=st.integers(0, 1),
        saturate=st.booleans(),
        seed=st.integers(0, 2**32),
    )
    def begin(self, policy, increment, per_selection, at_registration, saturate, seed):
        chosen = twin.Settings(increment, per_selection, at_registration, saturate)
        self.policy = policy
        self.native = Handlespace(**vars(chosen))
        self.twin = twin.make_pool(policy, chosen)
        self.draws = Draws(np.random.Generator(np.random.PCG64(seed)))
        self.words = twin.Words(seed)
        self.owners = {}

    @rule(identifier=st.integers(0, 12), owner=st.integers(1, 3), data=st.data())
    def register(self, identifier, owner, data):
        values = {
            name: data.draw(WEIGHTS if name == "weight" else VALUES)
            for name in wire.policy_values(self.policy)
        }
        self.native.add(HANDLE, element(identifier, self.policy, values, owner))
        self.twin.add(identifier, values)
        self.owners[identifier] = owner

    @rule(identifier=st.integers(0, 12))
    def remove(self, identifier):
        assert self.native.remove(HANDLE, identifier) == (identifier in self.owners)
        if self.owners.pop(identifier, None) is not None:
            self.twin.remove(identifier)
        if not self.owners:
            # A pool goes with its last element, and its state with it.
            self.twin = twin.make_pool(self.policy, self.twin.settings)

    @rule(count=st.integers(1, 14))
    def select(self, count):
        answer = [e.identifier for e in self.native.select(HANDLE, count, self.draws)]
        expected = self.twin.select(count, self.words) if self.owners else []
        assert answer == expected
        assert len(set(answer)) == min(count, len(self.owners))
        assert set(answer) <= set(self.owners)

    @invariant()
    def checksums_equal_recomputation(self):
        if not hasattr(self, "owners"):
            return
        for owner in (1, 2, 3):
            blocks = [HANDLE + i.to_bytes(4) for i, o in self.owners.items() if o == owner]
            total = sum(
                int.from_bytes(block[i : i + 2]) for block in blocks for i in range(0, 8, 2)
            )
            while total >> 16:
                total = (total & 0xFFFF) + (total >> 16)
            assert self.native.checksum(owner) == ~total & 0xFFFF
            assert self.native.owned(owner) == len(blocks)
        assert len(self.native) == len(self.owners)


@pytest.mark.parametrize("increment", [1, 3])
@pytest.mark.parametrize("policy", POLICIES)
def test_a_large_pool_selects_as_its_twin(policy, increment):
    """More elements than native structures keep in one piece, with few values and many ties."""
    chance = np.random.default_rng(1)
    native = Handlespace(increment=increment)
    plain = twin.make_pool(policy, twin.Settings(increment))
    draws, words = Draws(np.random.Generator(np.random.PCG64(2))), twin.Words(2)
    names = wire.policy_values(policy)

    def register(identifier):
        values = {name: int(chance.integers(0, 6)) for name in names}
        native.add(HANDLE, element(identifier, policy, values))
        plain.add(identifier, values)

    known = list(range(400))
    for identifier in known:
        register(identifier)
    for step in range(150 if "random" in policy else 1500):
        what = chance.integers(0, 8)
        if what == 0:
            register(known[chance.integers(len(known))])
        elif what == 1:
            register(1000 + step)
            known.append(1000 + step)
        elif what == 2 and len(known) > 1:
            gone = known.pop(chance.integers(len(known)))
            native.remove(HANDLE, gone)
            plain.remove(gone)
        else:
            count = 450 if step % 300 == 299 else int(chance.integers(1, 14))
            answer = [e.identifier for e in native.select(HANDLE, count, draws)]
            assert answer == plain.select(min(count, len(known)), words)


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=150, stateful_step_count=40)


@pytest.mark.parametrize("policy", POLICIES)
def test_long_history_of_each_policy(policy):
    """One long history for every policy, whatever hypothesis happens to choose."""
    random = np.random.default_rng(7)
    chosen = twin.Settings()
    native, plain = Handlespace(), twin.make_pool(policy, chosen)
    draws, words = Draws(np.random.Generator(np.random.PCG64(3))), twin.Words(3)
    members = set()
    for _ in range(3000):
        identifier = int(random.integers(30))
        action = random.integers(4)
        if action == 0 or not members:
            values = {
                name: int(random.integers(0, 8 if name == "weight" else 2**32))
                for name in wire.policy_values(policy)
            }
            native.add(HANDLE, element(identifier, policy, values))
            plain.add(identifier, values)
            members.add(identifier)
        elif action == 1 and len(members) > 1 and identifier in members:
            native.remove(HANDLE, identifier)
            plain.remove(identifier)
            members.discard(identifier)
        else:
            count = int(random.integers(1, 6))
            answer = [e.identifier for e in native.select(HANDLE, count, draws)]
            assert answer == plain.select(count, words)


def pool(policy, listed, **chosen):
    handlespace = Handlespace(**chosen)
    for identifier, values in listed.items():
        handlespace.add(HANDLE, element(identifier, policy, values))
    return handlespace


def selections(handlespace, number, count=1, seed=1):
    draws = Draws(np.random.default_rng(seed))
    return [
        tuple(e.identifier for e in handlespace.select(HANDLE, count, draws)) for _ in range(number)
    ]


LOAD = {i: {"load": i * 0xFFFFFFFF // 10} for i in range(10)}


@requirement("POL-015")
@requirement("POL-035")
@pytest.mark.parametrize(
    ("policy", "listed", "weights"),
    [
        ("random", {i: {} for i in range(10)}, [1] * 10),
        ("weighted_random", {i: {"weight": i} for i in range(10)}, range(10)),
        ("randomized_least_used", LOAD, [10 - i for i in range(10)]),
    ],
)
def test_random_policies_have_the_right_shares(policy, listed, weights):
    counts = Counter(s[0] for s in selections(pool(policy, listed), 100_000))
    weights = np.array(weights, dtype=float)
    observed = np.array([counts[i] for i in range(10)])
    assert observed[weights == 0].sum() == 0
    expected = 100_000 * weights / weights.sum()
    positive = weights > 0
    assert stats.chisquare(observed[positive], expected[positive]).pvalue > 1e-3


@requirement("POL-015")
@requirement("POL-035")
@pytest.mark.parametrize(
    ("policy", "listed"),
    [
        ("weighted_random", {i: {"weight": w} for i, w in enumerate((1, 2, 3, 6))}),
        (
            "randomized_least_used",
            {i: {"load": 0xFFFFFFFF - w} for i, w in enumerate((1, 2, 3, 6))},
        ),
    ],
)
def test_draws_by_weight_have_no_repeats_in_an_answer(policy, listed):
    pairs = Counter(selections(pool(policy, listed), 50_000, count=2))
    weights = dict(enumerate((1, 2, 3, 6)))
    expected = {
        (i, j): 50_000 * weights[i] / 12 * weights[j] / (12 - weights[i])
        for i in weights
        for j in weights
        if i != j
    }
    assert set(pairs) == set(expected)
    observed = [pairs[pair] for pair in expected]
    assert stats.chisquare(observed, list(expected.values())).pvalue > 1e-3


@requirement("POL-012")
def test_pairs_drawn_uniformly_are_uniform():
    pairs = Counter(selections(pool("random", {i: {} for i in range(5)}), 100_000, count=2))
    assert len(pairs) == 20
    assert stats.chisquare(list(pairs.values())).pvalue > 1e-3
    # No more than are wanted, or than there are.
    for count, most in ((3, 3), (5, 5), (9, 5)):
        answers = selections(pool("random", {i: {} for i in range(5)}), 1000, count=count)
        assert all(len(answer) == len(set(answer)) == most for answer in answers)


def test_all_weights_zero_is_uniform_and_single_zeros_only_fill_up():
    zeros = pool("weighted_random", {i: {"weight": 0} for i in range(4)})
    counts = Counter(s[0] for s in selections(zeros, 20_000))
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3
    mixed = pool("weighted_random", {1: {"weight": 5}, 2: {"weight": 0}})
    assert {s[0] for s in selections(mixed, 100)} == {1}
    assert selections(mixed, 1, count=2) == [(1, 2)]


def test_round_robin_visits_all_before_repeating_under_churn():
    handlespace = pool("round_robin", {i: {} for i in range(10)})
    draws = Draws(np.random.default_rng(1))
    random = np.random.default_rng(2)
    members, since = set(range(10)), {}
    for step in range(2000):
        if random.random() < 0.3:
            identifier = int(random.integers(20))
            if identifier in members and len(members) > 1:
                handlespace.remove(HANDLE, identifier)
                members.discard(identifier)
            else:
                handlespace.add(HANDLE, element(identifier, "round_robin", {}))
                members.add(identifier)
            since.pop(identifier, None)
        [chosen] = handlespace.select(HANDLE, 1, draws)
        # Nobody who was there all along is passed over twice by one that is chosen again.
        if chosen.identifier in since:
            began = since[chosen.identifier]
            for other in members - {chosen.identifier}:
                assert since.get(other, step) >= began
        since[chosen.identifier] = step


@requirement("POL-007")
def test_weighted_round_robin_is_exact_over_a_round_and_interleaved():
    weights = {1: 5, 2: 1, 3: 3, 4: 1}
    handlespace = pool("weighted_round_robin", {i: {"weight": w} for i, w in weights.items()})
    for _ in range(20):
        sequence = [s[0] for s in selections(handlespace, 10)]
        assert Counter(sequence) == weights
    for identifier, weight in weights.items():
        places = [i for i, chosen in enumerate(sequence * 2) if chosen == identifier]
        gaps = np.diff(places)
        assert max(gaps) <= np.ceil(10 / weight) + 2


def test_answer_size_that_divides_the_pool_size_is_the_round_robin_anomaly():
    """With all listed elements moved on, users who take the first see only every n-th element."""
    anomalous = pool("round_robin", {i: {} for i in range(10)}, increment=5)
    assert {s[0] for s in selections(anomalous, 100, count=5)} == {0, 5}
    healthy = pool("round_robin", {i: {} for i in range(10)}, increment=1)
    assert {s[0] for s in selections(healthy, 100, count=5)} == set(range(10))


@requirement("POL-029")
@pytest.mark.parametrize(("saturate", "expected"), [(True, [1, 2, 1, 2]), (False, [1, 2, 1, 1])])
def test_degraded_loads_beyond_full_are_cut_off_if_wanted(saturate, expected):
    values = {
        1: {"load": FULL - 10, "load_degradation": 100},
        2: {"load": FULL - 5, "load_degradation": 1000},
    }
    handlespace = pool("least_used_degradation", values, saturate=saturate)
    assert [s[0] for s in selections(handlespace, 4)] == expected


@requirement("POL-027")
@requirement("POL-028")
@requirement("POL-029")
def test_degradation_grows_with_each_listing_and_a_registration_clears_it():
    values = {1: {"load": 0, "load_degradation": 10}, 2: {"load": 25, "load_degradation": 10}}
    handlespace = pool("least_used_degradation", values)
    assert [s[0] for s in selections(handlespace, 5)] == [1, 1, 1, 2, 1]
    handlespace.add(HANDLE, element(1, "least_used_degradation", values[1]))
    assert [s[0] for s in selections(handlespace, 3)] == [1, 1, 1]


@requirement("POL-027")
@requirement("POL-029")
def test_each_listing_in_an_answer_counts_once():
    values = {
        i: {"load": load, "load_degradation": 10} for i, load in {1: 20, 2: 5, 3: 0, 4: 60}.items()
    }
    handlespace = pool("least_used_degradation", values)
    counters = dict.fromkeys(values, 0)
    for answer in selections(handlespace, 40, count=2):
        rank = {i: values[i]["load"] + 10 * counters[i] for i in values}
        assert sorted(rank[i] for i in answer) == sorted(rank.values())[:2]
        assert rank[answer[0]] <= rank[answer[1]]
        for identifier in answer:
            counters[identifier] += 1
    assert sum(counters.values()) == 80


@requirement("COM-022")
@requirement("COM-028")
@requirement("COM-030")
@requirement("COM-032")
def test_the_mode_of_a_port_without_control_channel_is_data_only():
    for kind, modes in ((wire.TcpTransport, 1), (wire.SctpTransport, 2)):
        handlespace = Handlespace()
        outcomes = [
            handlespace.add(
                HANDLE,
                wire.PoolElement(
                    identifier=1 + use,
                    user_transport=kind(port=1, addresses=["10.0.0.1"], use=use),
                    policy=wire.Policy("round_robin"),
                ),
            )
            for use in (1, 0)
        ]
        assert len(set(outcomes)) == modes, outcomes


@requirement("POL-004")
def test_when_the_head_leaves_the_next_one_is_the_head():
    handlespace = pool("round_robin", {i: {} for i in range(5)})
    assert selections(handlespace, 2) == [(0,), (1,)]
    handlespace.remove(HANDLE, 2)
    assert selections(handlespace, 4) == [(3,), (4,), (0,), (1,)]


def test_rspsims_doubled_step_and_cut_off():
    quarter = 0x40000000
    values = {
        1: {"load": 0, "load_degradation": quarter},
        2: {"load": 0xFFFFFFFF, "load_degradation": 0},
    }
    handlespace = pool(
        "least_used_degradation",
        values,
        degradations_per_selection=2,
        degradations_at_registration=1,
        saturate=True,
    )
    # 0.25, then 0.75, then cut off at 1: a tie, which goes to the element not chosen so far.
    assert [s[0] for s in selections(handlespace, 3)] == [1, 1, 2]


@requirement("POL-024")
@requirement("POL-033")
@pytest.mark.parametrize("policy", ["least_used", "priority", "priority_least_used"])
def test_ties_go_round_robin(policy):
    values = dict.fromkeys(wire.policy_values(policy), 7)
    handlespace = pool(policy, dict.fromkeys(range(4), values))
    assert [s[0] for s in selections(handlespace, 8)] == [0, 1, 2, 3] * 2


@requirement("POL-033")
def test_equal_sums_of_different_parts_go_round_robin():
    parts = {1: (50, 10), 2: (10, 50), 3: (60, 0), 4: (61, 0)}
    listed = {i: {"load": load, "load_degradation": more} for i, (load, more) in parts.items()}
    handlespace = pool("priority_least_used", listed)
    assert [s[0] for s in selections(handlespace, 6)] == [1, 2, 3, 1, 2, 3]


@requirement("POL-024")
def test_of_several_loads_the_equal_ones_take_turns():
    listed = {i: {"load": load} for i, load in {1: 9, 2: 4, 3: 9, 4: 4, 5: 4}.items()}
    answers = selections(pool("least_used", listed), 6, count=4)
    assert [answer[0] for answer in answers] == [2, 4, 5, 2, 4, 5]
    assert all(set(answer[:3]) == {2, 4, 5} and answer[3] in (1, 3) for answer in answers)


def test_distance_is_penalised():
    share = 0xFFFFFFFF // 1000
    near = {"load": share * 500, "load_dpf": share, "distance": 10}
    far = {"load": share * 400, "load_dpf": share, "distance": 200}
    assert selections(pool("least_used_dpf", {1: far, 2: near}), 1) == [(2,)]
    no_penalty = {1: {**far, "load_dpf": 0}, 2: {**near, "load_dpf": 0}}
    assert selections(pool("least_used_dpf", no_penalty), 1) == [(1,)]


@requirement("POL-004")
def test_round_robin_answers_from_the_head_on_and_moves_it_by_one():
    answers = selections(pool("round_robin", {i: {} for i in (1, 2, 3, 4)}), 5, count=4)
    assert answers == [(1, 2, 3, 4), (2, 3, 4, 1), (3, 4, 1, 2), (4, 1, 2, 3), (1, 2, 3, 4)]


@requirement("POL-008")
def test_turns_of_a_heavy_element_lie_as_far_apart_as_they_can():
    handlespace = pool("weighted_round_robin", {1: {"weight": 3}, 2: {"weight": 1}})
    starts = [i for i, answer in enumerate(selections(handlespace, 40)) if answer == (1,)]
    assert max(np.diff(starts)) == 2
    # Two light elements stand between the turns of a heavy one, not behind all of them.
    handlespace = pool("weighted_round_robin", {i: {"weight": w} for i, w in {1: 4, 2: 2}.items()})
    order = [identifier for [identifier] in selections(handlespace, 60)]
    gaps = np.diff([i for i, identifier in enumerate(order) if identifier == 2])
    assert set(gaps) == {3}


@requirement("POL-008")
@pytest.mark.parametrize(
    ("number", "values"), [(2, (1, 2, 3, 5)), (3, (1, 2, 3, 5)), (4, (1, 2, 5))]
)
def test_between_two_turns_of_an_element_each_other_one_has_its_share(number, values):
    """A weight of v has v / w turns between two of a weight of w, rounded down or up."""
    for weights in itertools.product(values, repeat=number):
        handlespace = pool(
            "weighted_round_robin", {i: {"weight": w} for i, w in enumerate(weights, 1)}
        )
        order = [identifier for [identifier] in selections(handlespace, 3 * sum(weights))]
        for one, w in enumerate(weights, 1):
            turns = [i for i, identifier in enumerate(order) if identifier == one]
            for begin, end in itertools.pairwise(turns):
                between = Counter(order[begin + 1 : end])
                for other, v in enumerate(weights, 1):
                    assert other == one or v // w <= between[other] <= -(-v // w), weights


@requirement("POL-019")
def test_priority_lists_the_highest_first():
    listed = {i: {"priority": 10 * (i % 4)} for i in range(12)}
    for answer in selections(pool("priority", listed), 20, count=7):
        priorities = [listed[i]["priority"] for i in answer]
        assert priorities == sorted(priorities, reverse=True)
        assert priorities == [30, 30, 30, 20, 20, 20, 10] and len(set(answer)) == 7


@requirement("POL-022")
@requirement("POL-023")
def test_least_used_lists_the_smallest_loads_in_order():
    listed = {i: {"load": 1000 - i} for i in range(20)}
    for answer in selections(pool("least_used", listed), 10, count=5):
        assert answer == (19, 18, 17, 16, 15)
    # In no order, and as renewals change them.
    loads = dict(enumerate(np.random.default_rng(3).permutation(1000)[:20].tolist(), 1))
    handlespace = pool("least_used", {i: {"load": load} for i, load in loads.items()})
    for changed in (7, 13, 20, 1):
        loads[changed] = 1500 - loads[changed]
        handlespace.add(HANDLE, element(changed, "least_used", {"load": loads[changed]}))
        [answer] = selections(handlespace, 1, count=6)
        assert list(answer) == sorted(loads, key=loads.get)[:6]


@requirement("POL-031")
@requirement("POL-032")
def test_priority_least_used_adds_degradation_but_does_not_count():
    listed = {
        1: {"load": 50, "load_degradation": 10},
        2: {"load": 50, "load_degradation": 50},
        3: {"load": 0, "load_degradation": 90},
    }
    answers = selections(pool("priority_least_used", listed), 20, count=3)
    assert set(answers) == {(1, 3, 2)}


@requirement("POL-036")
def test_a_fully_loaded_pool_is_drawn_from_uniformly():
    full = pool("randomized_least_used", {i: {"load": 0xFFFFFFFF} for i in range(4)})
    counts = Counter(s[0] for s in selections(full, 20_000))
    assert stats.chisquare([counts[i] for i in range(4)]).pvalue > 1e-3


def pool_of(policy, *values):
    """A handlespace with elements 1, 2, ... that have these policy values, and draws."""
    native = Handlespace()
    for identifier, given in enumerate(values, 1):
        native.add(HANDLE, element(identifier, policy, given))
    return native, Draws(np.random.default_rng(5))


def choices(native, draws, count, items=1):
    return [e.identifier for _ in range(count) for e in native.select(HANDLE, items, draws)]


@requirement("POL-001")
def test_load_runs_from_idle_to_fully_used():
    assert [load_value(share) for share in (0, 0.5, 1, 2)] == [0, 0x80000000, FULL, FULL]
    native, draws = pool_of("least_used", {"load": FULL}, {"load": 0x80000000}, {"load": 0})
    assert choices(native, draws, 1, items=3) == [3, 2, 1]


@requirement("POL-002")
@pytest.mark.parametrize("policy", ["weighted_round_robin", "weighted_random"])
def test_weight_zero_is_never_chosen_while_another_has_weight(policy):
    native, draws = pool_of(policy, {"weight": 0}, {"weight": 1}, {"weight": 2})
    assert 1 not in choices(native, draws, 1000)
    assert set(choices(native, draws, 1, items=3)) == {1, 2, 3}


@requirement("POL-003")
def test_round_robin_is_known_everywhere_and_the_default():
    kind = policy_kinds()["round_robin"]
    assert kind.type_code == 1
    assert user_rule(kind.type_code) is UserRule.WALK
    assert rsim.scenario({}).pools["pool"].policy == "round_robin"


@requirement("POL-009")
def test_with_equal_weights_weighted_round_robin_is_round_robin():
    plain, _ = pool_of("round_robin", *[{}] * 7)
    weighted, draws = pool_of("weighted_round_robin", *[{"weight": 1}] * 7)
    assert choices(weighted, draws, 50) == choices(plain, draws, 50)


@requirement("POL-017")
def test_with_equal_weights_weighted_random_is_random():
    for policy, values in (("random", {}), ("weighted_random", {"weight": 3})):
        native, draws = pool_of(policy, *[values] * 8)
        counts = Counter(choices(native, draws, 40_000))
        assert stats.chisquare([counts[i] for i in range(1, 9)]).pvalue > 1e-4


def test_steps_of_degradation_are_counted_up_to_a_limit_and_never_begin_anew():
    native = Handlespace(degradations_at_registration=2**32 - 1, degradations_per_selection=2**31)
    draws = Draws(np.random.default_rng(1))
    degraded = {"load": 0, "load_degradation": 1}
    native.add(HANDLE, element(1, "least_used_degradation", degraded))
    native.add(HANDLE, element(2, "least_used_degradation", {"load": 5, "load_degradation": 0}))
    for _ in range(3):
        assert [one.identifier for one in native.select(HANDLE, 2, draws)] == [2, 1]
