"""Protocol state machines: the ENRP server, the pool element, the pool user."""

from rsim.endpoints.authorisation import Authorisation, authorisation, authorisations
from rsim.endpoints.enrp_server import EnrpServer, ServerCounters
from rsim.endpoints.pool_element import PoolElementCounters, PoolElementEndpoint
from rsim.endpoints.pool_user import PoolUserCounters, PoolUserEndpoint
from rsim.endpoints.settings import PoolElementSettings, PoolUserSettings, ServerSettings

__all__ = [
    "Authorisation",
    "EnrpServer",
    "PoolElementCounters",
    "PoolElementEndpoint",
    "PoolElementSettings",
    "PoolUserCounters",
    "PoolUserEndpoint",
    "PoolUserSettings",
    "ServerCounters",
    "ServerSettings",
    "authorisation",
    "authorisations",
]
