"""The states of a pool element (RFC 5352 3.1, 3.2)."""

from __future__ import annotations

from enum import auto

from rsim.states import RoleEvent, RoleState, StateTable


class ElementState(RoleState):
    """States of a pool element."""

    DOWN = auto()
    REGISTERING = auto()
    """Its first registration has not been granted yet."""
    REGISTERED = auto()
    DEREGISTERING = auto()
    REFUSED = auto()
    """A server has refused it: the application registers anew with what it has changed."""


class ElementEvent(RoleEvent):
    """What changes the state of a pool element."""

    REGISTER = auto()
    """The application joins the pool."""
    GRANT = auto()
    """A server has granted the registration."""
    REFUSE = auto()
    """A server has refused the registration."""
    DEREGISTER = auto()
    """The application leaves the pool."""
    LEAVE = auto()
    """The deregistration is confirmed, or nobody confirms it."""
    FAIL = auto()
    """The process dies."""


_S, _E = ElementState, ElementEvent

ELEMENT_STATES = StateTable(
    "pool element",
    _S.DOWN,
    [
        (_S.DOWN, _E.REGISTER, _S.REGISTERING, "RFC 5352 3.1"),
        (_S.REFUSED, _E.REGISTER, _S.REGISTERING, "RFC 5352 3.1"),
        (_S.REGISTERING, _E.REGISTER, _S.REGISTERING, "RFC 5352 3.1"),
        (_S.REGISTERED, _E.REGISTER, _S.REGISTERING, "RFC 5352 3.1"),
        (_S.DEREGISTERING, _E.REGISTER, _S.REGISTERING, "RFC 5352 3.1"),
        (_S.REGISTERING, _E.GRANT, _S.REGISTERED, "RFC 5352 3.1"),
        (_S.REGISTERING, _E.REFUSE, _S.REFUSED, "RFC 5352 3.1"),
        (_S.REGISTERED, _E.REFUSE, _S.REFUSED, "RFC 5352 3.1"),
        (_S.REGISTERED, _E.DEREGISTER, _S.DEREGISTERING, "RFC 5352 3.2"),
        (_S.REGISTERING, _E.DEREGISTER, _S.DEREGISTERING, "RFC 5352 3.2"),
        (_S.REFUSED, _E.DEREGISTER, _S.DEREGISTERING, "RFC 5352 3.2"),
        (_S.DEREGISTERING, _E.DEREGISTER, _S.DEREGISTERING, "RFC 5352 3.2"),
        (_S.DEREGISTERING, _E.LEAVE, _S.DOWN, "RFC 5352 3.2"),
        (_S.DOWN, _E.FAIL, _S.DOWN, "RFC 5352 3.4"),
        (_S.REGISTERING, _E.FAIL, _S.DOWN, "RFC 5352 3.4"),
        (_S.REGISTERED, _E.FAIL, _S.DOWN, "RFC 5352 3.4"),
        (_S.DEREGISTERING, _E.FAIL, _S.DOWN, "RFC 5352 3.4"),
        (_S.REFUSED, _E.FAIL, _S.DOWN, "RFC 5352 3.4"),
    ],
)
