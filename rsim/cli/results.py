"""Commands on stored results: summary, plot, compare."""

from __future__ import annotations

from enum import Enum
from math import isfinite, nan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from rsim.cli.application import Directory, app, check_metrics, console, print_table
from rsim.errors import ScenarioError
from rsim.results.digits import ends_text, half_width_text, p_text, rounded

if TYPE_CHECKING:
    from rsim.sweep import Report


class Side(Enum):
    """Which values are meant."""

    HIGHER = "higher"
    LOWER = "lower"


def _check_breaking(
    breaking: str | None, against: str | None, *, share: float | None, level: float | None
) -> None:
    """Raises ScenarioError where the options of breaking points don't fit each other."""
    for option, value in (("--share", share), ("--level", level)):
        if value is None:
            continue
        if breaking is None:
            raise ScenarioError(f"{option}: does nothing without --breaking PATH")
        if not isfinite(value):
            raise ScenarioError(f"{option}: {value}: must be a finite number")
    if breaking is None:
        return
    if (level is None) == (against is None):
        raise ScenarioError("--breaking: needs --against ARM (and --share), or --level")
    if share is not None and (against is None or not 0 < share <= 1):
        raise ScenarioError("--share: must be above 0 and at most 1, beside --against ARM")


def _sides(breaking: str | None, **sides: Side | None) -> dict[str, str]:
    """The options that say what is meant; raises ScenarioError where they do nothing."""
    for option, side in sides.items():
        if side is not None and breaking is None:
            raise ScenarioError(f"--{option}: does nothing without --breaking PATH")
    return {option: side.value if side else "" for option, side in sides.items()}


def _check_control(control: bool | None, against: str | None, breaking: str | None) -> None:
    """Raises ScenarioError where a control would do nothing."""
    for option, value in (("--against", against), ("--breaking", breaking)):
        if control is not None and value is not None:
            raise ScenarioError(f"--control: does nothing with {option}, which compares seeds")


_Metrics = Annotated[
    list[str] | None, typer.Option("--metric", help="Metrics shown; default: the figure's.")
]
Better = Annotated[
    Side | None, typer.Option(help="Values of the metric that are better, if it says not.")
]
_Stronger = Annotated[
    Side | None,
    typer.Option(help="Values of PATH that make it worse; default: lower of an interval."),
]
_Control = Annotated[
    bool | None,
    typer.Option(
        "--control/--no-control",
        help="Free means from the load offered by chance; default: where its mean is known.",
    ),
]


@app.command("summary")
def summary_command(
    directory: Directory,
    metrics: _Metrics = None,
    against: Annotated[
        str | None, typer.Option(metavar="ARM", help="Differences to this arm, seed by seed.")
    ] = None,
    breaking: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Where along this axis the metric falls too low."),
    ] = None,
    share: Annotated[
        float | None,
        typer.Option(help="Too low with --against: below this share of that arm's; default: 0.9."),
    ] = None,
    level: Annotated[
        float | None, typer.Option(help="Too low without --against: below this value.")
    ] = None,
    better: Better = None,
    stronger: _Stronger = None,
    control: _Control = None,
) -> None:
    """Shows means and 95% intervals of a stored sweep, by point, and what has failed.

    Metrics that follow the load are freed from what users happened to offer, where its mean is
    known (--no-control: as they are).

    With --breaking the breaking points: where a metric gets worse than a level, or than a share of
    what it is in the arm of --against, in runs of the same seed and parameters.
    """
    from rsim.sweep import open_report

    _check_control(control, against, breaking)
    report = open_report(directory, control=control is not False)
    wanted = _wanted(report, metrics)
    _check_breaking(breaking, against, share=share, level=level)
    sides = _sides(breaking, better=better, stronger=stronger)
    if breaking is not None:
        how = {"arm": against, "share": share or 0.9, "level": nan if level is None else level}
        for name in wanted:
            points = report.breaking_points(breaking, name, **how, **sides)  # type: ignore[arg-type]
            _print_breaking(points, breaking, name, report.parameters)
        return
    if report.runs.empty:
        frame = report.summary
    else:
        frame = report.summary if against is None else report.differences(against, wanted)
        for name in wanted:
            report.check_metric(name)
            _print_points(frame, name, report.parameters)
    if against is None and len(frame) > 20 * len(wanted):
        console.print("of many 95% intervals one in twenty misses; differences call for care")
    _print_problems(report)


def _wanted(report: Report, metrics: list[str] | None) -> list[str]:
    """Metrics to show, each once: those of --metric, or of the study's figure."""
    given = metrics or [panel.metric for panel in report.sweep.figure] or ["handling_speed_pct"]
    check_metrics("--metric", given)
    return list(dict.fromkeys(given))


def _print_problems(report: Report) -> None:
    """Prints what in the study had no effect, and what has failed."""
    for text in report.warnings:
        console.print(f"warning: {text}")
    for failure in report.failures:
        key, seed = failure.get("run"), failure.get("seed")
        console.print(f"failed: run {key}, seed {seed}: {failure.get('error')}")


