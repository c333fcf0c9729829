"""What a metric is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf, nan
from numbers import Real
from typing import TYPE_CHECKING, Literal

from rsim.errors import ResultError, shown
from rsim.results.control import controlled_interval
from rsim.results.observation import Observation
from rsim.results.statistics import Interval, Kind, mean_interval, paired_interval
from rsim.results.survival import restricted_mean

if TYPE_CHECKING:
    import numpy.typing as npt

Better = Literal["higher", "lower", ""]
"""Which values of a metric are better; empty: that depends on who looks."""

_KIND_OF_UNIT: dict[str, Kind] = {"%": "share", "s": "time"}


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric, of what a run has shown.

    Parameters: `name` by which results and studies know it; `unit` "" for a mere number; `label` in
    figures; `formula` in words; `compute` gives the value, NaN where it is undefined; `better`
    which values are; `low` and `high` ends of the range that values lie in; `needs` counters
    without which it is undefined; `own` whether it is a user's; `code` digest of the Python file
    that defines it, "" for none; `kind` of its values, "": one with both ends is a share, a unit of
    % too, s a time, all else a number; `censored` whether it is a mean of times of which some had
    not ended when the run did, up to the longest that could be seen; `by_load` whether it follows
    the load that users offer, so that its mean can be freed from what was offered by chance.

    >>> import rsim
    >>> from rsim.results import METRICS
    >>> METRICS["handling_time_s"].axis
    'mean handling time (s)'
    >>> shown = rsim.run(rsim.load("scenario.toml")).observation
    >>> METRICS["requests_generated"].value(shown) == shown.counter("pool_users.requests_generated")
    True
    """

    name: str
    unit: str
    label: str
    formula: str
    compute: Callable[[Observation], float]
    better: Better = ""
    low: float = -inf
    high: float = inf
    needs: tuple[str, ...] = ()
    own: bool = False
    code: str = ""
    kind: Kind | Literal[""] = ""
    censored: bool = False
    by_load: bool = False

    def __post_init__(self) -> None:
        if not self.kind:
            kind = "share" if self._is_bounded else _KIND_OF_UNIT.get(self.unit, "number")
            object.__setattr__(self, "kind", kind)

    @property
    def _is_bounded(self) -> bool:
        return self.low != -inf and self.high != inf

    @property
    def bounds(self) -> tuple[float, float]:
        """Ends of the range that its mean lies in: 0 to 100 of a share that says nothing else."""
        if self.kind == "share" and not self._is_bounded:
            return 0.0, 100.0
        return (max(self.low, 0.0) if self.kind == "time" else self.low), self.high

    def interval(
        self,
        values: npt.ArrayLike,
        level: float = 0.95,
        *,
        deviations: npt.ArrayLike | None = None,
    ) -> Interval:
        """Mean of its values over runs with a confidence interval that suits their kind.

        Parameters: `values` one a run; `level` of confidence, between 0 and 1; `deviations` of the
        load offered in these runs from its mean by theory, which serve a metric that goes
        `by_load`, None: not known.
        """
        low, high = self.bounds
        kind = self.kind or "number"
        if deviations is not None and self.by_load:
            return controlled_interval(values, deviations, level, kind=kind, low=low, high=high)
        return mean_interval(values, level, kind=kind, low=low, high=high)

    def difference(
        self, values: npt.ArrayLike, base: npt.ArrayLike, level: float = 0.95
    ) -> Interval:
        """Mean of its differences between runs in pairs, with a confidence interval.

        Parameters: `values` one a run, and `base` those of the runs that they are held against, in
        the same order; `level` of confidence, between 0 and 1.
        """
        low, high = self.bounds
        kind = self.kind or "number"
        return paired_interval(values, base, level, kind=kind, low=low, high=high)

    @property
    def axis(self) -> str:
        """Label with unit, for an axis."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    def value(self, observation: Observation) -> float:
        """The metric of what a run has shown.

        Parameters: `observation` of the measured time. Raises ResultError where a user's metric
        gives no number, or one outside its range, or asks for a counter that there is not.
        """
        if any(not observation.counts(name) for name in self.needs):
            return nan
        value = self.compute(observation)
        if not self.own:
            return value
        if not isinstance(value, Real) or isinstance(value, bool):
            raise ResultError(f"metric {self.name}: gives {shown(value)}, must be a number")
        number = float(value)
        if number < self.low or number > self.high:
            raise ResultError(
                f"metric {self.name}: gives {number:g}, which is not from {self.low:g} to "
                f"{self.high:g}"
            )
        return number


def ratio(part: float, whole: float) -> float:
    """A quotient, NaN where nothing is divided.

    Parameters: `part` is divided by `whole`.
    """
    return part / whole if whole else nan


def restricted(what: str, observation: Observation) -> float:
    """Mean of times of which some may not have ended, of each at most the measured time.

    Parameters: `what` was waited for, as `Observation.waited` has it; `observation` of a run.
    """
    return restricted_mean(observation.waited(what), observation.duration)


def _total(name: str, observation: Observation) -> float:
    return observation.counter(name)


def count(
    name: str, label: str, counter: str, better: Better = "", *, by_load: bool = False
) -> Metric:
    """The metric that is the total of a counter.

    Parameters: `name` and `label` of the metric; `counter` by role and name, `*.name`: over all
    roles; `better` which values are; `by_load` whether it follows the load offered.
    """
    return Metric(
        name,
        "",
        label,
        formula=f"total of {counter}",
        compute=partial(_total, counter),
        better=better,
        low=0.0,
        by_load=by_load,
    )
