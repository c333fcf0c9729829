"""Results on disk: finished runs are kept, whatever ends a sweep.

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

from rsim.errors import ResultError, RsimWarning, one_line
from rsim.results.folder import (
    FAILURES,
    MANIFEST,
    PIECES,
    RUNS,
    SERIES,
    SUMMARY,
    read_manifest,
    read_runs,
    read_series,
    read_warnings,
    rows_of,
    split_series,
)
from rsim.results.lock import FolderLock
from rsim.results.pieces import Piece, Row, Series, content_of, read_pieces, text_of

if TYPE_CHECKING:
    import pandas as pd


def _replace(path: Path, write: Callable[[Path], object], *, wait: bool = True) -> None:
    """Writes beside the file and moves it into place, so readers never see half a file.

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
        self.rows = rows_of(read_runs(self.directory))
        self.series = split_series(read_series(self.directory))
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
        """Takes a run for one that has not been done, and tells the reason.

        Parameters: `key` of the run; `reason` what is wrong with it.
        """
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
        """Stores where the results will come from, so that they can be read while they are made.

        Parameters: `manifest` study, scenario and sweep as plain values.
        """
        try:
            self._write_manifest(manifest)
        except OSError as error:
            raise self._problem(error) from None

    def put(
        self, row: Row, series: Series | None = None, warnings: list[str] | None = None
    ) -> None:
        """Stores a finished run, its time series and warnings; `row["run"]` is its key.

        Parameters: `row` of the run; `series` metrics over time, None: none; `warnings` of the run,
        None: none.
        """
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
        """Stores what has failed, with error, traceback and seed; nothing if nothing has.

        Parameters: `failures` a row each.
        """
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
        """Gathers all runs in one table, with their summary, time series and the manifest.

        Parameters: `runs` one row each; `summary` means by point and metric; `manifest` as for
        `begin`; `series` metrics over time of all runs, empty: none.
        """
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
    warnings.warn(one_line(text), RsimWarning, stacklevel=7)


def _write_table(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False, write_page_checksum=True)
