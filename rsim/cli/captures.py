"""Commands on messages: dissect, trace."""

from __future__ import annotations

import json
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from rsim.cli.application import app, console, print_table, refuse_same
from rsim.errors import CaptureError, ScenarioError
from rsim.reading import open_to_write

if TYPE_CHECKING:
    from rsim.wire.capture import FrameCount


def _tell(what: str, count: FrameCount) -> None:
    """What of a capture wasn't understood, on stderr; an error if nothing was."""
    if count.frames and not count.understood:
        raise CaptureError(f"{what}: {count}")
    if not count.messages:
        typer.echo(f"rsim: {what}: no ASAP or ENRP message, {count}", err=True)
    elif count.others:
        typer.echo(f"rsim: {what}: {count}", err=True)


_TITLES = ("time (s)", "from", "to", "message", "content")


@app.command("dissect")
def dissect_command(
    what: Annotated[str, typer.Argument(metavar="FILE|HEX", help="Capture file or bytes in hex.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, a line each.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Most messages shown.")] = None,
) -> None:
    """Shows the ASAP and ENRP messages in a capture, or in bytes given as hex.

    Frames that are not understood are reported; if no frame is understood, the exit code is 2.
    """
    from rsim.wire.capture import FrameCount
    from rsim.wire.dissect import dissect

    table = Table(*_TITLES)
    count = FrameCount()
    shown, cut = 0, False
    for row in dissect(what, count):
        if shown == limit:
            cut = True
            break
        shown += 1
        if as_json:
            typer.echo(json.dumps(row))
        else:
            time = "" if row["departure"] is None else f"{row['departure']:.9f}"
            content = row["error"] or ", ".join(f"{k}={v}" for k, v in row["fields"].items())
            ends = row["source"], row["destination"]
            table.add_row(time, *ends, row["message"], content)
    if table.rows:
        print_table(table)
    if not cut and (count.frames or not shown):
        _tell(what, count)


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
    """Draws a capture as a message sequence chart: each message with its sender, receiver and time.

    Frames that are not understood are reported; if no frame is understood, the exit code is 2.
    """
    from rsim.plots import read_sequence, sequence_html, sequence_text
    from rsim.wire.capture import FrameCount

    for option, time in (("--begin", begin), ("--end", end)):
        if time is not None and isnan(time):
            raise ScenarioError(f"{option}: nan is not a time; give seconds, such as 12.5")
    if begin is not None and end is not None and end < begin:
        raise ScenarioError(f"--end: {end:g} s is before --begin, {begin:g} s")
    refuse_same(out, "PAGE", file)
    count = FrameCount()
    steps = read_sequence(
        file,
        begin=begin,
        end=end,
        hosts=tuple(hosts or ()),
        messages=tuple(messages or ()),
        count=count,
    )
    _tell(str(file), count)
    if count.messages and not steps:
        typer.echo(f"rsim: {file}: none of {count.messages} messages is what you ask for", err=True)
    if out is None:
        typer.echo(sequence_text(steps), nl=False)
        return
    try:
        with open_to_write(out) as page:
            page.write(sequence_html(steps, file.name).encode())
    except OSError as error:
        raise CaptureError(f"{out}: can't be written: {error.strerror}") from None
    console.print(f"{len(steps)} messages in {out}")
