"""Results on disk: runs in Parquet, their summary, and a manifest of where they come from."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from rsim.errors import ResultError

RUNS = "runs.parquet"
SUMMARY = "summary.csv"
MANIFEST = "manifest.json"


def _replace(path: Path, write: Any) -> None:
    """Writes beside the file and moves it into place, so that no half file is ever seen."""
    partial = path.with_name(path.name + ".partial")
    write(partial)
    partial.replace(path)


def write_sweep(
    directory: Path, runs: pd.DataFrame, summary: pd.DataFrame, manifest: dict[str, Any]
) -> None:
    """Stores a sweep in a folder. Raises ResultError if the folder can't be written."""
    provenance = {
        "rsim": version("rsim"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: version(name) for name in ("numpy", "simpy", "pandas", "scipy")},
        **manifest,
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _replace(directory / RUNS, lambda path: runs.to_parquet(path, index=False))
        _replace(directory / SUMMARY, lambda path: summary.to_csv(path, index=False))
        text = json.dumps(provenance, indent=2, default=str)
        _replace(directory / MANIFEST, lambda path: path.write_text(text, encoding="utf-8"))
    except OSError as error:
        raise ResultError(f"{directory}: can't store the results: {error.strerror}") from None


def read_sweep(directory: str | Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Runs and manifest of a stored sweep. Raises ResultError if there is none."""
    directory = Path(directory)
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        runs = pd.read_parquet(directory / RUNS)
    except FileNotFoundError as error:
        raise ResultError(
            f"{directory}: no results here ({Path(error.filename).name} is missing)"
        ) from None
    except (OSError, ValueError) as error:
        raise ResultError(f"{directory}: damaged results: {error}") from None
    return runs, manifest
