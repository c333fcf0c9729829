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
from typing import TYPE_CHECKING, Any

from rsim.errors import ResultError

if TYPE_CHECKING:
    import pandas as pd

RUNS = "runs.parquet"
SUMMARY = "summary.csv"
MANIFEST = "manifest.json"
PIECES = "finished"
FAILURES = "failures.json"
SERIES = "series.parquet"

Row = dict[str, Any]
Series = dict[str, list[float]]
"""Values over time by name, one list a column."""


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Writes beside the file and moves it into place, so that no half file is ever seen."""
    partial = path.with_name(path.name + ".partial")
    try:
        write(partial)
        partial.replace(path)
    except BaseException:
        # A full disk, or an interrupt by the user.
        partial.unlink(missing_ok=True)
        raise


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
        self.series: dict[str, Series] = {}
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
            self.series = _split(read_series(self.directory))
        for piece in self._pieces.glob("*.json"):
            try:
                self._know(piece.read_text(encoding="utf-8"))
            except (OSError, ValueError, KeyError) as error:
                raise ResultError(f"{piece}: damaged: {error}; remove it to run it again") from None

    def _know(self, text: str) -> None:
        """Takes in a finished run as its file has it."""
        row = json.loads(text)
        series = row.pop("series", None)
        key = str(row["run"])
        self.rows[key] = row
        if series:
            self.series[key] = series

    def put(self, row: Row, series: Series | None = None) -> None:
        """Stores a finished run and its time series; `row["run"]` is its key."""
        key = str(row["run"])
        kept = {"series": series} if series else {}
        text = json.dumps({**row, "code": self.code, **kept}, default=str)
        try:
            _replace(self._pieces / f"{key}.json", lambda path: path.write_text(text, "utf-8"))
        except OSError as error:
            raise self._problem(error) from None
        self._know(text)

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

    def finish(
        self,
        runs: pd.DataFrame,
        summary: pd.DataFrame,
        manifest: dict[str, Any],
        series: pd.DataFrame,
    ) -> None:
        """Gathers all runs in one table, with their summary, time series and the manifest."""
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
            if not series.empty:
                _replace(self.directory / SERIES, lambda path: series.to_parquet(path, index=False))
            rmtree(self._pieces)
        except OSError as error:
            raise self._problem(error) from None


def read_sweep(directory: str | Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Runs and manifest of a stored sweep. Raises ResultError if there is none."""
    import pandas as pd

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


def series_frame(
    runs: pd.DataFrame, series: dict[str, Series], parameters: list[str]
) -> pd.DataFrame:
    """Time series of all runs, one row an interval, beside the run's key, parameters and seed."""
    import pandas as pd

    names = ["run", *parameters, "seed"]
    pieces = [
        pd.DataFrame({**{name: row[name] for name in names}, **series[row["run"]]})
        for row in runs.to_dict("records")
        if row["run"] in series
    ]
    return pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame()


def read_series(directory: str | Path) -> pd.DataFrame:
    """Time series of a stored sweep, as `series_frame` gives them; empty if it keeps none."""
    import pandas as pd

    path = Path(directory) / SERIES
    try:
        return pd.read_parquet(path) if path.exists() else pd.DataFrame()
    except (OSError, ValueError) as error:
        raise ResultError(f"{path}: damaged: {error}") from None


def _split(frame: pd.DataFrame) -> dict[str, Series]:
    """Time series by run, out of a frame of all."""
    if frame.empty:
        return {}
    columns = list(frame)[list(frame).index("begin") :]
    return {
        str(run): {str(name): group[name].tolist() for name in columns}
        for run, group in frame.groupby("run", sort=False)
    }


def read_failures(directory: str | Path) -> list[Row]:
    """The runs of a stored sweep that have failed, with their errors and seeds."""
    path = Path(directory) / FAILURES
    try:
        found: list[Row] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    except (OSError, ValueError) as error:
        raise ResultError(f"{path}: damaged: {error}") from None
    return found
