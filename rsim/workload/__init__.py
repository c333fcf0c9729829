"""What the pool is for: requests, capacity, sessions, cookies."""

from rsim.distributions import Distribution
from rsim.workload.arrivals import ArrivalFile
from rsim.workload.calcapp_client import CalcAppClient, ClientCounters
from rsim.workload.calcapp_server import CalcAppServer
from rsim.workload.counters import ElementCounters
from rsim.workload.heterogeneity import Heterogeneity
from rsim.workload.lifecycle import FailureSettings, Lifecycle
from rsim.workload.membership import Membership
from rsim.workload.own import (
    ElementSurroundings,
    UserSurroundings,
    begin,
    service,
    services,
    workload,
    workloads,
)
from rsim.workload.requests import Request, RequestLog
from rsim.workload.settings import ClientSettings, ElementSettings

__all__ = [
    "ArrivalFile",
    "CalcAppClient",
    "CalcAppServer",
    "ClientCounters",
    "ClientSettings",
    "Distribution",
    "ElementCounters",
    "ElementSettings",
    "ElementSurroundings",
    "FailureSettings",
    "Heterogeneity",
    "Lifecycle",
    "Membership",
    "Request",
    "RequestLog",
    "UserSurroundings",
    "begin",
    "service",
    "services",
    "workload",
    "workloads",
]
