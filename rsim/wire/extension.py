"""Parameters of rsim's own at the end of a message: others skip what they don't know (RFC 5354 3).

Their type codes begin with the bits 10, so a receiver that knows nothing of them goes on without a
word, and captures stay readable.
"""

from __future__ import annotations

from struct import pack, unpack_from

CHOICE_GRANT = 0x8040
"""In ASAP_HANDLE_RESOLUTION_RESPONSE: how the user has to choose."""
STATEMENT = 0x8041
"""In ASAP_REGISTRATION and ENRP_HANDLE_UPDATE: a signed policy statement."""
STATEMENTS = 0x8042
"""In ASAP_HANDLE_RESOLUTION_RESPONSE: the statements of the elements listed."""
EVIDENCE = 0x8043
"""In ASAP_HANDLE_RESOLUTION: elements that do not serve as they have stated."""

_LONGEST = 65_535


def with_extension(message: bytes, code: int, value: bytes) -> bytes:
    """A message with one more parameter at its end; unchanged if it would become too long."""
    padded = message + bytes(-len(message) % 4)
    if len(padded) + 4 + len(value) > _LONGEST:
        return message
    whole = padded + pack("!HH", code, 4 + len(value)) + value
    return whole[:2] + pack("!H", len(whole)) + whole[4:]


def extension_of(message: bytes, code: int, offset: int = 4) -> bytes | None:
    """The value of such a parameter, None if there is none or the message is damaged.

    Parameters: `offset` of the first parameter: 4 in ASAP, 12 in ENRP.
    """
    while offset + 4 <= len(message):
        found, length = unpack_from("!HH", message, offset)
        if length < 4 or offset + length > len(message):
            return None
        if found == code:
            return message[offset + 4 : offset + length]
        offset += length + -length % 4
    return None
