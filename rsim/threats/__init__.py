"""The threats of RFC 5355 as experiments, and those that it does not number."""

from rsim.threats.catalogue import Threat, threat, threats
from rsim.threats.experiment import FULL, QUICK, Effort, run_threats
from rsim.threats.figure import threat_figure
from rsim.threats.outcome import Outcome, load_outcome, predicted
from rsim.threats.report import read_outcomes, store_outcomes, write_report

__all__ = [
    "FULL",
    "QUICK",
    "Effort",
    "Outcome",
    "Threat",
    "load_outcome",
    "predicted",
    "read_outcomes",
    "run_threats",
    "store_outcomes",
    "threat",
    "threat_figure",
    "threats",
    "write_report",
]
