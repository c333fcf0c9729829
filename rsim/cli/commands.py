"""All commands; whoever imports this has them."""

from rsim.cli import captures, results, runs, sweeps, threats
from rsim.cli.application import app

__all__ = ["app", "captures", "results", "runs", "sweeps", "threats"]
