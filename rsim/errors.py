"""Errors of rsim: one small hierarchy under `RsimError`."""


class RsimError(Exception):
    """Whatever rsim raises on purpose."""


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
    """A value that a message can't carry; `field` names it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


class ScenarioError(RsimError, ValueError):
    """A scenario, sweep or command line that can't be carried out; says where and what is right."""


class ResultError(RsimError):
    """Results that are missing, damaged, or don't fit what they are asked for."""


class CaptureError(RsimError):
    """A capture file that can't be written or read."""


class PolicyError(RsimError):
    """A selection policy that can't be registered, or that answers what it must not."""
