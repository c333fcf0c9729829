"""Results on disk: nothing that has finished is lost, whatever ends a sweep.

Each finished run is a file of its own, moved into place whole. When a sweep ends the files are
gathered in one Parquet table beside a summary and a manifest of where the results come from.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree
from typing import Any

import pandas as pd

from rsim.errors import ResultError

RUNS = "runs.parquet"
SUMMARY = "summary.csv"
MANIFEST = "manifest.json"
PIECES = "finished"
FAILURES = "failures.json"

Row = dict[str, Any]


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Writes beside the file and moves it into place, so that no half file is ever seen."""
    partial = path.with_name(path.name + ".partial")
    write(partial)
    partial.replace(path)


class RunStore:
    """The finished runs in a folder, by the key of what was run.

    Parameters: `directory`; `code` version of the code that runs now; `resume` whether to go on
    from what is there. Raises ResultError if the folder holds results and `resume` is not set, if
    they are of other code, or if it can't be written.
    """

    def __init__(self, directory: str | Path, code: str, *, resume: bool = False) -> None:
        self.directory = Path(directory)
        self.code = code
        self.rows: dict[str, Row] = {}
        self._pieces = self.directory / PIECES
        try:
            self._pieces.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._problem(error) from None
        self._load()
        if self.rows and not resume:
            raise ResultError(
                f"{directory}: holds {len(self.rows)} runs already; "
                "go on from them with --resume, or choose another folder"
            )
        other = {str(row["code"]) for row in self.rows.values()} - {code}
        if other:
            raise ResultError(
                f"{directory}: holds runs of rsim {min(other)}, this is {code}; "
                "choose another folder"
            )

    def _problem(self, error: OSError) -> ResultError:
        return ResultError(f"{self.directory}: can't store the results: {error.strerror}")

    def _load(self) -> None:
        if (self.directory / RUNS).exists():
            runs, _ = read_sweep(self.directory)
            self.rows = {str(row["run"]): row for row in runs.to_dict("records")}  # type: ignore[misc]
        for piece in self._pieces.glob("*.json"):
            try:
                row = json.loads(piece.read_text(encoding="utf-8"))
                self.rows[str(row["run"])] = row
            except (OSError, ValueError, KeyError) as error:
                raise ResultError(f"{piece}: damaged: {error}; remove it to run it again") from None

    def put(self, row: Row) -> None:
        """Stores a finished run; `row["run"]` is its key."""
        key = str(row["run"])
        text = json.dumps({**row, "code": self.code}, default=str)
        try:
            _replace(self._pieces / f"{key}.json", lambda path: path.write_text(text, "utf-8"))
        except OSError as error:
            raise self._problem(error) from None
        self.rows[key] = json.loads(text)

    def put_failures(self, failures: list[Row]) -> None:
        """Stores what has failed, with error, traceback and seed; nothing if nothing has."""
        path = self.directory / FAILURES
        try:
            if failures:
                text = json.dumps(failures, indent=1, default=str)
                _replace(path, lambda partial: partial.write_text(text, "utf-8"))
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise self._problem(error) from None

    def finish(self, runs: pd.DataFrame, summary: pd.DataFrame, manifest: dict[str, Any]) -> None:
        """Gathers all runs in one table, with their summary and the manifest."""
        provenance = {
            "rsim": self.code,
            "python": platform.python_version(),
            "platform": platform.platform(),
            "packages": {name: version(name) for name in ("numpy", "simpy", "pandas", "scipy")},
            **manifest,
        }
        text = json.dumps(provenance, indent=2, default=str)
        try:
            _replace(self.directory / MANIFEST, lambda path: path.write_text(text, "utf-8"))
            _replace(self.directory / RUNS, lambda path: runs.to_parquet(path, index=False))
            _replace(self.directory / SUMMARY, lambda path: summary.to_csv(path, index=False))
            rmtree(self._pieces)
        except OSError as error:
            raise self._problem(error) from None


def read_sweep(directory: str | Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Runs and manifest of a stored sweep. Raises ResultError if there is none."""
    directory = Path(directory)
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        runs = pd.read_parquet(directory / RUNS)
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        raise ResultError(f"{directory}: no results here ({missing} is missing)") from None
    except (OSError, ValueError) as error:
        raise ResultError(f"{directory}: damaged results: {error}") from None
    return runs, manifest


def read_failures(directory: str | Path) -> list[Row]:
    """The runs of a stored sweep that have failed, with their errors and seeds."""
    path = Path(directory) / FAILURES
    try:
        found: list[Row] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    except (OSError, ValueError) as error:
        raise ResultError(f"{path}: damaged: {error}") from None
    return found
