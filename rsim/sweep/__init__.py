"""Sweeps: many runs of one scenario over a grid and over seeds."""

from rsim.sweep.figures import Reference
from rsim.sweep.report import read
from rsim.sweep.runner import Sweep, sweep
from rsim.sweep.study import Arm, Point, Study, load_study

__all__ = ["Arm", "Point", "Reference", "Study", "Sweep", "load_study", "read", "sweep"]
