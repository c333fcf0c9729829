"""The result of one run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from rsim.errors import ResultError
from rsim.results.metric import Metric
from rsim.results.observation import Columns, Observation, Sample
from rsim.results.registry import check_name, metrics_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Result:
    """What one run has yielded.

    Parameters: `name` of the scenario, `seed`, `observation`, `request_columns` and
    `series_columns` what `requests` and `series` show, `samples` those of `series_interval`,
    `fingerprints` of all events and of all messages; `warnings` what in the scenario had no effect;
    `code` digests of the scenario's Python files, whose metrics the run has.

    >>> import rsim
    >>> result = rsim.run(rsim.load("scenario.toml"))
    >>> result.metrics["requests_completed"] == result.counters["pool_users.requests_completed"]
    True
    >>> list(result.requests)[:4]
    ['user', 'number', 'size', 'generated']
    """

    name: str
    seed: int
    observation: Observation
    request_columns: Columns
    series_columns: Columns
    samples: tuple[Sample, ...] = ()
    fingerprints: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()
    code: tuple[str, ...] = ()

    @cached_property
    def requests(self) -> pd.DataFrame:
        """All requests, one row each: times in s, sizes in calculations."""
        import pandas as pd

        return pd.DataFrame(self.request_columns, copy=False)

    @cached_property
    def series(self) -> pd.DataFrame:
        """One row for each comparison of the servers' handlespaces.

        Time in s, divergence, orphans, elements, servers that serve, and genuine and false entries
        in the mean over those servers.
        """
        import pandas as pd

        return pd.DataFrame(self.series_columns)

    def converged_after(self, time: float) -> float:
        """Time in s from `time` until all servers agree and go on to agree; NaN if they don't.

        Takes the comparisons of `observe_interval`, so it is at most one interval too long.
        """
        later = self.series[self.series["time"] >= time] if len(self.series) else self.series
        if later.empty:
            return float("nan")
        differing = later.loc[later["divergence"] > 0, "time"]
        agreed = later[later["time"] > (differing.max() if len(differing) else -1.0)]
        return float(agreed["time"].iloc[0] - time) if len(agreed) else float("nan")

    def timeline(self, metrics: Iterable[str] = ()) -> pd.DataFrame:
        """Metrics over time: of each interval between two samples, warm-up included.

        Parameters: `metrics` names; none: all. Gives `begin` and `end` in s, and a column for each
        metric. Raises ResultError if the scenario has no `series_interval`, or for an unknown name.
        """
        import pandas as pd

        if not self.samples:
            raise ResultError("no time series: the scenario sets no series_interval")
        known = metrics_of(self.code)
        names = list(metrics) or list(known)
        try:
            chosen = [known[check_name(name, known)] for name in names]
        except ValueError as error:
            raise ResultError(str(error)) from None
        whole = self.observation
        rows = []
        for before, after in pairwise(self.samples):
            part = Observation.between(
                before,
                after,
                requests=whole.requests,
                reference=whole.reference,
                fastest=whole.fastest,
                liars=whole.liars,
                cheats=whole.cheats,
                known=whole.known,
                expected_work=whole.expected_work,
            )
            rows.append({"begin": before.time, "end": after.time, **_values(chosen, part)})
        return pd.DataFrame(rows, columns=["begin", "end", *names])

    @cached_property
    def metrics(self) -> dict[str, float]:
        """All metrics by name; their definitions are in `rsim.results.METRICS`."""
        return _values(metrics_of(self.code).values(), self.observation)

    @property
    def counters(self) -> dict[str, float]:
        """Sums of all counters over the measured time."""
        return self.observation.counters

    @cached_property
    def digest(self) -> str:
        """Fingerprint of what happened: equal for equal scenario and seed.

        It covers the time of each event, each message's octets and each request, warm-up included,
        and no counter: another counter, or another name for one, leaves it as it is.
        """
        state = blake2b(digest_size=16)
        for values in self.request_columns.values():
            if values.dtype == object:
                state.update("\n".join(values).encode())
            else:
                state.update(values.astype(np.float64).tobytes())
        for fingerprint in self.fingerprints:
            state.update(fingerprint.to_bytes(8))
        return state.hexdigest()

    def frame(self) -> pd.DataFrame:
        """The metrics as a frame: name, value, unit, label."""
        import pandas as pd

        known = metrics_of(self.code)
        rows = [
            {"metric": name, "value": value, "unit": known[name].unit, "label": known[name].label}
            for name, value in self.metrics.items()
        ]
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        title = f"<b>{escape(self.name)}</b>, seed {self.seed}, digest {self.digest}"
        return title + self.frame().to_html(index=False)


def _values(metrics: Iterable[Metric], observation: Observation) -> dict[str, float]:
    # The built-in ones ask for no counter that there is not: a test holds them to it.
    plain = observation.unchecked()
    return {one.name: one.value(observation if one.own else plain) for one in metrics}
