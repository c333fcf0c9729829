"""Figures from results: functions from frames and results to matplotlib axes, and saving."""

from rsim.plots.breaking import plot_breaking
from rsim.plots.effect import plot_effect
from rsim.plots.loads import plot_loads
from rsim.plots.messages import plot_messages
from rsim.plots.over_time import plot_divergence, plot_over_time
from rsim.plots.requests import plot_failovers
from rsim.plots.sequence import SequenceStep, read_sequence, sequence_html, sequence_text
from rsim.plots.style import panels, save
from rsim.plots.topology import plot_topology
from rsim.plots.tradeoff import plot_tradeoff

__all__ = [
    "SequenceStep",
    "panels",
    "plot_breaking",
    "plot_divergence",
    "plot_effect",
    "plot_failovers",
    "plot_loads",
    "plot_messages",
    "plot_over_time",
    "plot_topology",
    "plot_tradeoff",
    "read_sequence",
    "save",
    "sequence_html",
    "sequence_text",
]
