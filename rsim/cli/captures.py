"""Commands on messages: dissect, trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from rsim.cli.application import app, console
from rsim.errors import CaptureError


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
