"""Scenarios: what a person writes, checked; and the deployments built from them."""

from rsim.scenario.deployment import Deployment, run
from rsim.scenario.files import load, read_table, set_path
from rsim.scenario.model import Scenario

__all__ = ["Deployment", "Scenario", "load", "read_table", "run", "set_path"]
