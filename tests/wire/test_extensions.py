"""Extensions of rsim's own: optional fields of a message, skipped by whoever does not know them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsim import wire
from tests.wire import strategies, twin

ELEMENT = wire.PoolElement(
    identifier=1,
    user_transport=wire.SctpTransport(port=80, addresses=["10.0.0.1"]),
    policy=wire.Policy("random"),
)
EXTENDED = {
    "statement": (0x8041, wire.Registration(pool_handle=b"calc", pool_element=ELEMENT)),
    "evidence": (0x8043, wire.HandleResolution(pool_handle=b"calc")),
    "statements": (
        0x8042,
        wire.HandleResolutionResponse(pool_handle=b"calc", pool_elements=[ELEMENT]),
    ),
    "choice_grant": (
        0x8040,
        wire.HandleResolutionResponse(pool_handle=b"calc", pool_elements=[ELEMENT]),
    ),
}
by_name = pytest.mark.parametrize("name", EXTENDED)


@by_name
@pytest.mark.parametrize("value", [b"", b"v", b"value", b"12345678"])
def test_an_extension_ends_the_message_with_filler_as_any_parameter(name, value):
    code, plain = EXTENDED[name]
    data = plain.replace(**{name: value}).encode()
    head = plain.encode()
    parameter = code.to_bytes(2) + (4 + len(value)).to_bytes(2) + value
    assert data[4:] == head[4:] + parameter + bytes(-len(value) % 4)
    assert int.from_bytes(data[2:4]) == len(head) + len(parameter)
    assert getattr(wire.decode(data, "asap"), name) == value


@by_name
@pytest.mark.parametrize("dialect", [wire.Dialect.RFC, wire.Dialect.RSPLIB])
def test_every_dialect_has_rsims_extensions(name, dialect):
    message = EXTENDED[name][1].replace(**{name: b"value"})
    data = message.encode(dialect)
    assert wire.decode(data, "asap") == message
    counted = 0 if dialect == wire.Dialect.RFC else 3
    assert int.from_bytes(data[2:4]) == len(data) - 3 + counted


@by_name
def test_a_message_that_would_become_too_long_goes_without_its_extension(name):
    plain = EXTENDED[name][1]
    room = 65_532 - len(plain.encode()) - 4
    fits = plain.replace(**{name: bytes(room)})
    assert len(fits.encode()) == 65_532
    assert plain.replace(**{name: bytes(room + 1)}).encode() == plain.encode()


def test_the_second_extension_is_left_out_where_only_the_first_fits():
    plain = EXTENDED["statements"][1]
    both = plain.replace(statements=bytes(60_000), choice_grant=bytes(6_000))
    assert both.encode() == plain.replace(statements=bytes(60_000)).encode()


@by_name
def test_a_message_that_does_not_have_the_extension_skips_it(name):
    code, _ = EXTENDED[name]
    for other, (_, plain) in EXTENDED.items():
        data = plain.replace(**{other: b"value"}).encode()
        at = len(plain.encode())
        strange = data[:at] + code.to_bytes(2) + data[at + 2 :]
        message = wire.decode(strange, "asap")
        if hasattr(plain, name):
            assert getattr(message, name) == b"value"
        else:
            assert message == plain


@by_name
def test_a_repeated_extension_is_refused(name):
    plain = EXTENDED[name][1]
    once = plain.replace(**{name: b"1234"}).encode()
    twice = once + once[len(plain.encode()) :]
    twice = twice[:2] + len(twice).to_bytes(2) + twice[4:]
    with pytest.raises(wire.WireError, match="repeated parameter"):
        wire.decode(twice, "asap")


@given(strategies.handles, st.binary(max_size=70_000))
def test_both_codecs_leave_out_the_same_extensions(handle, evidence):
    message = wire.HandleResolution(pool_handle=handle, evidence=evidence)
    assert message.encode() == twin.encode(message.to_dict())
