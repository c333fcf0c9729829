"""The threats of RFC 5355 as experiments, and those that it does not number."""

from rsim.threats.catalogue import Threat, threat, threats
from rsim.threats.experiment import Outcome, run_threats
from rsim.threats.report import write_report

__all__ = ["Outcome", "Threat", "run_threats", "threat", "threats", "write_report"]
