"""A host's CPU against queueing theory."""

import numpy as np
import pytest
from scipy import stats

from rsim.clock import Clock
from rsim.network import Cpu, CpuSettings
from rsim.randomness import Streams


def flood(load, count, seed, **settings):
    """Poisson arrivals at a CPU with a mean service time of 1 s: waits, and the CPU."""
    clock = Clock()
    cpu = Cpu(clock, CpuSettings(service_time=1.0, **settings), Streams(seed).stream("c", "c"))
    waits = []
    times = np.cumsum(np.random.default_rng(seed).exponential(1 / load, count))

    def arrive(time):
        if not cpu.admit():
            return
        service = cpu.service_time(99, b"x")
        cpu.submit(service, lambda: waits.append(clock.now - time - service))

    for time in times.tolist():
        clock.call_at(time, arrive, time)
    clock.run_until(times[-1] + 1e5)
    return np.array(waits), cpu


def within(samples, expected):
    """Whether a value lies within the 99.9% interval of the mean of independent samples."""
    half = stats.t.ppf(0.9995, len(samples) - 1) * np.std(samples, ddof=1) / np.sqrt(len(samples))
    return abs(np.mean(samples) - expected) < half


@pytest.mark.parametrize("load", [0.3, 0.7, 0.9])
def test_mean_wait_is_that_of_m_d_1(load):
    means = [flood(load, 5000, seed)[0][1000:].mean() for seed in range(1, 17)]
    assert within(means, load / (2 * (1 - load)))


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_mean_wait_is_that_of_m_m_1(load):
    runs = [flood(load, 5000, seed, distribution="exponential") for seed in range(1, 17)]
    assert within([waits[1000:].mean() for waits, _ in runs], load / (1 - load))


@pytest.mark.parametrize(("load", "buffer"), [(0.8, 3), (2.0, 5), (0.5, 1)])
def test_loss_is_that_of_m_m_1_k(load, buffer):
    runs = [
        flood(load, 5000, seed, distribution="exponential", buffer=buffer) for seed in range(16)
    ]
    lost = [cpu.counters.cpu_dropped / 5000 for _, cpu in runs]
    assert within(lost, (1 - load) * load**buffer / (1 - load ** (buffer + 1)))


def test_busy_time_is_the_work_done():
    waits, cpu = flood(0.5, 1000, 3)
    assert cpu.counters.cpu_busy == pytest.approx(1000)
    assert cpu.counters.cpu_waited == pytest.approx(waits.sum())
    assert cpu.counters.cpu_jobs == 1000


def test_service_times_go_by_the_kind_of_message():
    settings = CpuSettings(
        service_time=0.1, service_times={"ASAP_REGISTRATION": 0.5, "APPLICATION": 0.2}
    )
    cpu = Cpu(Clock(), settings, Streams(1).stream("c", "c"))
    assert cpu.service_time(11, b"\x01") == 0.5
    assert cpu.service_time(11, b"\x05") == 0.1
    assert cpu.service_time(12, b"\x01") == 0.1
    assert cpu.service_time(99, b"\x01") == 0.2


def test_a_host_that_goes_down_forgets_its_work():
    clock = Clock()
    cpu = Cpu(clock, CpuSettings(service_time=1.0), Streams(1).stream("c", "c"))
    done = []
    for number in range(3):
        cpu.submit(1.0, done.append, number)
    clock.run_until(1.5)
    cpu.clear()
    cpu.submit(1.0, done.append, "new")
    clock.run_until(10)
    assert done == [0, "new"]
