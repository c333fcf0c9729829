"""Stored sweeps read again, with their study and the references that it names."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rsim.errors import ResultError, shown
from rsim.explanation import explain
from rsim.results import METRICS, Result, summarise
from rsim.results.breaking_table import breaking_points
from rsim.results.comparison import compare, read_reference
from rsim.results.folder import (
    read_failures,
    read_series,
    read_sweep,
    read_warnings,
    warning_texts,
)
from rsim.results.metric import Better
from rsim.results.registry import learn
from rsim.results.summary import summarise_differences
from rsim.scenario import run
from rsim.scenario.files import set_path, validate
from rsim.suggestions import unknown
from rsim.sweep.figures import Figure, Reference
from rsim.sweep.sensitivity import sobol_indices
from rsim.sweep.stored import check_failures, check_manifest, check_runs, parameters_of
from rsim.sweep.study import derive
from rsim.sweep.table import SweepTable
from rsim.sweep.values import value_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Report:
    """A stored sweep: its runs, their summary, and the sweep table of its study.

    Parameters: `runs` one row each; `summary` means with 95% intervals; `parameters` columns that
    make a point; `sweep` table of the study; `study` its file; `table` its scenario; `failures`
    runs that ended in an error.
    """

    runs: pd.DataFrame
    summary: pd.DataFrame
    parameters: list[str]
    sweep: SweepTable
    study: Path
    table: dict[str, Any]
    failures: list[dict[str, Any]] = field(default_factory=list)
    unfinished: str = ""
    """How many runs there are so far, where the sweep has not ended."""
    warnings: tuple[str, ...] = ()
    """What in the study had no effect, each once."""

    def differences(self, arm: str, metrics: list[str]) -> pd.DataFrame:
        """Means with 95% intervals of the differences of all other arms to one, seed by seed.

        Runs are paired by seed and by those parameters that the arm has, too; one that has no
        partner, or no value, counts in `of` alone. Frame: see
        `rsim.results.summary.summarise_differences`.

        Parameters: `arm` that the others are held against; `metrics` names. Raises ResultError if
        there is no such arm, or no run of another one that has a run of it beside it.
        """
        for metric in metrics:
            self.check_metric(metric)
        joined = self.runs[self.runs["arm"] != arm].merge(
            self._paired(arm, metrics), how="left", on=self._keys(arm), indicator="paired"
        )
        if not (joined["paired"] == "both").any():
            raise ResultError(
                f"arm '{arm}': no run of another arm has its seed and parameters, so there are no "
                "differences"
            )
        return summarise_differences(joined, self.parameters, metrics, base="_base")

    def rerun(self, run_key: str, *, allow_code: bool = False) -> tuple[Result, str | None]:
        """Does one run again, by its key or the beginning of it.

        Gives it and the stored digest, None of a run that had failed. Parameters: `run_key` as the
        column `run` has it; `allow_code` runs the Python files that the study names. Raises
        ResultError if no run has that key, or several.
        """
        import pandas as pd

        done: list[dict[str, Any]] = self.runs.to_dict("records")  # type: ignore[assignment]
        found = [row for row in [*done, *self.failures] if row["run"].startswith(run_key)]
        if len(found) != 1:
            raise ResultError(f"run {run_key}: {len(found)} runs have a key that begins so")
        row = found[0]
        table = deepcopy(self.table)
        for path, value in self.sweep.arms[row["arm"]].set.items():
            set_path(table, path, value)
        for path in self.parameters[1:]:
            value = row.get(path)
            if not pd.isna(value):
                set_path(table, path, value_of(value))
        derive(table, self.sweep.derived, self.study, allow_code=allow_code)
        scenario = validate(table, self.study, allow_code=allow_code)
        return run(scenario, int(row["seed"])), row.get("digest")

    def breaking_points(
        self,
        x: str,
        metric: str,
        *,
        arm: str | None = None,
        share: float = 0.9,
        level: float = nan,
        better: Better = "",
        stronger: Better = "",
    ) -> pd.DataFrame:
        """Where along a path of the study a metric gets worse than a level, with 95% intervals.

        Parameters: `metric` that gets worse; `x` the path, `level` the level; if `arm` is given, a
        `share` of what the metric is there in the run with the same seed and the same other
        parameters (of a metric that is better low, the level is that value / `share`); `better`
        which values of the metric are, "": as the metric says; `stronger` which values of the path
        make it worse, "": the lower ones of an interval, else the higher ones. Frame: see
        `rsim.results.breaking_table.breaking_points`. Raises ResultError if there is no such path
        or arm, if the path's values are no numbers, or if the metric does not say what is better.
        """
        import pandas as pd

        if x not in self.parameters[1:]:
            raise ResultError(unknown("axis of the study", x, self.parameters[1:]))
        runs = self.runs
        self.check_metric(metric)
        for value in runs[x].dropna().unique().tolist():
            if isinstance(value, bool | str):
                raise ResultError(
                    f"{x}: has values such as {shown(value)}; something breaks between numbers only"
                )
        known = METRICS.get(metric)
        better = better or (known.better if known is not None else "")
        if not better:
            raise ResultError(
                f"{metric}: does not say which values are better; --better higher or lower does"
            )
        if arm is None:
            levels = pd.Series(level, index=runs.index)
        else:
            runs = runs[runs["arm"] != arm]
            both = runs.merge(self._paired(arm, [metric]), how="left", on=self._keys(arm))
            normal = both.set_index(runs.index)[f"{metric}_base"]
            levels = share * normal if better == "higher" else normal / share
        worst = known.bounds[0 if better == "higher" else 1] if known is not None else nan
        stronger = stronger or ("lower" if x.rpartition(".")[2].endswith("interval") else "higher")
        return breaking_points(
            runs,
            levels,
            x=x,
            metric=metric,
            parameters=self.parameters,
            better=better,
            stronger=stronger,
            worst=worst,
        )

    def sensitivity(self, metric: str) -> pd.DataFrame:
        """How much of a metric's variance each sampled setting explains (Sobol' indices).

        Frame: see `rsim.sweep.sensitivity.sobol_indices`.

        Parameters: `metric` name. Raises ResultError if the study's sample has no points for
        indices, or a point no value of the metric.
        """
        sample = self.sweep.sample
        if sample is None or not sample.indices:
            raise ResultError(
                f'{self.study}: sweep.sample.indices: is not set; with kind = "sobol", '
                "indices = true adds the points that Sobol' indices need"
            )
        self.check_metric(metric)
        return sobol_indices(self.runs, sample, self.parameters, metric)

    def _keys(self, arm: str) -> list[str]:
        """What a run has in common with its partner of an arm: parameters that it has, and seed."""
        base = self._arm(arm)
        return [*(name for name in self.parameters[1:] if base[name].notna().all()), "seed"]

    def _paired(self, arm: str, metrics: list[str]) -> pd.DataFrame:
        """Values of an arm under names that end in `_base`, with what pairs them."""
        names = {metric: f"{metric}_base" for metric in metrics}
        return self._arm(arm)[[*self._keys(arm), *metrics]].rename(columns=names)

    def _check_some(self) -> None:
        if self.runs.empty:
            raise ResultError(f"{self.study}: no run is finished yet")

    def check_metric(self, name: str) -> None:
        """Raises ResultError where there are no runs, or where they have no such metric.

        Parameters: `name` of a metric.
        """
        self._check_some()
        if name not in self.runs:
            raise ResultError(f"{self.study}: the stored runs have no metric '{name}'")

    def _arm(self, arm: str) -> pd.DataFrame:
        self._check_some()
        base = self.runs[self.runs["arm"] == arm]
        if base.empty:
            raise ResultError(unknown("arm", arm, self.runs["arm"].unique()))
        return base

    def shown(self, panel: Figure) -> pd.DataFrame:
        """The summary of the points that a panel of the figure shows.

        Parameters: `panel` of the study's figure. Raises ResultError where no run is finished, or
        where they lack one of its metrics.
        """
        for name in filter(None, (panel.metric, panel.against)):
            self.check_metric(name)
        points = _where(self.summary, panel.where)
        return points[points["arm"].isin(panel.arms)] if panel.arms else points

    def references(self, values: dict[str, Any]) -> list[tuple[str, pd.DataFrame]]:
        """Labels and frames of the references whose files are there, with these values.

        Parameters: `values` by path of the points that count.
        """
        found = []
        for reference in self.sweep.references:
            file = self.study.parent / reference.file
            if file.exists():
                frame = _where(self._read(reference, file), values)
                found.append((reference.label, frame))
        return found

    def compare(self, file: Path) -> pd.DataFrame:
        """Point-by-point comparison with a reference that the study names.

        Parameters: `file` of one reference, None: all.
        """
        import pandas as pd

        if not file.exists():
            raise ResultError(f"{file}: no such file")
        named = [r for r in self.sweep.references if Path(r.file).name == file.name]
        if not named:
            known = [r.file for r in self.sweep.references]
            raise ResultError(unknown("reference of the study", str(file), known))
        self._check_some()
        points = pd.concat([self._points(reference, file) for reference in named])
        if points.empty:
            raise ResultError(f"{file}: none of its points is among these results")
        return points

    def _points(self, reference: Reference, file: Path) -> pd.DataFrame:
        summary = self.summary
        if reference.arm:
            summary = summary[summary["arm"] == reference.arm]
        return compare(summary, self._read(reference, file), list(reference.columns.values()))

    @staticmethod
    def _read(reference: Reference, file: Path) -> pd.DataFrame:
        return read_reference(
            file,
            columns=reference.columns,
            values=reference.values,
            metrics=reference.metrics,
            where=reference.where,
        )


def _where(frame: pd.DataFrame, values: dict[str, Any]) -> pd.DataFrame:
    for column, value in values.items():
        if column in frame:
            frame = frame[frame[column] == value]
    return frame


def open_report(directory: str | Path, *, control: bool = True) -> Report:
    """The stored sweep in a folder.

    Parameters: `directory` of the results; `control` whether means are freed from the load that was
    offered by chance, as of `rsim.results.summarise`. Raises ResultError if there is none.
    """
    runs, manifest = read_sweep(directory)
    try:
        learn(manifest.get("metrics", {}))
        parameters = parameters_of(manifest["parameters"])
        table = SweepTable.model_validate(manifest["sweep"])
        study = Path(manifest["study"])
        scenario = dict(manifest["scenario"])
        check_manifest(table, parameters)
    except ValidationError as error:
        raise ResultError(explain(error, f"{directory}: damaged manifest: sweep")) from None
    except (KeyError, TypeError, ValueError, ResultError) as error:
        raise ResultError(f"{directory}: damaged manifest: {error}") from None
    failures = read_failures(directory)
    try:
        if len(runs):
            check_runs(runs, parameters, table.arms)
        check_failures(failures, parameters, set(table.arms))
    except ValueError as error:
        raise ResultError(f"{directory}: damaged runs: {error}") from None
    metrics = [name for name in METRICS if name in runs]
    summary = summarise(runs, parameters, metrics, control=control)
    return Report(
        runs=runs,
        summary=summary,
        parameters=parameters,
        sweep=table,
        study=study,
        table=scenario,
        failures=failures,
        unfinished=runs.attrs.get("unfinished", ""),
        warnings=warning_texts(read_warnings(manifest, directory), len(runs)),
    )


def read(directory: str | Path, *, series: bool = False) -> pd.DataFrame:
    """The runs of a stored sweep, one row each: arm, parameters, seed, metrics, key and version.

    Of a sweep that has not ended, the runs so far; a warning says so, and `attrs["unfinished"]`.
    Parameters: `directory` of the results; `series` gives the time series instead, one row for each
    run and interval. Units of the metrics are in the frame's `attrs["units"]`. Raises ResultError
    if there is none.

    >>> import rsim
    >>> runs = rsim.read("results")
    >>> runs[["pool_users.user.count", "seed"]].values.tolist()
    [[1, 1], [1, 2], [2, 1], [2, 2]]
    """
    runs, manifest = read_sweep(directory)
    if series:
        runs = read_series(directory)
        if runs.empty:
            raise ResultError(
                f"{directory}: no time series here; [sweep] series says which to keep"
            )
    units = manifest.get("units", {})
    if not isinstance(units, dict):
        raise ResultError(
            f"{directory}: damaged manifest: units is {shown(units)}, must be a table"
        )
    runs.attrs["units"] = units
    return runs
