"""When pool users make requests: as a file says.

A file has columns `time` (s since the users' start) and `rate` (requests/s of the whole group, from
that time until the next one; the last one lasts): arrivals are a Poisson process with that rate. Or
it has a row for each request: `time`, and if wanted `user` (from 1 on; else the users take turns)
and `size` (calculations; else drawn).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from io import BytesIO
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field, model_validator

from rsim.randomness import Stream
from rsim.units import Model

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("time", "rate", "user", "size")


class ArrivalFile(Model):
    """Requests from a file."""

    file: str = Field(description="CSV or Parquet file, relative to the scenario")
    digest: str = Field("", description="digest of its content; follows from the file")

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"file": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _reads(self) -> ArrivalFile:
        try:
            content = Path(self.file).read_bytes()
        except OSError as error:
            raise ValueError(f"{self.file}: can't be read: {error.strerror}") from None
        digest = blake2b(content, digest_size=10).hexdigest()
        if self.digest and self.digest != digest:
            raise ValueError(f"{self.file}: has changed since this scenario was stored")
        object.__setattr__(self, "digest", digest)
        _table(self.file, digest)
        return self

    def table(self) -> pd.DataFrame:
        """Its rows, in the order of time."""
        return _table(self.file, self.digest)


@lru_cache(maxsize=16)
def _table(file: str, digest: str) -> pd.DataFrame:
    import pandas as pd

    content = BytesIO(Path(file).read_bytes())
    try:
        frame = pd.read_parquet(content) if file.endswith(".parquet") else pd.read_csv(content)
    except Exception as error:
        raise ValueError(f"{file}: is no table: {error}") from None
    for column in frame:
        if column not in _COLUMNS:
            raise ValueError(f"{file}: column '{column}': columns are {', '.join(_COLUMNS)}")
        if not pd.api.types.is_numeric_dtype(frame[column]) or not np.isfinite(frame[column]).all():
            raise ValueError(f"{file}: column '{column}': must hold numbers in each row")
        if (frame[column] < 0).any():
            raise ValueError(f"{file}: column '{column}': no value may be negative")
    if "time" not in frame or frame.empty:
        raise ValueError(f"{file}: needs a column 'time' and at least one row")
    if "rate" in frame and len(frame.columns) > 2:
        raise ValueError(f"{file}: has either rates or requests: 'rate' stands beside 'time' alone")
    if "size" in frame and (frame["size"] == 0).any():
        raise ValueError(f"{file}: column 'size': must be above 0")
    return frame.sort_values("time", kind="stable").reset_index(drop=True)


def from_file(
    file: ArrivalFile, user: int, users: int, stream: Stream
) -> Iterator[tuple[float, float | None]]:
    """Times in s since the start and sizes of one user's requests.

    Parameters: `user` its number from 0 on among so many `users`.
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
