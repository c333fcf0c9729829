"""Protocol state machines: the ENRP server, the pool element, the pool user."""

from rsim.endpoints.authorisation import (
    Authorisation,
    KeyAuthorisation,
    authorisation,
    authorisations,
)
from rsim.endpoints.counters import PoolElementCounters, PoolUserCounters
from rsim.endpoints.detection import Detector, RateLimits, RateTable, detector, detectors
from rsim.endpoints.enrp import EnrpServer, HostPort, ServerCounters, ServerState
from rsim.endpoints.messenger import ElementHandle, Failure, Messenger, TransportAddress
from rsim.endpoints.pool_element import PoolElementEndpoint
from rsim.endpoints.pool_user import PoolUserEndpoint
from rsim.endpoints.ports import Channel
from rsim.endpoints.roles import ROLES
from rsim.endpoints.server_hunt import ServerHunt, ServerList
from rsim.endpoints.session import CONTROL, Session, SessionUser
from rsim.endpoints.settings import (
    HuntSettings,
    PoolElementSettings,
    PoolUserSettings,
    ServerSettings,
)

__all__ = [
    "CONTROL",
    "ROLES",
    "Authorisation",
    "Channel",
    "Detector",
    "ElementHandle",
    "EnrpServer",
    "Failure",
    "HostPort",
    "HuntSettings",
    "KeyAuthorisation",
    "Messenger",
    "PoolElementCounters",
    "PoolElementEndpoint",
    "PoolElementSettings",
    "PoolUserCounters",
    "PoolUserEndpoint",
    "PoolUserSettings",
    "RateLimits",
    "RateTable",
    "ServerCounters",
    "ServerHunt",
    "ServerList",
    "ServerSettings",
    "ServerState",
    "Session",
    "SessionUser",
    "TransportAddress",
    "authorisation",
    "authorisations",
    "detector",
    "detectors",
]
