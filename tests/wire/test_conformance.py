"""Requirements of RFC 5352, 5353, 5354 and 5356 that a codec can show, by their ids."""

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rsim import wire
from rsim.wire import Cause
from tests.wire import strategies

requirement = pytest.mark.conformance

SCTP = wire.SctpTransport(port=80, addresses=["10.0.0.1"])
ELEMENT = wire.PoolElement(
    identifier=1, registration_life=30, user_transport=SCTP, policy=wire.Policy("round_robin")
)
DEREGISTRATION = wire.Deregistration(pool_handle=b"pool", pe_identifier=0x01020304)


def tlv(kind, value=b"", length=None):
    """A parameter by hand."""
    length = 4 + len(value) if length is None else length
    return kind.to_bytes(2) + length.to_bytes(2) + value + bytes(-len(value) % 4)


def message(kind, body=b"", flags=0):
    """A message by hand."""
    return bytes([kind, flags]) + (4 + len(body)).to_bytes(2) + body


def parameter_of(transport):
    """A transport's own bytes, from inside an encoded element."""
    data = wire.Registration(
        pool_handle=b"pool", pool_element=ELEMENT.replace(user_transport=transport)
    ).encode()
    start = 12 + 16
    return data[start : start + int.from_bytes(data[start + 2 : start + 4])]


def element_bytes(*children):
    """A pool element by hand around its children."""
    return tlv(0xA, bytes.fromhex("00000001000000000000001e") + b"".join(children))


def registration(*children):
    return message(1, tlv(9, b"pool") + element_bytes(*children))


SCTP_TLV = tlv(4, bytes.fromhex("00500000") + tlv(1, bytes([10, 0, 0, 1])))
POLICY_TLV = tlv(8, bytes.fromhex("00000001"))


def deregistration_with(parameter):
    return message(2, tlv(9, b"pool") + tlv(0xE, bytes([1, 2, 3, 4])) + parameter)


def check_refused(data, quoted=None, protocol="asap"):
    """The message has no effect and the sender is told cause 3."""
    received = wire.receive(data, protocol)
    assert received.message is None
    [cause] = received.reply.error_causes
    assert cause.code == Cause.INVALID_VALUES
    if quoted is not None:
        assert cause.information == quoted


@requirement("COM-001")
@requirement("ASAP-005")
@requirement("ENRP-002")
def test_numbers_are_in_network_byte_order():
    assert DEREGISTRATION.encode()[-4:] == bytes([1, 2, 3, 4])
    assert wire.ListRequest(sender=0x01020304, receiver=0).encode()[4:8] == bytes([1, 2, 3, 4])


@requirement("COM-002")
@requirement("COM-046")
@requirement("COM-049")
def test_container_counts_filler_between_children_only():
    unknown = tlv(0xC123, b"abc")[:7]
    causes = [wire.ErrorCause(Cause.UNRECOGNIZED_PARAMETER, unknown)] * 2
    data = wire.AsapError(error_causes=causes).encode()
    assert data[4:8] == bytes.fromhex("000c001b")
    assert len(data) - 4 == 28
    assert data[8:12] == bytes.fromhex("0001000b")
    assert wire.decode(data, "asap").error_causes == tuple(causes)


@requirement("COM-003")
@requirement("COM-004")
def test_parameter_is_type_length_value_and_an_empty_one_has_length_4():
    assert wire.Cookie(cookie=b"").encode()[4:] == bytes.fromhex("000d0004")
    assert wire.Cookie(cookie=b"abc").encode()[4:] == bytes.fromhex("000d000761626300")


@requirement("COM-005")
@requirement("COM-006")
def test_filler_is_zero_and_not_counted():
    data = wire.HandleResolution(pool_handle=b"hello").encode()
    assert data[4:] == bytes.fromhex("00090009") + b"hello" + bytes(3)


