"""Figures from results."""

from rsim.plots.effect import plot_effect
from rsim.plots.style import panels, save
from rsim.plots.tradeoff import plot_tradeoff

__all__ = ["panels", "plot_effect", "plot_tradeoff", "save"]
