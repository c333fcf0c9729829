"""What the pool is for: requests, capacity, sessions, cookies."""

from rsim.distributions import Distribution
from rsim.workload.calcapp_client import CalcAppClient, ClientCounters, ClientSettings, Request
from rsim.workload.calcapp_server import CalcAppServer, ElementCounters, ElementSettings
from rsim.workload.heterogeneity import Heterogeneity
from rsim.workload.lifecycle import FailureSettings, Lifecycle

__all__ = [
    "CalcAppClient",
    "CalcAppServer",
    "ClientCounters",
    "ClientSettings",
    "Distribution",
    "ElementCounters",
    "ElementSettings",
    "FailureSettings",
    "Heterogeneity",
    "Lifecycle",
    "Request",
]
