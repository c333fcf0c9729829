"""Random streams that can be moved a little, so that a run becomes another one like it."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from rsim.randomness import Streams

Name = tuple[str, ...]
"""An actor and the purpose of one of its streams."""
Move = tuple[float, int]
"""How much of each number stays, from 0 (nothing) to 1 (all), and the seed of what comes in."""
Values = npt.NDArray[np.float64]


class _Generator:
    """Draws uniform and exponential numbers from normal ones, which can be moved.

    A move makes r z + sqrt(1 - r^2) w of a normal number z, with a new one w: that is normal, too.
    What draws in other ways draws anew after each move.

    Parameters: `words` of the seed; `moves` one after the other.
    """

    def __init__(self, words: list[int], moves: tuple[Move, ...]) -> None:
        self._sources = [
            (stays, np.random.default_rng([*words, seed])) for stays, seed in ((0.0, 0), *moves)
        ]
        seeds = [seed for _, seed in moves]
        self._other = np.random.default_rng([*words, *seeds, len(seeds)])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._other, name)

    def _normal(self, size: int) -> Values:
        found = np.zeros(size)
        for stays, source in self._sources:
            found = stays * found + sqrt(1 - stays * stays) * source.standard_normal(size)
        return found

    def random(self, size: int | None = None) -> Values | float:
        """Numbers from [0, 1).

        Parameters: `size` how many, None: one.
        """
        from scipy.special import ndtr

        found: Values = np.minimum(ndtr(self._normal(1 if size is None else size)), 1 - 2**-53)
        return float(found[0]) if size is None else found

    def standard_exponential(self, size: int | None = None) -> Values | float:
        """Numbers of the exponential distribution with mean 1.

        Parameters: `size` how many, None: one.
        """
        from scipy.special import log_ndtr

        found: Values = -log_ndtr(self._normal(1 if size is None else size))
        return float(found[0]) if size is None else found


class VariedStreams(Streams):
    """The streams of a run, some of them moved.

    `made` has the streams that have drawn.

    Parameters: `seed` of the run, from 0; `moves` of streams by name, one after the other.
    """

    def __init__(self, seed: int, moves: Mapping[Name, tuple[Move, ...]]) -> None:
        super().__init__(seed)
        self.made: dict[Name, None] = {}
        self._moves = moves

    def generator(self, actor: str, *purpose: str) -> Any:
        """The generator of one actor for one purpose.

        Parameters: `actor` name of who draws; `purpose` words that tell its streams apart.
        """
        name = (actor, *purpose)
        self.made[name] = None
        words = super().generator(actor, *purpose).integers(2**63, size=2).tolist()
        return _Generator(words, self._moves.get(name, ()))
