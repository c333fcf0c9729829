"""First come, first served: by definition, and against queueing theory."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsim.clock import Clock
from rsim.results import mean_interval
from rsim.scenario import Scenario, run
from rsim.workload.in_order import InOrderProcessor


def simulate(arrivals, sizes, step=None):
    """Finishing times of tasks, and the marks that were passed, `step` calculations apart."""
    clock = Clock()
    finished, marks = {}, []

    def reached(task):
        marks.append((clock.now, task.owner, task.mark))
        return min(task.size, task.mark + step)

    user = SimpleNamespace(
        reached=reached, finished=lambda task: finished.update({task.owner: clock.now})
    )
    processor = InOrderProcessor(clock, 1.0, user)
    for number, (time, size) in enumerate(zip(arrivals, sizes, strict=True)):
        mark = size if step is None else min(size, step)
        clock.call_at(time, processor.add, number, size, 0.0, mark)
    clock.run_until(1e9)
    return [finished[n] for n in range(len(arrivals))], marks, processor


TASKS = st.lists(st.tuples(st.floats(0, 10), st.floats(0.01, 5)), min_size=1, max_size=30)


@given(TASKS)
def test_each_task_begins_when_the_one_before_it_is_finished(tasks):
    arrivals = np.cumsum([gap for gap, _ in tasks])
    sizes = [size for _, size in tasks]
    finished, _, processor = simulate(arrivals, sizes)
    free = 0.0
    for arrival, size, end in zip(arrivals, sizes, finished, strict=True):
        free = max(free, arrival) + size
        assert end == pytest.approx(free)
    assert processor.work() == pytest.approx(sum(sizes))
    assert processor.tasks == 0


@given(TASKS)
def test_marks_are_passed_when_their_work_is_done(tasks):
    arrivals = np.cumsum([gap for gap, _ in tasks])
    sizes = [size for _, size in tasks]
    finished, marks, _ = simulate(arrivals, sizes, step=1.0)
    for time, task, mark in marks:
        assert finished[task] - time == pytest.approx(sizes[task] - mark, abs=1e-6)


def test_a_task_that_is_given_up_makes_room():
    clock = Clock()
    finished = []
    user = SimpleNamespace(finished=lambda task: finished.append((clock.now, task.owner)))
    processor = InOrderProcessor(clock, 1.0, user)
    first = processor.add("first", 10.0, 0.0, 10.0)
    processor.add("second", 2.0, 1.0, 2.0)
    clock.run_until(4.0)
    assert processor.progress(first) == 4.0
    processor.remove(first)
    clock.run_until(100.0)
    assert finished == [(5.0, "second")]
    assert processor.work() == 5.0


@pytest.mark.parametrize(
    ("distribution", "load", "expected"),
    [
        # Mean time in an M/M/1 and an M/D/1 queue with a mean service time of 1 s.
        ("exponential", 0.5, 1 / (1 - 0.5)),
        ("exponential", 0.8, 1 / (1 - 0.8)),
        ("fixed", 0.5, 1 + 0.5 / (2 * (1 - 0.5))),
        ("fixed", 0.8, 1 + 0.8 / (2 * (1 - 0.8))),
    ],
)
def test_a_pool_of_one_element_is_m_g_1(distribution, load, expected):
    """Whole runs: many users with little load each, so that arrivals are Poisson."""
    scenario = Scenario.model_validate(
        {
            "profile": "rspsim",
            "warm_up": 900,
            "duration": 7200,
            "pool_elements": {"element": {"count": 1, "discipline": "in_order"}},
            "pool_users": {
                "user": {
                    "count": 400,
                    "request_size": {"distribution": distribution, "mean": 1e6},
                    "request_interval": {"distribution": "exponential", "mean": 400 / load},
                }
            },
        }
    )
    means = [run(scenario, seed).metrics["processing_time_s"] for seed in range(1, 13)]
    interval = mean_interval(means, 0.999)
    assert abs(interval.mean - expected) <= interval.half_width + 0.02
