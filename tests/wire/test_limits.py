"""What can't be represented is refused by name of the field, before any byte is sent."""

import pytest

from rsim import wire

SCTP = wire.SctpTransport(port=1, addresses=["10.0.0.1"])
ELEMENT = wire.PoolElement(identifier=1, user_transport=SCTP, policy=wire.Policy("random"))


def register(**changes):
    return wire.Registration(pool_handle=b"pool", pool_element=ELEMENT.replace(**changes)).encode()


@pytest.mark.parametrize(
    ("field", "attempt"),
    [
        ("pool_handle", lambda: wire.HandleResolution(pool_handle=bytes(65532)).encode()),
        ("pool_handle", lambda: wire.HandleResolution(pool_handle=b"").encode()),
        ("cookie", lambda: wire.Cookie(cookie=bytes(65536)).encode()),
        ("port", lambda: wire.SctpTransport(port=65536, addresses=["10.0.0.1"])),
        ("port", lambda: wire.UdpTransport(port=-1, addresses=["10.0.0.1"])),
        ("addresses", lambda: wire.SctpTransport(port=1, addresses=["10.0.0"])),
        (
            "user_transport",
            lambda: register(
                user_transport=wire.TcpTransport(port=1, addresses=["10.0.0.1", "10.0.0.2"])
            ),
        ),
        (
            "user_transport",
            lambda: register(user_transport=wire.SctpTransport(port=1, addresses=[])),
        ),
        ("identifier", lambda: ELEMENT.replace(identifier=2**32)),
        ("identifier", lambda: ELEMENT.replace(identifier=2**70)),
        ("registration_life", lambda: ELEMENT.replace(registration_life=2**31)),
        ("load", lambda: wire.Policy("least_used", load=2**32)),
        ("load", lambda: wire.Policy("least_used")),
        ("weight", lambda: wire.Policy("least_used", load=1, weight=1)),
        ("type", lambda: wire.Policy("leased_used")),
        ("data", lambda: wire.Policy("random", data=b"x")),
        ("code", lambda: wire.ErrorCause(65536)),
        ("pe_checksum", lambda: wire.Presence(sender=1, receiver=2, pe_checksum=65536)),
        (
            "update_action",
            lambda: wire.HandleUpdate(
                sender=1, receiver=2, update_action=2, pool_handle=b"p", pool_element=ELEMENT
            ),
        ),
        (
            "transports",
            lambda: wire.ServerAnnounce(
                server_identifier=1,
                transports=[wire.UdpTransport(port=1, addresses=["10.0.0.1"])],
            ).encode(),
        ),
        ("protocol", lambda: wire.decode(b"", "sctp")),
        (
            "HandleResolutionResponse",
            lambda: wire.HandleResolutionResponse(pool_handle=b"pool").encode(),
        ),
        (
            "pools",
            lambda: wire.HandleTableResponse(
                sender=1,
                receiver=2,
                pools=[wire.PoolEntry(pool_handle=b"p", pool_elements=[])],
            ).encode(),
        ),
    ],
)
def test_field_is_named(field, attempt):
    with pytest.raises(wire.FieldError) as error:
        attempt()
    assert error.value.field.startswith(field)
    assert str(error.value).startswith(field)


def test_an_interrupt_while_an_address_is_parsed_is_no_fault_of_the_address():
    class Interrupted:
        def __str__(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wire.SctpTransport(port=1, addresses=[Interrupted()])


def test_longest_handle_fits():
    data = wire.HandleResolution(pool_handle=bytes(65527)).encode()
    assert wire.decode(data, "asap").pool_handle == bytes(65527)


def test_values_are_immutable():
    with pytest.raises(AttributeError):
        ELEMENT.identifier = 5
    with pytest.raises(AttributeError):
        wire.Cookie(cookie=b"").cookie = b"x"
