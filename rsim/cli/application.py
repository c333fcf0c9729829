"""What all commands share: the application, options, the console and its progress bar."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer
from rich.console import Console, ConsoleDimensions
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from rsim.cli.interrupts import check
from rsim.errors import ScenarioError
from rsim.scenario.files import parse_table

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Simulates Reliable Server Pooling with real ASAP and ENRP messages.",
)
# Names of files, arms and values are shown as they are.
console = Console(markup=False, highlight=False, emoji=False)
_WIDTH_OF_PIPES = 2000
"""Characters of a line for pipes and files, which have no edge: more than a table needs."""
if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
    console.size = ConsoleDimensions(_WIDTH_OF_PIPES, console.height)

ScenarioFile = Annotated[Path, typer.Argument(metavar="FILE", help="Scenario file (TOML).")]
Directory = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a sweep's results.")]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")]
Jobs = Annotated[int | None, typer.Option(min=1, help="Processes; default: all cores.")]
Quick = Annotated[bool, typer.Option("--quick", help="The study's one-minute version.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the runs that are in DIR.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="A setting by dotted path; repeatable."),
]
AllowCode = Annotated[
    bool, typer.Option("--allow-code", help="Run the Python files that the scenario names.")
]


def print_table(table: Table) -> None:
    """Prints it in the width there is: a name too long for its column goes on below.

    Parameters: `table`, with its rows.
    """
    for column in table.columns:
        column.overflow = "fold"
    console.print(table)


def settings_of(items: list[str] | None) -> dict[str, Any]:
    """Values by dotted path, from PATH=VALUE.

    Parameters: `items` such as `duration=10min`.
    """
    result: dict[str, Any] = {}
    for item in items or []:
        path, separator, text = item.partition("=")
        if not separator or not path:
            raise ScenarioError(f"--set {item}: must be PATH=VALUE")
        try:
            result[path] = parse_table(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            result[path] = text
        except ValueError as error:
            raise ScenarioError(f"--set {path}: {error}") from None
    return result


def check_metrics(option: str, names: Iterable[str]) -> None:
    """Raises ScenarioError where a name is no metric's.

    Parameters: `option` that gives the names; `names` of metrics.
    """
    from rsim.results.registry import check_name

    for name in names:
        try:
            check_name(name)
        except ValueError as error:
            raise ScenarioError(f"{option} {error}") from None


@contextmanager
def progress_bar(name: str) -> Iterator[Callable[[int, int, int], None]]:
    """A bar with the time left on a terminal, else a line for every tenth.

    Parameters: `name` beside the bar.
    """
    if not console.is_terminal:
        told = -1

        def tell(done: int, total: int, failed: int) -> None:
            nonlocal told
            check()
            tenth = 10 * (done + failed) // max(1, total)
            if tenth > told:
                told = tenth
                console.print(f"{name}: {done} of {total} runs, {failed} failed")

        yield tell
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed"),
        TextColumn("{task.fields[rate]:.3g}/s"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(name, failed=0, rate=0.0)
        begin, first = perf_counter(), -1

        def show(done: int, total: int, failed: int) -> None:
            nonlocal first
            check()
            # What an earlier sweep has stored is no work of this one.
            first = done if first < 0 else first
            rate = (done + failed - first) / max(perf_counter() - begin, 1e-9)
            bar.update(task, completed=done + failed, total=total, failed=failed, rate=rate)

        yield show


def refuse_same(written: Path | None, what: str, *read: str | Path) -> None:
    """Raises ScenarioError where a file to be written is one of those that are read.

    Parameters: `written` the file to be written; `what` the option that names it; `read` the file
    that is read.
    """
    for file in read:
        if written is not None and written.exists() and written.samefile(file):
            raise ScenarioError(f"{what}: {written}: is read, and would be lost; take another name")