@app.command("sensitivity")
def sensitivity_command(
    directory: Directory,
    metrics: _Metrics = None,
) -> None:
    """Shows how much of a metric's variance each sampled setting explains (Sobol' indices).

    The study needs points for them: [sweep.sample] with kind = "sobol" and indices = true.
    """
    from rsim.sweep import open_report

    report = open_report(directory)
    for name in _wanted(report, metrics):
        frame = report.sensitivity(name)
        others = list(frame.columns[: list(frame.columns).index("setting")])
        table = Table(*others, f"share of the variance of {name}", "by itself", "in all")
        for row in frame.to_dict("records"):
            cells = ["" if row[one] != row[one] else str(row[one]) for one in others]
            cells.append(row["setting"])
            for index in ("first", "total"):
                low, high = row[f"{index}_low"], row[f"{index}_high"]
                cells.append(f"{row[index]:.2f} ({low:.2f} to {high:.2f})")
            table.add_row(*cells)
        print_table(table)
    _print_problems(report)


@app.command("plot")
def plot_command(
    directory: Directory,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PNG, SVG or PDF; default: in DIR.")
    ] = None,
) -> None:
    """Draws the figure of a study from its stored results, and prints its table."""
    from rsim import plots
    from rsim.studies import study_figure
    from rsim.sweep import open_report

    report = open_report(directory)
    figure = study_figure(report)
    for panel in report.sweep.figure:
        if not panel.against:
            _print_points(report.shown(panel), panel.metric, report.parameters)
    path = plots.save(figure, out or directory / f"{directory.resolve().name}.png")
    console.print(
        f"figure   {path}", f"summary  {directory / 'summary.csv'}", sep="\n", soft_wrap=True
    )
    console.print(f"runs     {directory / 'runs.parquet'}", soft_wrap=True)


@app.command("compare")
def compare_command(
    directory: Directory,
    reference: Annotated[Path, typer.Option(metavar="CSV", help="Reference results.")],
    everything: Annotated[
        bool, typer.Option("--all", help="List the points that agree, too.")
    ] = False,
) -> None:
    """Compares stored results with a reference, point by point, by joint 95% intervals."""
    from rsim.results.comparison import agreement
    from rsim.sweep import open_report

    report = open_report(directory)
    points = report.compare(reference)
    shares = Table("metric", "within", "points", "common shift", "p", "p of the shape")
    for row in agreement(points).to_dict("records"):
        shift = f"{rounded(row['shift'], row['shift_ci95'])} ± {half_width_text(row['shift_ci95'])}"
        counts = (str(row["within"]), str(row["points"]))
        shares.add_row(
            row["metric"], *counts, shift, p_text(row["shift_p"]), p_text(row["shape_p"])
        )
    listed = points if everything else points[~points["within"]]
    names = [name for name in report.parameters if listed[name].notna().any()]
    titles = ("metric", "rsim", "±95%", "reference", "±95%", "difference / joint ±")
    table = Table(*names, *titles)
    for row in listed.to_dict("records"):
        cells = (
            row["metric"],
            rounded(row["mean"], row["ci95"]),
            half_width_text(row["ci95"]),
            rounded(row["reference_mean"], row["reference_ci95"]),
            half_width_text(row["reference_ci95"]),
            f"{row['difference'] / row['joint_ci95']:+.2f}" if row["joint_ci95"] else "inf",
        )
        table.add_row(*(str(row[name]) for name in names), *cells)
    if len(listed):
        print_table(table)
    print_table(shares)


def _print_points(summary: Any, metric: str, parameters: list[str]) -> None:
    rows = summary[summary["metric"] == metric]
    compared = "p_holm" in rows
    table = Table(*parameters, metric, "95% interval", "runs", *(["p (Holm)"] if compared else []))
    for row in rows.to_dict("records"):
        cells = ["" if row[name] != row[name] else str(row[name]) for name in parameters]
        cells += [
            rounded(row["mean"], row["ci95"]),
            ends_text(row["mean"], row["low"], row["high"]),
            str(row["runs"]) if row["runs"] == row["of"] else f"{row['runs']} of {row['of']}",
        ]
        table.add_row(*cells, *([p_text(row["p_holm"])] if compared else []))
    print_table(table)
    methods = ", ".join(
        f"{method} ({n})" for method, n in rows["interval_method"].value_counts().items()
    )
    console.print(f"intervals of {metric}: {methods}", soft_wrap=True)


def _print_breaking(points: Any, x: str, metric: str, parameters: list[str]) -> None:
    names = [name for name in parameters if name != x]
    table = Table(*names, f"{x} where {metric} breaks (95%)", "seeds")
    for row in points.to_dict("records"):
        cells = ["" if row[name] != row[name] else str(row[name]) for name in names]
        seeds = str(row["runs"]) if row["runs"] == row["of"] else f"{row['runs']} of {row['of']}"
        table.add_row(*cells, row["text"], seeds)
    print_table(table)
