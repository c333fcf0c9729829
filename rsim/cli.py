"""The command line: thin over the public functions."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from rsim.errors import CaptureError, RsimError, ScenarioError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Simulates Reliable Server Pooling with real ASAP and ENRP messages.",
)
console = Console()

ScenarioFile = Annotated[Path, typer.Argument(metavar="FILE", help="Scenario file (TOML).")]
Directory = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a sweep's results.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="A setting by dotted path; repeatable."),
]
AllowCode = Annotated[
    bool, typer.Option("--allow-code", help="Run the Python files that the scenario names.")
]


def _overrides(items: list[str] | None) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for item in items or []:
        path, separator, text = item.partition("=")
        if not separator or not path:
            raise ScenarioError(f"--set {item}: must be PATH=VALUE")
        try:
            result[path] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            result[path] = text
    return result


@app.command("run")
def run_command(
    file: ScenarioFile,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed instead of the file's.")] = None,
    overrides: Overrides = None,
    allow_code: AllowCode = False,
    as_json: Annotated[bool, typer.Option("--json", help="Metrics as JSON.")] = False,
    pcap: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Captures all packets (pcapng).")
    ] = None,
    decrypted: Annotated[
        bool,
        typer.Option("--pcap-decrypted", help="Shows there what protected messages say."),
    ] = False,
) -> None:
    """Runs a scenario once and prints its metrics."""
    from rsim.scenario import load, run

    scenario = load(file, _overrides(overrides), allow_code=allow_code)
    result = run(scenario, seed, pcap=pcap, decrypted=decrypted)
    if as_json:
        document = {
            "name": result.name,
            "seed": result.seed,
            "digest": result.digest,
            "metrics": {k: None if v != v else v for k, v in result.metrics.items()},
        }
        typer.echo(json.dumps(document, indent=2))
        return
    table = Table("metric", "value", "unit", title=f"{result.name}, seed {result.seed}")
    for row in result.frame().to_dict("records"):
        if row["value"] == row["value"]:
            table.add_row(row["metric"], f"{row['value']:.6g}", row["unit"])
    console.print(table)
    console.print(f"digest {result.digest}")


@app.command("sweep")
def sweep_command(
    file: ScenarioFile,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")],
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; default: all cores.")] = None,
    replications: Annotated[int | None, typer.Option(min=1, help="Seeds for each point.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="The study's one-minute version.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the runs that are in DIR.")
    ] = False,
    overrides: Overrides = None,
    allow_code: AllowCode = False,
    dask: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Dask scheduler, or local for one on this machine."),
    ] = None,
) -> None:
    """Runs a study over its axes and seeds, and stores each run as it finishes.

    Exit code 1 if runs have failed; the others are stored all the same.
    """
    from rsim.sweep import load_study, sweep

    study = load_study(
        file,
        _overrides(overrides),
        replications=replications,
        quick=quick,
        allow_code=allow_code,
    )
    try:
        with _progress(study.name) as progress, _workers(dask) as executor:
            result = sweep(
                study, out, jobs=jobs, resume=resume, progress=progress, executor=executor
            )
    except KeyboardInterrupt:
        console.print(f"stopped; what has finished is in {out}, go on with --resume")
        raise typer.Exit(130) from None
    for failure in result.failures:
        point = ", ".join(f"{name}={failure.get(name)}" for name in result.parameters)
        print(f"rsim: failed: {point}, seed {failure['seed']}: {failure['error']}", file=sys.stderr)
    console.print(f"results in {out}", soft_wrap=True)
    if result.failures:
        raise typer.Exit(1)


@contextmanager
def _workers(dask: str | None) -> Iterator[Any]:
    """A Dask cluster's executor, if one is asked for."""
    if dask is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError:
        raise ScenarioError(
            "--dask needs the package dask[distributed]: pip install rsim[dask]"
        ) from None
    try:
        client = Client(**({} if dask == "local" else {"address": dask, "timeout": 10}))  # type: ignore[no-untyped-call]
    except OSError as error:
        raise ScenarioError(f"--dask {dask}: no scheduler answers: {error}") from None
    with client:
        yield client.get_executor()  # type: ignore[no-untyped-call]


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int, int], None]]:
    """A bar with the time left on a terminal, else a line for every tenth."""
    if not console.is_terminal:
        told = -1

        def tell(done: int, total: int, failed: int) -> None:
            nonlocal told
            tenth = 10 * (done + failed) // max(1, total)
            if tenth > told:
                told = tenth
                console.print(f"{name}: {done} of {total} runs, {failed} failed")

        yield tell
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(name, failed=0)
        yield lambda done, total, failed: bar.update(
            task, completed=done + failed, total=total, failed=failed
        )


