"""Commands on the threats of RFC 5355."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from rsim.cli.application import Jobs, Out, app, console, print_table, progress_bar
from rsim.cli.interrupts import heeded
from rsim.errors import ScenarioError
from rsim.results.digits import interval_text

threat_app = typer.Typer(
    invoke_without_command=True, help="The threats of RFC 5355 as experiments; lists them."
)
app.add_typer(threat_app, name="threats")


@threat_app.callback()
def threats_command(context: typer.Context) -> None:
    """Lists the threats.

    Parameters: `context` of the command, which tells whether a subcommand follows.
    """
    if context.invoked_subcommand is not None:
        return
    from rsim.threats import threats

    table = Table(*("id", "threat", "needs", "effect measured", "mitigation"))
    for one in threats():
        table.add_row(*(one.id, one.name, one.needs, one.metric, one.mitigation))
    print_table(table)


@threat_app.command("run")
def threats_run_command(
    names: Annotated[list[str], typer.Argument(metavar="ID...", help="Threats, or all.")],
    out: Out = Path("results/threats"),
    quick: Annotated[
        bool, typer.Option("--quick", help="Few seeds, short runs, no breaking points.")
    ] = False,
    seeds: Annotated[int | None, typer.Option(min=2, help="Seeds for each arm.")] = None,
    duration: Annotated[
        str | None, typer.Option(help='Measured time of each run, such as "10min".')
    ] = None,
    jobs: Jobs = None,
) -> None:
    """Runs threats in four arms, and writes a figure and a line of a table for each."""
    from dataclasses import replace

    from rsim.threats import FULL, QUICK, run_threats, store_outcomes, threat, threats
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
    table = Table(*("id", "effect", "no attack", "attack", "mitigated", "restored"))
    with heeded(), progress_bar("threats") as progress:
        # One after the other, so that what is finished is stored.
        for number, one in enumerate(chosen):
            [outcome] = run_threats([one], effort, jobs=jobs)
            store_outcomes([outcome], out)
            progress(number + 1, len(chosen), 0)
            row = outcome.row()
            cells = [
                interval_text(outcome.mean(arm)) for arm in ("baseline", "attack", "mitigated")
            ]
            restored = row["restored"]
            share = f"{100 * restored:.0f}%" if restored == restored else "-"
            table.add_row(one.id, one.metric, *cells, share)
    print_table(table)
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
