"""A pool element's place in a pool, and the policy values that it states there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rsim.endpoints import PoolElementEndpoint
from rsim.handlespace import load_value, policy_kinds
from rsim.workload.settings import ElementSettings


@dataclass(frozen=True, slots=True)
class Membership:
    """An element's place in a pool.

    Parameters: `endpoint` its ASAP side; `policy` of the pool by name.
    """

    endpoint: PoolElementEndpoint
    policy: str

    @property
    def load_matters(self) -> bool:
        """Whether the policy looks at the load."""
        return "load" in policy_kinds()[self.policy].values


def fixed_values(settings: ElementSettings) -> dict[str, int]:
    """The policy values that never change.

    Parameters: `settings` of the element.
    """
    step = settings.load_degradation
    step = step if step is not None else 1 / settings.max_requests
    return _shared(
        load_degradation=load_value(step),
        weight=settings.weight if settings.weight is not None else int(settings.capacity),
        priority=settings.priority,
        load_dpf=load_value(settings.load_distance_penalty),
        weight_dpf=load_value(settings.weight_distance_penalty),
        distance=round(settings.distance),
    )


@lru_cache(maxsize=1024)
def _shared(**values: int) -> dict[str, int]:
    """One for all elements that have the same: each load that is stated looks into it."""
    return values
