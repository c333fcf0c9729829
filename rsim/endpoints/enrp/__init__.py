"""The ENRP server; server.py tells its states, timers and parts."""

from rsim.endpoints.enrp.server import EnrpServer, Ports, ServerCounters, State

__all__ = ["EnrpServer", "Ports", "ServerCounters", "State"]
