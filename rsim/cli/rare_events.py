"""The command for probabilities of rare events."""

from __future__ import annotations

from math import isfinite
from typing import Annotated

import typer
from rich.table import Table

from rsim.cli.application import (
    AllowCode,
    Jobs,
    Overrides,
    ScenarioFile,
    app,
    check_metrics,
    console,
    print_table,
    settings_of,
)
from rsim.cli.interrupts import heeded
from rsim.results import Interval


@app.command("rare-event")
def rare_event_command(
    file: ScenarioFile,
    metric: Annotated[str, typer.Option(metavar="NAME", help="Metric that comes to the event.")],
    threshold: Annotated[float, typer.Option(help="The event: this value, or a worse one.")],
    means: Annotated[
        list[str] | None,
        typer.Option("--mean", metavar="NAME", help="Also the mean of a metric that is 0 else."),
    ] = None,
    streams: Annotated[
        list[str] | None,
        typer.Option(metavar="PURPOSE", help="Random streams to move, as failures; default: all."),
    ] = None,
    particles: Annotated[int, typer.Option(help="Runs at each level.")] = 400,
    moves: Annotated[int, typer.Option(help="Moves from one of them to the next.")] = 2,
    repetitions: Annotated[int, typer.Option(help="Independent estimates.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all draws.")] = 1,
    jobs: Jobs = None,
    overrides: Overrides = None,
    allow_code: AllowCode = False,
) -> None:
    """Finds the probability that a metric of a run is as bad as a threshold, by splitting.

    It says how many runs plain simulation would need for the same error.
    """
    from rsim.scenario import load
    from rsim.sweep import rare_event

    check_metrics("--metric", [metric])
    check_metrics("--mean", means or [])
    scenario = load(file, settings_of(overrides), allow_code=allow_code)
    with heeded():
        found = rare_event(
            scenario,
            metric,
            threshold,
            means=means or (),
            streams=streams,
            particles=particles,
            moves=moves,
            repetitions=repetitions,
            seed=seed,
            jobs=jobs,
        )
    table = Table("", "estimate", "95% interval")
    for name, interval in {"probability": found.probability, **found.means}.items():
        table.add_row(name, f"{interval.mean:.3g}", _ends(interval))
    print_table(table)
    levels = ", ".join(f"{level:.3g}" for level in found.levels)
    console.print(f"levels of {metric}: {levels}", soft_wrap=True)
    plain = f"{found.plain_runs:,.0f}" if isfinite(found.plain_runs) else "unknown"
    console.print(f"{found.runs:,} runs; plain simulation for the same error: {plain}")


def _ends(interval: Interval) -> str:
    return f"{interval.low:.2g} to {interval.high:.2g}"
