"""The ENRP server; server.py tells its parts."""

from rsim.endpoints.enrp.counters import ServerCounters
from rsim.endpoints.enrp.node import HostPort, ServerState
from rsim.endpoints.enrp.server import EnrpServer

__all__ = ["EnrpServer", "HostPort", "ServerCounters", "ServerState"]
