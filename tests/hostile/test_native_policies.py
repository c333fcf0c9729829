"""Policies in Python that change their handlespace, raise, or answer junk: it stays whole."""

import gc
from functools import partial
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsim import wire
from rsim._native import register_selection
from rsim.errors import PolicyError, ReentryError, RsimError
from rsim.handlespace import Draws, Handlespace

OWN = 0x80000777
OTHER = 0x80000778
NAN = float("nan")


def element(identifier, code=OWN, owner=1):
    policy = wire.Policy("random") if code == 1 else wire.Policy(code, data=b"")
    return wire.PoolElement(
        identifier=identifier,
        home_server=owner,
        user_transport=wire.SctpTransport(port=1, addresses=["10.0.0.1"]),
        policy=policy,
    )


def draws():
    return Draws(np.random.default_rng(1))


class Plain:
    """A policy that does nothing wrong: in order of identifiers."""

    def __init__(self):
        self.known = set()

    def insert(self, element):
        self.known.add(element.identifier)

    def remove(self, identifier):
        self.known.discard(identifier)

    def update(self, element):
        pass

    def select(self, count, draws):
        return sorted(self.known)[:count]


def handlespace_of(policy, size=3, code=OWN, **times):
    register_selection(code, lambda: policy)
    handlespace = Handlespace()
    for identifier in range(1, size + 1):
        handlespace.add(b"pool", element(identifier, code), **times)
    return handlespace


def picture(handlespace):
    """All that can be asked of a handlespace."""
    pieces, _ = handlespace.table(limit=1000, octets=1 << 20)
    return (
        len(handlespace),
        handlespace.pools,
        pieces,
        [handlespace.owned(owner) for owner in (1, 2)],
        [handlespace.checksum(owner) for owner in (1, 2)],
        handlespace.next_expiry(),
        handlespace.pool_size(b"pool"),
        handlespace.pool_policy_type(b"pool"),
    )


CHANGES = {
    "add": lambda h: h.add(b"pool", element(99)),
    "add_again": lambda h: h.add(b"pool", element(1, owner=2)),
    "add_elsewhere": lambda h: h.add(b"other", element(1, 1)),
    "remove": lambda h: h.remove(b"pool", 2),
    "remove_all": lambda h: [h.remove(b"pool", identifier) for identifier in (1, 2, 3)],
    "expire": lambda h: h.expire(1e9),
    "sweep": lambda h: h.sweep(1),
    "mark": lambda h: h.mark(1),
    "unmark": lambda h: h.unmark(1),
    "select": lambda h: h.select(b"pool", 2, draws()),
    "report": lambda h: h.report(b"pool", 1, 1),
    "clear_reports": lambda h: h.clear_reports(b"pool", 1),
}
CALLS = {
    "insert": lambda h: h.add(b"pool", element(4)),
    "update": lambda h: h.add(b"pool", element(1)),
    "remove": lambda h: h.remove(b"pool", 1),
    "expire": lambda h: h.expire(100),
    "sweep": lambda h: (h.mark(1), h.sweep(1)),
    "select": lambda h: h.select(b"pool", 2, draws()),
}


class Meddler(Plain):
    """Does `action` whenever one of its methods is called, once it is armed."""

    def __init__(self):
        super().__init__()
        self.action = None
        self.outcomes = []

    def meddle(self):
        if self.action is None:
            return
        try:
            self.action()
            self.outcomes.append(None)
        except RsimError as error:
            self.outcomes.append(error)

    def insert(self, element):
        self.meddle()
        super().insert(element)

    def remove(self, identifier):
        self.meddle()
        super().remove(identifier)

    def update(self, element):
        self.meddle()

    def select(self, count, draws):
        self.meddle()
        return super().select(count, draws)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("change", CHANGES)
