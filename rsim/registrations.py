"""What users have registered by hand, in a notebook or a script: other processes need it, too."""

from __future__ import annotations

from typing import Any

CODE_MODULE = "rsim_code_"
"""Modules of scenarios' Python files are called so; the digest of the content follows."""

_by_hand: dict[tuple[str, str], Any] = {}


def note(kind: str, name: str, what: Any) -> None:
    """Keeps what a user has registered, if neither rsim nor a scenario's Python file did.

    Whoever runs a scenario runs its files, and has rsim.

    Parameters: `kind` of registration, such as "policy"; `name` it is registered under; `what` is
    the class or function.
    """
    module = str(getattr(what, "__module__", ""))
    if module.partition(".")[0] == "rsim" or module.startswith(CODE_MODULE):
        _by_hand.pop((kind, name), None)
    else:
        _by_hand[kind, name] = what


def registered_by_hand() -> dict[tuple[str, str], Any]:
    """Classes and functions by kind and name of their registration."""
    return dict(_by_hand)
