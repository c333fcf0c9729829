"""The result of one run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import numpy as np
import pandas as pd

from rsim.results.metrics import METRICS, Observation


@dataclass(frozen=True)
class Result:
    """What one run has yielded.

    Parameters: `name` of the scenario, `seed`, `observation`, `requests` one row a request (times
    in s, sizes in calculations).
    """

    name: str
    seed: int
    observation: Observation
    requests: pd.DataFrame

    @cached_property
    def metrics(self) -> dict[str, float]:
        """All metrics by name; their definitions are in `rsim.results.METRICS`."""
        return {name: metric.compute(self.observation) for name, metric in METRICS.items()}

    @property
    def counters(self) -> dict[str, float]:
        """Sums of all counters over the measured time."""
        return self.observation.counters

    @cached_property
    def digest(self) -> str:
        """Fingerprint of everything that happened: equal for equal scenario and seed."""
        state = blake2b(digest_size=16)
        for column in self.requests:
            values = self.requests[column]
            if values.dtype == object or str(values.dtype).startswith("str"):
                state.update("\n".join(map(str, values)).encode())
            else:
                state.update(np.ascontiguousarray(values.to_numpy(dtype=np.float64)).tobytes())
        state.update(json.dumps(self.counters, sort_keys=True).encode())
        return state.hexdigest()

    def frame(self) -> pd.DataFrame:
        """The metrics as a frame: name, value, unit, label."""
        rows = [
            {"metric": name, "value": self.metrics[name], "unit": m.unit, "label": m.label}
            for name, m in METRICS.items()
        ]
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        title = f"<b>{self.name}</b>, seed {self.seed}, digest {self.digest}"
        return title + self.frame().to_html(index=False)
