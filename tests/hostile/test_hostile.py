"""A sample of what `make hostile` tries in thousands."""

import pytest

from .__main__ import SHARES, attack

SAMPLE = 300


@pytest.mark.parametrize("kind", SHARES)
def test_odd_and_damaged_input_gives_one_line_or_works(kind):
    count = SAMPLE * SHARES[kind] // 100
    found, problems = attack(kind, count, seed=20261130, tell=lambda text: None)
    assert problems == []
    assert found.total() == count and found["refused"] > 0
