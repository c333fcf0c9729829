"""Figures from results."""

from rsim.plots.effect import plot_effect
from rsim.plots.style import save

__all__ = ["plot_effect", "save"]