@requirement("COM-007")
@requirement("COM-066")
@requirement("COM-059")
@given(st.binary(max_size=1000))
@example(b"a\0b\0")
@example(bytes(range(256)))
@example(b"c" * 1000)
def test_filler_is_at_most_three_bytes_and_cookies_survive(cookie):
    data = wire.Cookie(cookie=cookie).encode()
    assert len(data) % 4 == 0
    assert 0 <= len(data) - int.from_bytes(data[2:4]) <= 3
    assert 0 <= len(data) - 4 - int.from_bytes(data[6:8]) <= 3
    assert wire.decode(data, "asap").cookie == cookie


def parameters(data):
    """Type, length field and whole octets of the parameters in some octets."""
    while data:
        length = int.from_bytes(data[2:4])
        whole = length + -length % 4
        yield int.from_bytes(data[:2]), length, data[:whole]
        data = data[whole:]


@requirement("COM-005")
@requirement("COM-006")
@requirement("COM-007")
@requirement("COM-010")
@requirement("COM-066")
@given(strategies.messages)
def test_filler_of_every_message_is_zero_and_at_most_three_octets(drawn):
    protocol, message = drawn
    data = message.encode()
    assert len(data) % 4 == 0
    end = int.from_bytes(data[2:4])
    assert 0 <= len(data) - end <= 3 and not any(data[end:])
    fixed = {("asap", 7): 8, ("asap", 10): 8, ("enrp", 4): 16, ("enrp", 7): 16}
    fixed |= {("enrp", 8): 16, ("enrp", 9): 16}
    body = data[fixed.get((protocol, data[0]), 4 if protocol == "asap" else 12) :]
    for kind, length, octets in parameters(body):
        # No ordinary parameter is of type 65535.
        assert kind != 0xFFFF and length >= 4
        assert len(octets) - length <= 3 and not any(octets[length:])


@requirement("COM-008")
@requirement("COM-067")
def test_content_of_filler_is_ignored():
    clean = wire.HandleResolution(pool_handle=b"hello").encode()
    dirty = clean[:-3] + bytes.fromhex("deadbe")
    assert wire.decode(dirty, "asap") == wire.decode(clean, "asap")
    inner = wire.Deregistration(pool_handle=b"hello", pe_identifier=1).encode()
    soiled = inner[:13] + bytes.fromhex("deadbe") + inner[16:]
    assert wire.decode(soiled, "asap") == wire.decode(inner, "asap")


@requirement("COM-009")
@pytest.mark.parametrize("length", [0, 1, 2, 3, 9, 0xFFFF])
def test_impossible_parameter_lengths_are_one_error(length):
    data = message(5, tlv(9, b"pool", length))
    with pytest.raises(wire.WireError) as error:
        wire.decode(data, "asap")
    assert error.value.offset == 4
    check_refused(data)
    if length < 4:
        check_refused(deregistration_with(tlv(0xBF00, b"abcd", length)))


@requirement("COM-010")
def test_type_65535_is_reserved():
    received = wire.receive(deregistration_with(tlv(0xFFFF, b"abcd")), "asap")
    assert received.message == DEREGISTRATION
    assert [c.code for c in received.reply.error_causes] == [Cause.UNRECOGNIZED_PARAMETER]
    assert b"\xff\xff" not in DEREGISTRATION.encode()


@requirement("COM-011")
@requirement("COM-015")
def test_unknown_parameter_00_drops_the_message():
    received = wire.receive(deregistration_with(tlv(0x3F00, b"abcd")), "asap")
    assert (received.message, received.reply) == (None, None)
    late = registration(SCTP_TLV, POLICY_TLV)[4:] + tlv(0x3F00)
    assert wire.receive(message(1, late), "asap").message is None


@requirement("COM-012")
@requirement("COM-048")
def test_unknown_parameter_01_drops_and_reports():
    unknown = tlv(0x7F00, b"abc")
    received = wire.receive(deregistration_with(unknown), "asap")
    assert received.message is None
    expected = wire.ErrorCause(Cause.UNRECOGNIZED_PARAMETER, unknown[:7])
    assert received.reply == wire.AsapError(error_causes=[expected])


