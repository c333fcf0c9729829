"""The handlespace: pools, their elements, who owns them, and selection by policy (native)."""

from rsim._native import Draws, Handlespace, Outcome

__all__ = ["Draws", "Handlespace", "Outcome"]
