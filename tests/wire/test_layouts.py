"""Every message, octet by octet, as RFC 5352 2.2 and RFC 5353 2 draw it."""

import pytest

from rsim import wire

requirement = pytest.mark.conformance

HANDLE = "0009 0008 706f6f6c"
IDENTIFIER = "000e 0008 01020304"
SCTP = "0004 0010 0050 0001 0001 0008 0a000001"
POLICY = "0008 000c 40000001 00000007"
ELEMENT = f"000a 002c 01020304 00000000 0000001e {SCTP} {POLICY}"
ERROR = "000c 0008 0009 0004"
COOKIE = "000d 0007 616263 00"

element = wire.PoolElement(
    identifier=0x01020304,
    registration_life=30,
    user_transport=wire.SctpTransport(port=80, addresses=["10.0.0.1"], use=1),
    policy=wire.Policy("least_used", load=7),
)
causes = [wire.ErrorCause(wire.Cause.UNKNOWN_POOL_HANDLE)]
information = wire.ServerInformation(
    server_identifier=7, transport=wire.SctpTransport(port=9901, addresses=["10.0.0.7"])
)
INFORMATION = "000b 0018 00000007 0004 0010 26ad 0000 0001 0008 0a000007"
BOTH = "01020304 05060708"
"""Sender and receiver."""
both = {"sender": 0x01020304, "receiver": 0x05060708}
named = {"pool_handle": b"pool", "pe_identifier": 0x01020304}