@requirement("COM-013")
def test_unknown_parameter_10_is_skipped():
    received = wire.receive(deregistration_with(tlv(0xBF00, b"abc")), "asap")
    assert (received.message, received.reply) == (DEREGISTRATION, None)


@requirement("COM-014")
def test_unknown_parameter_11_is_skipped_and_reported():
    unknown = tlv(0xFF00, b"abcd")
    received = wire.receive(deregistration_with(unknown), "asap")
    assert received.message == DEREGISTRATION
    assert [c.information for c in received.reply.error_causes] == [unknown]


@requirement("COM-016")
def test_high_bits_count_at_every_depth():
    for kind, accepted in ((0xBF00, True), (0x3F00, False)):
        unknown = tlv(kind, b"abcd")
        inner = tlv(4, bytes.fromhex("00500000") + tlv(1, bytes([10, 0, 0, 1])) + unknown)
        for data in (
            registration(SCTP_TLV, unknown, POLICY_TLV),
            registration(inner, POLICY_TLV),
        ):
            received = wire.receive(data, "asap")
            assert (received.message is not None) is accepted
            assert received.reply is None


@requirement("COM-017")
def test_sixteen_types_are_known_and_the_next_is_not():
    for kind in range(0x1, 0x11):
        assert wire.receive(deregistration_with(tlv(kind, bytes(8))), "asap").reply is not None
    dropped = wire.receive(deregistration_with(tlv(0x11, bytes(8))), "asap")
    assert (dropped.message, dropped.reply) == (None, None)


@requirement("COM-018")
@requirement("COM-019")
def test_addresses_have_their_layout():
    assert parameter_of(SCTP)[8:] == bytes.fromhex("000100080a000001")
    v6 = parameter_of(wire.SctpTransport(port=1, addresses=["::1"]))
    assert v6[8:] == bytes.fromhex("00020014") + bytes(15) + b"\x01"


@requirement("COM-001")
@requirement("COM-020")
@requirement("COM-021")
@pytest.mark.parametrize(("address", "length"), [("10.0.0.1", 20), ("::1", 32)])
def test_dccp_transport(address, length):
    data = parameter_of(wire.DccpTransport(port=7, service_code=0x01020304, addresses=[address]))
    assert data[:12] == bytes.fromhex(f"0003{length:04x}00070000") + bytes([1, 2, 3, 4])
    assert len(data) == length
    taken = wire.decode(registration(data, POLICY_TLV), "asap").pool_element.user_transport
    assert (taken.port, taken.service_code, str(taken.addresses[0])) == (7, 0x01020304, address)
    two = tlv(3, data[4:] + data[12:])
    check_refused(registration(two, POLICY_TLV), two)
    none = tlv(3, data[4:12])
    check_refused(registration(none, POLICY_TLV), none)
    for addresses in ([], [address, address]):
        transport = wire.DccpTransport(port=7, service_code=1, addresses=addresses)
        with pytest.raises(wire.FieldError, match="user_transport"):
            parameter_of(transport)


@requirement("COM-023")
@requirement("COM-025")
@requirement("COM-026")
def test_sctp_transport_has_any_number_of_addresses_but_none():
    assert len(parameter_of(SCTP)) == 16
    mixed = ["10.0.0.1", "::1", "10.0.0.2", "2001:db8::1"]
    transport = wire.SctpTransport(port=80, addresses=mixed)
    assert parameter_of(transport)[:8] == bytes.fromhex("0004004000500000")
    data = wire.Registration(
        pool_handle=b"pool", pool_element=ELEMENT.replace(user_transport=transport)
    ).encode()
    decoded = wire.decode(data, "asap").pool_element.user_transport
    assert decoded.addresses == tuple(map(ipaddress.ip_address, mixed))
    empty = tlv(4, bytes.fromhex("00500000"))
    check_refused(registration(empty, POLICY_TLV), empty)
    with pytest.raises(wire.FieldError, match="at least one"):
        parameter_of(wire.SctpTransport(port=80, addresses=[]))


