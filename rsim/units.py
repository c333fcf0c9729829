"""Numbers with units in scenarios: "10ms", "2h", "1e7"."""

from __future__ import annotations

import re
from math import isfinite
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([a-zµ]*)\s*")


class Model(BaseModel):
    """Base of everything that a scenario file can say: fixed once read, no unknown keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )


def _quantity(value: Any, units: dict[str, float], example: str) -> Any:
    if not isinstance(value, str):
        return value
    match = _QUANTITY.fullmatch(value)
    if match is None or (match[2] and match[2] not in units):
        known = f"; units are {', '.join(units)}" if units else ""
        raise ValueError(f"{value!r} is no number such as {example}{known}")
    number = float(match[1]) * (units[match[2]] if match[2] else 1.0)
    if not isfinite(number):
        raise ValueError(f"{value!r} is not finite")
    return number


def seconds(value: Any) -> Any:
    """A time in s, from a number of seconds or text with a unit."""
    return _quantity(value, _SECONDS, '"10ms"')


def number(value: Any) -> Any:
    """A plain number, also as text such as "1e7"."""
    return _quantity(value, {}, '"1e7"')


Seconds = Annotated[float, BeforeValidator(seconds)]
"""Time in s."""
Number = Annotated[float, BeforeValidator(number)]
"""Number without unit."""
