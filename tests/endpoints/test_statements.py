"""Signed policy statements, the users' books, and the server's judgement."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsim import wire
from rsim.endpoints.signing import Signer, Verifier
from rsim.endpoints.statements import (
    Ledger,
    Penalties,
    StatementStore,
    consistent,
    decode_evidence,
    decode_statement,
    decode_statements,
    encode_evidence,
    make_statement,
    worst_policy,
)
from rsim.handlespace import policy_with

HANDLE = b"pool"
requirement = pytest.mark.conformance
TRANSPORT = wire.SctpTransport(port=1, addresses=["10.0.0.9"], use=1)


def element(identifier=5, load=1000):
    return wire.PoolElement(
        identifier=identifier,
        user_transport=TRANSPORT,
        policy=policy_with("least_used", {"load": load}),
    )


def statement(of=None, sequence=1, name="element 5"):
    return make_statement(Signer(name), HANDLE, of or element(), sequence, 1.0, 1e6, 100)


@requirement("SEC-021")
def test_a_statement_is_the_elements_and_says_what_the_entry_says():
    judge = Verifier()
    one = statement()
    assert consistent(one, HANDLE, element(), judge)
    assert not consistent(one, HANDLE, element(load=7), judge)
    assert not consistent(one, HANDLE, element(identifier=6), judge)
    assert not consistent(one, b"other", element(), judge)
    decoded, rest = decode_statement(one.encode() + b"more")
    assert (decoded, rest) == (one, b"more")


@settings(max_examples=300)
@given(st.data())
def test_altered_statements_are_refused(data):
    encoded = statement().encode()
    place = data.draw(st.integers(0, len(encoded) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    altered = encoded[:place] + bytes([encoded[place] ^ bit]) + encoded[place + 1 :]
    store = StatementStore()
    assert not store.take(HANDLE, element(), altered)
    assert store.of(HANDLE, [element()]) == b""
    cut = encoded[: data.draw(st.integers(0, len(encoded) - 1))]
    assert not store.take(HANDLE, element(), cut)


def test_a_replayed_or_foreign_statement_does_not_displace_a_newer_one():
    store = StatementStore()
    assert store.take(HANDLE, element(), statement(sequence=2).encode())
    assert not store.take(HANDLE, element(), statement(sequence=2).encode())
    assert not store.take(HANDLE, element(), statement(sequence=1).encode())
    assert not store.take(HANDLE, element(), statement(sequence=3, name="stranger").encode())
    assert not store.take(HANDLE, element(), None)
    assert store.take(HANDLE, element(load=9), statement(element(load=9), 3).encode())
    [stored] = decode_statements(store.of(HANDLE, [element(), element(identifier=8)]))
    assert stored.sequence == 3


@given(st.binary(max_size=400))
def test_noise_is_no_statement(noise):
    assert decode_statements(noise) == [] or len(noise) > 100


def test_each_signature_is_checked_once():
    judge = Verifier()
    one = statement()
    for _ in range(100):
        assert consistent(one, HANDLE, element(), judge)
    assert judge.checks == 1


def book(random, factor, level=3.09, least=5, rounds=200, noise=0.7):
    """Accusations of element 1, whose stated speed is too high by a factor, and of the others."""
    ledger = Ledger(level, least)
    for identifier in range(1, 11):
        of = element(identifier, load=0)
        ledger.hear(statement(of, name=f"element {identifier}"), 0.0)
    liar = honest = 0
    for _ in range(rounds):
        for identifier in range(1, 11):
            slow = factor if identifier == 1 else 1.0
            time = 5.0 * slow * float(np.exp(noise * random.standard_normal()))
            z = ledger.served(identifier, 5e6, time)
            liar += z is not None and identifier == 1
            honest += z is not None and identifier != 1
    return liar, honest


def test_false_alarms_are_as_rare_as_stated():
    """At 3.09 standard errors about one look in a thousand; looks overlap, so some more."""
    random = np.random.default_rng(1)
    liar, honest = book(random, 1.0, rounds=3000)
    looks = 10 * 3000
    assert (liar + honest) / looks < 3e-3


def test_a_liar_at_factor_two_is_found_within_the_predicted_number():
    """n = ((z_alpha + z_beta) sigma / Delta)^2, with Delta = ln 2."""
    random = np.random.default_rng(2)
    needed = ((3.09 + 1.64) * 0.7 / np.log(2)) ** 2
    found = [book(random, 2.0, rounds=round(2 * needed))[0] > 0 for _ in range(60)]
    assert np.mean(found) > 0.95


def test_larger_lies_are_found_sooner():
    random = np.random.default_rng(3)
    counts = [book(random, factor, rounds=400)[0] for factor in (1.0, 1.5, 2.0, 4.0)]
    assert counts[0] < 5 and counts[1] < counts[2] < counts[3]


def test_too_little_is_not_judged():
    ledger = Ledger(3.09, 5)
    assert ledger.served(1, 1e6, 1.0) is None
    ledger.hear(statement(element(1), name="element 1"), 0.5)
    for _ in range(50):
        assert ledger.served(1, 1e6, 100.0) is None


def test_a_verdict_takes_different_accusers_within_the_memory():
    penalties = Penalties(3, 60.0, "quarantine", 100.0)
    for _ in range(10):
        assert not penalties.accuse("10.0.0.9", "10.0.0.1", 0.0)
    assert not penalties.accuse("10.0.0.9", "10.0.0.2", 50.0)
    # The first one's word has lapsed by now.
    assert not penalties.accuse("10.0.0.9", "10.0.0.3", 70.0)
    assert penalties.accuse("10.0.0.9", "10.0.0.4", 80.0)
    assert penalties.punished("10.0.0.9", 179.0) and not penalties.punished("10.0.0.9", 181.0)
    assert penalties.verdicts == [("10.0.0.9", 80.0)]
    assert penalties.accusations == {"10.0.0.9": 13}
    assert not penalties.punished("10.0.0.8", 90.0)


def test_eviction_is_for_good():
    penalties = Penalties(1, 60.0, "evict", 100.0)
    assert penalties.accuse("10.0.0.9", "10.0.0.1", 0.0)
    assert penalties.punished("10.0.0.9", 1e9)


@pytest.mark.parametrize("policy", ["least_used", "weighted_random", "priority", "round_robin"])
def test_the_worst_policy_is_of_the_same_type(policy):
    given_policy = policy_with(policy, {"load": 0, "weight": 9, "priority": 9})
    worst = worst_policy(given_policy)
    assert worst.type == given_policy.type
    assert (worst.load or 0xFFFFFFFF, worst.weight or 1, worst.priority or 0) == (0xFFFFFFFF, 1, 0)


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.floats(0, 1e6))))
def test_evidence_travels(cases):
    assert decode_evidence(encode_evidence(cases)) == cases