@requirement("COM-024")
@requirement("COM-051")
def test_transport_use_is_0_or_1():
    bad = tlv(4, bytes.fromhex("00500007") + tlv(1, bytes([10, 0, 0, 1])))
    check_refused(registration(bad, POLICY_TLV), bad)
    with pytest.raises(wire.FieldError, match="use"):
        wire.SctpTransport(port=80, addresses=["10.0.0.1"], use=2)


@requirement("COM-027")
@requirement("COM-029")
@requirement("COM-031")
@requirement("COM-033")
@pytest.mark.parametrize(
    ("cls", "kind"), [(wire.TcpTransport, 5), (wire.UdpTransport, 6), (wire.UdpLiteTransport, 7)]
)
def test_transports_with_one_address_and_a_reserved_field(cls, kind):
    for address, length in (("10.0.0.1", 16), ("::1", 28)):
        data = parameter_of(cls(port=80, addresses=[address]))
        assert data[:8] == bytes.fromhex(f"{kind:04x}{length:04x}00500000")
        assert len(data) == length
        reserved = data[:6] + bytes.fromhex("0002") + data[8:]
        element = wire.decode(registration(reserved, POLICY_TLV), "asap").pool_element
        assert parameter_of(element.user_transport) == data
        assert getattr(element.user_transport, "use", 0) == 0
        two = tlv(kind, data[4:] + data[8:])
        check_refused(registration(two, POLICY_TLV), two)


@requirement("COM-034")
@requirement("COM-035")
def test_policy_parameter_is_type_and_data():
    data = wire.Registration(
        pool_handle=b"pool",
        pool_element=ELEMENT.replace(policy=wire.Policy(0x80000001, data=b"hello")),
    ).encode()
    assert data[-16:] == bytes.fromhex("0008000d80000001") + b"hello" + bytes(3)
    assert wire.decode(data, "asap").pool_element.policy.data == b"hello"


@requirement("COM-036")
def test_all_octets_of_a_handle_count():
    short, long = (wire.HandleResolution(pool_handle=h) for h in (b"a", b"a\0"))
    assert wire.decode(short.encode(), "asap").pool_handle == b"a"
    assert wire.decode(long.encode(), "asap").pool_handle == b"a\0"
    assert short != long


@requirement("COM-037")
@requirement("COM-043")
def test_pool_element_layout_and_roles_of_its_transports():
    element = wire.PoolElement(
        identifier=0x11111111,
        home_server=0x22222222,
        registration_life=0x33333333,
        user_transport=SCTP,
        policy=wire.Policy("random"),
        asap_transport=wire.SctpTransport(port=81, addresses=["10.0.0.2"]),
    )
    data = wire.Registration(pool_handle=b"pool", pool_element=element).encode()[12:]
    assert data[4:16] == b"\x11" * 4 + b"\x22" * 4 + b"\x33" * 4
    assert [data[i : i + 2] for i in (0, 16, 32, 40)] == [b"\0\x0a", b"\0\4", b"\0\x08", b"\0\4"]
    back = wire.decode(message(1, tlv(9, b"pool") + data), "asap").pool_element
    assert (back.user_transport.port, back.asap_transport.port) == (80, 81)


@requirement("COM-039")
def test_registration_life_is_signed():
    data = registration(SCTP_TLV, POLICY_TLV).replace(
        bytes.fromhex("0000001e"), bytes.fromhex("ffffffff")
    )
    assert wire.decode(data, "asap").pool_element.registration_life == -1
    endless = ELEMENT.replace(registration_life=-1)
    assert wire.Registration(pool_handle=b"pool", pool_element=endless).encode() == data


@requirement("COM-040")
def test_one_user_transport_no_more_no_less():
    check_refused(registration(POLICY_TLV))
    check_refused(registration(SCTP_TLV, SCTP_TLV, POLICY_TLV), SCTP_TLV)


