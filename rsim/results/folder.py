"""Reading a folder of results: the table of runs, its manifest, time series and failures."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rsim.errors import ResultError, RsimWarning, one_line, shown
from rsim.reading import check_regular
from rsim.results.lock import HOLDER, LOCK
from rsim.results.metrics import METRICS
from rsim.results.pieces import COLUMNS, Row, Series, are_texts, read_pieces

if TYPE_CHECKING:
    import pandas as pd

RUNS = "runs.parquet"
SUMMARY = "summary.csv"
MANIFEST = "manifest.json"
PIECES = "finished"
FAILURES = "failures.json"
SERIES = "series.parquet"


def read_table(path: Path) -> pd.DataFrame:
    """A table that was written so.

    Parameters: `path` of a Parquet file. Raises FileNotFoundError, and ResultError if it is
    damaged.
    """
    import pandas as pd

    try:
        check_regular(path)
        return pd.read_parquet(path, page_checksum_verification=True)
    except FileNotFoundError:
        raise
    except Exception as error:
        # The reader's own errors are of many kinds.
        raise ResultError(f"{path}: damaged results: {error}") from None


def read_runs(directory: Path) -> pd.DataFrame:
    """The table of runs, empty if there is none.

    Parameters: `directory` of the results. Raises ResultError if it is damaged.
    """
    import pandas as pd

    try:
        frame = read_table(directory / RUNS)
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


def rows_of(frame: pd.DataFrame) -> dict[str, Row]:
    """The rows of the table of runs, by the key of the run.

    Parameters: `frame` of runs.
    """
    return {str(row["run"]): row for row in frame.to_dict("records")}  # type: ignore[misc]


def read_manifest(directory: str | Path) -> dict[str, Any]:
    """The manifest of a stored sweep.

    Parameters: `directory` of the results. Raises ResultError if there is none.
    """
    directory = Path(directory)
    try:
        check_regular(directory / MANIFEST)
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultError(f"{directory}: no results here ({MANIFEST} is missing)") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ResultError(f"{directory}: damaged results: {MANIFEST}: {error}") from None
    if not isinstance(manifest, dict):
        raise ResultError(f"{directory}: damaged manifest: is {shown(manifest)}, must be a table")
    return manifest


def read_warnings(manifest: dict[str, Any], directory: str | Path) -> dict[str, list[str]]:
    """The warnings that a folder's manifest keeps, each with the keys of the runs that gave it.

    Parameters: `manifest` as `read_manifest` gives it; `directory` of the results, for errors.
    """
    found = manifest.get("warnings", {})
    if not isinstance(found, dict) or not all(map(are_texts, found.values())):
        raise ResultError(
            f"{directory}: damaged manifest: warnings is {shown(found)}, must be lists by text"
        )
    return found


def warning_texts(warnings: dict[str, list[str]], runs: int) -> tuple[str, ...]:
    """Warnings of so many runs as a sweep tells them: each once, with the number of its runs.

    Parameters: `warnings` keys of runs by text; `runs` number of all.
    """
    return tuple(
        one_line(f"{text} (in {len(keys)} of {runs} runs)")
        for text, keys in sorted(warnings.items())
    )


def read_sweep(directory: str | Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Runs and manifest of a stored sweep; of one that has not ended, the runs so far.

    Where runs are missing, the frame says so in `attrs["unfinished"]`, and an RsimWarning does.

    Parameters: `directory` of the results. Raises ResultError if there is no sweep.
    """
    import pandas as pd

    directory = Path(directory)
    manifest = read_manifest(directory)
    # In this order: a sweep that ends meanwhile puts pieces into the table before it removes them.
    pieces, _ = read_pieces(directory / PIECES)
    runs = read_runs(directory)
    if pieces:
        rows = {**{str(piece.row["run"]): piece.row for piece in pieces}, **rows_of(runs)}
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
    """Time series of all runs, one row an interval, beside the run's key, parameters and seed.

    Parameters: `runs` one row each; `series` columns by key of the run; `parameters` columns that
    make a point.
    """
    import pandas as pd

    names = ["run", *parameters, "seed"]
    pieces = [
        pd.DataFrame({**{name: row[name] for name in names}, **series[row["run"]]})
        for row in runs.to_dict("records")
        if row["run"] in series
    ]
    return pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame()


def read_series(directory: str | Path) -> pd.DataFrame:
    """Time series of a stored sweep, as `series_frame` gives them; empty if it keeps none.

    Parameters: `directory` of the results.
    """
    import pandas as pd

    path = Path(directory) / SERIES
    try:
        frame = read_table(path)
    except FileNotFoundError:
        return pd.DataFrame()
    for name in ("run", "seed", "begin"):
        if len(frame) and name not in frame:
            raise ResultError(f"{path}: damaged results: column '{name}' is missing")
    return frame


def split_series(frame: pd.DataFrame) -> dict[str, Series]:
    """Time series by run, out of a frame of all.

    Parameters: `frame` as `series_frame` makes it.
    """
    if frame.empty:
        return {}
    columns = list(frame)[list(frame).index("begin") :]
    return {
        str(run): {str(name): group[name].tolist() for name in columns}
        for run, group in frame.groupby("run", sort=False)
    }


def read_failures(directory: str | Path) -> list[Row]:
    """The runs of a stored sweep that have failed, with their errors and seeds.

    Parameters: `directory` of the results.
    """
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
