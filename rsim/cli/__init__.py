"""The command line: thin over the public functions, a file for each kind of command."""

from __future__ import annotations

import sys

from rsim.cli import captures, results, runs, sweeps, threats
from rsim.cli.app import app
from rsim.errors import RsimError

__all__ = ["app", "captures", "main", "results", "runs", "sweeps", "threats"]


def main() -> None:
    """Entry point: a user's mistake is told in a line, with exit code 2."""
    try:
        app()
    except RsimError as error:
        notes = "; ".join(getattr(error, "__notes__", ()))
        print(f"rsim: {error}" + (f" ({notes})" if notes else ""), file=sys.stderr)
        sys.exit(2)