@requirement("COM-041")
@requirement("COM-062")
@pytest.mark.parametrize(
    "transport",
    [
        SCTP,
        wire.DccpTransport(port=1, service_code=2, addresses=["10.0.0.1"]),
        wire.TcpTransport(port=1, addresses=["10.0.0.1"]),
        wire.UdpTransport(port=1, addresses=["10.0.0.1"]),
        wire.UdpLiteTransport(port=1, addresses=["10.0.0.1"]),
        wire.OpaqueTransport(data=b"only mine"),
    ],
    ids=lambda transport: type(transport).__name__,
)
def test_every_kind_of_user_transport_survives(transport):
    element = ELEMENT.replace(user_transport=transport)
    data = wire.Registration(pool_handle=b"pool", pool_element=element).encode()
    back = wire.decode(data, "asap").pool_element.user_transport
    assert back == transport
    assert type(back) is type(transport)
    opaque = isinstance(transport, wire.OpaqueTransport)
    assert (back.hosts, back.port) == (transport.hosts, transport.port)
    assert (back.hosts == ()) == (back.port == 0) == opaque


@requirement("COM-042")
def test_asap_transport_is_sctp():
    tcp = tlv(5, bytes.fromhex("00500000") + tlv(1, bytes([10, 0, 0, 1])))
    check_refused(registration(SCTP_TLV, POLICY_TLV, tcp), tcp)
    for cls in (wire.TcpTransport, wire.UdpTransport):
        with pytest.raises((wire.FieldError, TypeError)):
            element = ELEMENT.replace(asap_transport=cls(port=80, addresses=["10.0.0.1"]))
            wire.Registration(pool_handle=b"pool", pool_element=element).encode()


@requirement("COM-044")
def test_server_information():
    information = wire.ServerInformation(server_identifier=7, transport=SCTP)
    data = wire.ListResponse(sender=1, receiver=2, servers=[information]).encode()
    assert data[12:20] == bytes.fromhex("000b001800000007")
    check_refused(message(6, bytes(8) + tlv(0xB, bytes(4))), protocol="enrp")


@requirement("COM-045")
def test_operation_error_holds_causes():
    check_refused(message(4, tlv(9, b"pool") + tlv(0xE, bytes(4)) + tlv(0xC)), tlv(0xC))
    with pytest.raises(wire.FieldError, match="error_causes"):
        wire.AsapError(error_causes=[]).encode()
    causes = [wire.ErrorCause(9), wire.ErrorCause(6)]
    data = wire.AsapError(error_causes=causes).encode()
    assert wire.decode(data, "asap").error_causes == tuple(causes)


@requirement("COM-047")
def test_unspecified_cause_is_empty():
    data = wire.AsapError(error_causes=[wire.ErrorCause(0)]).encode()
    assert data[8:] == bytes.fromhex("00000004")


@requirement("COM-050")
def test_unknown_message_is_quoted_up_to_a_limit():
    data = message(0x5F, bytes(3000))
    [cause] = wire.receive(data, "asap").reply.error_causes
    assert cause == wire.ErrorCause(Cause.UNRECOGNIZED_MESSAGE, data[:1400])


@requirement("COM-060")
def test_pe_identifier_parameter():
    assert DEREGISTRATION.encode()[-8:-4] == bytes.fromhex("000e0008")
    long = tlv(0xE, bytes(8))
    check_refused(message(2, tlv(9, b"pool") + long), long)


@requirement("COM-061")
def test_pe_checksum_parameter():
    data = wire.Presence(sender=1, receiver=2, pe_checksum=0xABCD).encode()
    assert data[12:] == bytes.fromhex("000f0006abcd0000")
    assert int.from_bytes(data[2:4]) == 18


@requirement("COM-063")
@requirement("COM-064")
def test_common_header():
    assert wire.HandleResolution(pool_handle=b"pool", send_updates=True).encode()[:4] == bytes(
        [5, 1, 0, 12]
    )
    for length in (0, 3):
        received = wire.receive(bytes([5, 0, 0, length]), "asap")
        assert (received.message, received.reply) == (None, None)


