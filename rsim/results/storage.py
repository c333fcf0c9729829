"""Results on disk: nothing that has finished is lost, whatever ends a sweep.

Each finished run is a file of its own, written out and moved into place whole. When a sweep ends
the files are gathered in one Parquet table beside a summary and a manifest of where the results
come from; what is in the table is then removed. Until then the folder can be read, too.
"""

from __future__ import annotations

import json
import os
import platform
import warnings
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rsim.errors import ResultError, RsimWarning, one_line, shown
from rsim.reading import check_regular
from rsim.results.lock import HOLDER, LOCK, FolderLock
from rsim.results.metrics import METRICS
from rsim.results.pieces import (
    COLUMNS,
    Piece,
    Row,
    Series,
    are_texts,
    content_of,
    read_pieces,
    text_of,
)

if TYPE_CHECKING:
    import pandas as pd

RUNS = "runs.parquet"
SUMMARY = "summary.csv"
MANIFEST = "manifest.json"
PIECES = "finished"
FAILURES = "failures.json"
SERIES = "series.parquet"


def _replace(path: Path, write: Callable[[Path], object], *, wait: bool = True) -> None:
    """Writes beside the file and moves it into place, so that no half file is ever seen.

    The content is on the disk before the name is: a machine that stops leaves no empty file.
    Parameters: `wait` until the name is there, too.
    """
    partial = path.with_name(path.name + ".partial")
    # What is left of a sweep that was killed; whoever made the folder may have linked it elsewhere.
    partial.unlink(missing_ok=True)
    try:
        write(partial)
        _sync(partial)
        partial.replace(path)
        if wait:
            _sync(path.parent)
    except BaseException:
        # A full disk, or an interrupt by the user.
        partial.unlink(missing_ok=True)
        raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class RunStore:
    """The finished runs in a folder, by the key of what was run. Use it as a context manager.

    Parameters: `directory`; `code` version of the code that runs now; `resume` whether to go on
    from what is there. Raises ResultError if another sweep stores its runs in the folder, if it
    holds results and `resume` is not set, if they are of other code, or if it can't be written.
    """

    def __init__(self, directory: str | Path, code: str, *, resume: bool = False) -> None:
        self.directory = Path(directory)
        self.code = code
        self.rows: dict[str, Row] = {}
        self.series: dict[str, Series] = {}
        self.warnings: dict[str, list[str]] = {}
        self._resume = resume
        self._pieces = self.directory / PIECES
        self._lock = FolderLock(self.directory)

    def __enter__(self) -> RunStore:
        if self._pieces.is_symlink():
            raise ResultError(
                f"{self._pieces}: is a link; a sweep stores its runs in a folder of its own"
            )
        try:
            self._pieces.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._problem(error) from None
        self._lock.__enter__()
        try:
            self._load()
            self._check()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.__exit__(kind, error, trace)

    def _check(self) -> None:
        if self.rows and not self._resume:
            raise ResultError(
                f"{self.directory}: holds {len(self.rows)} runs already; "
                "go on from them with --resume, or choose another folder"
            )
        other = {str(row["code"]) for row in self.rows.values()} - {self.code}
        if other:
            raise ResultError(
                f"{self.directory}: holds runs of rsim {min(other)}, this is {self.code}; "
                "choose another folder"
            )

    def _problem(self, error: OSError) -> ResultError:
        return ResultError(f"{self.directory}: can't store the results: {error.strerror}")

    def _load(self) -> None:
        self.rows = _rows(_table(self.directory))
        self.series = _split(read_series(self.directory))
        if self.rows:
            self._load_warnings()
        pieces, damaged = read_pieces(self._pieces)
        for piece in pieces:
            self._know(piece)
        for file, reason in damaged:
            # It stays until the run takes its place: who knows whose file it is.
            _tell(f"{file}: {reason}; the run is done again")
        for partial in self._pieces.glob("*.json.partial"):
            partial.unlink(missing_ok=True)

    def _load_warnings(self) -> None:
        try:
            self.warnings = read_warnings(read_manifest(self.directory), self.directory)
        except ResultError as error:
            _tell(f"{error}; written anew, without the warnings of the runs before")

    def forget(self, key: str, reason: str) -> None:
        """Takes a run for one that has not been done, and tells the reason."""
        _tell(f"{self.directory}: run {key}: {reason}; it is done again")
        del self.rows[key]
        self.series.pop(key, None)
        for keys in self.warnings.values():
            if key in keys:
                keys.remove(key)

    def _know(self, piece: Piece) -> None:
        key = str(piece.row["run"])
        self.rows[key] = piece.row
        if piece.series:
            self.series[key] = piece.series
        for text in piece.warnings:
            self.warnings.setdefault(text, []).append(key)

    def begin(self, manifest: dict[str, Any]) -> None:
        """Stores where the results will come from, so that they can be read while they are made."""
        try:
            self._write_manifest(manifest)
        except OSError as error:
            raise self._problem(error) from None

    def put(
        self, row: Row, series: Series | None = None, warnings: list[str] | None = None
    ) -> None:
        """Stores a finished run, its time series and warnings; `row["run"]` is its key."""
        key = str(row["run"])
        kept: Row = {"series": series} if series else {}
        if warnings:
            kept["warnings"] = warnings
        text = text_of({**row, "code": self.code, **kept})
        try:
            piece = self._pieces / f"{key}.json"
            # A machine that stops just then has the last runs done again: each wait costs a run of
            # 70 ms some percent.
            _replace(piece, lambda path: path.write_text(text, "utf-8"), wait=False)
        except OSError as error:
            raise self._problem(error) from None
        self._know(content_of(text))

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
        try:
            self._write_manifest(manifest)
            _replace(self.directory / RUNS, lambda path: _write_table(runs, path))
            _replace(self.directory / SUMMARY, lambda path: summary.to_csv(path, index=False))
            if not series.empty:
                _replace(self.directory / SERIES, lambda path: _write_table(series, path))
            for key in self.rows:
                (self._pieces / f"{key}.json").unlink(missing_ok=True)
            # What is not in the table stays.
            with suppress(OSError):
                self._pieces.rmdir()
        except OSError as error:
            raise self._problem(error) from None

    def _write_manifest(self, manifest: dict[str, Any]) -> None:
        provenance = {
            "rsim": self.code,
            "python": platform.python_version(),
            "platform": platform.platform(),
            "packages": {name: version(name) for name in ("numpy", "simpy", "pandas", "scipy")},
            **manifest,
        }
        text = json.dumps(provenance, indent=2, default=str)
        _replace(self.directory / MANIFEST, lambda path: path.write_bytes(text.encode()))


