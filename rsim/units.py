"""Numbers in scenarios: units such as "10ms", strict types, and the limits of every quantity."""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationError,
)
from pydantic_core import CoreSchema

from rsim.errors import ScenarioError, shown
from rsim.explanation import explain

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
_QUANTITY = re.compile(r"\s*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*([a-zµ]*)\s*")

LONGEST = 1e9
"""Longest time in s, some 31 years: a clock that shows it can still tell a microsecond."""
SHORTEST = 1e-6
"""Shortest time in s between two things that happen again and again."""
SMALLEST_NUMBER = 1e-9
"""Smallest number but 0 of a quantity without unit, and of a rate."""
LARGEST_NUMBER = 1e18
"""Largest number of a quantity without unit."""
MOST = 1_000_000_000
"""Largest number of things that are counted."""
LARGEST_SEED = 2**62
"""Largest seed of a run: those of its replications still fit 64 bits."""
_LONGEST_TEXT = 255
"""Bytes of a name: names become parts of file names, which file systems limit to that."""


def _make_strict(schema: Any) -> None:
    """Has numbers and booleans taken as they are; lists go on to serve as tuples, as in TOML."""
    if isinstance(schema, dict):
        if schema.get("type") in ("int", "float", "bool"):
            schema["strict"] = True
        for key, part in schema.items():
            if key not in ("default", "metadata"):
                _make_strict(part)
    elif isinstance(schema, (list, tuple)):
        for part in schema:
            _make_strict(part)


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)


class _SettingsClass(ModelMetaclass):
    """Has a class of settings that is called with a mistake raise ScenarioError, not pydantic's."""

    # Not for type checkers: they take what the class takes for its fields' names and types.
    if not TYPE_CHECKING:

        def __call__(self, *args, **kwargs):
            try:
                return super().__call__(*args, **kwargs)
            except ValidationError as error:
                fields = list(self.model_fields)
                text = explain(error, self.__name__, lambda place: [] if place else fields)
                raise ScenarioError(text) from None


class Model(BaseModel, metaclass=_SettingsClass):
    """Base of everything that a scenario file can say.

    It is fixed once read and knows no further keys. Types are strict: a whole number serves as a
    number, and nothing else as what it is not. Raises ScenarioError for values that it can't have.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _make_strict(schema)
        return schema


def _quantity(value: Any, units: dict[str, float], example: str) -> Any:
    if not isinstance(value, str):
        return value
    match = _QUANTITY.fullmatch(value)
    if match is None or (match[2] and match[2] not in units):
        known = f"; units are {', '.join(units)}" if units else ""
        raise ValueError(f"{shown(value)} is not a number such as {example}{known}")
    number = float(match[1]) * (units[match[2]] if match[2] else 1.0)
    if not isfinite(number):
        raise ValueError(f"{shown(value)} is not finite")
    return number


def seconds(value: Any) -> Any:
    """A time in s, from a number of seconds or text with a unit.

    Parameters: `value` a number of seconds, or text with a unit.
    """
    return _quantity(value, _SECONDS, '"10ms"')


def number(value: Any) -> Any:
    """A plain number, also as text such as "1e7".

    Parameters: `value` a number, or text of one.
    """
    return _quantity(value, {}, '"1e7"')


def _of_size(value: float) -> float:
    if value and not SMALLEST_NUMBER <= abs(value) <= LARGEST_NUMBER:
        raise ValueError(
            f"{value:g}: must be 0, or from {SMALLEST_NUMBER:g} to {LARGEST_NUMBER:g} in size"
        )
    return value


Seconds = Annotated[float, BeforeValidator(seconds), Field(ge=0, le=LONGEST)]
"""Time in s, from 0 to 31 years."""
Interval = Annotated[float, BeforeValidator(seconds), Field(ge=SHORTEST, le=LONGEST)]
"""Time in s after which something happens again, or at last: from 1 µs to 31 years."""
Number = Annotated[float, BeforeValidator(number), AfterValidator(_of_size)]
"""Number without unit, 0 or from 1e-9 to 1e18."""
Rate = Annotated[float, Field(ge=SMALLEST_NUMBER, le=LARGEST_NUMBER)]
"""Things per second."""
Share = Annotated[float, Field(ge=0, le=1)]
"""Part of a whole."""
Count = Annotated[int, Field(ge=0, le=MOST)]
"""How many."""
SomeCount = Annotated[int, Field(ge=1, le=MOST)]
"""How many, at least one."""
RegistrationLife = Annotated[int, Field(ge=-1, le=2**31 - 1)]
"""Whole seconds, -1: for ever; a message has 32 bits for it."""


def _name(value: str) -> str:
    if not value or value != value.strip() or not value.isprintable():
        raise ValueError(
            f"{shown(value)} is not a name: use printable text without space around it"
        )
    if len(value.encode(errors="replace")) > _LONGEST_TEXT:
        raise ValueError(f"{shown(value)} is too long for a name: at most {_LONGEST_TEXT} bytes")
    return value


Name = Annotated[str, AfterValidator(_name)]
"""Name of a pool, a group or a site. As a pool handle it must fit into every message."""


def _plain(value: Any, levels: int = 20) -> Any:
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    if isinstance(value, float) and isfinite(value):
        return value
    if isinstance(value, (list, tuple, dict)):
        if not levels:
            raise ValueError("tables or lists are nested more than 20 deep")
        for part in value.values() if isinstance(value, dict) else value:
            _plain(part, levels - 1)
        return value
    raise ValueError(
        f"{shown(value)} is not a text, finite number of 64 bits, boolean, list or table"
    )


Plain = Annotated[Any, AfterValidator(_plain)]
"""A value for your own code: what both TOML and JSON can say."""
