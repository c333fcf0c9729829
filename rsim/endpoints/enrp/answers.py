"""Answers of an ENRP server to handle resolutions (RFC 5352 2.2.6, 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

from rsim.endpoints.enrp.node import Node
from rsim.endpoints.enrp.store import ElementStore
from rsim.endpoints.settings import ServerSettings
from rsim.handlespace import Draws
from rsim.wire import (
    Cause,
    ErrorCause,
    FieldError,
    HandleResolutionResponse,
    Policy,
    PoolElement,
)

_MOST_OCTETS = 65_535
"""Octets of a message, without its last filler (RFC 5354 4)."""
_MOST_ITEMS = _MOST_OCTETS // 28
"""Elements beyond this number never fit: none is shorter than 28 octets (RFC 5354 3.10)."""


def _with_filler(octets: int) -> int:
    return (octets + 3) & ~3


class Answers:
    """Selects elements by the policy of their pool, and lists them.

    Parameters: `node` the server; `store` of its elements; `settings` of it; `draws` for
    selections.
    """

    def __init__(
        self, node: Node, store: ElementStore, settings: ServerSettings, draws: Draws
    ) -> None:
        self._dialect = node.dialect
        self._store = store
        self._limit = settings.max_resolution_items or _MOST_ITEMS
        self._draws = draws

    def select(self, handle: bytes, items: int | None) -> Sequence[PoolElement]:
        """Elements of a pool in the order of its policy.

        Parameters: `handle` of the pool; `items` most elements that are wanted, None for all.
        """
        count = self._limit if items is None else min(self._limit, items)
        return self._store.handlespace.select(handle, count, self._draws)

    def encode(
        self,
        handle: bytes,
        elements: Sequence[PoolElement],
        *,
        causes: tuple[ErrorCause, ...] = (),
        subscribed: bool = False,
        statements: bytes | None = None,
        choice_grant: bytes | None = None,
    ) -> bytes:
        """The response with as many of the elements, in their order, as fit into a message.

        Parameters: `handle` of the pool; `elements` selected; `causes` of an error, if there are no
        elements; `subscribed` whether updates follow; `statements` of the elements; `choice_grant`
        by which the user has to prove its choice. The last two are left out where they don't fit.
        """
        policy: Policy | None = elements[0].policy if elements else None
        response = HandleResolutionResponse(
            pool_handle=handle,
            pool_elements=elements,
            policy=policy,
            accept_updates=subscribed,
            error_causes=causes,
            statements=statements,
            choice_grant=choice_grant,
        )
        try:
            return response.encode(self._dialect)
        except FieldError:
            if policy is None:
                raise
        fitting = self._fitting(handle, policy, elements)
        if fitting:
            return response.replace(pool_elements=elements[:fitting]).encode(self._dialect)
        full = (ErrorCause(Cause.LACK_OF_RESOURCES),)
        return self.encode(handle, (), causes=full)

    def _fitting(self, handle: bytes, policy: Policy, elements: Sequence[PoolElement]) -> int:
        """How many of the elements fit into a message, from the front."""
        octets = 4 + _with_filler(4 + len(handle)) + _with_filler(len(policy.encode()))
        for number, element in enumerate(elements):
            # The filler after the last element is not counted (RFC 5354 4).
            octets += len(element.encode())
            if octets > _MOST_OCTETS:
                return number
            octets = _with_filler(octets)
        return len(elements)
