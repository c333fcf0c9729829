"""Studies: a scenario, the axes over which it is swept, its arms, and what it is compared with.

A study file is a scenario file with a `[sweep]` table. Arms are variants on common seeds, such as
with and without a mitigation; each may have axes of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator

from rsim.errors import ScenarioError
from rsim.results import METRICS, mean_interval
from rsim.scenario.files import completed, explained, get_path, read_table, set_path, validate
from rsim.scenario.model import Scenario
from rsim.sweep.design import MOST_POINTS, Axes, Sample, design
from rsim.sweep.expressions import evaluate
from rsim.units import Model


class Arm(Model):
    """A variant of the scenario: values that differ, and axes that only it has or has anew."""

    label: str = Field("", description="how figures call it")
    set: dict[str, Any] = Field({}, description="values by dotted path")
    axes: Axes = Field({}, description="values to go through by dotted path")


class Quick(Model):
    """A version that takes a minute: what differs from the whole study."""

    set: dict[str, Any] = Field({}, description="values by dotted path")
    axes: Axes = Field({}, description="values to go through by dotted path, for arms that have it")
    replications: int = Field(3, ge=1, le=MOST_POINTS, description="seeds for each point")


class Figure(Model):
    """What `rsim plot` draws of a study."""

    metric: str = Field("handling_speed_pct", description="metric on the vertical axis")
    x: str = Field(description="dotted path on the horizontal axis")
    against: str = Field(
        "", description="metric on the horizontal axis instead; `x` then marks the points"
    )
    x_label: str = Field("", description="its label")
    x_scale: str = Field("linear", description="linear or log")
    lines: str = Field("", description="dotted path with one line for each value")
    where: dict[str, Any] = Field({}, description="only points with these values")
    arms: tuple[str, ...] = Field((), description="only these arms; none: all")
    title: str = Field("", description="title")


class Reference(Model):
    """A CSV with results of another simulator, in rows `..., metric, mean, ci95, runs`."""

    file: str = Field(description="file, relative to the study")
    label: str = Field("reference", description="how figures call it")
    arm: str = Field("", description="arm that it belongs to")
    columns: dict[str, str] = Field(description="dotted path by name of the reference's column")
    values: dict[str, dict[str, Any]] = Field(
        {}, description="this simulator's value by the reference's, for each column that differs"
    )
    metrics: dict[str, str] = Field(
        {}, description="this simulator's metric by the reference's name"
    )
    where: dict[str, Any] = Field({}, description="only rows with these values")


class Precision(Model):
    """How narrow intervals must be; points whose are wider get further seeds."""

    metric: str = Field(description="metric whose 95% interval counts")
    half_width: float | None = Field(None, gt=0, description="largest half-width")
    relative: float | None = Field(None, gt=0, description="the same as a share of the mean")
    most: int = Field(100, ge=2, description="most seeds for each point")

    @model_validator(mode="after")
    def _says_how_narrow(self) -> Precision:
        if self.metric not in METRICS:
            raise ValueError(f"metric: '{self.metric}' is no metric")
        if (self.half_width is None) == (self.relative is None):
            raise ValueError("either half_width or relative says how narrow an interval must be")
        return self

    def met(self, values: list[float]) -> bool:
        """Whether the interval of these values is narrow enough."""
        interval = mean_interval(values)
        limit = self.half_width
        if limit is None:
            assert self.relative is not None
            limit = self.relative * abs(interval.mean)
        return interval.half_width <= limit


class SweepTable(Model):
    """The `[sweep]` table."""

    replications: int = Field(12, ge=1, le=MOST_POINTS, description="seeds for each point")
    axes: Axes = Field({}, description="values to go through by dotted path, in all arms")
    zip: Axes = Field({}, description="values by dotted path of settings that go on together")
    points: tuple[dict[str, Any], ...] = Field(
        (), description="points one by one, as values by dotted path"
    )
    sample: Sample | None = Field(None, description="points spread over a space of settings")
    precision: Precision | None = Field(None, description="further seeds until it is enough")
    series: tuple[str, ...] = Field(
        (), description="metrics whose time series are kept, one value each `series_interval`"
    )
    derived: dict[str, str] = Field(
        {}, description="values by dotted path that follow from others, as expressions of paths"
    )
    arms: dict[str, Arm] = Field({"run": Arm()}, description="arms by name")
    quick: Quick | None = Field(None, description="the version that takes a minute")
    figure: tuple[Figure, ...] = Field((), description="the figure; several: its panels")
    references: tuple[Reference, ...] = Field((), description="results to compare with")

    @field_validator("series")
    @classmethod
    def _metrics_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in METRICS:
                raise ValueError(f"'{name}' is no metric")
        return value

    @field_validator("figure", mode="before")
    @classmethod
    def _one_panel(cls, value: Any) -> Any:
        return () if value is None else (value,) if isinstance(value, dict) else value


@dataclass(frozen=True)
class Point:
    """One scenario of a sweep; its replications differ by seed alone."""

    arm: str
    parameters: dict[str, Any]
    scenario: Scenario

    @cached_property
    def document(self) -> dict[str, Any]:
        """The scenario as plain values, for other processes."""
        return self.scenario.model_dump(exclude_unset=True)

    @cached_property
    def scenario_hash(self) -> str:
        """Fingerprint of the scenario, whatever its seed, its name and the places of its files."""
        content = self.scenario.model_dump_json(
            exclude={
                "seed": True,
                "name": True,
                "code": {"__all__": {"file"}},
                "pool_users": {"__all__": {"arrivals": {"file"}}},
            }
        )
        return blake2b(content.encode(), digest_size=10).hexdigest()


@dataclass(frozen=True)
class Study:
    """A sweep that is fully checked: every point is a valid scenario."""

    name: str
    source: Path
    table: dict[str, Any]
    sweep: SweepTable
    points: tuple[Point, ...]
    replications: int
    first_seed: int

    @property
    def parameters(self) -> list[str]:
        """Dotted paths of all axes, in order of appearance."""
        names = dict.fromkeys(name for point in self.points for name in point.parameters)
        return list(names)

    def __len__(self) -> int:
        return len(self.points) * self.replications


def load_study(
    path: str | Path,
    overrides: dict[str, Any] | None = None,
    *,
    replications: int | None = None,
    quick: bool = False,
    allow_code: bool = False,
) -> Study:
    """The study in a TOML file.

    Parameters: `overrides` values by dotted path; `replications` instead of the file's; `quick`
    for the version that takes a minute; `allow_code` runs the Python files that it names. Raises
    ScenarioError for whatever is wrong.
    """
    path = Path(path)
    table = read_table(path)
    if "sweep" not in table:
        raise ScenarioError(f"{path}: sweep: missing; a study says which axes to sweep")
    raw = table.pop("sweep")
    try:
        sweep = SweepTable.model_validate(raw)
    except ValidationError as error:
        raise ScenarioError(explained(error, path, section="sweep")) from None
    if quick and sweep.quick is None:
        raise ScenarioError(f"{path}: sweep.quick: missing; this study has no quick version")
    settings: dict[str, Any] = dict(sweep.quick.set) if quick and sweep.quick else {}
    settings.update(overrides or {})
    for key, value in settings.items():
        set_path(table, key, value)
    count = sweep.quick.replications if quick and sweep.quick else sweep.replications
    # Stored with the results: it says what it names wherever it is read again.
    table = completed(table, path, allow_code)
    first = validate(table, path, allow_code=allow_code)
    points = tuple(_points(path, table, sweep, quick, allow_code))
    return Study(first.name, path, table, sweep, points, replications or count, first.seed)


def _points(
    path: Path, table: dict[str, Any], sweep: SweepTable, quick: bool, allow_code: bool
) -> Iterator[Point]:
    for name, arm in sweep.arms.items():
        axes: Axes = {**sweep.axes, **arm.axes}
        if quick and sweep.quick is not None:
            axes = {key: sweep.quick.axes.get(key, values) for key, values in axes.items()}
        base = deepcopy(table)
        for key, value in arm.set.items():
            set_path(base, key, value)
        described = validate(base, path, allow_code=allow_code).model_dump()
        given = [key for point in sweep.points for key in point]
        sampled = sweep.sample.ranges if sweep.sample is not None else {}
        named = {"axes": axes, "zip": sweep.zip, "points": given, "sample": sampled}
        for kind, keys in named.items():
            for key in keys:
                get_path(described, key, f"{path}: sweep.{kind}")
        try:
            points = list(design(axes, sweep.zip, sweep.points, sweep.sample))
        except ValueError as error:
            raise ScenarioError(f"{path}: sweep.{error}") from None
        for parameters in points:
            changed = deepcopy(base)
            for key, value in parameters.items():
                set_path(changed, key, value)
            derive(changed, sweep.derived, path, allow_code=allow_code)
            scenario = validate(changed, path, allow_code=allow_code)
            if sweep.series and scenario.series_interval is None:
                raise ScenarioError(
                    f"{path}: sweep.series: time series need series_interval, the time between "
                    "two samples"
                )
            yield Point(name, parameters, scenario)


def derive(
    table: dict[str, Any], derived: dict[str, str], source: str | Path, *, allow_code: bool
) -> None:
    """Puts the values that follow from others into a table, in the order in which they stand.

    Parameters: `source` and `allow_code` as for the scenario that is made of the table. Raises
    ScenarioError where an expression can't be evaluated.
    """
    where = f"{source}: sweep.derived"
    for key, expression in derived.items():
        described = validate(table, source, allow_code=allow_code).model_dump()

        def lookup(name: str, described: dict[str, Any] = described, key: str = key) -> Any:
            return get_path(described, name, f"{where}: {key}")

        try:
            value = evaluate(expression, lookup)
        except ScenarioError as error:
            if str(error).startswith(where):
                raise
            raise ScenarioError(f"{where}: {key}: {error}") from None
        set_path(table, key, value)
