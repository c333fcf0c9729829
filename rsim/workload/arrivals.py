"""When pool users make requests: as a file says.

A file has columns `time` (s since the users' start) and `rate` (requests/s of the whole group, from
that time until the next one; the last one lasts): arrivals are a Poisson process with that rate. Or
it has a row for each request: `time`, and if wanted `user` (from 1 on; else the users take turns)
and `size` (calculations; else drawn). Files of others name their columns and units otherwise; the
settings say how.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from io import BytesIO
from math import inf
from typing import TYPE_CHECKING, Any, Literal
from warnings import catch_warnings, simplefilter

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from rsim.errors import shown
from rsim.randomness import Stream
from rsim.reading import read_regular
from rsim.suggestions import unknown
from rsim.units import LARGEST_NUMBER, LONGEST, SMALLEST_NUMBER, Model

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("time", "rate", "user", "size")
_LARGEST_FILE = 256 << 20
"""Bytes."""
_MOST_ROWS = 20_000_000
"""Rows of a file: two columns of them take some 300 MB of memory."""
_TIMES = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_RATES = {"1/s": 1.0, "1/min": 60.0, "1/h": 3600.0, "1/d": 86400.0}


class ArrivalFile(Model):
    """Requests from a file."""

    file: str = Field(description="CSV or Parquet file, relative to the scenario")
    time: str = Field("time", min_length=1, description="its column of times")
    rate: str | None = Field(None, min_length=1, description="its column of rates")
    user: str | None = Field(None, min_length=1, description="its column of users, from 1 on")
    size: str | None = Field(None, min_length=1, description="its column of calculations")
    time_unit: Literal["ns", "us", "ms", "s", "min", "h", "d", "date"] = Field(
        "s", description="unit of times; date: dates with times of day, counted from the first"
    )
    rate_unit: Literal["1/s", "1/min", "1/h", "1/d"] = Field("1/s", description="unit of rates")
    from_first: bool = Field(False, description="count times from the file's first one")
    separator: str = Field(",", min_length=1, max_length=1, description="what parts columns of CSV")
    skip: int = Field(0, ge=0, le=1000, description="lines of CSV above the names of columns")
    digest: str = Field("", description="digest of its content; follows from the file")

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"file": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _reads(self) -> ArrivalFile:
        if self.rate_unit != "1/s" and self.rate is None:
            raise ValueError("rate_unit: does nothing without rate, the column of rates")
        if self.rate is not None and (self.user is not None or self.size is not None):
            raise ValueError("rate: a file has either rates or requests, with user and size")
        if self.file.endswith(".parquet") and (self.skip or self.separator != ","):
            raise ValueError("skip and separator: do nothing for Parquet files")
        try:
            content = read_regular(self.file, _LARGEST_FILE)
        except ValueError as error:
            raise ValueError(f"{self.file}: {error}") from None
        digest = blake2b(content, digest_size=10).hexdigest()
        if self.digest and self.digest != digest:
            raise ValueError(f"{self.file}: has changed since this scenario was stored")
        object.__setattr__(self, "digest", digest)
        _table(self)
        return self

    @property
    def foreign(self) -> bool:
        """Whether columns have names of their own; further ones are then left aside."""
        return self.time != "time" or any((self.rate, self.user, self.size))

    def table(self) -> pd.DataFrame:
        """Its rows, in the order of time, with columns time (s), rate (1/s), user and size."""
        return _table(self)

    def expected(self, users: int, time: float) -> float:
        """Mean number of requests of a group in so many s from its start on.

        Parameters: `time` in s; `users` in the group. Raises ValueError where a row is of none of
        them.
        """
        table = self.table()
        times = table["time"].to_numpy()
        if "rate" in table:
            ends = np.minimum(np.append(times[1:], inf), time)
            return float((table["rate"].to_numpy() * np.maximum(0.0, ends - times)).sum())
        if "user" in table:
            highest = int(table["user"].max())
            if highest > users:
                raise ValueError(f"{self.file}: names user {highest}, but there are {users}")
        return float((times <= time).sum())


@lru_cache(maxsize=16)
def _table(file: ArrivalFile) -> pd.DataFrame:
    try:
        return _read(file)
    except ValueError as error:
        raise ValueError(f"{file.file}: {error}") from None


def _read(file: ArrivalFile) -> pd.DataFrame:
    import pandas as pd

    frame = _frame(file)
    names = {file.time: "time", file.rate: "rate", file.user: "user", file.size: "size"}
    if file.foreign:
        wanted = [name for name in names if name is not None]
        for name in wanted:
            if name not in frame:
                raise ValueError(unknown("column", name, list(frame)))
        frame = frame[wanted].rename(columns={k: v for k, v in names.items() if k is not None})
    if frame.columns.has_duplicates:
        raise ValueError("has two columns of one name")
    for column in frame:
        if column not in _COLUMNS:
            raise ValueError(
                f"column {shown(column)}: columns are {', '.join(_COLUMNS)} (arrivals = "
                "{ file = ..., time = ..., rate = ... } names others)"
            )
    if "time" not in frame or frame.empty:
        raise ValueError("needs a column 'time' and at least one row")
    if "rate" in frame and len(frame.columns) > 2:
        raise ValueError("has either rates or requests: 'rate' stands beside 'time' alone")
    columns = {str(name): _numbers(file, str(name), frame[name]) for name in frame}
    if file.from_first:
        columns["time"] = columns["time"] - columns["time"].min()
    for name, values in columns.items():
        _check(name, values)
    table = pd.DataFrame(columns).sort_values("time", kind="stable").reset_index(drop=True)
    if "rate" in table and table["time"].duplicated().any():
        time = float(table["time"][table["time"].duplicated()].iloc[0])
        raise ValueError(f"column 'time': {time:g} s is there twice, with a rate each")
    return table


def _frame(file: ArrivalFile) -> pd.DataFrame:
    import pandas as pd

    content = BytesIO(read_regular(file.file, _LARGEST_FILE))
    try:
        if file.file.endswith(".parquet"):
            from pyarrow import parquet

            rows = parquet.ParquetFile(content).metadata.num_rows
            if rows > _MOST_ROWS:
                raise ValueError(f"has {rows} rows, at most {_MOST_ROWS}")
            return pd.read_parquet(content)
        with catch_warnings():
            # Rows that are longer than the header would be cut with a mere warning.
            simplefilter("error")
            frame = pd.read_csv(
                content,
                sep=file.separator,
                skiprows=file.skip,
                nrows=_MOST_ROWS + 1,
                index_col=False,
                low_memory=False,
            )
    except Exception as error:
        raise ValueError(f"is not a table of columns: {error}") from None
    if len(frame) > _MOST_ROWS:
        raise ValueError(f"has more than {_MOST_ROWS} rows")
    return frame


def _numbers(file: ArrivalFile, name: str, column: pd.Series[Any]) -> npt.NDArray[np.floating[Any]]:
    """A column in units of this simulator."""
    import pandas as pd

    if name == "time" and file.time_unit == "date":
        if pd.api.types.is_numeric_dtype(column):
            raise ValueError(f"column '{name}': holds numbers, not dates; see time_unit")
        try:
            dates = pd.to_datetime(column, utc=True)
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(f"column '{name}': holds no dates: {error}") from None
        if dates.isna().any():
            raise ValueError(f"column '{name}': row {_first(dates.isna())} has no date")
        found: npt.NDArray[np.floating[Any]] = (
            (dates - dates.min()).dt.total_seconds().to_numpy(float)
        )
        return found
    if column.isna().any():
        raise ValueError(
            f"column '{name}': must hold numbers in each row; row {_first(column.isna())} has none"
        )
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        raise ValueError(f"column '{name}': must hold numbers in each row")
    if pd.api.types.is_complex_dtype(column):
        raise ValueError(f"column '{name}': must hold real numbers")
    values = column.to_numpy(float)
    if name == "time":
        return values * _TIMES[file.time_unit]
    return values / _RATES[file.rate_unit] if name == "rate" else values


def _check(name: str, values: npt.NDArray[np.floating[Any]]) -> None:
    """Raises ValueError with the first row whose value is none that a request can have."""
    least, most = {
        "time": (0.0, LONGEST),
        "rate": (0.0, LARGEST_NUMBER),
        "user": (1.0, LARGEST_NUMBER),
        "size": (SMALLEST_NUMBER, LARGEST_NUMBER),
    }[name]
    wrong = ~((values >= least) & (values <= most))
    if name == "user":
        wrong |= values != np.floor(values)
    if wrong.any():
        kind = "a whole number " if name == "user" else ""
        hint = " (from_first = true counts from the file's first row)" if name == "time" else ""
        raise ValueError(
            f"column '{name}': row {_first(wrong)} has {values[wrong][0]:g}; must be {kind}from "
            f"{least:g} to {most:g}{hint}"
        )


def _first(wrong: Any) -> int:
    """Number of the first row that is wrong, from 1 on."""
    return int(np.argmax(np.asarray(wrong))) + 1


def from_file(
    file: ArrivalFile, user: int, users: int, stream: Stream
) -> Iterator[tuple[float, float | None]]:
    """Times in s since the start and sizes of one user's requests.

    Parameters: `file` with the times; `stream` of the draws; `user` its number from 0 on among so
    many `users`.
    """
    table = file.table()
    if "rate" in table:
        times, rates = table["time"].tolist(), (table["rate"] / users).tolist()
        for time in _poisson(times, rates, stream):
            yield time, None
        return
    count = len(table)
    if "user" in table:
        mine = table[table["user"] == user + 1]
    else:
        mine = table[np.arange(count) % users == user]
    sizes = mine["size"].tolist() if "size" in mine else [None] * len(mine)
    yield from zip(mine["time"].tolist(), sizes, strict=True)


def _poisson(times: list[float], rates: list[float], stream: Stream) -> Iterator[float]:
    """A Poisson process whose rate is piecewise constant, by inversion of its integral."""
    ends = [*times[1:], inf]
    left = stream.exponential()
    for begin, end, rate in zip(times, ends, rates, strict=True):
        now = begin
        while rate > 0 and left <= rate * (end - now):
            now += left / rate
            yield now
            left = stream.exponential()
        if rate > 0:
            left -= rate * (end - now)
