"""Named distributions of request sizes and intervals."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from rsim.randomness import Stream
from rsim.units import Model, Number


class Distribution(Model):
    """A distribution by name and mean; a plain number in a scenario is `fixed`."""

    distribution: Literal["exponential", "fixed"] = Field(
        "fixed", description="kind of distribution"
    )
    mean: Number = Field(gt=0, description="mean, in the unit of what is drawn")

    @model_validator(mode="before")
    @classmethod
    def _number_is_fixed(cls, value: Any) -> Any:
        return {"mean": value} if isinstance(value, (int, float, str)) else value

    def draw(self, stream: Stream) -> float:
        """One value."""
        if self.distribution == "exponential":
            return self.mean * stream.exponential()
        return self.mean
