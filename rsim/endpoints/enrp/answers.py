"""Answers of an ENRP server to handle resolutions (RFC 5352 2.2.6, 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

from rsim.endpoints.enrp.node import Node
from rsim.endpoints.enrp.store import ElementStore
from rsim.endpoints.settings import ServerSettings
from rsim.handlespace import Draws
from rsim.wire import ErrorCause, FieldError, HandleResolutionResponse, Policy, PoolElement

_MOST_ITEMS = 1000
"""Most elements in an answer where no limit is set: with a few addresses each, they fit into the
65,535 bytes of a message (RFC 5354 4)."""


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
        while True:
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
                if len(elements) < 2:
                    raise
                elements = elements[: len(elements) * 3 // 4]
