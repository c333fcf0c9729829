"""Numbers and names of the wire: ports, payload protocols, messages."""

from __future__ import annotations

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
ADD_PE, DEL_PE = 0, 1
"""Update actions of an ENRP_HANDLE_UPDATE (RFC 5353 2.4)."""


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
