"""Errors of rsim: one small hierarchy under `RsimError`, and how an error becomes one line."""

from __future__ import annotations

from reprlib import Repr
from typing import Any

LONGEST_LINE = 300
"""Characters of an error's line."""
_LONGEST_VALUE = 60
"""Characters of a value in an error: most of the line is left for what is wrong with it."""

_values = Repr()
_values.maxstring = _values.maxother = _values.maxlong = _LONGEST_VALUE
_values.maxdict = _values.maxlist = _values.maxtuple = _values.maxset = 3
_values.maxlevel = 2


def shown(value: Any) -> str:
    """A value as an error shows it: as Python writes it, cut to 60 characters in its middle.

    Parameters: `value` of any kind.
    """
    try:
        text = _values.repr(value)
    except ValueError:
        # Python refuses to write integers of more than 4,300 digits.
        text = "a number of thousands of digits"
    return cut(text, _LONGEST_VALUE)


def cut(text: str, length: int) -> str:
    """The text, without its middle where it is longer than so many characters.

    Parameters: `text` of any length; `length` characters at most.
    """
    if len(text) <= length:
        return text
    half = (length - 3) // 2
    return f"{text[: length - 3 - half]}...{text[-half:]}"


def one_line(text: str) -> str:
    """The text on one line of at most 300 characters, without control characters.

    Parameters: `text` of any length, on any number of lines.
    """
    line = " ".join(text.split())
    printable = "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
    return cut(printable, LONGEST_LINE)


class RsimError(Exception):
    """Whatever rsim raises on purpose; its text is one line of at most 300 characters.

    >>> import rsim
    >>> try:
    ...     rsim.load("absent.toml")
    ... except rsim.RsimError as error:
    ...     print(error)
    absent.toml: no such file
    """

    def __str__(self) -> str:
        return one_line(super().__str__())


class WireError(RsimError):
    """Bytes that are no valid message.

    Parameters: `reason`; `offset` in bytes of what is wrong; `parameter` type code of the
    offending parameter, 0 if it is the message itself.
    """

    def __init__(self, reason: str, offset: int = 0, parameter: int = 0) -> None:
        super().__init__(reason, offset, parameter)
        self.reason = reason
        self.offset = offset
        self.parameter = parameter

    def __str__(self) -> str:
        where = f" in parameter 0x{self.parameter:x}" if self.parameter else ""
        return f"at byte {self.offset}{where}: {self.reason}"


class FieldError(RsimError, ValueError):
    """A value that a message can't carry; `field` names it.

    Parameters: `reason` what is wrong with the field's value.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


class ScenarioError(RsimError, ValueError):
    """A scenario, sweep or command line that can't be carried out; says where and what is right.

    >>> import rsim
    >>> rsim.Scenario(duration=-1)
    Traceback (most recent call last):
    ...
    rsim.errors.ScenarioError: Scenario: duration: Input should be greater than ... (it is -1)
    """


class ResultError(RsimError):
    """Results that are missing, damaged, or don't fit what they are asked for.

    >>> import rsim
    >>> rsim.read("absent")
    Traceback (most recent call last):
    ...
    rsim.errors.ResultError: absent: no results here (manifest.json is missing)
    """


class RsimWarning(UserWarning):
    """What went on, but not as you may expect; one line, as an error's.

    >>> import rsim, warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", rsim.RsimWarning)
    ...     rsim.run(rsim.scenario({"duration": "1min", "pool_users": {"user": {}}}))
    Traceback (most recent call last):
    ...
    rsim.errors.RsimWarning: pool_users.user: pool 'pool' has no elements, so nobody serves them
    """


class CaptureError(RsimError):
    """A capture file that can't be written or read."""


class PolicyError(RsimError):
    """A selection policy that can't be registered, or that answers what it must not."""


class SimulationError(RsimError):
    """What a simulation can't do: go back in time, or on after its end or after an error.

    >>> import rsim
    >>> rsim.Simulation(rsim.scenario({"warm_up": 0, "duration": 60})).run_until(61)
    Traceback (most recent call last):
    ...
    rsim.errors.SimulationError: 61 lies after the end of the run; must be from 0 s, ... to 60 s
    """


class StandstillError(RsimError, RuntimeError):
    """A run whose time stands still, as events follow each other at one instant."""


class ReentryError(RsimError, RuntimeError):
    """A function that is called back changes what has called it; says which and what is right."""


class StateError(RsimError):
    """Something was asked of a protocol endpoint that its state does not allow."""
