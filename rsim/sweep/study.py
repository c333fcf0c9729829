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

from pydantic import ValidationError

from rsim.errors import ResultError, ScenarioError, shown
from rsim.explanation import explain
from rsim.results.metric import Metric
from rsim.results.registry import check_needs, metrics_of
from rsim.scenario.code import admit
from rsim.scenario.counters import known_counters
from rsim.scenario.files import complete, get_path, read_table, set_path, validate
from rsim.scenario.model import Scenario
from rsim.sweep.design import MOST_POINTS, design
from rsim.sweep.expressions import evaluate
from rsim.sweep.figures import Figure, check_panel, check_reference
from rsim.sweep.plans import Plan, at, check_plans, declared, make_plan
from rsim.sweep.table import FEWEST, SweepTable
from rsim.sweep.values import Forms

MOST_RUNS = 10_000_000
"""Points times seeds."""


@dataclass(frozen=True)
class Point:
    """One scenario of a sweep; its replications differ by seed alone.

    Parameters: `arm` its name; `parameters` values by dotted path; `scenario` that they make.
    """

    arm: str
    parameters: dict[str, Any]
    scenario: Scenario

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """The metrics of its runs by name: built-in ones, and users'."""
        return metrics_of(tuple(file.digest for file in self.scenario.code))

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
    """A sweep that is fully checked: every point is a valid scenario.

    Parameters: `name` of the study; `source` its file; `table` its scenario, without the sweep;
    `sweep` table; `points` all of them; `replications` seeds of each point; `first_seed` the others
    follow it.

    >>> import rsim
    >>> study = rsim.load_study("study.toml")
    >>> len(study), study.parameters, study.replications
    (4, ['pool_users.user.count'], 2)
    """

    name: str
    source: Path
    table: dict[str, Any]
    sweep: SweepTable
    points: tuple[Point, ...]
    replications: int
    first_seed: int

    @property
    def metrics(self) -> dict[str, Metric]:
        """The metrics of all its runs by name: built-in ones, and users'."""
        return {name: one for point in self.points for name, one in point.metrics.items()}

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

    Parameters: `path` of the file; `overrides` values by dotted path; `replications` instead of the
    file's; `quick` for the version that takes a minute; `allow_code` runs the Python files that it
    names. Raises ScenarioError for whatever is wrong.

    >>> import rsim
    >>> study = rsim.load_study("study.toml", {"pools.pool.policy": "random"}, replications=5)
    >>> len(study)
    10
    """
    path = Path(path)
    table = read_table(path)
    sweep = _sweep_of(table, path, (overrides or {}).get("code", table.get("code", ())), allow_code)
    if quick and sweep.quick is None:
        raise ScenarioError(f"{path}: sweep.quick: missing; this study has no quick version")
    settings: dict[str, Any] = dict(sweep.quick.set) if quick and sweep.quick else {}
    settings.update(overrides or {})
    for key, value in settings.items():
        set_path(table, key, value)
    seeds = _seeds(sweep, replications, quick)
    # Stored with the results: it says what it names wherever it is read again.
    table = complete(table, path, allow_code)
    first = validate(table, path, allow_code=allow_code)
    try:
        plans = [make_plan(sweep, name, quick) for name in sweep.arms]
        check_plans(sweep, plans, settings)
    except ValueError as error:
        raise ScenarioError(f"{path}: sweep.{error}") from None
    given = [
        (arm, values, scenario)
        for arm in plans
        for values, scenario in _points(path, table, sweep, arm, allow_code=allow_code)
    ]
    try:
        points, figure = _in_one_form(sweep, given)
        _check_size(sweep, len(points), seeds)
    except ValueError as error:
        raise ScenarioError(f"{path}: sweep.{error}") from None
    sweep = sweep.model_copy(update={"figure": figure})
    _check_metrics(path, sweep, points)
    return Study(
        name=first.name,
        source=path,
        table=table,
        sweep=sweep,
        points=points,
        replications=seeds,
        first_seed=first.seed,
    )


def _sweep_of(table: dict[str, Any], path: Path, code: Any, allow_code: bool) -> SweepTable:
    """Takes the `[sweep]` table out of a study's, once its `code` has run."""
    if "sweep" not in table:
        raise ScenarioError(f"{path}: sweep: missing; a study says which axes to sweep")
    raw = table.pop("sweep")
    # It may register the metrics that the sweep names.
    admit({"code": code}, path, allow_code)
    try:
        return SweepTable.model_validate(raw)
    except ValidationError as error:
        raise ScenarioError(explain(error, path, section="sweep")) from None


