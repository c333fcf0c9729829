"""The procedure KN, against a second one that follows the paper step by step."""

import numpy as np
import pytest

from rsim.errors import ResultError
from rsim.results import choose_best


def by_the_paper(data, delta, alpha, first):
    """Means in place of sums, one pair after the other; Kim and Nelson 2001, figure 1, c = 1."""
    number = len(data)
    eta = 0.5 * ((2 * alpha / (number - 1)) ** (-2 / (first - 1)) - 1)
    square = 2 * eta * (first - 1)
    variance = {
        (i, j): np.var(data[i, :first] - data[j, :first], ddof=1)
        for i in range(number)
        for j in range(number)
    }
    most = {
        i: max(int(square * variance[i, j] / delta**2) for j in range(number))
        for i in range(number)
    }
    left, eliminated, run = list(range(number)), [0] * number, first
    while True:
        means = data[:, :run].mean(axis=1)
        kept = []
        for i in left:
            reach = [
                max(0.0, delta / (2 * run) * (square * variance[i, j] / delta**2 - run))
                for j in left
            ]
            if all(means[i] >= means[j] - w for j, w in zip(left, reach, strict=True)):
                kept.append(i)
            else:
                eliminated[i] = run
        left = kept
        if len(left) == 1 or run > max(most[i] for i in left):
            best = max(left, key=lambda i: means[i])
            return (
                best,
                [run if one in left and one != best else eliminated[one] for one in range(number)],
                run,
            )
        run += 1


@pytest.mark.parametrize("number", [2, 3, 7])
@pytest.mark.parametrize("seed", range(8))
def test_it_does_what_the_paper_says(number, seed):
    random = np.random.default_rng(seed)
    data = random.normal(0, 2, 4000) + random.normal(0, 1, (number, 4000))
    data += random.uniform(0, 1, number)[:, None]
    best, eliminated, runs = by_the_paper(data, 0.4, 0.05, 10)
    found = choose_best(data, 0.4)
    assert (found.best, list(found.eliminated), found.runs) == (best, eliminated, runs)
    assert runs > 10


def test_rounds_of_runs_lead_to_the_same_choice_as_all_at_once():
    random = np.random.default_rng(3)
    data = random.normal(0, 1, (4, 2000))
    data[2] += 0.3
    whole = choose_best(data, 0.3)
    done = np.full(data.shape, np.nan)
    left, size = [0, 1, 2, 3], 10
    while True:
        done[left, :size] = data[left, :size]
        found = choose_best(done[:, :size], 0.3)
        if found.best is not None:
            break
        assert found.runs == size
        left, size = found.left, size + 7
    assert found == whole and sum(map(bool, whole.eliminated)) == 3


def test_a_value_that_is_missing_stops_it_only_where_it_is_needed():
    random = np.random.default_rng(4)
    data = random.normal(0, 1, (3, 2000))
    data[1] += 0.5
    whole = choose_best(data, 0.3)
    gone = min(run for run in whole.eliminated if run)
    out = whole.eliminated.index(gone)
    assert gone < whole.runs
    data[out, gone:] = np.nan
    assert choose_best(data, 0.3) == whole
    data[1, gone + 1] = np.nan
    found = choose_best(data, 0.3)
    assert (found.best, found.runs) == (None, gone + 1)


@pytest.mark.parametrize("data", [np.zeros((3, 40)), np.full((3, 40), 7.5)])
def test_equal_values_end_at_once(data):
    found = choose_best(data, 1.0)
    assert (found.best, found.runs) == (0, 10)


def test_equal_means_end_after_the_runs_that_were_told():
    random = np.random.default_rng(5)
    data = random.normal(0, 1, (3, 5000))
    last = choose_best(data[:, :10], 0.2).last
    found = choose_best(data, 0.2)
    assert found.best is not None and 10 < found.runs <= last < 5000


def test_too_few_runs_choose_nothing():
    assert choose_best(np.ones((2, 9)), 1.0).best is None


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"values": [[1.0, 2.0]]}, "at least two alternatives"),
        ({"indifference": 0.0}, "indifference: 0: must be"),
        ({"indifference": float("nan")}, "indifference: nan: must be"),
        ({"confidence": 0.5}, "confidence: 0.5: must be"),
        ({"confidence": 1.0}, "confidence: 1: must be"),
        ({"first": 1}, "first: 1: must be"),
    ],
)
def test_what_can_not_be_is_told(changed, told):
    with pytest.raises(ResultError, match=told):
        choose_best(**{"values": np.ones((2, 20)), "indifference": 1.0, **changed})