ASAP = {
    "ASAP-010": [
        (
            wire.Registration(pool_handle=b"pool", pool_element=element),
            f"01 00 0038 {HANDLE} {ELEMENT}",
        )
    ],
    "ASAP-012": [(wire.Deregistration(**named), f"02 00 0014 {HANDLE} {IDENTIFIER}")],
    "ASAP-014": [
        (wire.RegistrationResponse(**named), f"03 00 0014 {HANDLE} {IDENTIFIER}"),
        (
            wire.RegistrationResponse(**named, reject=True, error_causes=causes),
            f"03 01 001c {HANDLE} {IDENTIFIER} {ERROR}",
        ),
    ],
    "ASAP-018": [
        (wire.DeregistrationResponse(**named), f"04 00 0014 {HANDLE} {IDENTIFIER}"),
        (
            wire.DeregistrationResponse(**named, error_causes=causes),
            f"04 00 001c {HANDLE} {IDENTIFIER} {ERROR}",
        ),
    ],
    "ASAP-020": [
        (wire.HandleResolution(pool_handle=b"pool"), f"05 00 000c {HANDLE}"),
        (wire.HandleResolution(pool_handle=b"pool", send_updates=True), f"05 01 000c {HANDLE}"),
    ],
    "ASAP-025": [
        (
            wire.HandleResolutionResponse(
                pool_handle=b"pool", policy=element.policy, pool_elements=[element, element]
            ),
            f"06 00 0070 {HANDLE} {POLICY} {ELEMENT} {ELEMENT}",
        ),
        (
            wire.HandleResolutionResponse(pool_handle=b"pool", error_causes=causes),
            f"06 00 0014 {HANDLE} {ERROR}",
        ),
    ],
    "ASAP-026": [
        (
            wire.HandleResolutionResponse(
                pool_handle=b"pool", pool_elements=[element], accept_updates=True
            ),
            f"06 01 0038 {HANDLE} {ELEMENT}",
        )
    ],
    "ASAP-032": [
        (
            wire.EndpointKeepAlive(server_identifier=9, pool_handle=b"pool", home=home),
            f"07 0{int(home)} 0010 00000009 {HANDLE}",
        )
        for home in (False, True)
    ],
    "ASAP-035": [(wire.EndpointKeepAliveAck(**named), f"08 00 0014 {HANDLE} {IDENTIFIER}")],
    "ASAP-036": [(wire.EndpointUnreachable(**named), f"09 00 0014 {HANDLE} {IDENTIFIER}")],
    "ASAP-037": [
        (
            wire.ServerAnnounce(server_identifier=9, transports=[element.user_transport] * 2),
            f"0a 00 0028 00000009 {SCTP} {SCTP}",
        ),
        (wire.ServerAnnounce(server_identifier=9), "0a 00 0008 00000009"),
    ],
    "ASAP-039": [(wire.Cookie(cookie=b"abc"), f"0b 00 000b {COOKIE}")],
    "ASAP-040": [(wire.CookieEcho(cookie=b"abc"), f"0c 00 000b {COOKIE}")],
    "ASAP-041": [
        (
            wire.BusinessCard(pool_handle=b"pool", pool_elements=[element, element]),
            f"0d 00 0064 {HANDLE} {ELEMENT} {ELEMENT}",
        )
    ],
    "ASAP-042": [(wire.AsapError(error_causes=causes), f"0e 00 000c {ERROR}")],
}
pool = wire.PoolEntry(pool_handle=b"pool", pool_elements=[element])
ENRP = {
    "ENRP-004": [
        (wire.Presence(**both), f"01 00 000c {BOTH}"),
        (
            wire.Presence(**both, pe_checksum=0xABCD, server_information=information),
            f"01 00 002c {BOTH} 000f 0006 abcd 0000 {INFORMATION}",
        ),
    ],
    "ENRP-005": [(wire.Presence(**both, reply_required=True), f"01 01 000c {BOTH}")],
    "ENRP-011": [
        (wire.HandleTableRequest(**both), f"02 00 000c {BOTH}"),
        (wire.HandleTableRequest(**both, own_only=True), f"02 01 000c {BOTH}"),
    ],
    "ENRP-012": [
        (
            wire.HandleTableResponse(**both, pools=[pool, pool], more=True),
            f"03 02 0074 {BOTH} {HANDLE} {ELEMENT} {HANDLE} {ELEMENT}",
        ),
        (wire.HandleTableResponse(**both, reject=True), f"03 01 000c {BOTH}"),
        (wire.HandleTableResponse(**both), f"03 00 000c {BOTH}"),
    ],
    "ENRP-016": [
        (
            wire.HandleUpdate(
                **both, update_action=action, pool_handle=b"pool", pool_element=element
            ),
            f"04 00 0044 {BOTH} 000{action} 0000 {HANDLE} {ELEMENT}",
        )
        for action in (0, 1)
    ],
    "ENRP-019": [(wire.ListRequest(**both), f"05 00 000c {BOTH}")],
    "ENRP-020": [
        (wire.ListResponse(**both, servers=[information]), f"06 00 0024 {BOTH} {INFORMATION}"),
        (wire.ListResponse(**both, reject=True), f"06 01 000c {BOTH}"),
    ],
    "ENRP-022": [(wire.InitTakeover(**both, target=9), f"07 00 0010 {BOTH} 00000009")],
    "ENRP-023": [(wire.InitTakeoverAck(**both, target=9), f"08 00 0010 {BOTH} 00000009")],
    "ENRP-024": [(wire.TakeoverServer(**both, target=9), f"09 00 0010 {BOTH} 00000009")],
    "ENRP-025": [(wire.EnrpError(**both, error_causes=causes), f"0a 00 0014 {BOTH} {ERROR}")],
}


@requirement("ASAP-005")
@requirement("ASAP-009")
@requirement("ASAP-010")
@requirement("ASAP-012")
@requirement("ASAP-014")
@requirement("ASAP-015")
@requirement("ASAP-018")
@requirement("ASAP-020")
@requirement("ASAP-025")
@requirement("ASAP-026")
@requirement("ASAP-032")
@requirement("ASAP-035")
@requirement("ASAP-036")
@requirement("ASAP-037")
@requirement("ASAP-039")
@requirement("ASAP-040")
@requirement("ASAP-041")
@requirement("ASAP-042")
@requirement("COM-001")
@requirement("COM-023")
@requirement("COM-037")
@requirement("COM-045")
@requirement("COM-060")
@requirement("COM-063")
@pytest.mark.parametrize("row", ASAP)
def test_asap_messages_have_their_layout(row):
    for message, octets in ASAP[row]:
        assert message.encode() == bytes.fromhex(octets), message
        assert wire.decode(bytes.fromhex(octets), "asap") == message


