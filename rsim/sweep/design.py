"""Which points a study looks at: every combination, in step, one by one, or samples of a space."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import exp, floor, log, prod
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from rsim.units import Model, Number, Plain


def _some(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise ValueError("an axis has at least one value")
    return values


Axes = dict[str, Annotated[tuple[Plain, ...], AfterValidator(_some)]]
"""Values by dotted path."""
MOST_POINTS = 1_000_000
"""Points of a sweep: their list fits into memory, and more would never be run."""


class Range(Model):
    """A range of a setting."""

    low: Number = Field(description="lower end")
    high: Number = Field(description="upper end")
    scale: Literal["linear", "log"] = Field("linear", description="how values are spread")
    whole: bool = Field(False, description="whole numbers, both ends included")

    @model_validator(mode="after")
    def _in_order(self) -> Range:
        if self.low >= self.high:
            raise ValueError("low must be below high")
        if self.scale == "log" and self.low <= 0:
            raise ValueError("low: a logarithmic scale has no values at or below 0")
        if self.whole and not (self.low.is_integer() and self.high.is_integer()):
            raise ValueError("low and high of whole numbers are whole")
        return self

    def at(self, share: float) -> float | int:
        """The value at a share of the range, from 0 to 1.

        Parameters: `share` from 0 to 1.
        """
        # Each whole number stands for the range from it to the next.
        end = self.high + 1 if self.whole else self.high
        if self.scale == "log":
            value = exp(log(self.low) + share * (log(end) - log(self.low)))
        else:
            value = self.low + share * (end - self.low)
        if self.whole:
            # A logarithm's last digits may lead below the low end, a share of 1 beyond the high.
            return max(int(self.low), min(int(self.high), floor(value)))
        return value


class SpaceSample(Model):
    """Points spread over a space of settings."""

    kind: Literal["latin_hypercube", "sobol"] = Field(
        "latin_hypercube",
        description="one point in each slice of each setting, or Sobol's sequence",
    )
    size: int = Field(ge=1, le=MOST_POINTS, description="number of points; for sobol a power of 2")
    seed: int = Field(
        1, ge=0, le=2**32 - 1, description="seed of the sample, apart from those of the runs"
    )
    indices: bool = Field(
        False,
        description="sobol: also the points that Sobol' indices need (rsim sensitivity), in all "
        "size x (settings + 2)",
    )
    ranges: dict[str, Range] = Field(min_length=1, description="ranges by dotted path")

    @model_validator(mode="after")
    def _balanced(self) -> SpaceSample:
        if self.kind == "sobol" and self.size & (self.size - 1):
            raise ValueError("size: of a Sobol' sample a power of 2, else it is not balanced")
        if self.indices and self.kind != "sobol":
            raise ValueError('indices: only with kind = "sobol"')
        return self

    @property
    def count(self) -> int:
        """Number of points of the design; some may be equal where numbers are whole."""
        return self.size * (len(self.ranges) + 2) if self.indices else self.size

    def design(self) -> list[dict[str, Any]]:
        """All points, as values by path, in the order of the design, equal ones too."""
        return [
            {
                path: one.at(float(s))
                for (path, one), s in zip(self.ranges.items(), row, strict=True)
            }
            for row in self._shares()
        ]

    def points(self) -> list[dict[str, Any]]:
        """The points to run, as values by path; those of indices may be equal where numbers are
        whole, and are run once."""
        points = self.design()
        if not self.indices:
            return points
        return list({tuple(point.values()): point for point in points}.values())

    def _shares(self) -> Any:
        """Shares of the ranges, a row for each point."""
        number = len(self.ranges)
        if self.indices:
            from SALib.sample import sobol

            problem = {"num_vars": number, "bounds": [[0.0, 1.0]] * number}
            return sobol.sample(problem, self.size, calc_second_order=False, seed=self.seed)
        from scipy.stats import qmc  # Takes longer to load than all else together.

        sampler = qmc.LatinHypercube if self.kind == "latin_hypercube" else qmc.Sobol
        return sampler(number, seed=self.seed).random(self.size)


def design(
    axes: Axes,
    in_step: Axes,
    points: tuple[dict[str, Any], ...],
    sample: SpaceSample | None,
) -> Iterator[dict[str, Any]]:
    """All points: every combination of the axes with each of the other kinds.

    Parameters: `sample` of a space, None: none; `axes` go through all combinations; those `in_step`
    go on together; `points` are given one by one. Raises ValueError where axes in step have
    different lengths.
    """
    lengths = {path: len(values) for path, values in in_step.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{path} has {length}" for path, length in lengths.items())
        raise ValueError(f"zip: axes that go on together are of one length, but {listed}")
    together = [
        dict(zip(in_step, values, strict=True)) for values in zip(*in_step.values(), strict=True)
    ]
    number = prod(map(len, axes.values())) * max(1, len(together)) * max(1, len(points))
    number *= sample.count if sample is not None else 1
    if number > MOST_POINTS:
        raise ValueError(f"axes: make {number} points with all else, at most {MOST_POINTS}")
    sampled = sample.points() if sample is not None else [{}]
    for values in product(*axes.values()):
        for step in together or [{}]:
            for given in points or ({},):
                for drawn in sampled:
                    yield {**dict(zip(axes, values, strict=True)), **step, **given, **drawn}
