"""What a threat's experiment has shown, on disk as well, and what a closed form says of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from math import inf, isinf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rsim.errors import ResultError
from rsim.results import METRICS, Interval, mean_interval
from rsim.scenario.files import get_path
from rsim.sweep.expressions import evaluate
from rsim.threats.catalogue import Threat

SERVICE = "completed_share_pct"
"""The metric of what users get."""


@dataclass
class Outcome:
    """What a threat's experiment has shown.

    Parameters: `threat` that was tried; `arms` values of each metric, by arm, one a seed; `curve`
    rows of strength, arm, metric, mean and half-width; `breaking` smallest strength at which the
    service falls below a share of its baseline, by share, with the bounds of the search; `recovery`
    times in s after the attack's end, one a seed.
    """

    threat: Threat
    arms: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    curve: list[dict[str, Any]] = field(default_factory=list)
    breaking: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    recovery: list[float] = field(default_factory=list)

    def mean(self, arm: str, metric: str | None = None) -> Interval:
        """Mean of a metric in an arm, with its 95% interval.

        Parameters: `arm` its name; `metric` None: that of the threat.
        """
        return mean_interval(self.arms[arm][metric or self.threat.metric])

    def difference(self, arm: str, metric: str | None = None) -> Interval:
        """Mean of the differences to the baseline, seed by seed, with its 95% interval.

        Parameters: `arm` its name; `metric` None: that of the threat.
        """
        name = metric or self.threat.metric
        values, base = (np.nan_to_num(self.arms[which][name]) for which in (arm, "baseline"))
        return mean_interval(values - base)

    @property
    def moves(self) -> bool:
        """Whether the attack moves its metric for the worse, beyond doubt (95%)."""
        change = self.difference("attack")
        sign = 1 if self.threat.worse == "up" else -1
        return sign * change.mean > change.half_width

    @property
    def restored(self) -> float:
        """Share of the effect that the mitigation takes away, 1 if it does more than that."""
        effect = self.difference("attack").mean
        return min(1.0, 1 - self.difference("mitigated").mean / effect) if effect else nan

    @property
    def cost(self) -> Interval:
        """Change of the service by the mitigation alone, in percentage points."""
        return self.difference("cost", SERVICE)

    def row(self) -> dict[str, Any]:
        """The experiment in a line."""
        threat = self.threat
        row: dict[str, Any] = {
            "id": threat.id,
            "name": threat.name,
            "metric": threat.metric,
            "unit": METRICS[threat.metric].unit,
        }
        for arm in self.arms:
            interval = self.mean(arm)
            row[arm], row[f"{arm}_ci95"] = interval.mean, interval.half_width
            row[f"{arm}_service"] = self.mean(arm, SERVICE).mean
        effect = self.difference("attack")
        row["effect"], row["effect_ci95"] = effect.mean, effect.half_width
        row["moves"], row["restored"] = self.moves, self.restored
        row["cost"], row["cost_ci95"] = self.cost.mean, self.cost.half_width
        for name in ("startup_delay_s", "asap_octets_per_s"):
            row[f"cost_{name}"] = self.difference("cost", name).mean
        for name in ("attack_messages_per_s", "attack_octets_per_s"):
            row[name] = self.mean("attack", name).mean
        if "still" in self.arms and threat.still is not None:
            name = threat.still.metric or threat.metric
            row["still_metric"] = name
            for arm in ("baseline", "still"):
                row[f"{arm}_of_still"] = self.mean(arm, name).mean
        for share, (point, low, high) in self.breaking.items():
            row[f"breaking_{share}"] = point
            row[f"breaking_{share}_low"], row[f"breaking_{share}_high"] = low, high
        if self.recovery:
            back = [time for time in self.recovery if not isinf(time)]
            recovery = mean_interval(back)
            row["recovery_s"] = recovery.mean if len(back) == len(self.recovery) else inf
            row["recovery_ci95"] = recovery.half_width
            row["recovered"] = len(back) / len(self.recovery)
        return row

    def save(self, directory: Path) -> None:
        """Stores it as JSON in a folder.

        Parameters: `directory` for the file.
        """
        document = {"id": self.threat.id, **asdict(self), "row": self.row()}
        del document["threat"]
        file = directory / f"{self.threat.id}.json"
        temporary = file.with_suffix(".tmp")
        temporary.write_text(json.dumps(document, indent=1), encoding="utf-8")
        temporary.replace(file)


def load_outcome(file: Path, threat: Threat) -> Outcome:
    """An outcome that was stored.

    Parameters: `file` that `Outcome.save` wrote; `threat` that was tried. Raises ResultError if it
    is damaged.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        breaking = {share: tuple(found) for share, found in document["breaking"].items()}
        return Outcome(
            threat,
            arms=document["arms"],
            curve=document["curve"],
            breaking=breaking,
            recovery=document["recovery"],
        )
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ResultError(f"{file}: damaged: {error}") from None


def predicted(threat: Threat, strengths: Iterable[float]) -> list[float]:
    """The closed form of a threat at some strengths, NaN where it has none.

    Parameters: `threat` with a prediction; `strengths` of the attack.
    """
    prediction = threat.prediction
    if prediction is None:
        return [nan for _ in strengths]
    described = threat.scenario("attack").model_dump()

    def at(x: float) -> float:
        def lookup(path: str) -> Any:
            return x if path == "x" else get_path(described, path, f"threat {threat.id}")

        return evaluate(prediction.expression, lookup)

    return [at(x) for x in strengths]


def curve_of(outcome: Outcome) -> pd.DataFrame:
    """Means with 95% intervals of effect and service by strength and arm.

    Parameters: `outcome` of a threat.
    """
    rows = []
    frame = pd.DataFrame(outcome.curve)
    if frame.empty:
        return frame
    for (strength, arm), group in frame.groupby(["strength", "arm"], sort=True):
        row: dict[str, Any] = {"strength": strength, "arm": arm}
        for name in ("effect", "service"):
            interval = mean_interval(group[name].to_numpy())
            row[name], row[f"{name}_ci95"] = interval.mean, interval.half_width
        rows.append(row)
    return pd.DataFrame(rows)
