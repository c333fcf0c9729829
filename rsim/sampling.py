"""Draws from named distributions."""

from __future__ import annotations

from math import exp, log, pow, sqrt

from rsim.randomness import Stream


class Sampler:
    """A distribution that values are drawn from.

    Parameters: `kind` by name, `mean` in the unit of what is drawn, `variation` as `Distribution`
    has it, with a meaning of its own for each kind.
    """

    __slots__ = ("kind", "mean", "variation")

    def __init__(self, kind: str, mean: float, variation: float) -> None:
        self.kind = kind
        self.mean = mean
        self.variation = variation

    def draw(self, stream: Stream) -> float:
        """One value.

        Parameters: `stream` of random draws.
        """
        return self.mean * self._unit(stream)

    def _unit(self, stream: Stream) -> float:
        """One draw of the distribution with mean 1."""
        kind, variation = self.kind, self.variation
        if kind == "exponential":
            return stream.exponential()
        if kind == "fixed":
            return 1.0
        if kind == "uniform":
            return 1.0 + variation * (2.0 * stream.uniform() - 1.0)
        if kind == "pareto":
            return (variation - 1.0) / variation * pow(1.0 - stream.uniform(), -1.0 / variation)
        if kind == "gamma":
            form = 1.0 / variation**2
            return float(stream.generator.standard_gamma(form)) / form
        sigma = sqrt(log(1.0 + variation**2))
        return exp(sigma * float(stream.generator.standard_normal()) - sigma**2 / 2.0)