def test_a_policy_that_changes_the_handlespace_that_calls_it_is_refused(call, change):
    right, meddler = Plain(), Meddler()
    expected = handlespace_of(right, expires=50.0)
    handlespace = handlespace_of(meddler, expires=50.0)
    meddler.action = lambda: CHANGES[change](handlespace)
    CALLS[call](handlespace)
    CALLS[call](expected)
    assert meddler.outcomes and all(type(e) is ReentryError for e in meddler.outcomes)
    assert "from within its" in str(meddler.outcomes[0])
    assert picture(handlespace) == picture(expected)
    meddler.action = None
    assert handlespace.add(b"pool", element(50)).name == "ADDED"


def test_a_policy_that_lets_the_refusal_through_ends_no_loop_and_loses_nothing():
    class Endless(Plain):
        def remove(self, identifier):
            for other in range(1, 4):
                handlespace.remove(b"pool", other)

    for remove in (
        lambda h: h.remove(b"pool", 1),
        lambda h: h.expire(100),
        lambda h: h.sweep(1),
    ):
        handlespace = handlespace_of(Endless(), expires=50.0)
        handlespace.mark(1)
        with pytest.raises(ReentryError, match=r"Handlespace\.remove"):
            remove(handlespace)
        assert len(handlespace) in (0, 2)


def test_a_policy_may_read_the_handlespace_that_calls_it():
    seen = []

    class Reader(Plain):
        def insert(self, element):
            super().insert(element)
            seen.append(picture(handlespace)[0])
            assert handlespace.find(b"pool", element.identifier) == element
            assert handlespace.any_element(b"pool") is not None

        def remove(self, identifier):
            super().remove(identifier)
            seen.append(picture(handlespace)[0])

        def select(self, count, draws):
            seen.append(picture(handlespace)[0])
            return super().select(count, draws)

    register_selection(OWN, Reader)
    handlespace = Handlespace()
    for identifier in (1, 2):
        handlespace.add(b"pool", element(identifier), 5.0)
    handlespace.select(b"pool", 1, draws())
    handlespace.remove(b"pool", 1)
    handlespace.expire(9)
    assert seen == [1, 2, 2, 2, 1] and len(handlespace) == handlespace.pools == 0


class Raiser(Plain):
    """Raises in the methods named in `wrong`."""

    def __init__(self):
        super().__init__()
        self.wrong = set()

    def insert(self, element):
        if "insert" in self.wrong:
            raise KeyError("insert")
        super().insert(element)

    def remove(self, identifier):
        super().remove(identifier)
        if "remove" in self.wrong:
            raise KeyError("remove")

    def update(self, element):
        if "update" in self.wrong:
            raise KeyError("update")

    def select(self, count, draws):
        if "select" in self.wrong:
            raise KeyError("select")
        return super().select(count, draws)


@pytest.mark.parametrize("size", [0, 3])
def test_an_element_that_could_not_be_inserted_is_not_there(size):
    policy = Raiser()
    handlespace = handlespace_of(policy, size, expires=9.0)
    before = picture(handlespace)
    policy.wrong = {"insert"}
    for owner in (1, 2):
        with pytest.raises(KeyError, match="insert"):
            handlespace.add(b"pool", element(7, owner=owner), 5.0)
        assert picture(handlespace) == before
        assert handlespace.find(b"pool", 7) is None and not handlespace.remove(b"pool", 7)
    policy.wrong = set()
    assert handlespace.add(b"pool", element(7)).name == "ADDED"
    assert len(handlespace) == size + 1 == len(handlespace.select(b"pool", 9, draws()))


def test_a_policy_that_raises_at_an_update_leaves_the_new_content():
    policy = Raiser()
    handlespace = handlespace_of(policy, expires=9.0)
    policy.wrong = {"update"}
    with pytest.raises(KeyError, match="update"):
        handlespace.add(b"pool", element(1, owner=2), 5.0)
    right = handlespace_of(Plain(), expires=9.0)
    right.add(b"pool", element(1, owner=2), 5.0)
    assert picture(handlespace) == picture(right)


