"""PE checksums (RFC 5353 3.6.2) against foreign values."""

import pytest

from rsim import wire
from rsim.handlespace import Handlespace
from tests.wire import foreign

OWNER = 9


def element(identifier, owner=OWNER):
    return wire.PoolElement(
        identifier=identifier,
        home_server=owner,
        user_transport=wire.SctpTransport(port=1, addresses=["10.0.0.1"]),
        policy=wire.Policy("random"),
    )


def members(vector):
    if "generator" in vector:
        g = vector["generator"]
        handle = bytes.fromhex(g["pool_handle"])
        for i in range(g["count"]):
            yield handle, (g["first_identifier"] + i * g["step"]) % (1 << 32)
    else:
        for entry in vector["pool_elements"]:
            yield bytes.fromhex(entry["pool_handle"]), entry["identifier"]


VECTORS = foreign.load("pe_checksum.json")


@pytest.mark.parametrize("vector", VECTORS, ids=[v["name"] for v in VECTORS])
def test_checksum_equals_the_foreign_value_and_comes_back_after_removal(vector):
    handlespace = Handlespace()
    listed = list(members(vector))
    for handle, identifier in listed:
        handlespace.add(handle, element(identifier))
    assert f"{handlespace.checksum(OWNER):04x}" == vector["wire_checksum"]
    for handle, identifier in listed:
        handlespace.remove(handle, identifier)
    assert handlespace.checksum(OWNER) == 0xFFFF
    assert len(handlespace) == 0


def test_checksum_follows_an_element_that_changes_hands():
    handlespace = Handlespace()
    handlespace.add(b"pool", element(1))
    before = handlespace.checksum(OWNER)
    handlespace.add(b"pool", element(1, owner=8))
    assert handlespace.checksum(OWNER) == 0xFFFF
    assert handlespace.checksum(8) == before
    assert (handlespace.owned(OWNER), handlespace.owned(8)) == (0, 1)
