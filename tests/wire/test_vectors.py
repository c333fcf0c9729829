"""The codec against messages that other programs have made."""

import pytest

from rsim import wire
from tests.wire import foreign

RSPLIB = foreign.load("rsplib_messages.json")
RFC_ONLY = foreign.load("rfc_only_messages.json")


def named(vectors):
    return pytest.mark.parametrize("vector", vectors, ids=[v["name"] for v in vectors])


@named(RSPLIB + RFC_ONLY)
def test_vector_decodes_to_its_fields_and_encodes_by_the_rfc(vector):
    data = bytes.fromhex(vector["hex"])
    protocol = vector["protocol"].lower()
    expected = foreign.message(vector["fields"])
    assert wire.decode(data, protocol) == expected
    assert expected.encode().hex() == vector.get("rfc_hex", vector["hex"])
    assert wire.message_name(expected) == vector["fields"]["message"]


@named(RSPLIB)
def test_rsplib_dialect_gives_rsplibs_bytes(vector):
    message = wire.decode(bytes.fromhex(vector["hex"]), vector["protocol"].lower())
    assert message.encode(wire.Dialect.RSPLIB).hex() == vector["hex"]


@named([v for v in RSPLIB if "rfc_hex" in v])
def test_the_rfc_form_of_rsplibs_messages_decodes_too(vector):
    data = bytes.fromhex(vector["rfc_hex"])
    message = wire.decode(data, vector["protocol"].lower())
    assert message.encode() == data


@named(foreign.load("malformed.json"))
def test_malformed_input_is_treated_as_the_rfc_asks(vector):
    data = bytes.fromhex(vector["hex"])
    received = wire.receive(data, vector["protocol"].lower())
    acceptable = [vector["expected"]] if vector["basis"] == "explicit" else vector["acceptable"]
    # A message that only the server can refuse is well formed for the codec.
    wanted = {"accept" if o == "registration_rejected" else o for o in acceptable}
    assert outcome(received) in wanted
    if vector["basis"] == "explicit" and "cause_info" in vector:
        quoted = [cause.information.hex() for cause in received.reply.error_causes]
        assert quoted == vector["cause_info"]


def outcome(received):
    """What `receive` did, in the words of the vectors."""
    if received.reply is None:
        return "discard" if received.message is None else "accept"
    [code] = {cause.code for cause in received.reply.error_causes}
    name = wire.Cause(code).name.lower()
    return f"error:{name}" if received.message is None else f"accept+report:{name}"
