"""Scenarios: what a person writes, checked; and the deployments built from them.

Called as a function, `rsim.scenario({...})`, the package makes a scenario of a table.
"""

from rsim.callable_package import make_callable
from rsim.scenario.deployment import Deployment, run
from rsim.scenario.files import load, read_table, scenario, set_path
from rsim.scenario.model import Scenario
from rsim.scenario.schema import Setting, settings
from rsim.scenario.simulation import Simulation
from rsim.scenario.views import (
    AttackerView,
    HostView,
    NetworkView,
    PoolElementView,
    PoolUserView,
    ServerView,
)

__all__ = [
    "AttackerView",
    "Deployment",
    "HostView",
    "NetworkView",
    "PoolElementView",
    "PoolUserView",
    "Scenario",
    "ServerView",
    "Setting",
    "Simulation",
    "load",
    "read_table",
    "run",
    "scenario",
    "set_path",
    "settings",
]

make_callable(__name__, scenario)
