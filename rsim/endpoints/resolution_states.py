"""The states of a handle resolution by a pool user (RFC 5352 3.3, 3.7.2)."""

from __future__ import annotations

from enum import auto

from rsim.states import RoleEvent, RoleState, StateTable


class ResolutionState(RoleState):
    """States of the resolution of one pool handle."""

    IDLE = auto()
    ASKING = auto()
    """A server has been asked, or is looked for."""


class ResolutionEvent(RoleEvent):
    """What changes the state of a resolution."""

    ASK = auto()
    """The application wants an element, and the cache has none that is fresh."""
    ANSWER = auto()
    """A server has answered, or tells a subscriber of changes."""
    RETRY = auto()
    """No answer came within T1."""
    GIVE_UP = auto()
    """No answer came to the last try."""


_S, _E = ResolutionState, ResolutionEvent

RESOLUTION_STATES = StateTable(
    "pool user, for each pool handle",
    _S.IDLE,
    [
        (_S.IDLE, _E.ASK, _S.ASKING, "RFC 5352 3.3"),
        (_S.ASKING, _E.ANSWER, _S.IDLE, "RFC 5352 3.3"),
        (_S.IDLE, _E.ANSWER, _S.IDLE, "RFC 5352 2.2.5, 2.2.6"),
        (_S.ASKING, _E.RETRY, _S.ASKING, "RFC 5352 3.7.2"),
        (_S.ASKING, _E.GIVE_UP, _S.IDLE, "RFC 5352 3.7.2"),
    ],
)