def _tell(text: str) -> None:
    warnings.warn(one_line(text), RsimWarning, stacklevel=6)


def _write_table(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False, write_page_checksum=True)


def _read_table(path: Path) -> pd.DataFrame:
    """A table that was written so. Raises FileNotFoundError, and ResultError if it is damaged."""
    import pandas as pd

    try:
        check_regular(path)
        return pd.read_parquet(path, page_checksum_verification=True)
    except FileNotFoundError:
        raise
    except Exception as error:
        # The reader's own errors are of many kinds.
        raise ResultError(f"{path}: damaged results: {error}") from None


def _table(directory: Path) -> pd.DataFrame:
    """The table of runs, empty if there is none. Raises ResultError if it is damaged."""
    import pandas as pd

    try:
        frame = _read_table(directory / RUNS)
    except FileNotFoundError:
        return pd.DataFrame()
    for name, kind in COLUMNS.items():
        if len(frame) and name not in frame:
            raise ResultError(f"{directory}: damaged runs: column '{name}' is missing")
        if kind is int and len(frame) and not pd.api.types.is_integer_dtype(frame[name]):
            raise ResultError(f"{directory}: damaged runs: column '{name}' holds no whole numbers")
    for name in METRICS:
        if name in frame and not pd.api.types.is_numeric_dtype(frame[name]):
            raise ResultError(f"{directory}: damaged runs: column '{name}' holds no numbers")
    if len(frame) and not frame["run"].is_unique:
        raise ResultError(f"{directory}: damaged runs: column 'run' has a key twice")
    return frame


