"""Outages by schedule and at random."""

import numpy as np
import pytest

from rsim.clock import Clock
from rsim.network import Outage, OutageSettings, parse_schedule
from rsim.randomness import Streams


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("", []),
        ("down@100s", [(100, False)]),
        ("down@100s, up@+30s", [(100, False), (130, True)]),
        ("down@2min,up@3min,down@+1", [(120, False), (180, True), (181, False)]),
    ],
)
def test_schedules(text, changes):
    assert parse_schedule(text) == changes


@pytest.mark.parametrize("text", ["off@3s", "down", "down@x", "down@5s, up@3s", "down@-1s", ","])
def test_what_is_no_schedule(text):
    with pytest.raises(ValueError, match=r"is no|lies before"):
        parse_schedule(text)


def changes(settings, until, seed=1):
    clock = Clock()
    seen = []
    stream = Streams(seed).stream("o", "o")
    Outage(clock, settings, stream, lambda up: seen.append((clock.now, up)))
    clock.run_until(until)
    return seen


def test_a_schedule_is_carried_out():
    assert changes(OutageSettings(schedule="down@5s, up@+2s"), 100) == [(5, False), (7, True)]


def test_share_of_time_up_is_that_of_an_alternating_renewal_process():
    exponential = {"distribution": "exponential"}
    settings = OutageSettings(
        uptime={**exponential, "mean": 90}, downtime={**exponential, "mean": 10}
    )
    seen = changes(settings, 1e6)
    downs = [time for time, up in seen if not up]
    ups = [time for time, up in seen if up]
    down_times = np.array(ups) - np.array(downs[: len(ups)])
    assert down_times.mean() == pytest.approx(10, rel=0.05)
    assert down_times.sum() / 1e6 == pytest.approx(0.1, rel=0.05)


def test_without_a_down_time_it_stays_down():
    assert changes(OutageSettings(uptime=5), 100) == [(5, False)]


def test_a_down_time_needs_an_up_time():
    with pytest.raises(ValueError, match="needs an uptime"):
        OutageSettings(downtime=5)