@app.command("summary")
def summary_command(
    directory: Directory,
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", help="Metrics shown; default: the figure's.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="ARM", help="Differences to this arm, seed by seed.")
    ] = None,
) -> None:
    """Shows means and 95% intervals of a stored sweep, by point, and what has failed."""
    from rsim.results import METRICS
    from rsim.sweep.report import open_report

    report = open_report(directory)
    wanted = metrics or [panel.metric for panel in report.sweep.figure] or ["handling_speed_pct"]
    for name in wanted:
        if name not in METRICS:
            raise ScenarioError(f"--metric {name}: is no metric")
    frame = report.summary if against is None else report.differences(against, wanted)
    for name in dict.fromkeys(wanted):
        _print_points(frame, name, report.parameters)
    if len(frame) > 20 * len(wanted):
        console.print("of many 95% intervals one in twenty misses; differences call for care")
    for failure in report.failures:
        console.print(f"failed: seed {failure.get('seed')}: {failure.get('error')}")


@app.command("rerun")
def rerun_command(
    directory: Directory,
    run: Annotated[str, typer.Option(metavar="ID", help="Key of the run, or its beginning.")],
    allow_code: AllowCode = False,
) -> None:
    """Does one run of a stored sweep again and says whether it gives the same."""
    from rsim.sweep.report import open_report

    result, digest = open_report(directory).rerun(run, allow_code=allow_code)
    for name, value in result.metrics.items():
        if value == value:
            console.print(f"{name:28} {value:.6g}")
    same = "the same as stored" if result.digest == digest else f"stored is {digest}"
    console.print(f"digest {result.digest}, {same}")


@app.command("plot")
def plot_command(
    directory: Directory,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PNG, SVG or PDF; default: in DIR.")
    ] = None,
) -> None:
    """Draws the figure of a study from its stored results, and prints its table."""
    from rsim import plots
    from rsim.sweep.report import open_report

    report = open_report(directory)
    panels = report.sweep.figure
    if not panels:
        raise ScenarioError(f"{directory}: the study has no [sweep.figure]")
    figure, places = plots.panels(len(panels))
    for panel, axes in zip(panels, places, strict=True):
        shown = report.points_where(panel.where)
        arms = {name: arm.label or name for name, arm in report.sweep.arms.items()}
        if panel.arms:
            shown = shown[shown["arm"].isin(panel.arms)]
            arms = {name: arms[name] for name in panel.arms}
        if panel.against:
            plots.plot_tradeoff(
                shown,
                metric=panel.metric,
                against=panel.against,
                x=panel.x,
                lines=panel.lines,
                arms=arms,
                title=panel.title,
                axes=axes,
            )
            continue
        plots.plot_effect(
            shown,
            metric=panel.metric,
            x=panel.x,
            lines=panel.lines,
            arms=arms,
            references=report.references(panel.where) if not panel.arms else (),
            x_label=panel.x_label,
            x_scale=panel.x_scale,
            title=panel.title,
            axes=axes,
        )
        _print_points(shown, panel.metric, report.parameters)
    path = plots.save(figure, out or directory / f"{directory.resolve().name}.png")
    console.print(
        f"figure   {path}", f"summary  {directory / 'summary.csv'}", sep="\n", soft_wrap=True
    )
    console.print(f"runs     {directory / 'runs.parquet'}", soft_wrap=True)


def _print_points(summary: Any, metric: str, parameters: list[str]) -> None:
    rows = summary[summary["metric"] == metric]
    table = Table(*parameters, metric, "±95%", "runs")
    for row in rows.to_dict("records"):
        cells = ["" if row[name] != row[name] else str(row[name]) for name in parameters]
        table.add_row(*cells, f"{row['mean']:.2f}", f"{row['ci95']:.2f}", str(row["runs"]))
    console.print(table)


@app.command("compare")
def compare_command(
    directory: Directory,
    reference: Annotated[Path, typer.Option(metavar="CSV", help="Reference results.")],
    everything: Annotated[
        bool, typer.Option("--all", help="List the points that agree, too.")
    ] = False,
) -> None:
    """Compares stored results with a reference, point by point, by joint 95% intervals."""
    from rsim.sweep.report import open_report

    report = open_report(directory)
    points = report.compare(reference)
    shares = Table("metric", "within", "points", "share")
    for metric, group in points.groupby("metric", sort=False):
        within = int(group["within"].sum())
        shares.add_row(
            str(metric), str(within), str(len(group)), f"{100 * within / len(group):.0f}%"
        )
    listed = points if everything else points[~points["within"]]
    names = [name for name in report.parameters if listed[name].notna().any()]
    table = Table(*names, "metric", "rsim", "±95%", "reference", "±95%", "difference / joint ±")
    for row in listed.to_dict("records"):
        table.add_row(
            *(str(row[name]) for name in names),
            row["metric"],
            f"{row['mean']:.4g}",
            f"{row['ci95']:.2g}",
            f"{row['reference_mean']:.4g}",
            f"{row['reference_ci95']:.2g}",
            f"{row['difference'] / row['joint_ci95']:+.2f}" if row["joint_ci95"] else "inf",
        )
    if len(listed):
        console.print(table)
    console.print(shares)