@requirement("COM-065")
def test_message_length_without_and_with_filler():
    resolution = wire.HandleResolution(pool_handle=b"hello")
    literal, padded = (
        resolution.encode(d) for d in (wire.Dialect.RFC, wire.Dialect.PADDED_MESSAGE_LENGTH)
    )
    assert (literal[3], padded[3]) == (13, 16)
    assert len(literal) == len(padded) == 16
    assert wire.decode(literal, "asap") == wire.decode(padded, "asap") == resolution


@requirement("COM-068")
def test_undefined_flags_are_sent_as_zero_and_ignored():
    data = DEREGISTRATION.encode()
    assert data[1] == 0
    assert wire.decode(data[:1] + b"\xff" + data[2:], "asap") == DEREGISTRATION


@requirement("COM-069")
@requirement("COM-070")
@requirement("COM-072")
@requirement("ASAP-009")
@requirement("ENRP-003")
def test_unknown_message_types_are_dropped_or_reported_by_their_bits():
    silent = {0x00, 0x0F, 0x1F, 0x3F, 0x80, 0xBF, 0xC0, 0xFF}
    for protocol, last in (("asap", 0x0E), ("enrp", 0x0A)):
        for kind in silent | {0x10}:
            received = wire.receive(message(kind, bytes(8)), protocol)
            assert (received.message, received.reply) == (None, None), kind
        types = {
            getattr(cls, "type_code", None)
            for cls in vars(wire).values()
            if wire_protocol(cls) == protocol
        }
        assert types == set(range(1, last + 1))


def wire_protocol(cls):
    """Protocol of a message class, None for anything else."""
    return getattr(cls, "protocol", None)


@requirement("COM-071")
def test_unknown_message_with_bits_01_is_reported():
    received = wire.receive(message(0x5F), "asap")
    assert received.message is None
    quoted = wire.ErrorCause(Cause.UNRECOGNIZED_MESSAGE, message(0x5F))
    assert received.reply == wire.AsapError(error_causes=[quoted])
    received = wire.receive(message(0x60, bytes([0, 0, 0, 9, 0, 0, 0, 7])), "enrp", 7)
    assert received.message is None
    enrp = received.reply
    assert (enrp.sender, enrp.receiver) == (7, 9)
    assert enrp.error_causes[0].code == Cause.UNRECOGNIZED_MESSAGE


@requirement("COM-073")
def test_a_message_is_at_most_65535_bytes():
    elements = [ELEMENT.replace(identifier=i) for i in range(3000)]
    answer = wire.HandleResolutionResponse(pool_handle=b"pool", pool_elements=elements)
    with pytest.raises(wire.FieldError, match="65535"):
        answer.encode()
    answer.replace(pool_elements=elements[:1600]).encode()
    # To the octet: 8 octets stand before the content of a handle or of a cookie.
    for field, message in (
        ("pool_handle", lambda octets: wire.HandleResolution(pool_handle=octets)),
        ("cookie", lambda octets: wire.Cookie(cookie=octets)),
    ):
        data = message(bytes(65_535 - 8)).encode()
        assert data[2:4] == b"\xff\xff" and len(data) == 65_536
        for more in (1, 2, 900):
            with pytest.raises(wire.FieldError, match=f"{field}.*65535"):
                message(bytes(65_535 - 8 + more)).encode()
    # The handle alone has room, but not the identifier of 8 octets behind it.
    fits, too_long = (
        wire.Deregistration(pool_handle=bytes(65_536 - 16 - less), pe_identifier=1)
        for less in (4, 0)
    )
    assert len(fits.encode()) == 65_532
    with pytest.raises(wire.FieldError, match="65535"):
        too_long.encode()


@requirement("COM-074")
def test_bytes_do_not_tell_who_made_them():
    assert (
        registration(SCTP_TLV, POLICY_TLV)
        == wire.Registration(pool_handle=b"pool", pool_element=ELEMENT).encode()
    )


@requirement("ASAP-042")
def test_asap_error_holds_one_operation_error():
    data = wire.AsapError(error_causes=[wire.ErrorCause(3)]).encode()
    assert data[0] == 0x0E
    assert data[4:6] == bytes.fromhex("000c")
    check_silence(message(0x0E, tlv(0xC, bytes.fromhex("00030004")) * 2))
    with pytest.raises(wire.FieldError):
        wire.AsapError(error_causes=[]).encode()


