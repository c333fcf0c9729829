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
from rsim.results.breaking import BreakingPoint
from rsim.scenario.files import get_path
from rsim.sweep.expressions import evaluate
from rsim.threats.catalogue import Threat

SERVICE = "completed_share_pct"
"""The metric of what users get."""


@dataclass
class Outcome:
    """What a threat's experiment has shown.

    Parameters: `threat` that was tried; `arms` values of each metric, by arm, one a seed; `curve`
    rows of strength, arm, metric, mean and half-width; `breaking` strength at which the service
    gets worse than a share of its baseline, by share in %; `recovery` times in s after the attack's
    end, one a seed, infinite where it was not seen; `recovery_horizon` time in s for which it was
    looked for, NaN in outcomes of old.
    """

    threat: Threat
    arms: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    curve: list[dict[str, Any]] = field(default_factory=list)
    breaking: dict[str, BreakingPoint] = field(default_factory=dict)
    recovery: list[float] = field(default_factory=list)
    recovery_horizon: float = nan

    def mean(self, arm: str, metric: str | None = None) -> Interval:
        """Mean of a metric in an arm, with its 95% interval.

        Parameters: `arm` its name; `metric` None: that of the threat.
        """
        name = metric or self.threat.metric
        return METRICS[name].interval(self.arms[arm][name])

    def difference(self, arm: str, metric: str | None = None) -> Interval:
        """Mean of the differences to the baseline, seed by seed, with its 95% interval and p.

        A seed without a value in one of both is missing. Parameters: `arm` its name; `metric` None:
        that of the threat.
        """
        name = metric or self.threat.metric
        return METRICS[name].difference(self.arms[arm][name], self.arms["baseline"][name])

    @property
    def moves(self) -> bool:
        """Whether the attack moves its metric for the worse, beyond doubt (95%)."""
        change = self.difference("attack")
        sign = 1 if self.threat.worse == "up" else -1
        return sign * change.mean > 0 and change.p < 0.05

    @property
    def restored(self) -> float:
        """Share of the effect that the mitigation takes away, 1 if it does more than that."""
        effect = self.difference("attack").mean
        left = self.difference("mitigated").mean
        return min(1.0, 1 - left / effect) if effect and left == left else nan

    @property
    def cost(self) -> Interval:
        """Change of the service by the mitigation alone, in percentage points."""
        return self.difference("cost", SERVICE)

    @property
    def mean_recovery(self) -> Interval:
        """Mean time to recover in s, of each at most the horizon, infinite if that is unknown."""
        times = np.minimum(self.recovery, self.recovery_horizon)
        if np.isnan(self.recovery_horizon):
            times = np.array(self.recovery)
        if np.isinf(times).any():
            return Interval(inf, nan, nan, runs=len(times), of=len(times), method="censored")
        return mean_interval(times, kind="time", low=0.0)

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
            row[f"{arm}_low"], row[f"{arm}_high"] = interval.low, interval.high
            row[f"{arm}_runs"], row[f"{arm}_of"] = interval.runs, interval.of
            row[f"{arm}_interval_method"] = interval.method
            row[f"{arm}_service"] = self.mean(arm, SERVICE).mean
        effect = self.difference("attack")
        row["effect"], row["effect_ci95"] = effect.mean, effect.half_width
        row["effect_runs"], row["effect_of"] = effect.runs, effect.of
        row["effect_interval_method"], row["p"] = effect.method, effect.p
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
        for share, point in self.breaking.items():
            row[f"breaking_{share}"] = point.estimate
            row[f"breaking_{share}_low"], row[f"breaking_{share}_high"] = point.low, point.high
            row[f"breaking_{share}_text"] = point.text
        if self.recovery:
            recovery = self.mean_recovery
            row["recovery_s"], row["recovery_ci95"] = recovery.mean, recovery.half_width
            row["recovery_low"], row["recovery_high"] = recovery.low, recovery.high
            row["recovery_horizon_s"] = self.recovery_horizon
            back = sum(not isinf(time) for time in self.recovery)
            row["recovered"] = back / len(self.recovery)
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
        breaking = {share: _point(found) for share, found in document["breaking"].items()}
        return Outcome(
            threat,
            arms=document["arms"],
            curve=document["curve"],
            breaking=breaking,
            recovery=document["recovery"],
            recovery_horizon=document.get("recovery_horizon", nan),
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ResultError(f"{file}: damaged: {error}") from None


def _point(stored: Any) -> BreakingPoint:
    """A stored breaking point; earlier ones are an estimate and the bounds of a bisection."""
    if isinstance(stored, dict):
        return BreakingPoint(**stored)
    estimate, low, high = stored
    if estimate == estimate:
        return BreakingPoint(estimate, "", nan, low=low, high=high, runs=0, of=0)
    return BreakingPoint(nan, "above", low, low=low, high=inf, runs=0, of=0)


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
        for name, metric in (("effect", outcome.threat.metric), ("service", SERVICE)):
            interval = METRICS[metric].interval(group[name].to_numpy())
            row[name], row[f"{name}_ci95"] = interval.mean, interval.half_width
            row[f"{name}_low"], row[f"{name}_high"] = interval.low, interval.high
        rows.append(row)
    return pd.DataFrame(rows)
