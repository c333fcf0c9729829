"""Signatures of servers and pool elements: Ed25519 over real bytes, checked once for each."""

from __future__ import annotations

from hashlib import blake2b

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

SIGNATURE = 64
"""Bytes of a signature."""
_MOST_CHECKED = 50_000
"""Signatures that are remembered: some 10 MB. A run with more of them computes some again."""


class Signer:
    """A private key, made from a name so that runs repeat.

    Parameters: `name` of the owner. Anybody who knows the name can make the key, which is safe only
    in a simulation.
    """

    def __init__(self, name: str) -> None:
        seed = blake2b(name.encode(), digest_size=32).digest()
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()
        self._made: dict[bytes, bytes] = {}

    def sign(self, content: bytes) -> bytes:
        """The signature of some bytes; the same bytes are signed once.

        Parameters: `content` octets to sign.
        """
        signature = self._made.get(content)
        if signature is None:
            if len(self._made) >= _MOST_CHECKED:
                self._made.clear()
            signature = self._made[content] = self._key.sign(content)
        return signature


class Verifier:
    """Checks signatures, and remembers those that it has checked."""

    def __init__(self) -> None:
        self.checks = 0
        self._keys: dict[bytes, Ed25519PublicKey] = {}
        self._known: dict[bytes, bool] = {}

    def good(self, public: bytes, content: bytes, signature: bytes) -> bool:
        """Whether the holder of this key has signed these bytes.

        Parameters: `public` key of the signer; `content` octets that were signed; `signature` to
        check.
        """
        name = blake2b(public + signature + content, digest_size=16).digest()
        known = self._known.get(name)
        if known is None:
            self.checks += 1
            if len(self._known) >= _MOST_CHECKED:
                self._known.clear()
            known = self._known[name] = self._verify(public, content, signature)
        return known

    def _verify(self, public: bytes, content: bytes, signature: bytes) -> bool:
        try:
            key = self._keys.get(public)
            if key is None:
                key = self._keys[public] = Ed25519PublicKey.from_public_bytes(public)
            key.verify(signature, content)
        except (InvalidSignature, ValueError):
            return False
        return True
