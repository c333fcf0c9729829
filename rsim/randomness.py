"""Random streams: each actor draws from its own, so that adding one leaves the others' alone."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from mypy_extensions import mypyc_attr

from rsim._native import Draws

_BLOCK = 16


@mypyc_attr(acyclic=True)
class Stream:
    """Draws of one actor for one purpose, from a generator of its own.

    Draws come in blocks; the sequence is that of single draws. The generator is made when it is
    first needed, since many actors never draw. Parameters: as of `Streams.generator`.
    """

    __slots__ = ("_actor", "_exponentials", "_generator", "_purpose", "_streams", "_uniforms")

    def __init__(self, streams: Streams, actor: str, purpose: str) -> None:
        self._streams = streams
        self._actor = actor
        self._purpose = purpose
        self._generator: np.random.Generator | None = None
        self._exponentials: list[float] | None = None
        self._uniforms: list[float] | None = None

    @property
    def generator(self) -> np.random.Generator:
        """The generator itself, for draws of other kinds."""
        if self._generator is None:
            self._generator = self._streams.generator(self._actor, self._purpose)
        return self._generator

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


@mypyc_attr(acyclic=True)
class _Maker:
    """Makes the generator of one actor for one purpose when it is called."""

    __slots__ = ("_actor", "_purpose", "_streams")

    def __init__(self, streams: Streams, actor: str, purpose: str) -> None:
        self._streams = streams
        self._actor = actor
        self._purpose = purpose

    def __call__(self) -> np.random.Generator:
        return self._streams.generator(self._actor, self._purpose)


class Streams:
    """The streams of one run, spawned from its seed by actor name and purpose."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        # As numpy lengthens a seed that a spawn key follows: at least four words, the lowest first.
        words = max(4, -(-seed.bit_length() // 32))
        self._words = np.array(
            [seed >> 32 * word & 0xFFFFFFFF for word in range(words)], dtype=np.uint32
        )

    def generator(self, actor: str, purpose: str) -> np.random.Generator:
        """The generator of one actor for one purpose; the same names give the same draws."""
        name = f"{actor}/{purpose}".encode()
        key = np.frombuffer(blake2b(name, digest_size=16).digest(), ">u4")
        # A spawn key beside the seed would come to the same, and take twice the time.
        words = np.concatenate((self._words, key), dtype=np.uint32)
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))

    def draws(self, actor: str, purpose: str) -> Draws:
        """Draws for selections of one actor; the generator is made when it is first needed."""
        return Draws(_Maker(self, actor, purpose))

    def stream(self, actor: str, purpose: str) -> Stream:
        """The stream of one actor for one purpose."""
        return Stream(self, actor, purpose)
