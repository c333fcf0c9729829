"""The states of a TLS session (RFC 8446 4, RFC 5246 7, RFC 5355 3)."""

from __future__ import annotations

from enum import auto

from rsim.states import RoleEvent, RoleState, StateTable


class TlsState(RoleState):
    """States of a session."""

    IDLE = auto()
    HANDSHAKE = auto()
    OPEN = auto()
    DEAD = auto()


class TlsEvent(RoleEvent):
    """What changes the state of a session."""

    HELLO = auto()
    """The client's hello is ready, or has come."""
    FINISH = auto()
    """The last flight has been sent or has come."""
    FAIL = auto()
    """A side has refused the other one, or a record is not the one that was due."""


TLS_STATES = StateTable(
    "TLS session",
    TlsState.IDLE,
    [
        (TlsState.IDLE, TlsEvent.HELLO, TlsState.HANDSHAKE, "RFC 8446 4.1; RFC 5246 7.3"),
        (TlsState.HANDSHAKE, TlsEvent.HELLO, TlsState.HANDSHAKE, "RFC 8446 4.1; RFC 5246 7.3"),
        (TlsState.HANDSHAKE, TlsEvent.FINISH, TlsState.OPEN, "RFC 8446 4.4.4; RFC 5246 7.4.9"),
        (TlsState.IDLE, TlsEvent.FAIL, TlsState.DEAD, "RFC 8446 6.2; RFC 5355 3"),
        (TlsState.HANDSHAKE, TlsEvent.FAIL, TlsState.DEAD, "RFC 8446 6.2; RFC 5355 3"),
        (TlsState.OPEN, TlsEvent.FAIL, TlsState.DEAD, "RFC 8446 6.2"),
        (TlsState.DEAD, TlsEvent.FAIL, TlsState.DEAD, "RFC 8446 6.2"),
    ],
)
