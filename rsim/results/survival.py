"""Times of which some had not ended when one stopped looking: Kaplan-Meier and restricted means.

What never ended has lasted at least as long as it was seen. Leaving it out would make the worst run
look like the best one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spans:
    """Times from a begin on, as far as they were seen.

    Parameters: `entered` how old in s each was when one began to look, 0 for those seen from their
    begin on; `left` how old when it ended or one stopped looking; `ended` which of both.
    """

    entered: Values
    left: Values
    ended: npt.NDArray[np.bool_]

    @classmethod
    def seen(
        cls,
        begun: Values,
        over: Values,
        happened: npt.NDArray[np.bool_],
        *,
        begin: float,
        end: float,
    ) -> Spans:
        """What is seen of spans from `begin` to `end` in s.

        Parameters: `begun` and `over` when each began and was over in s, NaN for those that are not
        yet; `happened` whether it ended by what was waited for.
        """
        over = np.where(np.isnan(over), np.inf, over)
        chosen = (begun < end) & (over >= begin)
        begun, over, happened = begun[chosen], over[chosen], happened[chosen]
        return cls(
            entered=np.maximum(begin - begun, 0.0),
            left=np.minimum(over, end) - begun,
            ended=happened & (over < end),
        )

    @property
    def size(self) -> int:
        """Number of spans."""
        return int(self.left.size)


def survival(spans: Spans) -> tuple[Values, Values]:
    """Ages in s at which spans end, and the share that lasts longer (Kaplan and Meier).

    Parameters: `spans` of one kind.
    """
    ages, deaths = np.unique(spans.left[spans.ended], return_counts=True)
    alive = spans.size - np.searchsorted(np.sort(spans.left), ages, side="left")
    # Whoever was seen from the begin on counts at age 0, too.
    late = np.sort(spans.entered[spans.entered > 0])
    at_risk = alive - (late.size - np.searchsorted(late, ages, side="left"))
    return ages, np.cumprod(1 - deaths / np.maximum(at_risk, deaths))


def restricted_mean(spans: Spans, horizon: float) -> float:
    """Mean of the times, of each at most the horizon; NaN if there are none.

    Parameters: `spans` of one kind; `horizon` in s.
    """
    if not spans.size:
        return float("nan")
    ages, lasting = survival(spans)
    known = ages < horizon
    edges = np.concatenate([[0.0], ages[known], [horizon]])
    return float(np.sum(np.diff(edges) * np.concatenate([[1.0], lasting[known]])))


def longer_than(spans: Spans, age: float) -> float:
    """Share of the times that are longer than an age; NaN if there are none.

    Parameters: `spans` of one kind; `age` in s.
    """
    if not spans.size:
        return float("nan")
    ages, lasting = survival(spans)
    before = int(np.searchsorted(ages, age, side="right"))
    return float(lasting[before - 1]) if before else 1.0
