import math

import numpy as np
import pandas as pd
import pytest

from rsim.results.breaking import breaking_points, crossing


def test_a_crossing_lies_between_the_points_around_it():
    assert crossing([1, 2, 3], [10, 8, 4], 6) == pytest.approx(2.5)
    # The better end may be the right one, such as with intervals between attacks.
    assert crossing([1, 2, 3], [4, 8, 10], 6) == pytest.approx(1.5)
    # Decades are gone through by their logarithm.
    assert crossing([1, 100], [10, 0], 5) == pytest.approx(10)
    assert math.isnan(crossing([1, 2, 3], [10, 9, 8], 6))
    assert math.isnan(crossing([1, 2, 3], [5, 4, 3], 6))
    # The first crossing, seen from the better end, counts; undefined values are left out.
    assert crossing([1, 2, 3, 4, 5], [10, 5, 9, math.nan, 2], 6) == pytest.approx(1.8)


def test_intervals_cover_the_true_breaking_point():
    random = np.random.default_rng(3)
    covered = 0
    for _ in range(400):
        rows = []
        for seed in range(8):
            noise = random.normal(0, 3)
            rows += [
                {"arm": "attack", "x": x, "seed": seed, "m": 100 - 2 * x + noise}
                for x in (0.0, 10.0, 20.0, 30.0)
            ]
        levels = pd.Series(70.0, index=range(8))
        [row] = breaking_points(
            pd.DataFrame(rows), levels, x="x", metric="m", parameters=["arm", "x"]
        ).to_dict("records")
        assert row["broken"] == row["runs"] == 8
        covered += abs(row["mean"] - 15) <= row["ci95"]
    assert 0.92 <= covered / 400 <= 0.98


def test_seeds_that_hold_are_counted():
    rows = [
        {"arm": "attack", "policy": policy, "x": x, "seed": seed, "m": 100 - slope * x}
        for policy, slopes in (("a", (1, 2)), ("b", (0, 0)))
        for seed, slope in enumerate(slopes)
        for x in (0, 40)
    ]
    levels = pd.Series([50.0, 50.0])
    found = breaking_points(
        pd.DataFrame(rows), levels, x="x", metric="m", parameters=["arm", "policy", "x"]
    )
    assert found["policy"].tolist() == ["a", "b"]
    assert found["broken"].tolist() == [1, 0]
    assert found["mean"].tolist()[0] == pytest.approx(25)
