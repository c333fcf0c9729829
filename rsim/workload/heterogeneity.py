"""How capacity is spread over the elements of a group."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rsim.units import Model


class Heterogeneity(Model):
    """A spread of capacities that keeps their sum."""

    distribution: Literal["identical", "fast_servers"] = Field(
        "identical", description="identical, or a share of fast elements"
    )
    factor: float = Field(1.0, ge=1, description="capacity of a fast element / of a slow one")
    fraction: float = Field(0.1, gt=0, le=1, description="share of fast elements")

    def capacities(self, mean: float, count: int) -> list[float]:
        """Capacity of each of `count` elements with that mean; the fast ones come first."""
        if self.distribution == "identical" or count == 0:
            return [mean] * count
        fast = max(1, round(self.fraction * count))
        slow = mean * count / (fast * self.factor + count - fast)
        return [self.factor * slow] * fast + [slow] * (count - fast)
