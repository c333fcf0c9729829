"""The ENRP server; server.py tells its parts."""

from rsim.endpoints.enrp.counters import ServerCounters
from rsim.endpoints.enrp.node import ServerPorts, ServerState
from rsim.endpoints.enrp.server import EnrpServer

__all__ = ["EnrpServer", "ServerCounters", "ServerPorts", "ServerState"]
