"""The command that chooses the best value of a parameter."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from rich.table import Table

from rsim.cli.application import (
    AllowCode,
    Jobs,
    Out,
    Overrides,
    Quick,
    Resume,
    ScenarioFile,
    app,
    console,
    print_table,
    progress_bar,
    settings_of,
)
from rsim.cli.interrupts import INTERRUPTED, heeded
from rsim.cli.results import Better
from rsim.results.digits import ends_text, rounded


@app.command("best")
def best_command(
    file: ScenarioFile,
    out: Out,
    metric: Annotated[str, typer.Option(help="Metric that counts.")],
    over: Annotated[
        str, typer.Option(metavar="PATH", help="Axis whose values are compared, or arm.")
    ],
    indifference: Annotated[
        float, typer.Option(metavar="D", help="Difference that matters, in the metric's unit.")
    ],
    confidence: Annotated[float, typer.Option(help="Promised probability, above 0.5.")] = 0.95,
    first: Annotated[int, typer.Option(min=2, help="Seeds of each value to begin with.")] = 10,
    most: Annotated[int, typer.Option(min=2, help="Most seeds of a value.")] = 500,
    better: Better = None,
    jobs: Jobs = None,
    quick: Quick = False,
    resume: Resume = False,
    overrides: Overrides = None,
    allow_code: AllowCode = False,
) -> None:
    """Chooses the best value of an axis, with a promised probability that it is the best.

    All values begin with the same seeds; those that are clearly worse get no further ones. Exit
    code 1 if seeds ran out before one was left.
    """
    from rsim.sweep import best, load_study

    study = load_study(file, settings_of(overrides), quick=quick, allow_code=allow_code)
    try:
        with heeded(), progress_bar(study.name) as progress:
            found = best(
                study,
                out,
                metric=metric,
                over=over,
                indifference=indifference,
                confidence=confidence,
                first=first,
                most=most,
                better=better.value if better else "",
                jobs=jobs,
                resume=resume,
                progress=progress,
            )
    except KeyboardInterrupt:
        console.print(
            f"stopped; what has finished is in {out}, go on with --resume", soft_wrap=True
        )
        raise typer.Exit(INTERRUPTED) from None
    _print_table(found.table, metric, over)
    console.print(found.promise, soft_wrap=True)
    console.print(f"results in {out}", soft_wrap=True)
    if not found.decided:
        print("rsim: nothing was chosen everywhere; see above", file=sys.stderr)
        raise typer.Exit(1)


def _print_table(frame: Any, metric: str, over: str) -> None:
    others = list(frame.columns[: list(frame).index(over)])
    table = Table(*others, over, "runs", metric, "95% interval", "left out after", "best")
    for row in frame.to_dict("records"):
        table.add_row(
            *(str(row[name]) for name in (*others, over, "runs")),
            rounded(row["mean"], (row["high"] - row["low"]) / 2),
            ends_text(row["mean"], row["low"], row["high"]),
            str(row["eliminated"] or ""),
            "best" if row["best"] else "",
        )
    print_table(table)
