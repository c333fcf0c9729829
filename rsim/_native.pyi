"""Native codec and handlespace of rsim."""

from collections.abc import Iterable, Sequence
import enum
import ipaddress
from typing import Any, Self

import numpy.random


class Transport:
    """A transport address of any kind (RFC 5354 3.3 to 3.7, 3.16)."""

class SctpTransport(Transport):
    """SCTP transport (RFC 5354 3.4); addresses may mix families."""

    def __init__(self, *, port: int, addresses: Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address | str], use: int = 0) -> None: ...

    @property
    def port(self) -> int: ...

    @property
    def addresses(self) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]: ...

    @property
    def use(self) -> int:
        """0: data only; 1: data plus control."""

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class TcpTransport(Transport):
    """
    TCP transport (RFC 5354 3.5). `use` stands for rsplib's use of the reserved field; the RFC encoding leaves it 0.
    """

    def __init__(self, *, port: int, addresses: Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address | str], use: int = 0) -> None: ...

    @property
    def port(self) -> int: ...

    @property
    def addresses(self) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]: ...

    @property
    def use(self) -> int:
        """0: data only; 1: data plus control."""

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class UdpTransport(Transport):
    """UDP transport (RFC 5354 3.6)."""

    def __init__(self, *, port: int, addresses: Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address | str]) -> None: ...

    @property
    def port(self) -> int: ...

    @property
    def addresses(self) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class UdpLiteTransport(Transport):
    """UDP-Lite transport (RFC 5354 3.7)."""

    def __init__(self, *, port: int, addresses: Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address | str]) -> None: ...

    @property
    def port(self) -> int: ...

    @property
    def addresses(self) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class DccpTransport(Transport):
    """DCCP transport (RFC 5354 3.3)."""

    def __init__(self, *, port: int, service_code: int, addresses: Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address | str]) -> None: ...

    @property
    def port(self) -> int: ...

    @property
    def addresses(self) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]: ...

    @property
    def service_code(self) -> int: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class OpaqueTransport(Transport):
    """
    Opaque transport (RFC 5354 3.16): octets that only the application understands.
    """

    def __init__(self, *, data: bytes) -> None: ...

    @property
    def data(self) -> bytes: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class Policy:
    """
    Pool member selection policy (RFC 5354 3.8, RFC 5356).

    `type` is a policy's name or type code; a known type takes exactly its own values, each a
    32-bit integer (loads: 0 to 0xffffffff is 0 to 100%), any other type takes `data`.
    """

    def __init__(self, type: int | str, *, weight: int | None = None, priority: int | None = None, load: int | None = None, load_degradation: int | None = None, load_dpf: int | None = None, weight_dpf: int | None = None, distance: int | None = None, data: bytes = b'') -> None: ...

    @property
    def type(self) -> int:
        """Type code."""

    @property
    def name(self) -> str | None:
        """Name of the type, None for types unknown here."""

    @property
    def weight(self) -> int | None:
        """Weight, for the weighted policies."""

    @property
    def priority(self) -> int | None:
        """Priority, larger first."""

    @property
    def load(self) -> int | None:
        """Load, 0xffffffff is 100%."""

    @property
    def load_degradation(self) -> int | None:
        """Load added per selection or by one more request."""

    @property
    def load_dpf(self) -> int | None:
        """Distance penalty factor of the load."""

    @property
    def weight_dpf(self) -> int | None:
        """Distance penalty factor of the weight."""

    @property
    def distance(self) -> int | None:
        """Distance in ms."""

    @property
    def data(self) -> bytes:
        """Data of a type unknown here, else empty."""

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """Name, type code and values, JSON-ready."""

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

