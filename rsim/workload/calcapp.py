"""CalcApp on the wire: calculations asked for, accepted, done.

Application messages travel beside ASAP with a payload protocol identifier of their own. Cookies
are ASAP messages; what they hold is laid down here too.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

PPID_CALCAPP: Final = 0x52534D31
"""Payload protocol identifier of CalcApp messages; any but 11 and 12 would do (RFC 5352 5)."""

# Message types.
REQUEST: Final = 1
ACCEPT: Final = 2
REJECT: Final = 3
COMPLETE: Final = 4
ABORT: Final = 5
KEEP_ALIVE: Final = 6
KEEP_ALIVE_ACK: Final = 7
PROOF: Final = 8

_MESSAGE = Struct("!BBHId")
_COOKIE = Struct("!Idd")
_PROOF = Struct("!BBH")

COOKIE_SIZE = _COOKIE.size
"""Bytes of a cookie's content, without a signature."""


class CalcAppMessage(NamedTuple):
    """Type, request number at the pool user, and calculations (size asked for or done).

    Parameters: `kind` of the message; `request` its number; `calculations` size of the request, or
    what is done of it.
    """

    kind: int
    request: int
    calculations: float


class CookieContent(NamedTuple):
    """State of a request: its number, its size and what is done of it, in calculations.

    Parameters: `request` its number; `size` in calculations; `done` of them.
    """

    request: int
    size: float
    done: float


def encode(kind: int, request: int, calculations: float = 0.0) -> bytes:
    """Bytes of a CalcApp message.

    Parameters: `kind` of the message; `request` its number; `calculations` size of the request, or
    what is done of it.
    """
    return _MESSAGE.pack(kind, 0, _MESSAGE.size, request, calculations)


def decode(data: bytes) -> CalcAppMessage | None:
    """The CalcApp message in `data`, or None."""
    if len(data) != _MESSAGE.size:
        return None
    kind, _, _, request, calculations = _MESSAGE.unpack(data)
    return CalcAppMessage(kind, request, calculations)


def encode_proof(proof: bytes) -> bytes:
    """Bytes of the message that proves a choice.

    Parameters: `proof` of a choice.
    """
    return _PROOF.pack(PROOF, 0, _PROOF.size + len(proof)) + proof


def decode_proof(data: bytes) -> bytes | None:
    """The proof in `data`, or None."""
    if len(data) < _PROOF.size or data[0] != PROOF:
        return None
    _, _, length = _PROOF.unpack_from(data)
    return data[_PROOF.size :] if length == len(data) else None


def encode_cookie(request: int, size: float, done: float) -> bytes:
    """Content of a cookie.

    Parameters: `request` its number; `size` in calculations; `done` of them.
    """
    return _COOKIE.pack(request, size, done)


def decode_cookie(content: bytes) -> CookieContent | None:
    """State in a cookie, or None if it is none of ours.

    Parameters: `content` of a cookie.
    """
    if len(content) != _COOKIE.size:
        return None
    return CookieContent(*_COOKIE.unpack(content))
