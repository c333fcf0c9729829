"""The handlespace: pools, their elements, who owns them, and selection by policy."""

from rsim._native import Draws, ElementList, Handlespace, Outcome, UserList, UserRule
from rsim.handlespace.policies import (
    LARGEST,
    PolicyKind,
    SelectionPolicy,
    load_value,
    policy,
    policy_kinds,
    policy_with,
    user_rule,
)

__all__ = [
    "LARGEST",
    "Draws",
    "ElementList",
    "Handlespace",
    "Outcome",
    "PolicyKind",
    "SelectionPolicy",
    "UserList",
    "UserRule",
    "load_value",
    "policy",
    "policy_kinds",
    "policy_with",
    "user_rule",
]
