"""What a pool user knows of a pool (RFC 5352 3.3)."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final

from rsim.endpoints.choice import Grant
from rsim.endpoints.ports import ClockPort
from rsim.endpoints.resolution_states import RESOLUTION_STATES, ResolutionEvent
from rsim.handlespace import UserList, policy_kinds, user_rule
from rsim.wire import HandleResolutionResponse, PoolElement

Answer = Callable[[PoolElement | None], None]
"""Takes the element that has been chosen, None if there is none."""

_ROUND_ROBIN: Final = policy_kinds()["round_robin"].type_code
"""Type of a pool whose answer names no policy (RFC 5352 2.2.6)."""
_PRIORITY: Final = policy_kinds()["priority"].type_code

_STATES: Final = RESOLUTION_STATES
_NONE: frozenset[int] = frozenset()
"""Shared by all pools without reported elements."""


def _rank(element: PoolElement) -> int:
    return -(element.policy.priority or 0)


def list_of(message: HandleResolutionResponse) -> UserList:
    """The elements of an answer, as the policy of the pool has the user try them.

    Parameters: `message` the answer.
    """
    policy_type = message.policy.type if message.policy else _ROUND_ROBIN
    if policy_type == _PRIORITY:
        # The user takes the highest priority, whatever the order of the list (RFC 5356 4.5.3).
        message = message.replace(pool_elements=sorted(message.pool_elements, key=_rank))
    # No object is made of an element that nobody looks at.
    return UserList(message, user_rule(policy_type))


class ResolvedPool:
    """The last answer about a pool, and who waits for the next.

    `reported` elements must not be reported again before an answer lists them anew; `fresh_until`
    in s is when the answer becomes stale.

    Parameters: `handle` of the pool; `clock` of the run; `on_timeout` is called when T1 expires;
    `on_later` when it is time to ask again.
    """

    def __init__(
        self,
        handle: bytes,
        clock: ClockPort,
        on_timeout: Callable[[ResolvedPool], None],
        on_later: Callable[[ResolvedPool], None],
    ) -> None:
        self.handle = handle
        self.elements: UserList | None = None
        self.waiting: tuple[Answer, ...] = ()
        self.state = RESOLUTION_STATES.initial
        self.timer = clock.timer(self._time_out)
        self.fresh_until = -inf
        self.sent = 0
        self.reported = _NONE
        self.grant: Grant | None = None
        self.later = clock.timer(self._ask_anew)
        self._on_timeout = on_timeout
        self._on_later = on_later

    def enter(self, event: ResolutionEvent) -> None:
        """Changes the state as an event demands.

        Parameters: `event` what has happened to the resolution.
        """
        self.state = _STATES.after(self.state, event)

    def _time_out(self) -> None:
        self._on_timeout(self)

    def _ask_anew(self) -> None:
        self.fresh_until = -inf
        self._on_later(self)
