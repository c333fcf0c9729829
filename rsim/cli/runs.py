"""Commands on single scenarios: run, schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from rsim.cli.application import (
    AllowCode,
    Overrides,
    ScenarioFile,
    app,
    console,
    print_table,
    refuse_same,
    settings_of,
)
from rsim.cli.interrupts import heeded
from rsim.errors import ScenarioError


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
    from rsim.scenario.files import files_of

    if decrypted and pcap is None:
        raise ScenarioError("--pcap-decrypted: does nothing without --pcap FILE")
    scenario = load(file, settings_of(overrides), allow_code=allow_code)
    refuse_same(pcap, "--pcap", file, *files_of(scenario))
    with heeded():
        # So that the capture ends with a whole packet.
        result = run(scenario, seed, pcap=pcap, decrypted=decrypted)
    if as_json:
        document = {
            "name": result.name,
            "seed": result.seed,
            "digest": result.digest,
            "measured_from": result.observation.begin,
            "measured_to": result.observation.end,
            "metrics": {k: None if v != v else v for k, v in result.metrics.items()},
        }
        typer.echo(json.dumps(document, indent=2))
        return
    table = Table("metric", "value", "unit", title=f"{result.name}, seed {result.seed}")
    for row in result.frame().to_dict("records"):
        if row["value"] == row["value"]:
            table.add_row(row["metric"], f"{row['value']:.6g}", row["unit"])
    print_table(table)
    begin, end = result.observation.begin, result.observation.end
    console.print(f"measured from {begin:g} s to {end:g} s, digest {result.digest}")


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
    print_table(table)
