"""Routes: the links between two addresses."""

from __future__ import annotations

from math import inf

from rsim.network.link import Link


class Route:
    """The links from one address to another, in their order.

    `plain_delay` is the delay in s where no link does more than delay, else None. `frames` counts
    packets that went as one event, without asking the links, and `frames_cut` those among them that
    did not arrive. `cut_at` is when a link has last gone down.

    Parameters: `links` from the source to the destination.
    """

    __slots__ = ("cut_at", "frames", "frames_cut", "links", "plain_delay")

    def __init__(self, links: tuple[Link, ...]) -> None:
        self.links = links
        self.frames = 0
        self.frames_cut = 0
        self.cut_at = -inf
        self.plain_delay: float | None = None
        self.refresh()

    def refresh(self) -> None:
        """Looks at the links again."""
        total = 0.0
        for link in self.links:
            delay = link.plain_delay
            if delay is None:
                self.plain_delay = None
                return
            total += delay
        self.plain_delay = total