@requirement("COM-001")
@requirement("ENRP-002")
@requirement("ENRP-003")
@requirement("ENRP-004")
@requirement("ENRP-005")
@requirement("ENRP-011")
@requirement("ENRP-012")
@requirement("ENRP-016")
@requirement("ENRP-018")
@requirement("ENRP-019")
@requirement("ENRP-020")
@requirement("ENRP-022")
@requirement("ENRP-023")
@requirement("ENRP-024")
@requirement("ENRP-025")
@requirement("COM-044")
@requirement("COM-061")
@pytest.mark.parametrize("row", ENRP)
def test_enrp_messages_have_their_layout(row):
    for message, octets in ENRP[row]:
        assert message.encode() == bytes.fromhex(octets), message
        assert wire.decode(bytes.fromhex(octets), "enrp") == message


@requirement("ENRP-015")
@requirement("ENRP-017")
@requirement("ASAP-038")
def test_what_the_rfcs_do_not_allow_is_not_sent():
    update, _ = ENRP["ENRP-016"][0]
    for action in (2, 7):
        with pytest.raises(wire.FieldError, match="action"):
            update.replace(update_action=action).encode()
    with pytest.raises(wire.FieldError, match="element"):
        empty = wire.PoolEntry(pool_handle=b"pool", pool_elements=[])
        wire.HandleTableResponse(**both, pools=[empty]).encode()
    for transport, allowed in (
        (wire.TcpTransport(port=1, addresses=["10.0.0.1"]), True),
        (wire.SctpTransport(port=1, addresses=["10.0.0.1"]), True),
        (wire.UdpTransport(port=1, addresses=["10.0.0.1"]), False),
        (wire.DccpTransport(port=1, service_code=1, addresses=["10.0.0.1"]), False),
    ):
        announcement = wire.ServerAnnounce(server_identifier=1, transports=[transport])
        if allowed:
            assert wire.decode(announcement.encode(), "asap") == announcement
        else:
            with pytest.raises(wire.FieldError, match="transports"):
                announcement.encode()


def _table(pools):
    """A HANDLE_TABLE_RESPONSE by hand."""
    body = bytes.fromhex(f"{BOTH} {pools}")
    return b"\x03\x00" + (4 + len(body)).to_bytes(2) + body


@requirement("ENRP-014")
@requirement("ENRP-015")
@requirement("ENRP-017")
@requirement("COM-049")
def test_what_the_rfcs_do_not_allow_is_not_taken():
    for action in ("0002", "0007", "ffff"):
        data = bytes.fromhex(f"04 00 0044 {BOTH} {action} 0000 {HANDLE} {ELEMENT}")
        received = wire.receive(data, "enrp", 7)
        assert received.message is None
        assert received.reply.error_causes[0].code == wire.Cause.INVALID_VALUES
    two = f"{HANDLE} {ELEMENT} {ELEMENT}"
    [pool] = wire.decode(_table(two), "enrp").pools
    assert len(pool.pool_elements) == 2
    # None, one before its handle, and a handle without one at either end.
    for pools in (
        HANDLE,
        f"{HANDLE} {HANDLE} {ELEMENT}",
        ELEMENT,
        f"{ELEMENT} {two}",
        f"{two} {HANDLE}",
    ):
        received = wire.receive(_table(pools), "enrp", 7)
        assert received.message is None
        assert received.reply.error_causes[0].code == wire.Cause.INVALID_VALUES
    unknown = ["c077 0008 77686174", "c078 0004"]
    body = bytes.fromhex(f"{HANDLE} {IDENTIFIER} {' '.join(unknown)}")
    received = wire.receive(b"\x02\x00" + (4 + len(body)).to_bytes(2) + body, "asap")
    assert received.message == wire.Deregistration(**named)
    cause = wire.Cause.UNRECOGNIZED_PARAMETER
    assert received.reply.error_causes == tuple(
        wire.ErrorCause(cause, bytes.fromhex(one)) for one in unknown
    )
