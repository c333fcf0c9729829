"""Tables of states: where an event leads from each state, and which section of an RFC says so.

Each role of the protocols has one table. It drives the role: what the table does not list is an
error of the program, not of a peer. The pages of the documentation draw the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Generic, TypeVar

from rsim.errors import StateError


class RoleState(Enum):
    """A state of a role; each role has a subclass."""

    # Looked up at each change: the hash of an Enum is computed in Python.
    __hash__ = object.__hash__


class RoleEvent(Enum):
    """What changes the state of a role; each role has a subclass."""

    __hash__ = object.__hash__


State = TypeVar("State", bound=RoleState)
Event = TypeVar("Event", bound=RoleEvent)


class StateTable(Generic[State, Event]):
    """The states of one role.

    Parameters: `role` its name in the field's terms; `initial` its first state; `rows` of state,
    event, next state and the section that says so.

    >>> State = RoleState("State", "ASKING IDLE")
    >>> Event = RoleEvent("Event", "ANSWER")
    >>> rows = [(State.ASKING, Event.ANSWER, State.IDLE, "RFC 5352 3.3")]
    >>> StateTable("example", State.ASKING, rows).after(State.ASKING, Event.ANSWER)
    <State.IDLE: 2>
    """

    def __init__(
        self, role: str, initial: State, rows: Sequence[tuple[State, Event, State, str]]
    ) -> None:
        self.role = role
        self.initial = initial
        self.rows = tuple(rows)
        self.listeners: list[Callable[[State, Event, State], object]] = []
        # By state and then by event: a key of two parts would have to be made at each change.
        self._next: dict[State, dict[Event, State]] = {}
        for state, event, following, _ in rows:
            events = self._next.setdefault(state, {})
            assert event not in events, f"two rows of {role} for one state and event"
            events[event] = following

    def after(self, state: State, event: Event) -> State:
        """The state that follows on an event.

        Parameters: `state` the present one; `event` what has happened there.

        Raises StateError where the table has no such row.
        """
        events = self._next.get(state)
        following = events.get(event) if events is not None else None
        if following is None:
            raise StateError(f"{self.role}: {event.name} is not possible in state {state.name}")
        for listener in self.listeners:
            listener(state, event, following)
        return following
