"""What in a study had no effect: settings and arms in which equal seeds give equal runs."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from rsim.results.metrics import METRICS

if TYPE_CHECKING:
    import pandas as pd

STUDY = "the study: "
"""What the texts begin with."""


def without_effect(runs: pd.DataFrame, parameters: list[str]) -> list[str]:
    """A text for each parameter whose values change nothing, and each two arms that are the same.

    Runs are equal if their digests and all metrics are. Parameters: `runs` one row each;
    `parameters` the columns that make a point, "arm" among them.
    """
    import pandas as pd

    if runs.empty:
        return []
    compared = ["digest", *(name for name in METRICS if name in runs)]
    outcomes = pd.util.hash_pandas_object(runs[compared], index=False)
    frame = runs[[*parameters, "seed"]].assign(outcome=outcomes.to_numpy())
    texts = []
    for name in parameters:
        if name != "arm" and frame[name].nunique() > 1:
            others = [other for other in frame if other not in (name, "outcome")]
            groups = frame[frame[name].notna()].groupby(others, dropna=False)["outcome"]
            several = groups.size() > 1
            if several.any() and (groups.nunique()[several] == 1).all():
                texts.append(f"{STUDY}{name} changes nothing: all its values give the same runs")
    keys = [name for name in frame if name not in ("arm", "outcome")]
    arms = {str(arm): rows for arm, rows in frame.groupby("arm", sort=False)}
    for (one, first), (other, second) in combinations(arms.items(), 2):
        both = first.merge(second, on=keys, suffixes=("", "_other"))
        if len(both) and (both["outcome"] == both["outcome_other"]).all():
            texts.append(f"{STUDY}arms {one} and {other} give the same runs")
    return texts
