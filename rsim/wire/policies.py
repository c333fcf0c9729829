"""Policy parameters from whatever values are at hand."""

from __future__ import annotations

from typing import Any

from rsim._native import Policy, policy_values


def policy_with(name: str, offered: dict[str, int]) -> Policy:
    """The policy of that name with those of the offered values that it has, 0 for the others.

    Parameters: `offered` 32-bit values by name (`load`, `weight`, ...), loads as shares of
    0xffffffff (RFC 5356 3.1).
    """
    values: dict[str, Any] = {value: offered.get(value, 0) for value in policy_values(name)}
    return Policy(name, **values)


def load_value(share: float) -> int:
    """A load or degradation as on the wire: 0 to 1 is 0 to 0xffffffff, rounded (RFC 5356 3.1)."""
    return int(min(1.0, max(0.0, share)) * 0xFFFFFFFF + 0.5)
