"""Wrong use of the native objects from Python: a clear error, or nothing, but never a crash."""

import copy
import gc
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rsim import wire
from rsim._native import Received, register_selection
from rsim.errors import FieldError, ReentryError
from rsim.handlespace import Draws, Handlespace, UserList, UserRule
from rsim.randomness import Stream
from tests.hostile.test_native_policies import OWN, Plain, element, handlespace_of

NAN = float("nan")


def generator(seed=1):
    return np.random.default_rng(seed)


def own_elements(size, kind=wire.PoolElement):
    return [
        kind(
            identifier=identifier,
            user_transport=wire.SctpTransport(port=1, addresses=["10.0.0.1"]),
            policy=wire.Policy("random"),
        )
        for identifier in range(size)
    ]


# Draws


def test_draws_that_a_policy_keeps_are_the_very_ones():
    class Keeper(Plain):
        def select(self, count, draws):
            kept.append(draws)
            return []

    kept = []
    handlespace = handlespace_of(Keeper())
    given = Draws(generator)
    handlespace.select(b"pool", 1, given)
    assert kept[0] is given
    del given
    for _ in range(100):
        handlespace.select(b"pool", 1, Draws(lambda: generator(5)))
        handlespace.select(b"pool", 1, Draws(generator(5)))
    gc.collect()
    expected = [Draws(generator(5)).below(1000)]
    assert [one.below(1000) for one in kept[1:]] == expected * 200
    assert kept[0].below(1000) == Draws(generator(1)).below(1000)


def test_draws_keep_the_generator_that_they_draw_from():
    class Stranger(np.random.PCG64):
        """Shows another's capsule, which nobody keeps."""

        @property
        def capsule(self):
            return np.random.PCG64(3).capsule

    own = np.random.Generator(Stranger(7))
    found = Draws(own)
    del own
    gc.collect()
    words = [found.below(2**63) for _ in range(100)]
    right = Draws(np.random.Generator(np.random.PCG64(7)))
    assert words == [right.below(2**63) for _ in range(100)]


def test_a_maker_that_raises_may_be_asked_again():
    outcomes = iter([KeyError("no"), 5, None, generator(3)])

    def make():
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    found = Draws(make)
    with pytest.raises(KeyError):
        found.below(2)
    for _ in range(2):
        with pytest.raises(AttributeError, match="bit_generator"):
            found.below(2)
    assert found.below(1000) == Draws(generator(3)).below(1000)


@pytest.mark.parametrize("bits", [None, 5, object()])
def test_a_generator_of_strange_bits_is_refused(bits):
    class Strange:
        bit_generator = bits
        capsule = np.random.PCG64().capsule

    with pytest.raises(TypeError, match="bit_generator"):
        Draws(Strange())
    with pytest.raises(TypeError, match="bit_generator"):
        Draws(lambda: Strange()).below(2)


def test_a_maker_that_draws_from_what_it_makes_is_refused():
    def make():
        found.below(2)

    found = Draws(make)
    with pytest.raises(ReentryError, match="Draws"):
        found.below(2)
    stream = Stream(lambda: stream.uniform())
    for draw in (stream.uniform, stream.exponential, stream.identifier):
        with pytest.raises(ReentryError, match="Stream"):
            draw()


def test_a_maker_that_lets_go_of_its_draws_ends_well():
    class Maker:
        def __call__(self):
            held.clear()
            gc.collect()
            return generator(1)

    held = [Draws(Maker())]
    assert held[0].below(100) == Draws(generator(1)).below(100)
    held = [Stream(Maker())]
    assert held[0].uniform() == generator(1).random()


