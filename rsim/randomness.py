"""Random streams: each actor draws from its own, so that adding one leaves the others' alone."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

_BLOCK = 64


class Stream:
    """Draws of one actor for one purpose, from a generator of its own.

    Draws come in blocks; the sequence is that of single draws.
    """

    __slots__ = ("_exponentials", "_uniforms", "generator")

    def __init__(self, generator: np.random.Generator) -> None:
        self.generator = generator
        self._exponentials: list[float] = []
        self._uniforms: list[float] = []

    def exponential(self) -> float:
        """One draw of the exponential distribution with mean 1."""
        if not self._exponentials:
            self._exponentials = self.generator.standard_exponential(_BLOCK).tolist()[::-1]
        return self._exponentials.pop()

    def uniform(self) -> float:
        """One draw of the uniform distribution on [0, 1)."""
        if not self._uniforms:
            self._uniforms = self.generator.random(_BLOCK).tolist()[::-1]
        return self._uniforms.pop()

    def identifier(self) -> int:
        """One draw of a 32-bit identifier, never 0."""
        return int(self.generator.integers(1, 1 << 32))


class Streams:
    """The streams of one run, spawned from its seed by actor name and purpose."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def generator(self, actor: str, purpose: str) -> np.random.Generator:
        """The generator of one actor for one purpose; the same names give the same draws."""
        name = f"{actor}/{purpose}".encode()
        digest = blake2b(name, digest_size=16).digest()
        key = tuple(int.from_bytes(digest[i : i + 4], "big") for i in range(0, 16, 4))
        return np.random.Generator(
            np.random.PCG64(np.random.SeedSequence(self.seed, spawn_key=key))
        )

    def stream(self, actor: str, purpose: str) -> Stream:
        """The stream of one actor for one purpose."""
        return Stream(self.generator(actor, purpose))
