"""Named distributions: their means, spreads and limits."""

import numpy as np
import pytest

from rsim.distributions import Distribution, Duration
from rsim.randomness import Streams


def draws(count=40_000, **settings):
    stream = Streams(3).stream("d", "d")
    distribution = Distribution(**settings)
    return np.array([distribution.draw(stream) for _ in range(count)])


@pytest.mark.parametrize(
    ("settings", "variation"),
    [
        ({"distribution": "exponential"}, 1.0),
        ({"distribution": "uniform"}, 0.5 / np.sqrt(3)),
        ({"distribution": "uniform", "variation": 1}, 1 / np.sqrt(3)),
        ({"distribution": "gamma"}, 1.0),
        ({"distribution": "gamma", "variation": 2}, 2.0),
        ({"distribution": "lognormal", "variation": 0.5}, 0.5),
        ({"distribution": "pareto", "variation": 4}, 1 / np.sqrt(4 * 2)),
    ],
)
def test_mean_and_standard_deviation(settings, variation):
    values = draws(mean=10, **settings)
    error = 4 * 10 * variation / np.sqrt(len(values))
    assert values.mean() == pytest.approx(10, abs=error)
    assert values.std() / 10 == pytest.approx(variation, rel=0.1)
    assert values.min() >= 0


def test_a_number_is_fixed():
    assert Distribution.model_validate(5).distribution == "fixed"
    assert draws(3, mean=5).tolist() == [5, 5, 5]
    assert Duration.model_validate("10ms").fixed == 0.01
    assert Duration(mean=1, distribution="exponential").fixed is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"distribution": "exponential", "variation": 1}, "has none"),
        ({"distribution": "uniform", "variation": 2}, "from 0 to 1, not 2"),
        ({"distribution": "pareto", "variation": 1}, "from 1.01 to 1000, not 1"),
        ({"distribution": "gamma", "variation": 0}, "from 0.001 to 100, not 0"),
        ({"distribution": "gamma", "variation": 1e200}, "less than or equal to 1000"),
        ({"distribution": "lognormal", "variation": 500}, "from 0 to 100, not 500"),
        ({"distribution": "normal"}, "distribution"),
        ({"mean": 0}, "greater than 0"),
    ],
)
def test_mistakes_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        Distribution(**{"mean": 1, **settings})