class PoolElement:
    """
    Pool element (RFC 5354 3.10). `registration_life` is in seconds, -1 for ever; `home_server` 0 is unknown.
    """

    def __init__(self, *, identifier: int, user_transport: Transport, policy: Policy, home_server: int = 0, registration_life: int = -1, asap_transport: SctpTransport | None = None) -> None: ...

    @property
    def identifier(self) -> int: ...

    @property
    def home_server(self) -> int: ...

    @property
    def registration_life(self) -> int:
        """Seconds; -1: for ever."""

    @property
    def user_transport(self) -> Transport: ...

    @property
    def policy(self) -> Policy: ...

    @property
    def asap_transport(self) -> SctpTransport | None: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class ServerInformation:
    """Server information (RFC 5354 3.11)."""

    def __init__(self, *, server_identifier: int, transport: SctpTransport) -> None: ...

    @property
    def server_identifier(self) -> int: ...

    @property
    def transport(self) -> SctpTransport: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class ErrorCause:
    """Error cause (RFC 5354 3.12): code and cause-specific information."""

    def __init__(self, code: int, information: bytes = ...) -> None: ...

    @property
    def code(self) -> int: ...

    @property
    def information(self) -> bytes: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class PoolEntry:
    """A pool and elements of it, as handle tables list them (RFC 5353 2.3)."""

    def __init__(self, *, pool_handle: bytes, pool_elements: Sequence[PoolElement]) -> None: ...

    @property
    def pool_handle(self) -> bytes: ...

    @property
    def pool_elements(self) -> tuple[PoolElement, ...]: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

def policy_types() -> dict[str, int]:
    """Type codes of the policies that the codec takes apart, by name."""

