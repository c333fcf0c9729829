"""The studies in a folder of experiments: their figures, and reruns that say what has changed."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from rsim import plots
from rsim.errors import ResultError, RsimWarning, ScenarioError
from rsim.plots.style import plain
from rsim.results.comparison import compare
from rsim.results.summary import STATISTICS
from rsim.suggestions import unknown
from rsim.sweep.report import Report, open_report
from rsim.sweep.runner import Progress, sweep
from rsim.sweep.study import load_study
from rsim.threats import FULL, run_threats, store_outcomes, threats

THREATS = "threats"
"""The study that is no sweep but the catalogue of threats."""


@dataclass(frozen=True)
class Reproduction:
    """A study done again.

    Parameters: `name` of the study; `points` what was compared, as
    `rsim.results.comparison.compare` gives it; `parameters` columns that make a point; `out` the
    folder with the new results.
    """

    name: str
    points: pd.DataFrame
    parameters: list[str]
    out: Path

    @property
    def changed(self) -> pd.DataFrame:
        """The points that differ by more than their joint 95% interval, the clearest first."""
        points = self.points[~self.points["within"]]
        clearness = (points["difference"] / points["joint_ci95"]).abs()
        return points.loc[clearness.sort_values(ascending=False).index]


def study_figure(report: Report) -> Figure:
    """The figure of a study, from its stored results or from a sweep's `report`.

    Raises ScenarioError if the study has none.
    """
    if not report.sweep.figure:
        raise ScenarioError(f"{report.study}: the study has no [sweep.figure]")
    figure, places = plots.panels(len(report.sweep.figure))
    for panel, axes in zip(report.sweep.figure, places, strict=True):
        shown = report.shown(panel)
        for name in filter(None, (panel.metric, panel.against)):
            if shown.loc[shown["metric"] == name, "mean"].isna().all():
                text = f"{name}: is defined at no point that is shown, so nothing is drawn"
                warnings.warn(text, RsimWarning, stacklevel=2)
        arms = {
            name: plain(report.sweep.arms[name].label or name)
            for name in panel.arms or report.sweep.arms
        }
        if panel.against:
            plots.plot_tradeoff(
                shown,
                metric=panel.metric,
                against=panel.against,
                x=panel.x,
                lines=panel.lines,
                arms=arms,
                title=plain(panel.title),
                axes=axes,
            )
            continue
        plots.plot_effect(
            shown,
            metric=panel.metric,
            x=panel.x,
            lines=panel.lines,
            arms=arms,
            references=[
                (plain(label), frame)
                for label, frame in (report.references(panel.where) if not panel.arms else ())
            ],
            x_label=plain(panel.x_label or panel.x),
            x_scale=panel.x_scale,
            title=plain(panel.title),
            axes=axes,
        )
    return figure


def studies(experiments: str | Path) -> list[str]:
    """Names of the studies in a folder.

    Parameters: `experiments` the folder. Raises ScenarioError if there are none.
    """
    folder = Path(experiments)
    names = sorted(file.parent.name for file in folder.glob("*/study.toml"))
    if not names:
        raise ScenarioError(f"{folder}: holds no studies (NAME/study.toml)")
    return [*names, *([THREATS] if (folder / THREATS / "rows.csv").exists() else [])]


def reproduce(
    experiments: str | Path,
    name: str,
    out: str | Path,
    *,
    jobs: int | None = None,
    replications: int | None = None,
    resume: bool = False,
    progress: Progress = lambda done, total, failed: None,
) -> Reproduction:
    """Does a study again and holds it against the results that are kept beside it.

    Parameters: `jobs` processes, None: all cores; `resume` goes on from the runs in `out`;
    `progress` is called after each run with the
    numbers of those done, in all and failed; `experiments` the folder of all
    studies, `name` one of them; `out` a folder for the new results; `replications` seeds instead of
    the study's own; the rest as in `rsim.sweep`. The seeds are those of the kept results, so that
    nothing differs unless the code does.
    """
    if name not in studies(experiments):
        raise ScenarioError(f"{experiments}: {unknown('study', name, studies(experiments))}")
    source, folder = Path(experiments) / name, Path(out) / name
    if name == THREATS:
        points = _threats(source, folder, jobs=jobs, replications=replications, progress=progress)
        return Reproduction(name, points, ["id", "arm"], folder)
    study = load_study(source / "study.toml", replications=replications)
    sweep(study, folder, jobs=jobs, resume=resume, progress=progress)
    kept = _read(source / "summary.csv")
    # Like is held against like: results may have been kept before there was a control.
    report = open_report(
        folder, control=bool(kept["interval_method"].astype(str).str.contains("control").any())
    )
    if report.sweep.figure:
        plots.save(study_figure(report), folder / f"{name}.png")
    # As it would stand in a file, so that values have one type.
    new = pd.read_csv(StringIO(report.summary.to_csv(index=False)), low_memory=False)
    parameters = [str(column) for column in kept if column not in {"metric", *STATISTICS}]
    missing = [column for column in parameters if column not in new]
    if missing:
        raise ResultError(
            f"{source / 'summary.csv'}: column '{missing[0]}' is not a parameter of the study"
        )
    return Reproduction(name, compare(new, kept, parameters), parameters, folder)


def _read(file: Path) -> pd.DataFrame:
    """A kept summary. Raises ResultError where it can't be read."""
    try:
        kept = pd.read_csv(file, low_memory=False)
    except (OSError, ValueError) as error:
        raise ResultError(f"{file}: can't be read: {error}") from None
    return kept if "interval_method" in kept else kept.assign(interval_method="")


def _threats(
    source: Path, out: Path, *, jobs: int | None, replications: int | None, progress: Progress
) -> pd.DataFrame:
    """Effects of all threats in all arms, new and kept."""
    # As the kept rows were made: README of the study.
    effort = replace(FULL, seeds=replications or 5, duration=600.0)
    chosen = threats()
    for number, one in enumerate(chosen):
        progress(number, len(chosen), 0)
        store_outcomes(run_threats([one], effort, jobs=jobs), out)
    progress(len(chosen), len(chosen), 0)
    frames = [_long(pd.read_csv(folder / "rows.csv")) for folder in (out, source)]
    return compare(frames[0], frames[1], ["id", "arm"])


def _long(rows: pd.DataFrame) -> pd.DataFrame:
    """A line for each threat and arm, out of one for each threat."""
    pieces = [
        pd.DataFrame(
            {
                "id": rows["id"],
                "arm": arm,
                "metric": rows["metric"],
                "mean": rows[arm],
                "ci95": rows[f"{arm}_ci95"],
                "runs": 0,
            }
        )
        for arm in ("baseline", "attack", "mitigated")
    ]
    return pd.concat(pieces, ignore_index=True)