def test_a_policy_that_raises_at_a_removal_is_told_and_the_element_is_gone():
    policy = Raiser()
    handlespace = handlespace_of(policy, expires=9.0)
    policy.wrong = {"remove"}
    with pytest.raises(KeyError, match="remove"):
        handlespace.remove(b"pool", 1)
    assert handlespace.find(b"pool", 1) is None and len(handlespace) == 2
    with pytest.raises(KeyError, match="remove"):
        handlespace.expire(10)
    assert picture(handlespace) == picture(Handlespace())
    policy.wrong = set()
    handlespace = handlespace_of(policy, expires=9.0)
    handlespace.mark(1)
    policy.wrong = {"remove"}
    with pytest.raises(KeyError, match="remove"):
        handlespace.sweep(1)
    assert picture(handlespace) == picture(Handlespace())


def test_a_selection_that_raises_leaves_nothing_half_done():
    policy = Raiser()
    handlespace = handlespace_of(policy)
    before = picture(handlespace)
    policy.wrong = {"select"}
    with pytest.raises(KeyError, match="select"):
        handlespace.select(b"pool", 2, draws())
    policy.wrong = set()
    assert picture(handlespace) == before
    assert [e.identifier for e in handlespace.select(b"pool", 2, draws())] == [1, 2]


def fail():
    raise KeyError("factory")


class Lacking:
    def insert(self, element):
        pass


@pytest.mark.parametrize(
    ("factory", "error"),
    [
        (fail, KeyError),
        (lambda: None, PolicyError),
        (lambda: 5, PolicyError),
        (Lacking, PolicyError),
        (lambda one: None, TypeError),
    ],
)
def test_a_factory_that_raises_or_gives_junk_leaves_no_empty_pool(factory, error):
    register_selection(OWN, factory)
    handlespace = Handlespace()
    with pytest.raises(error):
        handlespace.add(b"pool", element(1))
    assert picture(handlespace) == picture(Handlespace())
    register_selection(OWN, Plain)
    assert handlespace.add(b"pool", element(1)).name == "ADDED"


def test_a_factory_that_changes_the_handlespace_is_refused():
    for change in CHANGES.values():
        handlespace = Handlespace()
        register_selection(OWN, partial(change, handlespace))
        with pytest.raises(ReentryError, match="Handlespace"):
            handlespace.add(b"pool", element(1))
        assert picture(handlespace) == picture(Handlespace())


def test_a_factory_may_register_another_in_its_place():
    class Once(Plain):
        def __init__(self):
            super().__init__()
            register_selection(OWN, Plain)

    register_selection(OWN, Once)
    handlespace = Handlespace()
    handlespace.add(b"a", element(1))
    handlespace.add(b"b", element(1))
    assert handlespace.pools == 2


class Twice:
    def __index__(self):
        raise KeyError("index")


class Unending:
    def __iter__(self):
        return 5


JUNK = {
    "none": None,
    "number": 7,
    "not an iterator": Unending(),
    "text": "12",
    "texts": ["1"],
    "floats": [1.0],
    "nan": [NAN],
    "switches": [True],
    "negative": [-1],
    "large": [2**32],
    "larger": [2**64],
    "huge": [10**5000],
    "negative huge": [-(10**5000)],
    "unknown": [9],
    "repeated": [1, 1],
    "too many": [1, 2, 3],
    "nested": [[1]],
    "nothing": [None],
    "elements": [element(1)],
}


@pytest.mark.parametrize("kind", JUNK)
def test_junk_of_a_selection_is_one_kind_of_error(kind):
    class Junk(Plain):
        def select(self, count, draws):
            return JUNK[kind]

    handlespace = handlespace_of(Junk())
    with pytest.raises(PolicyError, match=r"^Junk: select\(2\) gave .*; right are the") as told:
        handlespace.select(b"pool", 2, draws())
    assert len(str(told.value)) <= 300 and "\n" not in str(told.value)
    assert len(handlespace) == 3


@pytest.mark.parametrize("endless", [count(), iter(lambda: 1, 0), iter(lambda: 3, 0)])
def test_an_endless_selection_is_refused(endless):
    class Junk(Plain):
        def select(self, count, draws):
            return endless

    for wanted in (2, 2**32 - 1):
        with pytest.raises(PolicyError, match="Junk"):
            handlespace_of(Junk()).select(b"pool", wanted, draws())