class Registration:
    """ASAP_REGISTRATION (RFC 5352 2.2.1)."""

    def __init__(self, *, pool_handle: bytes, pool_element: PoolElement) -> None: ...

    type_code: int = 1

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def pool_handle(self) -> bytes: ...

    @property
    def pool_element(self) -> PoolElement: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class Deregistration:
    """ASAP_DEREGISTRATION (RFC 5352 2.2.2)."""

    def __init__(self, *, pool_handle: bytes, pe_identifier: int) -> None: ...

    type_code: int = 2

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def pool_handle(self) -> bytes: ...

    @property
    def pe_identifier(self) -> int: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class RegistrationResponse:
    """ASAP_REGISTRATION_RESPONSE (RFC 5352 2.2.3)."""

    def __init__(self, *, pool_handle: bytes, pe_identifier: int, reject: bool = False, error_causes: Sequence[ErrorCause] = ()) -> None: ...

    type_code: int = 3

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def reject(self) -> bool:
        """R bit."""

    @property
    def pool_handle(self) -> bytes: ...

    @property
    def pe_identifier(self) -> int: ...

    @property
    def error_causes(self) -> tuple[ErrorCause, ...]: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class DeregistrationResponse:
    """ASAP_DEREGISTRATION_RESPONSE (RFC 5352 2.2.4)."""

    def __init__(self, *, pool_handle: bytes, pe_identifier: int, error_causes: Sequence[ErrorCause] = ()) -> None: ...

    type_code: int = 4

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def pool_handle(self) -> bytes: ...

    @property
    def pe_identifier(self) -> int: ...

    @property
    def error_causes(self) -> tuple[ErrorCause, ...]: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class HandleResolution:
    """
    ASAP_HANDLE_RESOLUTION (RFC 5352 2.2.5). `items` is the extension 0x803f: elements wanted.
    """

    def __init__(self, *, pool_handle: bytes, send_updates: bool = False, items: int | None = None) -> None: ...

    type_code: int = 5

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def send_updates(self) -> bool:
        """S bit."""

    @property
    def pool_handle(self) -> bytes: ...

    @property
    def items(self) -> int | None: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class HandleResolutionResponse:
    """ASAP_HANDLE_RESOLUTION_RESPONSE (RFC 5352 2.2.6)."""

    def __init__(self, *, pool_handle: bytes, pool_elements: Sequence[PoolElement] = (), policy: Policy | None = None, accept_updates: bool = False, error_causes: Sequence[ErrorCause] = ()) -> None: ...

    type_code: int = 6

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def accept_updates(self) -> bool:
        """A bit."""

    @property
    def pool_handle(self) -> bytes: ...

    @property
    def policy(self) -> Policy | None:
        """Overall policy of the pool; None stands for round robin."""

    @property
    def pool_elements(self) -> tuple[PoolElement, ...]: ...

    @property
    def error_causes(self) -> tuple[ErrorCause, ...]: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class EndpointKeepAlive:
    """
    ASAP_ENDPOINT_KEEP_ALIVE (RFC 5352 2.2.7). `pe_identifier` is an extension of rsplib.
    """

    def __init__(self, *, server_identifier: int, pool_handle: bytes, home: bool = False, pe_identifier: int | None = None) -> None: ...

    type_code: int = 7

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def home(self) -> bool:
        """H bit: the sender is the new home server."""

    @property
    def server_identifier(self) -> int: ...

    @property
    def pool_handle(self) -> bytes: ...

    @property
    def pe_identifier(self) -> int | None: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class EndpointKeepAliveAck:
    """ASAP_ENDPOINT_KEEP_ALIVE_ACK (RFC 5352 2.2.8)."""

    def __init__(self, *, pool_handle: bytes, pe_identifier: int) -> None: ...

    type_code: int = 8

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def pool_handle(self) -> bytes: ...

    @property
    def pe_identifier(self) -> int: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class EndpointUnreachable:
    """ASAP_ENDPOINT_UNREACHABLE (RFC 5352 2.2.9)."""

    def __init__(self, *, pool_handle: bytes, pe_identifier: int) -> None: ...

    type_code: int = 9

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def pool_handle(self) -> bytes: ...

    @property
    def pe_identifier(self) -> int: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class ServerAnnounce:
    """ASAP_SERVER_ANNOUNCE (RFC 5352 2.2.10)."""

    def __init__(self, *, server_identifier: int, transports: Sequence[Transport] = ()) -> None: ...

    type_code: int = 10

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def server_identifier(self) -> int: ...

    @property
    def transports(self) -> tuple[Transport, ...]: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class Cookie:
    """ASAP_COOKIE (RFC 5352 2.2.11)."""

    def __init__(self, *, cookie: bytes) -> None: ...

    type_code: int = 11

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def cookie(self) -> bytes: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class CookieEcho:
    """ASAP_COOKIE_ECHO (RFC 5352 2.2.12)."""

    def __init__(self, *, cookie: bytes) -> None: ...

    type_code: int = 12

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def cookie(self) -> bytes: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class BusinessCard:
    """
    ASAP_BUSINESS_CARD (RFC 5352 2.2.13), elements in order of preference. `policy` is an extension of rsplib.
    """

    def __init__(self, *, pool_handle: bytes, pool_elements: Sequence[PoolElement], policy: Policy | None = None) -> None: ...

    type_code: int = 13

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def pool_handle(self) -> bytes: ...

    @property
    def pool_elements(self) -> tuple[PoolElement, ...]: ...

    @property
    def policy(self) -> Policy | None: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class AsapError:
    """ASAP_ERROR (RFC 5352 2.2.14)."""

    def __init__(self, *, error_causes: Sequence[ErrorCause]) -> None: ...

    type_code: int = 14

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def error_causes(self) -> tuple[ErrorCause, ...]: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class Presence:
    """ENRP_PRESENCE (RFC 5353 2.1)."""

    def __init__(self, *, sender: int, receiver: int, reply_required: bool = False, pe_checksum: int | None = None, server_information: ServerInformation | None = None) -> None: ...

    type_code: int = 1

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def reply_required(self) -> bool: ...

    @property
    def sender(self) -> int:
        """Identifier of the sending server."""

    @property
    def receiver(self) -> int:
        """Identifier of the receiving server, 0 for all."""

    @property
    def pe_checksum(self) -> int | None:
        """Checksum over the sender's pool elements (RFC 5353 3.6.2)."""

    @property
    def server_information(self) -> ServerInformation | None: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class HandleTableRequest:
    """ENRP_HANDLE_TABLE_REQUEST (RFC 5353 2.2)."""

    def __init__(self, *, sender: int, receiver: int, own_only: bool = False) -> None: ...

    type_code: int = 2

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def own_only(self) -> bool:
        """W bit: only elements that the receiver owns."""

    @property
    def sender(self) -> int:
        """Identifier of the sending server."""

    @property
    def receiver(self) -> int:
        """Identifier of the receiving server, 0 for all."""

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class HandleTableResponse:
    """ENRP_HANDLE_TABLE_RESPONSE (RFC 5353 2.3)."""

    def __init__(self, *, sender: int, receiver: int, pools: Sequence[PoolEntry] = (), reject: bool = False, more: bool = False) -> None: ...

    type_code: int = 3

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def reject(self) -> bool:
        """R bit."""

    @property
    def more(self) -> bool:
        """M bit: ask again for what follows."""

    @property
    def sender(self) -> int:
        """Identifier of the sending server."""

    @property
    def receiver(self) -> int:
        """Identifier of the receiving server, 0 for all."""

    @property
    def pools(self) -> tuple[PoolEntry, ...]: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class HandleUpdate:
    """
    ENRP_HANDLE_UPDATE (RFC 5353 2.4); action 0 adds, 1 deletes. `takeover_suggested` is draft-dreibholz-rserpool-enrp-takeover.
    """

    def __init__(self, *, sender: int, receiver: int, update_action: int, pool_handle: bytes, pool_element: PoolElement, takeover_suggested: bool = False) -> None: ...

    type_code: int = 4

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def takeover_suggested(self) -> bool:
        """T bit of the draft."""

    @property
    def sender(self) -> int:
        """Identifier of the sending server."""

    @property
    def receiver(self) -> int:
        """Identifier of the receiving server, 0 for all."""

    @property
    def update_action(self) -> int:
        """0: add the element; 1: delete it."""

    @property
    def pool_handle(self) -> bytes: ...

    @property
    def pool_element(self) -> PoolElement: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class ListRequest:
    """ENRP_LIST_REQUEST (RFC 5353 2.5)."""

    def __init__(self, *, sender: int, receiver: int) -> None: ...

    type_code: int = 5

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def sender(self) -> int:
        """Identifier of the sending server."""

    @property
    def receiver(self) -> int:
        """Identifier of the receiving server, 0 for all."""

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class ListResponse:
    """ENRP_LIST_RESPONSE (RFC 5353 2.6)."""

    def __init__(self, *, sender: int, receiver: int, servers: Sequence[ServerInformation] = (), reject: bool = False) -> None: ...

    type_code: int = 6

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def reject(self) -> bool:
        """R bit."""

    @property
    def sender(self) -> int:
        """Identifier of the sending server."""

    @property
    def receiver(self) -> int:
        """Identifier of the receiving server, 0 for all."""

    @property
    def servers(self) -> tuple[ServerInformation, ...]: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class InitTakeover:
    """ENRP_INIT_TAKEOVER (RFC 5353 2.7)."""

    def __init__(self, *, sender: int, receiver: int, target: int) -> None: ...

    type_code: int = 7

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def sender(self) -> int:
        """Identifier of the sending server."""

    @property
    def receiver(self) -> int:
        """Identifier of the receiving server, 0 for all."""

    @property
    def target(self) -> int:
        """Identifier of the server to be taken over."""

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class InitTakeoverAck:
    """ENRP_INIT_TAKEOVER_ACK (RFC 5353 2.8)."""

    def __init__(self, *, sender: int, receiver: int, target: int) -> None: ...

    type_code: int = 8

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def sender(self) -> int:
        """Identifier of the sending server."""

    @property
    def receiver(self) -> int:
        """Identifier of the receiving server, 0 for all."""

    @property
    def target(self) -> int:
        """Identifier of the server to be taken over."""

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class TakeoverServer:
    """ENRP_TAKEOVER_SERVER (RFC 5353 2.9)."""

    def __init__(self, *, sender: int, receiver: int, target: int) -> None: ...

    type_code: int = 9

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def sender(self) -> int:
        """Identifier of the sending server."""

    @property
    def receiver(self) -> int:
        """Identifier of the receiving server, 0 for all."""

    @property
    def target(self) -> int:
        """Identifier of the server to be taken over."""

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class EnrpError:
    """ENRP_ERROR (RFC 5353 2.10)."""

    def __init__(self, *, sender: int, receiver: int, error_causes: Sequence[ErrorCause]) -> None: ...

    type_code: int = 10

    def encode(self, dialect: int = 0) -> bytes:
        """
        Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).
        """

    @property
    def sender(self) -> int:
        """Identifier of the sending server."""

    @property
    def receiver(self) -> int:
        """Identifier of the receiving server, 0 for all."""

    @property
    def error_causes(self) -> tuple[ErrorCause, ...]: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def replace(self, **changes: Any) -> Self:
        """A copy with the named fields changed."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __repr__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """
        Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.
        """

class Received:
    """What became of received bytes."""

    @property
    def message(self) -> Message | None:
        """The decoded message, or None."""

    @property
    def reply(self) -> AsapError | EnrpError | None:
        """The error message to send back, or None."""

    @property
    def reason(self) -> str:
        """Why there is no message, else empty."""

    def __repr__(self) -> str: ...

def decode(data: bytes, protocol: str) -> Message:
    """
    The message in `data`, by protocol 'asap' or 'enrp'. Raises WireError with offset, parameter and reason.
    """

def receive(data: bytes, protocol: str, identifier: int = 0) -> Received:
    """
    Treats received bytes as RFC 5354 3 and 4 ask, whatever they are; never raises on their content.

    `identifier` is the receiving server's own, for an ENRP_ERROR in reply.
    """

class Outcome(enum.Enum):
    """What became of a registration."""

    ADDED = 0
    """A new element."""

    RENEWED = 1
    """A known element; its attributes were replaced."""

    INCONSISTENT_POLICY = 2
    """Refused: the pool has another policy type."""

    INCONSISTENT_TRANSPORT = 3
    """Refused: the pool has another kind of user transport."""

    INCONSISTENT_USE = 4
    """Refused: the pool has another data/control mode."""

    UNKNOWN_POLICY = 5
    """Refused: no such policy is known here."""

class Draws:
    """Random draws for selections, from a numpy Generator."""

    def __init__(self, generator: numpy.random.Generator) -> None: ...

    def below(self, bound: int) -> int:
        """Uniform on 0 to bound - 1."""

class Handlespace:
    """
    Pools by handle, their elements by identifier, and the server that owns each element.

    `increment`: elements that a selection moves on in round-robin order. `degradations_per_selection`
    and `degradations_at_registration`: steps of load degradation. `saturate`: degraded loads end at 100%.
    """

    def __init__(self, *, increment: int = 1, degradations_per_selection: int = 1, degradations_at_registration: int = 0, saturate: bool = False) -> None: ...

    def add(self, pool_handle: bytes, element: PoolElement, expires: float = float('inf')) -> Outcome:
        """
        Registers an element of the owner that it names, or renews it; `expires` in simulated seconds (RFC 5352 3.1).
        """

    def remove(self, pool_handle: bytes, identifier: int) -> bool:
        """Takes an element out; False if it wasn't there."""

    def find(self, pool_handle: bytes, identifier: int) -> PoolElement | None:
        """The element as registered, or None."""

    def pool_size(self, pool_handle: bytes) -> int:
        """Number of elements in a pool, 0 if there is no such pool."""

    def pool_policy_type(self, pool_handle: bytes) -> int | None:
        """Type code of a pool's policy, or None."""

    def select(self, pool_handle: bytes, count: int, draws: Draws) -> tuple[PoolElement, ...]:
        """
        Up to `count` distinct elements by the pool's policy, as a resolution lists them (without ASAP transport).
        """

    def report(self, pool_handle: bytes, identifier: int, reporter: int, distinct: bool = False) -> int:
        """
        Counts an unreachability report; returns the number so far, or of distinct reporters (RFC 5352 3.5).
        """

    def clear_reports(self, pool_handle: bytes, identifier: int) -> None:
        """Forgets the reports about an element."""

    def next_expiry(self) -> float:
        """Earliest end of a registration life in s, infinity if there is none."""

    def expire(self, now: float) -> list[tuple[bytes, PoolElement]]:
        """
        Removes and returns the elements whose life ended at or before `now`, with their handles.
        """

    def checksum(self, owner: int) -> int:
        """PE checksum of what a server owns (RFC 5353 3.6.2)."""

    def owned(self, owner: int) -> int:
        """Number of elements that a server owns."""

    def table(self, *, after: tuple[bytes, int] | None = None, limit: int = 128, octets: int = 1400, owner: int | None = None) -> tuple[tuple[PoolEntry, ...], tuple[bytes, int] | None]:
        """
        A piece of the table in order of handle and identifier, and where to go on or None (RFC 5353 3.2.3).
        """

    def mark(self, owner: int) -> None:
        """Marks all elements of an owner; a renewal takes the mark away."""

    def unmark(self, owner: int) -> None:
        """Takes all marks of an owner's elements away."""

    def sweep(self, owner: int) -> list[tuple[bytes, PoolElement]]:
        """Removes and returns the marked elements of an owner (RFC 5353 3.6.3)."""

    @property
    def pools(self) -> int:
        """Number of pools."""

    def __len__(self) -> int: ...

from typing import TypeAlias
Message: TypeAlias = (
    Registration | Deregistration | RegistrationResponse | DeregistrationResponse
    | HandleResolution | HandleResolutionResponse | EndpointKeepAlive | EndpointKeepAliveAck
    | EndpointUnreachable | ServerAnnounce | Cookie | CookieEcho | BusinessCard | AsapError
    | Presence | HandleTableRequest | HandleTableResponse | HandleUpdate | ListRequest
    | ListResponse | InitTakeover | InitTakeoverAck | TakeoverServer | EnrpError
)