def check_silence(data, protocol="asap"):
    received = wire.receive(data, protocol)
    assert (received.message, received.reply) == (None, None)


@requirement("ASAP-044")
def test_an_error_is_never_answered_by_an_error():
    check_silence(message(0x0E, tlv(0xC)))
    check_silence(message(0x0E, tlv(0x7F00)))
    check_silence(message(0x0A, bytes(8) + tlv(0xC)), "enrp")
    skipped = wire.AsapError(error_causes=[wire.ErrorCause(3)]).encode()[4:] + tlv(0xFF00)
    assert wire.receive(message(0x0E, skipped), "asap").reply is None


@requirement("ASAP-193")
@requirement("ENRP-106")
@requirement("ASAP-160")
@requirement("ENRP-107")
def test_ports_and_payload_protocol_identifiers():
    assert (wire.ASAP_PORT, wire.ASAP_TLS_PORT) == (3863, 3864)
    assert (wire.ENRP_PORT, wire.ENRP_TLS_PORT) == (9901, 9902)
    assert (wire.PPID_ASAP, wire.PPID_ENRP) == (11, 12)


POLICY_BYTES = {
    "round_robin": "0008000800000001",
    "weighted_round_robin": "0008000c0000000200000005",
    "random": "0008000800000003",
    "weighted_random": "0008000c0000000400000005",
    "priority": "0008000c0000000500000005",
    "least_used": "0008000c4000000100000005",
    "least_used_degradation": "00080010400000020000000500000006",
    "priority_least_used": "00080010400000030000000500000006",
    "randomized_least_used": "0008000c4000000400000005",
}


@requirement("COM-001")
@requirement("POL-006")
@requirement("POL-011")
@requirement("POL-014")
@requirement("POL-018")
@requirement("POL-021")
@requirement("POL-026")
@requirement("POL-030")
@requirement("POL-034")
@requirement("POL-037")
@pytest.mark.parametrize("name", POLICY_BYTES)
def test_policies_have_their_layout(name):
    values = dict(zip(wire.policy_values(name), (5, 6), strict=False))
    element = ELEMENT.replace(policy=wire.Policy(name, **values))
    data = wire.Registration(pool_handle=b"pool", pool_element=element).encode()
    assert data.endswith(bytes.fromhex(POLICY_BYTES[name]))
    for length in (-4, 4):
        wrong = bytes.fromhex(POLICY_BYTES[name])[4:] + bytes(max(0, length))
        check_refused(registration(SCTP_TLV, tlv(8, wrong[:length] if length < 0 else wrong)))


@requirement("POL-038")
def test_policy_type_says_private_and_adaptive():
    for name, code in wire.policy_types().items():
        assert bool(code & 0x80000000) == (name not in POLICY_BYTES)
    adaptive = {n for n in POLICY_BYTES if wire.policy_types()[n] & 0x40000000}
    assert adaptive == {n for n in POLICY_BYTES if "least_used" in n}
    # All 32 bits go out and come in.
    for code in (0x80000001, 0xC0000001, 0xFFFFFFFF):
        policy = wire.Policy(code, data=b"four")
        element = ELEMENT.replace(policy=policy)
        data = wire.Registration(pool_handle=b"pool", pool_element=element).encode()
        assert data[-8:] == code.to_bytes(4) + b"four"
        assert wire.decode(data, "asap").pool_element.policy == policy


@requirement("POL-039")
@pytest.mark.parametrize("code", [0x00000000, 0x40000000])
def test_invalid_policy_types_are_refused(code):
    bad = tlv(8, code.to_bytes(4))
    check_refused(registration(SCTP_TLV, bad), bad)
    with pytest.raises(wire.FieldError, match="policy"):
        element = ELEMENT.replace(policy=wire.Policy(code))
        wire.Registration(pool_handle=b"pool", pool_element=element).encode()
