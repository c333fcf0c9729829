"""Pools, owners, tables, lives and reports."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsim import wire
from rsim.errors import FieldError
from rsim.handlespace import Draws, ElementList, Handlespace, Outcome

SCTP = wire.SctpTransport(port=1, addresses=["10.0.0.1"])


def element(identifier, owner=1, policy=None, transport=SCTP):
    return wire.PoolElement(
        identifier=identifier,
        home_server=owner,
        user_transport=transport,
        policy=policy or wire.Policy("random"),
    )


def test_pool_takes_type_and_mode_from_its_first_element_and_goes_with_its_last():
    handlespace = Handlespace()
    assert handlespace.add(b"pool", element(1)) is Outcome.ADDED
    assert handlespace.add(b"pool", element(1)) is Outcome.RENEWED
    other = {
        Outcome.INCONSISTENT_POLICY: element(2, policy=wire.Policy("round_robin")),
        Outcome.INCONSISTENT_TRANSPORT: element(
            2, transport=wire.UdpTransport(port=1, addresses=["10.0.0.1"])
        ),
        Outcome.INCONSISTENT_USE: element(
            2, transport=wire.SctpTransport(port=1, addresses=["10.0.0.1"], use=1)
        ),
    }
    for outcome, misfit in other.items():
        assert handlespace.add(b"pool", misfit) is outcome
    assert handlespace.pool_size(b"pool") == 1
    # A pool's only member can't change its type either; it has to deregister first.
    changed = element(1, policy=wire.Policy("round_robin"))
    assert handlespace.add(b"pool", changed) is Outcome.INCONSISTENT_POLICY
    assert handlespace.remove(b"pool", 1)
    assert handlespace.pools == 0
    assert handlespace.pool_policy_type(b"pool") is None
    assert handlespace.add(b"pool", changed) is Outcome.ADDED


def test_unknown_policy_makes_no_pool():
    handlespace = Handlespace()
    strange = element(1, policy=wire.Policy(0x80000099, data=b"x"))
    assert handlespace.add(b"pool", strange) is Outcome.UNKNOWN_POLICY
    assert handlespace.pools == 0


def test_renewal_replaces_all_attributes():
    handlespace = Handlespace()
    handlespace.add(b"pool", element(1))
    moved = element(1, owner=2, transport=wire.SctpTransport(port=9, addresses=["10.0.0.2"]))
    moved = moved.replace(registration_life=77, asap_transport=SCTP)
    handlespace.add(b"pool", moved)
    assert handlespace.find(b"pool", 1) == moved
    assert (handlespace.owned(1), handlespace.owned(2)) == (0, 1)


def test_home_server_may_put_its_own_view_in():
    handlespace = Handlespace()
    seen = wire.SctpTransport(port=5, addresses=["192.0.2.1"])
    handlespace.add(b"pool", element(1, owner=0), home_server=9, asap_transport=seen)
    assert handlespace.find(b"pool", 1) == element(1, owner=9).replace(asap_transport=seen)


members = st.dictionaries(
    st.tuples(st.sampled_from([b"a", b"a\0", b"b", b"zz"]), st.integers(0, 30)),
    st.integers(1, 3),
    max_size=60,
)


@given(members, st.integers(1, 9), st.sampled_from([None, 1, 2]))
def test_table_in_pieces_is_the_sorted_table(listed, limit, owner):
    handlespace = Handlespace()
    for (handle, identifier), home in listed.items():
        handlespace.add(handle, element(identifier, home))
    expected = [key for key, home in sorted(listed.items()) if owner in (None, home)]
    assert [key for piece in pieces(handlespace, limit, owner) for key in piece] == expected
    assert all(len(piece) <= limit for piece in pieces(handlespace, limit, owner))


def pieces(handlespace, limit, owner, between=lambda: None):
    """Keys of each piece of a table."""
    after = None
    while True:
        entries, after = handlespace.table(after=after, limit=limit, octets=100_000, owner=owner)
        yield [(e.pool_handle, p.identifier) for e in entries for p in e.pool_elements]
        if after is None:
            return
        between()


def test_table_survives_changes_between_pieces():
    handlespace = Handlespace()
    for identifier in range(0, 40, 2):
        handlespace.add(b"pool", element(identifier))
    changes = iter(range(1, 40, 2))

    def change():
        odd = next(changes)
        handlespace.add(b"pool", element(odd))
        handlespace.add(b"pool", element((odd * 7) % 40 // 2 * 2, owner=2))

    seen = [k for piece in pieces(handlespace, 4, None, change) for k in piece]
    assert seen == sorted(seen)
    assert {i for _, i in seen} >= set(range(0, 40, 2))


def test_pieces_are_bounded_in_octets():
    handlespace = Handlespace()
    for identifier in range(200):
        handlespace.add(b"pool", element(identifier).replace(asap_transport=SCTP))
    after = None
    while True:
        entries, after = handlespace.table(after=after, limit=128, octets=1400)
        table = wire.HandleTableResponse(sender=1, receiver=2, pools=list(entries))
        assert len(table.encode()) <= 1400 + 12
        if after is None:
            return


def test_mark_and_sweep_removes_what_was_not_seen_again():
    handlespace = Handlespace()
    for identifier in range(4):
        handlespace.add(b"pool", element(identifier, owner=1 + identifier % 2))
    handlespace.mark(1)
    handlespace.add(b"pool", element(0))
    swept = handlespace.sweep(1)
    assert [(handle, e.identifier) for handle, e in swept] == [(b"pool", 2)]
    assert handlespace.pool_size(b"pool") == 3
    handlespace.mark(1)
    handlespace.unmark(1)
    assert handlespace.sweep(1) == []


def test_lives_end_in_order():
    handlespace = Handlespace()
    assert handlespace.next_expiry() == math.inf
    for identifier, life in ((1, 30.0), (2, 10.0), (3, math.inf), (4, 20.0)):
        handlespace.add(b"pool", element(identifier), life)
    handlespace.add(b"pool", element(2), 40.0)
    handlespace.remove(b"pool", 4)
    assert handlespace.next_expiry() == 30
    assert handlespace.expire(29.9) == []
    assert [e.identifier for _, e in handlespace.expire(40.0)] == [1, 2]
    assert handlespace.next_expiry() == math.inf
    handlespace.add(b"pool", element(3), 50.0)
    handlespace.add(b"pool", element(3))
    assert handlespace.expire(1e9) == []


def test_reports_count_all_or_distinct_reporters():
    handlespace = Handlespace()
    handlespace.add(b"pool", element(1))
    assert handlespace.report(b"pool", 2, 7) == 0
    assert [handlespace.report(b"pool", 1, reporter) for reporter in (7, 7, 8)] == [1, 2, 3]
    assert handlespace.report(b"pool", 1, 8, distinct=True) == 2
    handlespace.clear_reports(b"pool", 1)
    assert handlespace.report(b"pool", 1, 7) == 1
    handlespace.remove(b"pool", 1)
    handlespace.add(b"pool", element(1))
    assert handlespace.report(b"pool", 1, 7) == 1


def test_selection_says_what_is_wrong_with_its_arguments():
    handlespace = Handlespace()
    for identifier in (1, 2, 3):
        handlespace.add(b"pool", element(identifier))

    def failing():
        raise LookupError("no generator")

    draws = Draws(failing)
    for arguments in (
        (b"pool", 1),
        ("pool", 1, draws),
        (b"pool", 1.0, draws),
        (b"pool", 1, None),
    ):
        with pytest.raises(TypeError, match="expected a pool handle"):
            handlespace.select(*arguments)
    with pytest.raises(TypeError, match="expected"):
        Handlespace.__new__(Handlespace).select(b"pool", 1, draws)
    for count in (-1, 1 << 32, 1 << 70):
        with pytest.raises(FieldError, match="count"):
            handlespace.select(b"pool", count, draws)
    with pytest.raises(LookupError, match="no generator"):
        handlespace.select(b"pool", 1, draws)
    draws = Draws(np.random.default_rng(1))
    assert len(handlespace.select(b"pool", 9, draws)) == 3
    assert handlespace.select(b"other", 1, draws) == ()


STEPS = st.tuples(
    st.sampled_from(["add", "remove", "expire", "sweep", "select"]),
    st.sampled_from([b"one", b"two"]),
    st.sampled_from([1, 2, 1025, 2049]),
    st.integers(0, 3),
)


@given(st.lists(STEPS, max_size=60))
def test_an_answer_lists_elements_as_they_are_now(steps):
    handlespace, draws, now = Handlespace(), Draws(np.random.default_rng(1)), 0.0
    for step, pool, identifier, number in steps:
        if step == "add":
            made = element(
                identifier, owner=1 + number % 2, policy=wire.Policy("priority", priority=number)
            )
            handlespace.add(pool, made, now + 1 + number)
        elif step == "remove":
            handlespace.remove(pool, identifier)
        elif step == "expire":
            now += number
            handlespace.expire(now)
        elif step == "sweep":
            handlespace.mark(1)
            handlespace.sweep(1)
        for handle in (b"one", b"two"):
            listed = handlespace.select(handle, 4, draws)
            assert len(listed) == handlespace.pool_size(handle)
            for one in listed:
                assert one == handlespace.find(handle, one.identifier)


def test_a_list_keeps_elements_as_they_were():
    handlespace, draws = Handlespace(), Draws(np.random.default_rng(1))
    handlespace.add(b"pool", element(1))
    before = handlespace.select(b"pool", 1, draws)
    handlespace.add(b"pool", element(1, owner=2))
    after = handlespace.select(b"pool", 1, draws)
    handlespace.remove(b"pool", 1)
    assert [one.home_server for one in (*before, *after)] == [1, 2]
    assert before != after


def test_a_list_is_a_sequence():
    handlespace, draws = Handlespace(), Draws(np.random.default_rng(1))
    for identifier in range(1, 6):
        handlespace.add(b"pool", element(identifier))
    listed = handlespace.select(b"pool", 5, draws)
    same = tuple(listed)
    assert isinstance(listed, ElementList) and isinstance(listed, Sequence)
    assert sorted(one.identifier for one in listed) == [1, 2, 3, 4, 5]
    assert listed == same and same == listed and listed == listed[:]
    assert not (listed != same)  # noqa: SIM202
    assert listed != same[:4] and listed != list(same) and listed != listed[1:]
    assert listed[-1] == listed[4] == same[4] and listed[True] == same[1]
    for cut in (slice(1, 3), slice(None, None, -2), slice(9, None), slice(-2, None)):
        assert isinstance(listed[cut], ElementList) and listed[cut] == same[cut]
    assert same[2] in listed and listed.index(same[2]) == 2 and listed.count(same[2]) == 1
    assert repr(listed) == f"ElementList{same!r}"
    assert tuple(reversed(listed)) == same[::-1]


def test_misuse_of_a_list_is_an_error():
    handlespace, draws = Handlespace(), Draws(np.random.default_rng(1))
    handlespace.add(b"pool", element(1))
    listed = handlespace.select(b"pool", 1, draws)
    for index in (1, -2, 1 << 70):
        with pytest.raises(IndexError):
            listed[index]
    for wrong in ("0", 1.0, None):
        with pytest.raises(TypeError):
            listed[wrong]
    with pytest.raises(TypeError):
        listed[0] = element(1)
    with pytest.raises(TypeError):
        hash(listed)
    with pytest.raises(TypeError):
        ElementList()
    with pytest.raises(TypeError):
        listed < listed  # noqa: B015
    with pytest.raises(ValueError, match=r"index\(x\)|not in"):
        listed.index(element(2))


def test_a_response_takes_a_list_as_any_other_sequence():
    handlespace, draws = Handlespace(), Draws(np.random.default_rng(1))
    for identifier in range(1, 4):
        handlespace.add(b"pool", element(identifier))
    listed = handlespace.select(b"pool", 3, draws)
    for sequence in (tuple(listed), list(listed)):
        response = wire.HandleResolutionResponse(pool_handle=b"pool", pool_elements=sequence)
        assert response == wire.HandleResolutionResponse(pool_handle=b"pool", pool_elements=listed)
        assert response.pool_elements == tuple(sequence)
    with pytest.raises(TypeError):
        wire.HandleResolutionResponse(pool_handle=b"pool", pool_elements=[1])


@pytest.mark.parametrize("pools", [1, 1000])
def test_a_hundred_thousand_elements(pools):
    handlespace = Handlespace()
    for identifier in range(100_000):
        handlespace.add(b"%d" % (identifier % pools), element(identifier))
    assert len(handlespace) == 100_000
    assert handlespace.pools == pools
    listed = sum(len(piece) for piece in pieces(handlespace, 1000, None))
    assert listed == 100_000
    for identifier in range(100_000):
        assert handlespace.remove(b"%d" % (identifier % pools), identifier)
    assert (len(handlespace), handlespace.pools) == (0, 0)
