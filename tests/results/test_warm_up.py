import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rsim.results import mser5


def plain(values):
    """MSER-5 by its definition, each cut by itself."""
    count = len(values) // 5
    batches = [np.mean(values[5 * i : 5 * i + 5]) for i in range(count)]
    found = []
    for cut in range(count - 5):
        left = np.array(batches[cut:])
        found.append(((left - left.mean()) ** 2).sum() / len(left) ** 2)
    return found


@given(arrays(float, st.integers(100, 400), elements=st.floats(-1000, 1000, width=32)))
def test_the_cut_is_the_one_with_the_least_error(values):
    errors = plain(values)
    cut = mser5(values)
    if cut is None:
        assert min(errors) <= min(errors[: len(values) // 10 + 1]) * (1 + 1e-9)
    else:
        assert errors[cut // 5] <= min(errors) * (1 + 1e-9) + 1e-9


@pytest.mark.parametrize("length", [0, 50, 150, 300])
def test_a_transient_is_cut_off(length):
    random = np.random.default_rng(1)
    values = random.normal(10, 1, 2000)
    values[:length] += 8 * np.exp(-3 * np.arange(length) / max(1, length))
    cut = mser5(values)
    assert 0.5 * length <= cut <= length + 60


def test_what_does_not_settle_is_told():
    assert mser5(np.arange(1000.0)) is None
    assert mser5(np.ones(99)) is None
    assert mser5([]) is None
