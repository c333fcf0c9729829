"""The `[sweep]` table of a study file: axes, arms, figures and references."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from rsim.results import METRICS
from rsim.sweep.design import MOST_POINTS, Axes, SpaceSample
from rsim.sweep.figures import Figure, Label, MetricName, Reference, drawable
from rsim.units import LARGEST_NUMBER, SMALLEST_NUMBER, Model, Name, Plain

FEWEST = 10
"""Seeds from which a sweep judges how narrow an interval is: fewer agree by chance too often."""


class Arm(Model):
    """A variant of the scenario: values that differ, and axes that only it has or has anew."""

    label: Label = Field("", description="how figures call it")
    set: dict[str, Plain] = Field({}, description="values by dotted path")
    axes: Axes = Field({}, description="values to go through by dotted path")


class Quick(Model):
    """A version that takes a minute: what differs from the whole study."""

    set: dict[str, Plain] = Field({}, description="values by dotted path")
    axes: Axes = Field({}, description="values to go through by dotted path, for arms that have it")
    replications: int = Field(3, ge=1, le=MOST_POINTS, description="seeds for each point")


class Precision(Model):
    """How narrow intervals must be; points whose are wider get further seeds."""

    metric: MetricName = Field(description="metric whose 95% interval counts")
    half_width: float | None = Field(
        None, ge=SMALLEST_NUMBER, le=LARGEST_NUMBER, description="largest half-width"
    )
    relative: float | None = Field(
        None, ge=SMALLEST_NUMBER, le=LARGEST_NUMBER, description="the same as a share of the mean"
    )
    most: int = Field(100, ge=FEWEST, le=MOST_POINTS, description="most seeds for each point")

    @model_validator(mode="after")
    def _says_how_narrow(self) -> Precision:
        if (self.half_width is None) == (self.relative is None):
            raise ValueError("either half_width or relative says how narrow an interval must be")
        return self

    def met(self, values: list[float]) -> bool:
        """Whether the interval of these values is narrow enough, and from enough of them.

        Parameters: `values` of the metric, one a seed; NaN ones don't count.
        """
        interval = METRICS[self.metric].interval(values)
        if interval.runs < FEWEST:
            return False
        limit = self.half_width
        if limit is None:
            assert self.relative is not None
            limit = self.relative * abs(interval.mean)
        return interval.half_width <= limit

    def looks(self, first: int) -> Iterator[int]:
        """Numbers of seeds at which a point's interval is judged: half as many again each time.

        Parameters: `first` seeds of a point.
        """
        size = first
        while size < self.most:
            yield size
            size += max(2, size // 2)
        yield self.most


class SweepTable(Model):
    """The `[sweep]` table."""

    replications: int = Field(12, ge=1, le=MOST_POINTS, description="seeds for each point")
    axes: Axes = Field({}, description="values to go through by dotted path, in all arms")
    zip: Axes = Field({}, description="values by dotted path of settings that go on together")
    points: tuple[Annotated[dict[str, Plain], Field(min_length=1)], ...] = Field(
        (), description="points one by one, as values by dotted path"
    )
    sample: SpaceSample | None = Field(None, description="points spread over a space of settings")
    precision: Precision | None = Field(None, description="further seeds until it is enough")
    series: tuple[MetricName, ...] = Field(
        (), description="metrics whose time series are kept, one value each `series_interval`"
    )
    derived: dict[str, str] = Field(
        {}, description="values by dotted path that follow from others, as expressions of paths"
    )
    arms: dict[Name, Arm] = Field({"run": Arm()}, min_length=1, description="arms by name")
    quick: Quick | None = Field(None, description="the version that takes a minute")
    figure: tuple[Figure, ...] = Field((), description="the figure; several: its panels")
    references: tuple[Reference, ...] = Field((), description="results to compare with")

    @field_validator("series")
    @classmethod
    def _none_is_there_twice(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("names a metric twice")
        return value

    @field_validator("arms")
    @classmethod
    def _names_can_be_drawn(cls, value: dict[str, Arm]) -> dict[str, Arm]:
        for name, arm in value.items():
            drawable(arm.label or name)
        return value

    @field_validator("figure", mode="before")
    @classmethod
    def _one_panel(cls, value: Any) -> Any:
        return () if value is None else (value,) if isinstance(value, dict) else value
