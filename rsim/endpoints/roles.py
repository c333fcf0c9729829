"""The tables of states of all roles."""

from __future__ import annotations

from typing import Any

from rsim.endpoints.element_states import ELEMENT_STATES
from rsim.endpoints.enrp.node import SERVER_STATES
from rsim.endpoints.enrp.peers import PEER_STATES
from rsim.endpoints.enrp.startup import STARTUP_STATES
from rsim.endpoints.enrp.takeover import TAKEOVER_STATES
from rsim.endpoints.resolution_states import RESOLUTION_STATES
from rsim.endpoints.session import SESSION_STATES
from rsim.network.association import ASSOCIATION_STATES
from rsim.network.tls_states import TLS_STATES
from rsim.states import StateTable

ROLES: tuple[StateTable[Any, Any], ...] = (
    SERVER_STATES,
    STARTUP_STATES,
    PEER_STATES,
    TAKEOVER_STATES,
    ELEMENT_STATES,
    RESOLUTION_STATES,
    SESSION_STATES,
    ASSOCIATION_STATES,
    TLS_STATES,
)
