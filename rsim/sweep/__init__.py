"""Sweeps: many runs of one scenario over a grid and over seeds.

Called as a function, `rsim.sweep(study)`, the package runs a sweep.
"""

from rsim.callable_package import make_callable
from rsim.sweep.figures import Reference
from rsim.sweep.rare_events import RareEvent, rare_event
from rsim.sweep.report import Report, open_report, read
from rsim.sweep.runner import Sweep, sweep
from rsim.sweep.selection import Best, best
from rsim.sweep.study import Point, Study, load_study
from rsim.sweep.table import Arm, Precision, SweepTable

__all__ = [
    "Arm",
    "Best",
    "Point",
    "Precision",
    "RareEvent",
    "Reference",
    "Report",
    "Study",
    "Sweep",
    "SweepTable",
    "best",
    "load_study",
    "open_report",
    "rare_event",
    "read",
    "sweep",
]

make_callable(__name__, sweep)
