"""Signed cookies: a pool's elements take back only what one of them has given (RFC 5352 3.8).

A signature covers the pool user's address, the request and a sequence number that grows with each
cookie of that user; elements share a key, and have clocks that agree to within the time between two
cookies, since the number is the time in microseconds. An element refuses what no key holder has
signed, what was given to somebody else, and a sequence number at or below the newest that it has
seen of that user. What it cannot see is a newer cookie that only the failed element knows of: a
user that shows an older one of its own to an element that has not met it since is believed.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from hmac import compare_digest
from struct import Struct

_SEQUENCE = Struct("!Q")
_SIGNATURE = 16
"""Octets of a signature: 128 bits cannot be guessed."""
_MOST_USERS = 65_536
"""Users whose newest sequence number is kept; the oldest are forgotten."""


class CookieSeal:
    """Signs cookies and checks signatures.

    Parameters: `key` of the pool; `time` gives the present time in s.
    """

    def __init__(self, key: bytes, time: Callable[[], float]) -> None:
        self._key = key
        self._time = time
        self._newest: dict[str, int] = {}

    def _sign(self, content: bytes, sequence: bytes, user: str) -> bytes:
        message = len(user).to_bytes(2) + user.encode() + sequence + content
        return blake2b(message, key=self._key, digest_size=_SIGNATURE).digest()

    def _note(self, user: str, sequence: int) -> None:
        self._newest.pop(user, None)
        self._newest[user] = sequence
        if len(self._newest) > _MOST_USERS:
            del self._newest[next(iter(self._newest))]

    def close(self, content: bytes, user: str) -> bytes:
        """Content with a sequence number and a signature, for a user by its address."""
        number = max(self._newest.get(user, 0) + 1, int(self._time() * 1e6))
        self._note(user, number)
        sequence = _SEQUENCE.pack(number)
        return content + sequence + self._sign(content, sequence, user)

    def open(self, cookie: bytes, user: str) -> bytes | None:
        """The content, or None if it is forged, somebody else's, or older than what was seen.

        Parameters: `cookie` with its signature; `user` address of the pool user.
        """
        if len(cookie) < _SEQUENCE.size + _SIGNATURE:
            return None
        content = cookie[: -_SEQUENCE.size - _SIGNATURE]
        sequence = cookie[len(content) : -_SIGNATURE]
        if not compare_digest(self._sign(content, sequence, user), cookie[-_SIGNATURE:]):
            return None
        (number,) = _SEQUENCE.unpack(sequence)
        if number <= self._newest.get(user, 0):
            return None
        self._note(user, number)
        return content
