"""When pool users make requests: at random intervals."""

from __future__ import annotations

from collections.abc import Iterator

from rsim.randomness import Stream
from rsim.sampling import Sampler


def at_intervals(interval: Sampler, stream: Stream) -> Iterator[tuple[float, float | None]]:
    """Times in s since the start at which a user makes requests; their sizes are drawn.

    Parameters: `interval` in s, or its distribution; `stream` of the draws.
    """
    time = 0.0
    while True:
        time += interval.draw(stream)
        yield time, None