def _rows(frame: pd.DataFrame) -> dict[str, Row]:
    """The rows of the table of runs, by the key of the run."""
    return {str(row["run"]): row for row in frame.to_dict("records")}  # type: ignore[misc]


def read_manifest(directory: str | Path) -> dict[str, Any]:
    """The manifest of a stored sweep. Raises ResultError if there is none."""
    directory = Path(directory)
    try:
        check_regular(directory / MANIFEST)
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultError(f"{directory}: no results here ({MANIFEST} is missing)") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ResultError(f"{directory}: damaged results: {MANIFEST}: {error}") from None
    if not isinstance(manifest, dict):
        raise ResultError(f"{directory}: damaged manifest: is {shown(manifest)}, no table")
    return manifest


def read_warnings(manifest: dict[str, Any], directory: str | Path) -> dict[str, list[str]]:
    """The warnings that a folder's manifest keeps, each with the keys of the runs that gave it."""
    found = manifest.get("warnings", {})
    if not isinstance(found, dict) or not all(map(are_texts, found.values())):
        raise ResultError(
            f"{directory}: damaged manifest: warnings is {shown(found)}, must be lists by text"
        )
    return found


def told_once(warnings: dict[str, list[str]], runs: int) -> tuple[str, ...]:
    """Warnings of so many runs as a sweep tells them: each once, with the number of its runs."""
    return tuple(
        one_line(f"{text} (in {len(keys)} of {runs} runs)")
        for text, keys in sorted(warnings.items())
    )


def read_sweep(directory: str | Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Runs and manifest of a stored sweep; of one that has not ended, the runs so far.

    Where runs are missing, the frame says so in `attrs["unfinished"]`, and an RsimWarning does.
    Raises ResultError if there is no sweep.
    """
    import pandas as pd

    directory = Path(directory)
    manifest = read_manifest(directory)
    # In this order: a sweep that ends meanwhile puts pieces into the table before it removes them.
    pieces, _ = read_pieces(directory / PIECES)
    runs = _table(directory)
    if pieces:
        rows = {**{str(piece.row["run"]): piece.row for piece in pieces}, **_rows(runs)}
        runs = pd.DataFrame(list(rows.values()))
        runs = runs.sort_values(["arm", "replication", "run"], ignore_index=True)
    planned = manifest.get("runs")
    failed = len(read_failures(directory))
    if isinstance(planned, int) and len(runs) + failed < planned:
        told = f"{len(runs)} of {planned} runs so far"
        runs.attrs["unfinished"] = told
        at_work = (directory / LOCK).exists() and (directory / HOLDER).exists()
        hint = "the sweep may be at work" if at_work else "go on with --resume"
        warnings.warn(one_line(f"{directory}: {told}; {hint}"), RsimWarning, stacklevel=3)
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
        frame = _read_table(path)
    except FileNotFoundError:
        return pd.DataFrame()
    for name in ("run", "seed", "begin"):
        if len(frame) and name not in frame:
            raise ResultError(f"{path}: damaged results: column '{name}' is missing")
    return frame


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
        check_regular(path)
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    except (OSError, ValueError, RecursionError) as error:
        raise ResultError(f"{path}: damaged: {error}") from None
    if not isinstance(found, list) or not all(
        isinstance(row, dict) and isinstance(row.get("run"), str) for row in found
    ):
        raise ResultError(f"{path}: damaged: must be a list of runs")
    return found