def _in_one_form(
    sweep: SweepTable, given: list[tuple[Plan, dict[str, Any], Scenario]]
) -> tuple[tuple[Point, ...], tuple[Figure, ...]]:
    """The points, and the panels of the figure, with values in the form of parameters."""
    forms = Forms([(values, scenario) for _, values, scenario in given])
    points, seen = [], set()
    for arm, values, scenario in given:
        parameters = {path: forms.of(path, value) for path, value in values.items()}
        # 1, 1.0 and true are one to Python; the kinds within a path are one already.
        key = (arm.name, *parameters.items())
        if key in seen:
            listed = ", ".join(f"{path} = {shown(value)}" for path, value in parameters.items())
            raise ValueError(f"arms.{arm.name}: has the same point twice: {listed}")
        seen.add(key)
        points.append(Point(arm.name, parameters, scenario))
    described = [(point.arm, point.parameters) for point in points]
    parameters_of_all = list(dict.fromkeys(path for _, values in described for path in values))
    for number, reference in enumerate(sweep.references):
        with at(f"references.{number}"):
            check_reference(reference, sweep.arms, parameters_of_all)
    panels = []
    for number, panel in enumerate(sweep.figure):
        with at("figure" if len(sweep.figure) == 1 else f"figure.{number}"):
            panels.append(
                check_panel(panel, described, sweep.arms, forms=forms, declared=declared(sweep))
            )
    return tuple(points), tuple(panels)


def _check_metrics(path: Path, sweep: SweepTable, points: tuple[Point, ...]) -> None:
    """Raises ScenarioError where a metric that the study names is of another one's Python file."""
    named = {f"series.{number}": name for number, name in enumerate(sweep.series)}
    if sweep.precision is not None:
        named["precision.metric"] = sweep.precision.metric
    for number, panel in enumerate(sweep.figure):
        named[f"figure.{number}.metric"] = panel.metric
        named[f"figure.{number}.against"] = panel.against
    known = points[0].metrics
    for where, name in named.items():
        if name and name not in known:
            raise ScenarioError(
                f"{path}: sweep.{where}: {name} is a metric of another study's code"
            )
    for parameter in dict.fromkeys(name for point in points for name in point.parameters):
        if parameter in known:
            raise ScenarioError(f"{path}: sweep: {parameter} is the name of a metric, too")
    try:
        check_needs(known, known_counters)
    except ResultError as error:
        raise ScenarioError(f"{path}: {error}") from None


def _seeds(sweep: SweepTable, replications: int | None, quick: bool) -> int:
    seeds = sweep.quick.replications if quick and sweep.quick else sweep.replications
    seeds = seeds if replications is None else replications
    # How exact fewer are can't be told.
    return seeds if sweep.precision is None else max(seeds, FEWEST)


def _check_size(sweep: SweepTable, points: int, seeds: int) -> None:
    if not 1 <= seeds <= MOST_POINTS:
        raise ValueError(f"replications: {seeds}: at least 1 and at most {MOST_POINTS}")
    most = seeds
    if sweep.precision is not None:
        most = sweep.precision.most
        if most < seeds:
            raise ValueError(f"precision.most: {most} is below the {seeds} seeds of each point")
    if points * most > MOST_RUNS:
        raise ValueError(f"replications: make {points * most} runs, at most {MOST_RUNS}")


def _points(
    path: Path, table: dict[str, Any], sweep: SweepTable, arm: Plan, *, allow_code: bool
) -> Iterator[tuple[dict[str, Any], Scenario]]:
    """Values and scenario of each point of an arm."""
    base = deepcopy(table)
    for key, value in sweep.arms[arm.name].set.items():
        set_path(base, key, value)
    described = validate(base, path, allow_code=allow_code).model_dump()
    for kind, keys in arm.paths.items():
        for key in keys:
            get_path(described, key, f"{path}: sweep.{kind}")
    try:
        points = list(design(arm.axes, sweep.zip, sweep.points, sweep.sample))
    except ValueError as error:
        raise ScenarioError(f"{path}: sweep.{error}") from None
    for values in points:
        changed = deepcopy(base)
        for key, value in values.items():
            set_path(changed, key, value)
        derive(changed, sweep.derived, path, allow_code=allow_code)
        scenario = validate(changed, path, allow_code=allow_code)
        if sweep.series and scenario.series_interval is None:
            raise ScenarioError(
                f"{path}: sweep.series: time series need series_interval, the time between "
                "two samples"
            )
        yield values, scenario


def derive(
    table: dict[str, Any], derived: dict[str, str], source: str | Path, *, allow_code: bool
) -> None:
    """Puts the values that follow from others into a table, in the order in which they stand.

    Parameters: `table` of a scenario, which is changed; `derived` expressions by path; `source` and
    `allow_code` as for the scenario that is made of the table. Raises ScenarioError where an
    expression can't be evaluated.
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