@pytest.mark.parametrize("raised", [KeyError, TypeError, RecursionError, KeyboardInterrupt])
def test_what_a_selection_raises_itself_comes_through(raised):
    def generator():
        yield 1
        raise raised("mine")

    class Items(list):
        def __iter__(self):
            raise raised("mine")

    for answer in (generator, lambda: Items([1])):

        class Own(Plain):
            def select(self, count, draws):
                return answer()  # noqa: B023

        with pytest.raises(raised, match="mine"):
            handlespace_of(Own()).select(b"pool", 2, draws())
    if raised is KeyError:

        class Indexed(Plain):
            def select(self, count, draws):
                return [Twice()]

        with pytest.raises(KeyError, match="index"):
            handlespace_of(Indexed()).select(b"pool", 2, draws())


def test_identifiers_may_be_any_whole_numbers():
    class Numpy(Plain):
        def select(self, count, draws):
            return np.array(sorted(self.known), dtype=np.uint32)[:count]

    chosen = handlespace_of(Numpy()).select(b"pool", 2, draws())
    assert [e.identifier for e in chosen] == [1, 2]


def test_a_generator_that_removes_while_it_is_read_is_refused():
    class Lazy(Plain):
        def select(self, count, draws):
            for identifier in sorted(self.known):
                handlespace.remove(b"pool", identifier)
                yield identifier

    handlespace = handlespace_of(Lazy())
    with pytest.raises(ReentryError):
        handlespace.select(b"pool", 2, draws())
    assert len(handlespace) == 3


def test_the_end_of_a_policy_may_not_change_the_handlespace(monkeypatch):
    told = []
    monkeypatch.setattr("sys.unraisablehook", lambda one: told.append(one.exc_type))

    class Dying(Plain):
        def __del__(self):
            end()

    def meddle():
        seen.append(len(held[0]))
        held[0].add(b"pool", element(1, 1))

    seen, end, held = [], meddle, [Handlespace()]
    register_selection(OWN, Dying)
    handlespace = held[0]
    handlespace.add(b"pool", element(1))
    handlespace.remove(b"pool", 1)
    assert seen == [0] and told == [ReentryError]
    assert picture(handlespace) == picture(Handlespace())
    handlespace.add(b"pool", element(1))
    end = lambda: seen.append("end")  # noqa: E731
    held.clear()
    del handlespace
    gc.collect()
    assert seen == [0, "end"]


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove", "expire", "sweep", "select"]),
        st.integers(1, 5),
        st.integers(1, 2),
        st.sets(st.sampled_from(["insert", "remove", "update", "select"])),
    ),
    max_size=30,
)


@given(OPERATIONS)
def test_handlespaces_with_policies_that_raise_are_as_those_without(operations):
    policies = []

    def factory():
        policies.append(Raiser())
        policies[-1].wrong = wrong
        return policies[-1]

    register_selection(OWN, factory)
    register_selection(OTHER, Plain)
    tried, plain = Handlespace(), Handlespace()
    for number, (what, identifier, owner, wrong) in enumerate(operations):
        for one in policies:
            one.wrong = wrong
        known = plain.find(b"pool", identifier) is not None
        for handlespace, code in ((tried, OWN), (plain, OTHER)):
            try:
                if what == "add":
                    if known or "insert" not in wrong or handlespace is tried:
                        handlespace.add(b"pool", element(identifier, code, owner), number + 5.0)
                elif what == "remove":
                    handlespace.remove(b"pool", identifier)
                elif what == "expire":
                    handlespace.expire(float(number))
                elif what == "sweep":
                    handlespace.mark(owner)
                    handlespace.sweep(owner)
                else:
                    handlespace.select(b"pool", identifier, draws())
            except KeyError:
                assert handlespace is tried and wrong
        a, b = picture(tried), picture(plain)
        assert (a[0], a[1], *a[3:7]) == (b[0], b[1], *b[3:7])


def test_no_time_is_no_number():
    with pytest.raises(RsimError, match="expires"):
        Handlespace().add(b"pool", element(1, 1), NAN)
