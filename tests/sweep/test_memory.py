"""A run that takes memory without end is told as failed; all others are stored."""

import pytest

import rsim
from rsim.sweep import sweep
from tests.sweep.greedy import GREEDY_SEED, Watcher, greedy_study

MIB = 1 << 20
pytestmark = pytest.mark.filterwarnings("ignore:pool_users. no request")


def test_a_run_that_may_take_no_more_memory_fails_alone(study_file, tmp_path):
    result = sweep(greedy_study(study_file, 64 * MIB), tmp_path / "out", jobs=2)
    assert [failure["seed"] for failure in result.failures] == [GREEDY_SEED] * 6
    assert all("MemoryError" in failure["error"] for failure in result.failures)
    assert sorted(rsim.read(tmp_path / "out")["seed"]) == [5] * 6 + [7] * 6


def test_a_worker_that_is_killed_for_its_memory_costs_only_its_run(study_file, tmp_path):
    with Watcher(600 * MIB) as watcher:
        result = sweep(greedy_study(study_file), tmp_path / "out", jobs=2)
    assert watcher.killed
    assert [failure["seed"] for failure in result.failures] == [GREEDY_SEED] * 6
    assert all("has died" in failure["error"] for failure in result.failures)
    assert sorted(rsim.read(tmp_path / "out")["seed"]) == [5] * 6 + [7] * 6
