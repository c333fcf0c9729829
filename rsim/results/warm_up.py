"""MSER-5: where the start-up of a run ends, found from what it has yielded."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BATCH = 5
"""Observations of a batch."""
_FEWEST = 20
"""Fewest batches that can show where a start-up ends."""


def mser5(values: npt.ArrayLike) -> int | None:
    """Number of observations to leave out at the beginning; None if no steady state is found.

    Of all points at which to cut, the one with the narrowest interval for the mean of what is left,
    over batches of five. A point in the second half says that the series is too short. NaN values
    must not be there. Source: White, Cobb, Spratt, "A comparison of five steady-state truncation
    heuristics for simulation", Winter Simulation Conference 2000.

    Parameters: `values` in the order in which they were observed.
    """
    data = np.asarray(values, dtype=float)
    count = data.size // BATCH
    if count < _FEWEST:
        return None
    batches = data[: count * BATCH].reshape(count, BATCH).mean(axis=1)
    # Sums over what is left from each batch on, of differences to the overall mean so that
    # squares don't swallow them.
    shifted = batches - batches.mean()
    left = np.arange(count, 0, -1)
    sums = np.cumsum(shifted[::-1])[::-1]
    squares = np.cumsum(shifted[::-1] ** 2)[::-1]
    variances = np.maximum(squares - sums**2 / left, 0.0) / left**2
    # The last few batches may be alike by chance.
    cut = int(np.argmin(variances[:-BATCH]))
    return cut * BATCH if cut <= count // 2 else None
