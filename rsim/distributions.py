"""Named distributions of sizes, intervals, delays and life times."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from rsim.randomness import Stream
from rsim.sampling import Sampler
from rsim.units import LONGEST, SHORTEST, Model, Number, Seconds

_VARIATION = {"uniform": 0.5, "gamma": 1.0, "lognormal": 1.0, "pareto": 2.0}
"""Where a scenario gives none."""
_VARIATIONS = {
    "uniform": (0.0, 1.0),
    "gamma": (1e-3, 100.0),
    "lognormal": (0.0, 100.0),
    "pareto": (1.01, 1000.0),
}
"""Least and most; beyond them nearly all values that are drawn are 0."""


class _Shape(Model):
    """What distributions have in common; each use has a `mean` in its own unit."""

    distribution: Literal["exponential", "fixed", "uniform", "gamma", "lognormal", "pareto"] = (
        Field("fixed", description="kind of distribution")
    )
    variation: float | None = Field(
        None,
        ge=0,
        le=1000,
        description="uniform: half-width / mean, at most 1 (default 0.5); gamma, lognormal: "
        "standard deviation / mean (default 1, at most 100); pareto: shape, at least 1.01 "
        "(default 2)",
    )
    mean: float

    @model_validator(mode="before")
    @classmethod
    def _number_is_fixed(cls, value: Any) -> Any:
        return {"mean": value} if isinstance(value, (int, float, str)) else value

    @model_validator(mode="after")
    def _variation_fits(self) -> _Shape:
        kind, variation = self.distribution, self.variation
        if variation is None:
            return self
        if kind in ("exponential", "fixed"):
            raise ValueError(f"variation: a distribution that is {kind} has none")
        low, high = _VARIATIONS[kind]
        if not low <= variation <= high:
            raise ValueError(
                f"variation: of a {kind} distribution from {low:g} to {high:g}, not {variation:g}"
            )
        return self

    @property
    def sampler(self) -> Sampler:
        """What draws from it, for those who draw often."""
        kind, variation = self.distribution, self.variation
        if variation is None:
            variation = _VARIATION.get(kind, 0.0)
        return _shared(kind, self.mean, variation)

    def draw(self, stream: Stream) -> float:
        """One value, in the unit of the mean."""
        return self.sampler.draw(stream)


@lru_cache(maxsize=1024)
def _shared(kind: str, mean: float, variation: float) -> Sampler:
    """One for all that draw from the same distribution."""
    return Sampler(kind, mean, variation)


class Distribution(_Shape):
    """A distribution by name and mean; a plain number in a scenario is `fixed`."""

    mean: Number = Field(gt=0, description="mean, in the unit of what is drawn")


def recurring(value: Any) -> Any:
    """Checks the times between things that happen again and again: the clock must go on.

    Parameters: `value` a distribution, or what makes one. Raises ValueError where their mean is
    below 1 µs or above 31 years.
    """
    if not SHORTEST <= value.mean <= LONGEST:
        raise ValueError(
            f"mean: {value.mean:g} s: must be at least {SHORTEST:g} and at most {LONGEST:g} s"
        )
    return value


class Duration(_Shape):
    """A distribution of times; a plain time in a scenario is `fixed`."""

    mean: Seconds = Field(description="mean time")

    @property
    def fixed(self) -> float | None:
        """The time in s where it is always the same."""
        return self.mean if self.distribution == "fixed" or self.mean == 0 else None


IntervalDistribution = Annotated[Distribution, AfterValidator(recurring)]
"""A distribution of times in s between things that happen again and again."""
IntervalDuration = Annotated[Duration, AfterValidator(recurring)]
"""The same, which takes times with units."""
