"""Random streams: each actor draws from its own, so that adding one leaves the others' alone."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from mypy_extensions import mypyc_attr

from rsim._native import Draws, Stream

__all__ = ["Stream", "Streams"]


@mypyc_attr(acyclic=True)
class _Maker:
    """Makes the generator of one actor for one purpose when it is called."""

    __slots__ = ("_actor", "_purpose", "_streams")

    def __init__(self, streams: Streams, actor: str, purpose: tuple[str, ...]) -> None:
        self._streams = streams
        self._actor = actor
        self._purpose = purpose

    def __call__(self) -> np.random.Generator:
        return self._streams.generator(self._actor, *self._purpose)


@mypyc_attr(allow_interpreted_subclasses=True)
class Streams:
    """The streams of one run, spawned from its seed by actor name and purpose.

    A purpose may have several parts. Names are joined so that no two of them come to the same.

    Parameters: `seed` of the run, from 0.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        # As numpy lengthens a seed that a spawn key follows: at least four words, the lowest first.
        words = max(4, -(-seed.bit_length() // 32))
        self._words = np.array(
            [seed >> 32 * word & 0xFFFFFFFF for word in range(words)], dtype=np.uint32
        )

    def generator(self, actor: str, *purpose: str) -> np.random.Generator:
        """The generator of one actor for one purpose; the same names give the same draws.

        Parameters: `actor` name of who draws; `purpose` words that tell its streams apart.
        """
        # With the length of each part, "a/b" and "c" are no other's "a" and "b/c".
        name = "".join(f"{len(part)}:{part}" for part in (actor, *purpose))
        key = np.frombuffer(blake2b(name.encode(), digest_size=16).digest(), ">u4")
        # A spawn key beside the seed would come to the same, and take twice the time.
        words = np.concatenate((self._words, key), dtype=np.uint32)
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))

    def draws(self, actor: str, *purpose: str) -> Draws:
        """Draws for selections of one actor; the generator is made when it is first needed.

        Parameters: `actor` name of who draws; `purpose` words that tell its streams apart.
        """
        return Draws(_Maker(self, actor, purpose))

    def stream(self, actor: str, *purpose: str) -> Stream:
        """The stream of one actor for one purpose.

        Parameters: `actor` name of who draws; `purpose` words that tell its streams apart.
        """
        return Stream(_Maker(self, actor, purpose))
