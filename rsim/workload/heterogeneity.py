"""How capacity is spread over the elements of a group."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from rsim.units import Model


class Heterogeneity(Model):
    """A spread of capacities, by the kinds and parameters of the published studies.

    But for the kinds `fixed_...` the capacities are scaled so that their mean is the group's; with
    those it is the capacity of the slowest elements.
    """

    distribution: Literal[
        "identical",
        "fast_servers",
        "fixed_fast_servers",
        "linear",
        "fixed_linear",
        "uniform",
        "exponential",
        "truncated_normal",
    ] = Field(
        "identical",
        description="identical; a share of fast elements; rising evenly from the slowest to the "
        "fastest; drawn at random (uniform, exponential, normal cut off at 0)",
    )
    factor: float = Field(
        1.0,
        ge=1,
        le=1e6,
        description="capacity of a fast element / of a slow one, or of the extremes",
    )
    fraction: float = Field(0.1, gt=0, le=1, description="share of fast elements")
    deviation: float = Field(
        0.3,
        ge=0,
        le=100,
        description="standard deviation / mean of the normal distribution before the cut",
    )

    @model_validator(mode="after")
    def _parameters_fit(self) -> Heterogeneity:
        kind, given = self.distribution, self.model_fields_set
        for name, kinds in (
            ("factor", ("fast_servers", "fixed_fast_servers", "linear", "fixed_linear", "uniform")),
            ("fraction", ("fast_servers", "fixed_fast_servers")),
            ("deviation", ("truncated_normal",)),
        ):
            if name in given and kind not in kinds:
                raise ValueError(f"{name}: belongs to {', '.join(kinds)}, not to {kind}")
        return self

    def capacities(self, mean: float, count: int, generator: np.random.Generator) -> list[float]:
        """Capacity of each of `count` elements; of those not drawn the fast ones come first.

        Parameters: `mean` calculations/s; `generator` for the kinds that are drawn at random.
        """
        if self.distribution == "identical" or count == 0:
            return [mean] * count
        shares = self._shares(count, generator)
        if not self.distribution.startswith("fixed"):
            shares = shares * (count / shares.sum())
        return [float(value) for value in mean * shares]

    def _shares(self, count: int, generator: np.random.Generator) -> npt.NDArray[np.float64]:
        """Capacities in units of the slowest element's, or of their mean."""
        kind = self.distribution.removeprefix("fixed_")
        if kind == "fast_servers":
            fast = max(1, round(self.fraction * count))
            return np.array([self.factor] * fast + [1.0] * (count - fast))
        if kind == "linear":
            return np.linspace(self.factor, 1.0, count)
        if kind == "uniform":
            return generator.uniform(1.0, self.factor, count)
        if kind == "exponential":
            return generator.standard_exponential(count)
        drawn = np.empty(0)
        while len(drawn) < count:
            more = generator.normal(1.0, self.deviation, count)
            drawn = np.concatenate([drawn, more[more > 0]])
        return drawn[:count]
