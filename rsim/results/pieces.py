"""Finished runs as files of their own, each with a checksum of what it holds."""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from rsim.errors import shown
from rsim.reading import check_regular
from rsim.results.metrics import METRICS

COLUMNS: dict[str, type] = {
    "run": str,
    "arm": str,
    "replication": int,
    "seed": int,
    "code": str,
}
"""What tells a run from others."""

_CHECKSUM = "checksum"
"""Key of a finished run's file that holds the digest of all else in it."""

Row = dict[str, Any]
Series = dict[str, list[float]]
"""Values over time by name, one list a column."""


class Piece(NamedTuple):
    """A finished run, as its file has it.

    Parameters: `row` of the run; `series` metrics over time, None: none are kept; `warnings` of the
    run.
    """

    row: Row
    series: Series | None
    warnings: list[str]


def text_of(row: Row) -> str:
    """What the file of a finished run holds.

    Parameters: `row` of the run with all that is kept of it.
    """
    # As it is read again: with texts for what JSON has no form for.
    content = json.loads(json.dumps(row, default=str))
    return json.dumps({**content, _CHECKSUM: _checksum(content)})


def _checksum(content: Row) -> str:
    return blake2b(json.dumps(content).encode(), digest_size=10).hexdigest()


def content_of(text: str) -> Piece:
    """A finished run out of its file.

    Parameters: `text` of the file. Raises ValueError if it is damaged.
    """
    row = json.loads(text)
    if not isinstance(row, dict):
        raise ValueError(f"is {shown(row)}, must be a run")
    checksum = row.pop(_CHECKSUM, None)
    if checksum != _checksum(row):
        raise ValueError("has other content than was written")
    series, told = row.pop("series", None), row.pop("warnings", [])
    for name, kind in COLUMNS.items():
        if not isinstance(row.get(name), kind) or isinstance(row[name], bool):
            raise ValueError(f"has no '{name}'")
    for name in METRICS:
        if name in row and not isinstance(row[name], int | float):
            raise ValueError(f"'{name}' is {shown(row[name])}, must be a number")
    right = series is None or (
        isinstance(series, dict)
        and all(isinstance(values, list) for values in series.values())
        and len({len(values) for values in series.values()}) <= 1
    )
    if not right:
        raise ValueError("has no whole time series")
    if not are_texts(told):
        raise ValueError("has warnings that are no texts")
    return Piece(row, series, told)


def are_texts(value: Any) -> bool:
    """Whether a value is a list of texts.

    Parameters: `value` of any kind.
    """
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def read_pieces(folder: Path) -> tuple[list[Piece], list[tuple[Path, str]]]:
    """The finished runs in the files of a folder, and the files that are damaged, with reasons.

    Parameters: `folder` with a file for each run.
    """
    pieces, damaged = [], []
    for file in sorted(folder.glob("*.json")):
        try:
            check_regular(file)
            piece = content_of(file.read_text(encoding="utf-8"))
            if piece.row["run"] != file.stem:
                raise ValueError(f"is of run {shown(piece.row['run'])}")
            pieces.append(piece)
        except FileNotFoundError:
            # A sweep that ends has put it into the table.
            continue
        except json.JSONDecodeError:
            damaged.append((file, "is damaged" if file.stat().st_size else "is empty"))
        except (OSError, ValueError, RecursionError) as error:
            damaged.append((file, f"is damaged: {error}"))
    return pieces, damaged
