import weakref
from hashlib import blake2b

import numpy as np
import pytest

from rsim.handlespace import Draws
from rsim.randomness import Stream, Streams


def test_streams_differ_by_actor_and_purpose_and_repeat_by_name():
    streams = Streams(1)
    draws = [streams.stream(*name).uniform() for name in (("a", "x"), ("a", "y"), ("b", "x"))]
    assert len(set(draws)) == 3
    assert Streams(1).stream("a", "x").uniform() == draws[0]
    assert Streams(2).stream("a", "x").uniform() != draws[0]


def test_no_two_names_come_to_the_same():
    names = [
        ("a/b", "c"),
        ("a", "b/c"),
        ("a", "b", "c"),
        ("a/b/c",),
        ("a", "1:b"),
        ("a1:b",),
        ("a1", "b"),
    ]
    draws = [Streams(1).stream(*name).uniform() for name in names]
    assert len(set(draws)) == len(names)


@pytest.mark.parametrize("seed", [0, 1, 2**32, 2**63 - 1, 2**128 - 1, 2**128, 2**200 + 7])
def test_generators_are_those_of_the_seed_and_a_spawn_key_made_of_the_name(seed):
    digest = blake2b(b"1:a1:x", digest_size=16).digest()
    key = tuple(int.from_bytes(digest[i : i + 4], "big") for i in range(0, 16, 4))
    plain = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
    generator = Streams(seed).generator("a", "x")
    assert generator.random(5).tolist() == plain.random(5).tolist()
    (child,), (plain_child,) = generator.spawn(1), plain.spawn(1)
    assert child.random() == plain_child.random()


def test_block_draws_equal_single_draws():
    stream = Streams(1).stream("a", "x")
    generator = Streams(1).generator("a", "x")
    assert [stream.exponential() for _ in range(200)] == [
        generator.standard_exponential() for _ in range(200)
    ]


def test_identifiers_are_never_zero():
    stream = Streams(1).stream("a", "x")
    identifiers = [stream.identifier() for _ in range(1000)]
    assert min(identifiers) >= 1
    assert max(identifiers) < 2**32


def test_draws_for_selections_are_those_of_the_generator_which_is_made_at_the_first():
    made = []

    def make():
        made.append(Streams(1).generator("a", "selection"))
        return made[-1]

    late = Draws(make)
    assert made == []
    at_once = Draws(Streams(1).generator("a", "selection"))
    assert [late.below(1000) for _ in range(50)] == [at_once.below(1000) for _ in range(50)]
    assert len(made) == 1
    by_name = Streams(1).draws("a", "selection")
    again = Draws(Streams(1).generator("a", "selection"))
    assert [by_name.below(7) for _ in range(50)] == [again.below(7) for _ in range(50)]


def test_a_generator_that_cannot_be_made_says_so_at_the_first_draw():
    def fail():
        raise RuntimeError("no entropy")

    draws = Draws(fail)
    with pytest.raises(RuntimeError, match="no entropy"):
        draws.below(10)
    with pytest.raises(AttributeError, match="bit_generator"):
        Draws(lambda: 3).below(10)
    with pytest.raises(AttributeError, match="bit_generator"):
        Draws(3)


def test_a_stream_makes_its_generator_at_the_first_draw_and_once():
    made = []

    def make():
        made.append(Streams(1).generator("a", "x"))
        return made[-1]

    stream, generator = Stream(make), Streams(1).generator("a", "x")
    assert made == []
    drawn = [stream.uniform() for _ in range(40)]
    assert drawn == generator.random(40).tolist()
    assert len(made) == 1 and stream.generator is made[0]


def test_kinds_of_draws_come_in_blocks_of_their_own():
    stream, generator = Streams(1).stream("a", "x"), Streams(1).generator("a", "x")
    exponentials, uniforms = generator.standard_exponential(16), generator.random(16)
    for exponential, uniform in zip(exponentials, uniforms, strict=True):
        assert stream.exponential() == exponential and stream.uniform() == uniform
    assert stream.identifier() == generator.integers(1, 1 << 32)


def test_a_stream_that_cannot_draw_says_why_and_lets_go_of_what_it_has():
    class Short:
        def random(self, count):
            return np.zeros(count - 1)

    def fail():
        raise RuntimeError("no entropy")

    for wrong in (Stream(fail), Stream(Short), Stream(lambda: None)):
        for _ in range(2):
            with pytest.raises((RuntimeError, AttributeError), match=r"entropy|as many|random"):
                wrong.uniform()
    for arguments in ((), (3,), (fail, fail)):
        with pytest.raises(TypeError):
            Stream(*arguments)
    stream = Stream(Short)
    watch = weakref.ref(stream.generator)
    assert watch() is stream.generator
    del stream
    assert watch() is None
