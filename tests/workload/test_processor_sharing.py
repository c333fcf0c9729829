from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsim.clock import Clock
from rsim.results import mean_interval
from rsim.workload.processor_sharing import Processor


def simulate(arrivals, sizes, capacity=1.0):
    """Sojourn times of tasks, by the simulator's processor."""
    clock = Clock()
    finished = {}
    user = SimpleNamespace(finished=lambda task: finished.update({task.owner: clock.now}))
    processor = Processor(clock, capacity, user)
    for number, (time, size) in enumerate(zip(arrivals, sizes, strict=True)):
        clock.call_at(time, processor.add, number, size, 0.0, size)
    clock.run_until(1e9)
    return np.array([finished[n] - arrivals[n] for n in range(len(arrivals))]), processor


def stepwise(arrivals, sizes, capacity=1.0):
    """The same by moving from event to event, with the remaining work of each task."""
    remaining = {}
    finish = {}
    time, upcoming = 0.0, 0
    while len(finish) < len(arrivals):
        next_arrival = arrivals[upcoming] if upcoming < len(arrivals) else np.inf
        first = min(remaining, key=remaining.get) if remaining else None
        done = time + remaining[first] * len(remaining) / capacity if remaining else np.inf
        until = min(next_arrival, done)
        for task in remaining:
            remaining[task] -= (until - time) * capacity / len(remaining)
        time = until
        if done <= next_arrival:
            finish[first] = time
            del remaining[first]
        else:
            remaining[upcoming] = sizes[upcoming]
            upcoming += 1
    return np.array([finish[n] - arrivals[n] for n in range(len(arrivals))])


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0.01, 5)), min_size=1, max_size=30))
def test_virtual_time_agrees_with_a_stepwise_simulation(tasks):
    arrivals = np.cumsum([gap for gap, _ in tasks])
    sizes = [size for _, size in tasks]
    sojourns, processor = simulate(arrivals, sizes)
    np.testing.assert_allclose(sojourns, stepwise(arrivals, sizes), rtol=1e-7, atol=1e-7)
    assert processor.work() == pytest.approx(sum(sizes))


@pytest.mark.parametrize("distribution", ["exponential", "fixed"])
def test_mean_sojourn_of_m_g_1_ps(distribution):
    """S / (1 - rho), whatever the distribution of sizes."""
    load, means = 0.7, []
    for seed in range(12):
        random = np.random.default_rng(seed)
        arrivals = np.cumsum(random.exponential(1 / load, 6000))
        sizes = random.exponential(1, 6000) if distribution == "exponential" else np.ones(6000)
        sojourns, _ = simulate(arrivals, sizes)
        means.append(sojourns[1000:].mean())
    interval = mean_interval(means, 0.999)
    assert abs(interval.mean - 1 / (1 - load)) <= interval.half_width


def test_marks_come_before_the_end_and_removed_tasks_leave_the_others_faster():
    clock = Clock()
    seen = []
    user = SimpleNamespace(
        reached=lambda task: seen.append((clock.now, task.mark)) or min(task.size, task.mark + 2),
        finished=lambda task: seen.append((clock.now, "end")),
    )
    processor = Processor(clock, 1.0, user)
    processor.add("a", 5.0, 0.0, 2.0)
    other = processor.add("b", 100.0, 0.0, 100.0)
    clock.call_at(4, processor.remove, other)
    clock.run_until(50)
    assert seen == [(4, 2.0), (6, 4.0), (7, "end")]
    assert processor.work() == 7
