"""The native codec against the plain-Python one, and against itself."""

import pickle

from hypothesis import given

from rsim import wire
from tests.fuzz import codec_twin
from tests.wire import strategies, twin


@given(strategies.messages)
def test_messages_survive_the_round_trip_in_every_dialect(drawn):
    protocol, message = drawn
    everything = wire.Dialect.RSPLIB & ~wire.Dialect.PADDED_MESSAGE_LENGTH
    for dialect in (wire.Dialect.RSPLIB, everything):
        back = wire.decode(message.encode(dialect), protocol)
        assert back == message
        assert hash(back) == hash(message)
    assert pickle.loads(pickle.dumps(message)) == message
    assert message.replace() == message


@given(strategies.messages)
def test_both_codecs_write_and_read_the_same(drawn):
    protocol, message = drawn
    data = message.encode()
    assert data == twin.encode(message.to_dict())
    assert twin.receive(data, protocol) == (wire.decode(data, protocol).to_dict(), [])


@given(strategies.messages, strategies.messages)
def test_values_are_equal_only_if_their_content_is(one, other):
    same = one[1].to_dict() == other[1].to_dict()
    assert (one[1] == other[1]) == same
    assert repr(one[1]).startswith(type(one[1]).__name__ + "(")


def test_both_codecs_agree_on_mutated_messages():
    kinds = codec_twin.run(20_000, seed=7)
    assert min(kinds["accepted"], kinds["refused"], kinds["reported"]) > 1000