@app.command("dissect")
def dissect_command(
    what: Annotated[str, typer.Argument(metavar="FILE|HEX", help="Capture file or bytes in hex.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, a line each.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Most messages shown.")] = None,
) -> None:
    """Shows the ASAP and ENRP messages in a capture, or in bytes given as hex."""
    from rsim.wire.dissect import dissect

    table = Table("time (s)", "from", "to", "message", "content")
    for number, row in enumerate(dissect(what)):
        if limit is not None and number >= limit:
            break
        if as_json:
            typer.echo(json.dumps(row))
        else:
            time = "" if row["departure"] is None else f"{row['departure']:.9f}"
            content = row["error"] or ", ".join(f"{k}={v}" for k, v in row["fields"].items())
            table.add_row(time, row["source"], row["destination"], row["message"], content)
    if not as_json:
        console.print(table)


@app.command("trace")
def trace_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Capture file (pcapng).")],
    out: Annotated[
        Path | None, typer.Option(metavar="PAGE", help="Writes an HTML page instead of text.")
    ] = None,
    begin: Annotated[float | None, typer.Option(help="From this time on, s.")] = None,
    end: Annotated[float | None, typer.Option(help="Up to this time, s.")] = None,
    hosts: Annotated[
        list[str] | None,
        typer.Option("--host", help="Only what this host sends or receives (* and ? match)."),
    ] = None,
    messages: Annotated[
        list[str] | None, typer.Option("--message", help="Only these messages (* and ? match).")
    ] = None,
) -> None:
    """Draws a capture as a message sequence chart: who sent what to whom, and when."""
    from rsim.plots.sequence import as_html, as_text, sequence

    steps = sequence(
        file, begin=begin, end=end, hosts=tuple(hosts or ()), messages=tuple(messages or ())
    )
    if out is None:
        typer.echo(as_text(steps), nl=False)
        return
    try:
        out.write_text(as_html(steps, file.name), encoding="utf-8")
    except OSError as error:
        raise CaptureError(f"{out}: can't be written: {error.strerror}") from None
    console.print(f"{len(steps)} messages in {out}")


threat_app = typer.Typer(
    invoke_without_command=True, help="The threats of RFC 5355 as experiments; lists them."
)
app.add_typer(threat_app, name="threats")


@threat_app.callback()
def threats_command(context: typer.Context) -> None:
    """Lists the threats."""
    if context.invoked_subcommand is not None:
        return
    from rsim.threats import threats

    table = Table("id", "threat", "needs", "effect measured", "mitigation")
    for one in threats():
        table.add_row(one.id, one.name, one.needs, one.metric, one.mitigation)
    console.print(table)


@threat_app.command("run")
def threats_run_command(
    names: Annotated[list[str], typer.Argument(metavar="ID...", help="Threats, or all.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = Path(
        "results/threats"
    ),
    quick: Annotated[
        bool, typer.Option("--quick", help="Few seeds, short runs, no breaking points.")
    ] = False,
    seeds: Annotated[int | None, typer.Option(min=2, help="Seeds for each arm.")] = None,
    duration: Annotated[
        str | None, typer.Option(help='Measured time of each run, such as "10min".')
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; default: all cores.")] = None,
) -> None:
    """Runs threats in four arms, and writes a figure and a line of a table for each."""
    from dataclasses import replace

    from rsim.threats import run_threats, threat, threats
    from rsim.threats.experiment import FULL, QUICK
    from rsim.threats.report import store
    from rsim.units import seconds as to_seconds

    chosen = list(threats()) if names == ["all"] else [threat(name) for name in names]
    effort = QUICK if quick else FULL
    if seeds is not None:
        effort = replace(effort, seeds=seeds)
    if duration is not None:
        try:
            effort = replace(effort, duration=float(to_seconds(duration)))
        except ValueError as error:
            raise ScenarioError(f"--duration: {error}") from None
    table = Table("id", "effect", "no attack", "attack", "mitigated", "restored")
    with _progress("threats") as progress:
        # One after the other, so that what is finished is stored.
        for number, one in enumerate(chosen):
            [outcome] = run_threats([one], effort, jobs=jobs)
            store([outcome], out)
            progress(number + 1, len(chosen), 0)
            row = outcome.row()
            cells = [f"{row[arm]:.4g}" for arm in ("baseline", "attack", "mitigated")]
            table.add_row(one.id, one.metric, *cells, f"{100 * row['restored']:.0f}%")
    console.print(table)
    console.print(f"results in {out}", soft_wrap=True)


@threat_app.command("report")
def threats_report_command(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the results.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Page; default: report.html in DIR.")
    ] = None,
) -> None:
    """Writes one self-contained HTML page: a table of all threats, and their figures."""
    from rsim.threats import write_report

    console.print(f"report in {write_report(directory, out)}", soft_wrap=True)


@app.command("schema")
def schema_command(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON Schema.")] = False,
) -> None:
    """Shows every setting of a scenario with its default."""
    from rsim.scenario import Scenario
    from rsim.scenario.schema import settings

    if as_json:
        typer.echo(json.dumps(Scenario.model_json_schema(), indent=2))
        return
    table = Table("setting", "default", "what it is")
    for setting in settings():
        table.add_row(setting.path, setting.default, setting.description)
    console.print(table)


def main() -> None:
    """Entry point: a user's mistake is told in a line, with exit code 2."""
    try:
        app()
    except RsimError as error:
        print(f"rsim: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