@pytest.mark.parametrize("policy", ["random", "weighted_random", "round_robin", "least_used"])
@pytest.mark.parametrize("change", ["add", "remove", "expire", "select", "sweep"])
def test_a_maker_of_draws_that_changes_the_handlespace_is_refused(policy, change):
    values = {"weighted_random": {"weight": 1}, "least_used": {"load": 1}}.get(policy, {})
    listed = [
        one.replace(policy=wire.Policy(policy, **values), home_server=1) for one in own_elements(20)
    ]
    handlespace = Handlespace()
    for one in listed:
        handlespace.add(b"pool", one, 5.0)

    def make():
        {
            "add": lambda: handlespace.add(b"pool", listed[0].replace(identifier=99)),
            "remove": lambda: [handlespace.remove(b"pool", n) for n in range(20)],
            "expire": lambda: handlespace.expire(10),
            "select": lambda: handlespace.select(b"pool", 3, Draws(generator())),
            "sweep": lambda: (handlespace.mark(1), handlespace.sweep(1)),
        }[change]()
        return generator()

    if "random" in policy:
        with pytest.raises(ReentryError, match="Handlespace"):
            handlespace.select(b"pool", 3, Draws(make))
    assert len(handlespace) == 20
    chosen = handlespace.select(b"pool", 20, Draws(generator()))
    assert {one.identifier for one in chosen} == set(range(20))


class Wrong:
    """A generator of which a method gives or does something wrong."""

    def __init__(self, drawn):
        self.drawn = drawn

    def random(self, size):
        return self.drawn(size)

    standard_exponential = random

    def integers(self, *bounds):
        return self.drawn(1)


@pytest.mark.parametrize(
    "drawn",
    [
        lambda size: None,
        lambda size: [0.5] * size,
        lambda size: np.zeros(size + 1),
        lambda size: np.zeros(size, dtype=np.int64),
        lambda size: bytes(8 * size),
        lambda size: np.zeros(2 * size)[::2],
    ],
)
def test_generators_that_draw_junk_are_told(drawn):
    stream = Stream(lambda: Wrong(drawn))
    for draw in (stream.uniform, stream.exponential):
        with pytest.raises((TypeError, ValueError, RuntimeError, BufferError)):
            draw()


def test_a_generator_that_draws_from_its_own_stream_is_refused():
    stream = Stream(lambda: Wrong(lambda size: [stream.uniform() for _ in range(size)]))
    with pytest.raises(ReentryError, match=r"Stream\.draw"):
        stream.uniform()


# User lists and lists of elements


@pytest.mark.parametrize("change", ["forget", "choose"])
def test_a_maker_of_draws_that_changes_the_list_chosen_from_is_refused(change):
    listed = UserList(own_elements(20), UserRule.UNIFORM)

    def make():
        if change == "choose":
            listed.choose(Draws(generator()))
        for identifier in range(20):
            listed.forget(identifier)
        return generator()

    with pytest.raises(ReentryError, match=f"UserList.{change}"):
        listed.choose(Draws(make))
    assert len(listed) == 20


def test_elements_that_were_never_initialised_are_refused():
    bare = wire.PoolElement.__new__(wire.PoolElement)
    with pytest.raises(TypeError, match="PoolElement"):
        UserList([bare], UserRule.WALK)
    answer = wire.HandleResolutionResponse.__new__(wire.HandleResolutionResponse)
    with pytest.raises(TypeError, match="iterable"):
        UserList(answer, UserRule.WALK)
    with pytest.warns(RuntimeWarning), pytest.raises(TypeError):
        Handlespace().add(b"pool", bare)
    with pytest.warns(RuntimeWarning), pytest.raises(TypeError):
        wire.BusinessCard(pool_handle=b"", pool_elements=[bare])
    with pytest.warns(RuntimeWarning), pytest.raises(TypeError):
        len(Handlespace.__new__(Handlespace))
    with pytest.raises(TypeError):
        Handlespace.__new__(Handlespace).select(b"pool", 1, Draws(generator()))


def test_what_was_never_initialised_can_be_collected():
    class Holder(Received):
        pass

    gc.collect()
    held = Holder.__new__(Holder)
    held.itself = held
    del held
    assert gc.collect() > 0


def test_an_iterable_that_changes_while_it_is_read():
    elements = own_elements(3)

    def growing():
        for one in elements:
            if len(elements) < 50:
                elements.append(one)
            yield one

    assert len(UserList(growing(), UserRule.WALK)) == 50

    def failing():
        yield elements[0]
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        UserList(failing(), UserRule.WALK)


