"""Figures from results."""

from rsim.plots.effect import plot_effect
from rsim.plots.style import panels, save

__all__ = ["panels", "plot_effect", "save"]
