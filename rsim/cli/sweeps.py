"""Commands that carry out sweeps: sweep, rerun, reproduce."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from rsim.cli.application import (
    AllowCode,
    Directory,
    Jobs,
    Out,
    Overrides,
    Quick,
    Resume,
    ScenarioFile,
    app,
    console,
    progress_bar,
    settings_of,
)
from rsim.cli.interrupts import INTERRUPTED, heeded
from rsim.errors import ScenarioError
from rsim.results.digits import half_width_text, rounded


@app.command("sweep")
def sweep_command(
    file: ScenarioFile,
    out: Out,
    jobs: Jobs = None,
    replications: Annotated[int | None, typer.Option(min=1, help="Seeds for each point.")] = None,
    quick: Quick = False,
    resume: Resume = False,
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
        settings_of(overrides),
        replications=replications,
        quick=quick,
        allow_code=allow_code,
    )
    last = study.first_seed + study.replications - 1
    console.print(f"{study.name}: {len(study.points)} points, seeds {study.first_seed} to {last}")
    try:
        with heeded(), progress_bar(study.name) as progress, _workers(dask) as executor:
            result = sweep(
                study, out, jobs=jobs, resume=resume, progress=progress, executor=executor
            )
    except KeyboardInterrupt:
        console.print(
            f"stopped; what has finished is in {out}, go on with --resume", soft_wrap=True
        )
        if dask is not None:
            # What Dask does when an interpreter ends takes seconds, and fails after an interrupt.
            sys.stdout.flush()
            os._exit(INTERRUPTED)
        raise typer.Exit(INTERRUPTED) from None
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
    from rsim.sweep.workers import starting_processes

    # What comes of a cluster is told by the sweep, in one line.
    for logger in ("distributed", "distributed.client", "tornado.application"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    local: dict[str, Any] = {"silence_logs": logging.CRITICAL, "dashboard_address": None}
    options = local if dask == "local" else {"address": dask, "timeout": 10}
    try:
        with starting_processes():
            client = Client(**options)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise ScenarioError(f"--dask {dask}: no scheduler answers: {error}") from None
    except RuntimeError as error:
        raise ScenarioError(f"--dask {dask}: the cluster does not start: {error}") from None
    yield client.get_executor()  # type: ignore[no-untyped-call]
    # Not after an interrupt: the cluster's processes end with this one.
    client.close()  # type: ignore[no-untyped-call]


@app.command("rerun")
def rerun_command(
    directory: Directory,
    run: Annotated[str, typer.Option(metavar="ID", help="Key of the run, or its beginning.")],
    allow_code: AllowCode = False,
) -> None:
    """Does one run of a stored sweep again and says whether it gives the same."""
    from rsim.sweep import open_report

    result, digest = open_report(directory).rerun(run, allow_code=allow_code)
    for name, value in result.metrics.items():
        if value == value:
            console.print(f"{name:28} {value:.6g}")
    same = "the same as stored" if result.digest == digest else f"stored is {digest or 'a failure'}"
    console.print(f"digest {result.digest}, {same}")


@app.command("reproduce")
def reproduce_command(
    names: Annotated[list[str], typer.Argument(metavar="STUDY...", help="Studies, or all.")],
    experiments: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the studies.")] = Path(
        "experiments"
    ),
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the new results.")] = Path(
        "results/reproduce"
    ),
    jobs: Jobs = None,
    replications: Annotated[int | None, typer.Option(min=1, help="Seeds for each point.")] = None,
    resume: Resume = False,
) -> None:
    """Does studies again and says what differs from the kept results beyond 95% intervals.

    Exit code 1 if more than one figure in twenty does, which is more than chance explains.
    """
    from rsim.studies import reproduce, studies

    differs = False
    for name in studies(experiments) if names == ["all"] else names:
        with heeded(), progress_bar(name) as progress:
            done = reproduce(
                experiments,
                name,
                out,
                jobs=jobs,
                replications=replications,
                resume=resume,
                progress=progress,
            )
        changed = done.changed
        differs = differs or len(changed) > len(done.points) / 20
        console.print(
            f"{name}: {len(changed)} of {len(done.points)} figures differ by more than their joint "
            f"95% interval; new results in {done.out}",
            soft_wrap=True,
        )
        for row in changed.head(10).to_dict("records"):
            point = ", ".join(
                f"{key}={value}"
                for key, value in row.items()
                if key in done.parameters and value == value
            )
            console.print(
                f"  {row['metric']} at {point}: {_value(row, '')}, "
                f"kept {_value(row, 'reference_')}",
                soft_wrap=True,
            )
    if differs:
        raise typer.Exit(1)


def _value(row: dict[Hashable, Any], which: str) -> str:
    half = row[f"{which}ci95"]
    return f"{rounded(row[f'{which}mean'], half)} ± {half_width_text(half)}"
