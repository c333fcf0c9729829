from rsim.randomness import Streams


def test_streams_differ_by_actor_and_purpose_and_repeat_by_name():
    streams = Streams(1)
    draws = [streams.stream(*name).uniform() for name in (("a", "x"), ("a", "y"), ("b", "x"))]
    assert len(set(draws)) == 3
    assert Streams(1).stream("a", "x").uniform() == draws[0]
    assert Streams(2).stream("a", "x").uniform() != draws[0]


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