class Odd(list):
    """A sequence whose methods misbehave."""

    def __init__(self, items, length=None, iterate=None):
        super().__init__(items)
        self.length, self.iterate = length, iterate

    def __len__(self):
        if callable(self.length):
            return self.length()
        return super().__len__() if self.length is None else self.length

    def __iter__(self):
        return super().__iter__() if self.iterate is None else self.iterate(self)


def emptied(items):
    for item in list.__iter__(items):
        items.clear()
        gc.collect()
        yield item


def raising(*_):
    raise KeyError("mine")


def test_messages_of_sequences_that_misbehave():
    elements = own_elements(3)
    entry = wire.PoolEntry(pool_handle=b"pool", pool_elements=elements)
    server = wire.ServerInformation(
        server_identifier=1, transport=wire.SctpTransport(port=1, addresses=["10.0.0.1"])
    )
    makes = [
        (lambda s: wire.BusinessCard(pool_handle=b"", pool_elements=s), elements),
        (lambda s: wire.HandleResolutionResponse(pool_handle=b"", pool_elements=s), elements),
        (lambda s: wire.PoolEntry(pool_handle=b"", pool_elements=s), elements),
        (lambda s: wire.HandleTableResponse(sender=1, receiver=2, pools=s), [entry] * 3),
        (lambda s: wire.ListResponse(sender=1, receiver=2, servers=s), [server] * 3),
        (
            lambda s: wire.ServerAnnounce(server_identifier=1, transports=s),
            [server.transport] * 3,
        ),
        (lambda s: wire.AsapError(error_causes=s), [wire.ErrorCause(1, b"x")] * 3),
    ]
    for make, items in makes:
        right = make(items)
        assert make(Odd(items)) == make(tuple(items)) == right
        assert make(Odd(items, length=1)) == make(Odd(items, length=10**6)) == right
        assert make(Odd(items, iterate=emptied)) == make(items[:1])
        for wrong in (Odd(items, iterate=raising), Odd(items, length=raising)):
            with pytest.raises(KeyError, match="mine"):
                make(wrong)
        for wrong in ("text", b"bytes", 5, None, [None], [*items, 5], {1: 2}):
            with pytest.raises(TypeError):
                make(wrong)


def test_addresses_of_iterables_that_misbehave():
    texts = ["10.0.0.1", "10.0.0.2"]
    make = lambda s: wire.SctpTransport(port=1, addresses=s)  # noqa: E731
    assert make(Odd(texts, iterate=emptied)) == make(texts[:1])
    with pytest.raises(KeyError, match="mine"):
        make(Odd(texts, iterate=raising))
    with pytest.raises(FieldError):
        make([object()])


def test_a_list_of_elements_outlives_its_handlespace():
    handlespace = handlespace_of(Plain(), size=100)
    listed = handlespace.select(b"pool", 100, Draws(generator()))
    register_selection(OWN, Plain)
    del handlespace
    gc.collect()
    assert [one.identifier for one in listed[::-1]] == list(range(100, 0, -1))

    class Index:
        def __index__(self):
            raise KeyError("mine")

    with pytest.raises(KeyError):
        listed[Index()]
    with pytest.raises(IndexError):
        listed[10**30]
    assert listed.count(5) == 0 and listed != [1] and element(5) in listed


@pytest.mark.parametrize(
    "one",
    [
        Draws(generator()),
        Stream(generator),
        UserList([], UserRule.WALK),
        handlespace_of(Plain()).select(b"pool", 1, Draws(generator())),
        Handlespace(),
    ],
    ids=lambda one: type(one).__name__,
)
def test_objects_with_a_state_are_neither_copied_nor_pickled(one):
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match=r"pickle|copy"):
            attempt(one)
    with pytest.raises((TypeError, AttributeError)):
        one.new_attribute = 1
    with pytest.raises(TypeError):
        type("Derived", (type(one),), {})() if type(one) is not Handlespace else Handlespace(1)


# Memory

SCRIPT = Path(__file__).with_name("out_of_memory.py")


@pytest.mark.parametrize("what", ["attributes", "messages", "handlespace", "decode"])
def test_out_of_memory_is_an_error_of_python(what):
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), what], capture_output=True, text=True, timeout=300
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended
    assert ended.stdout == "MemoryError\n"
