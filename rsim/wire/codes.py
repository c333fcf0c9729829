"""Numbers and names of the wire: ports, payload protocols, error causes, dialects."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import get_args

from rsim._native import AsapMessage, EnrpMessage, Message

ASAP_PORT = 3863
"""ASAP over SCTP, TCP and UDP (RFC 5352 8.2)."""
ASAP_TLS_PORT = 3864
"""ASAP protected by TLS (RFC 5352 8.2)."""
ENRP_PORT = 9901
"""ENRP over SCTP and UDP (RFC 5353 5.3)."""
ENRP_TLS_PORT = 9902
"""ENRP protected by TLS (RFC 5353 5.3)."""
PPID_ASAP = 11
"""SCTP payload protocol identifier of ASAP (RFC 5352 8.3)."""
PPID_ENRP = 12
"""SCTP payload protocol identifier of ENRP (RFC 5353 5.4)."""


class Cause(IntEnum):
    """Error causes (RFC 5354 3.12, table 2)."""

    UNSPECIFIED = 0x0
    UNRECOGNIZED_PARAMETER = 0x1
    UNRECOGNIZED_MESSAGE = 0x2
    INVALID_VALUES = 0x3
    NON_UNIQUE_PE_IDENTIFIER = 0x4
    INCONSISTENT_POLICY = 0x5
    LACK_OF_RESOURCES = 0x6
    INCONSISTENT_TRANSPORT_TYPE = 0x7
    INCONSISTENT_DATA_CONTROL = 0x8
    UNKNOWN_POOL_HANDLE = 0x9
    SECURITY = 0xA


class Dialect(IntFlag):
    """Ways in which `encode` may leave the letter of the RFCs; `RSPLIB` gives rsplib's bytes.

    The extensions that a message holds (`items`, `takeover_suggested`, ...) are written only in a
    dialect that has them; decoding reads every dialect.
    """

    RFC = 0
    PADDED_MESSAGE_LENGTH = 1
    BUSINESS_CARD_POLICY = 2
    KEEP_ALIVE_PE_IDENTIFIER = 4
    HANDLE_RESOLUTION_OPTION = 8
    TCP_TRANSPORT_USE = 16
    TAKEOVER_SUGGESTED = 32
    RSPLIB = 63


def message_name(message: Message) -> str:
    """Name of a message as the RFCs write it, such as ASAP_HANDLE_RESOLUTION.

    Parameters: `message` any of ASAP or ENRP.
    """
    return message.rfc_name


MESSAGE_KINDS: dict[tuple[int, int], str] = {
    (ppid, message.type_code): message.rfc_name
    for ppid, messages in ((PPID_ASAP, AsapMessage), (PPID_ENRP, EnrpMessage))
    for message in get_args(messages)
}
"""Names of all messages as the RFCs write them, by payload protocol and type code."""
