import pytest
import simpy

from rsim.clock import Clock


def test_calls_events_and_processes_share_one_order():
    clock = Clock()
    seen = []

    def process():
        yield clock.timeout(1)
        seen.append("process")

    clock.process(process())
    clock.call_at(1, seen.append, "first call")
    event = clock.timeout(1)
    event.callbacks.append(lambda _: seen.append("event"))
    clock.call_at(0.5, seen.append, "early")
    clock.run_until(2)
    # The process's own timeout is created when it first runs, after the others were scheduled.
    assert seen == ["early", "first call", "event", "process"]
    assert clock.now == 2


def test_run_until_leaves_what_is_due_at_the_end():
    clock = Clock()
    seen = []
    clock.call_at(3, seen.append, 3)
    clock.run_until(3)
    assert seen == []
    clock.run_until(3.5)
    assert seen == [3]


def test_simpy_run_processes_light_calls_too():
    clock = Clock()
    seen = []
    clock.call_at(1, seen.append, 1)
    clock.run(until=2)
    assert seen == [1]
    assert clock.now == 2


def test_failed_event_is_raised_as_in_simpy():
    for environment, run in ((simpy.Environment(), "run"), (Clock(), "run_until")):
        environment.event().fail(ValueError("nobody listens"))
        with pytest.raises(ValueError, match="nobody listens"):
            getattr(environment, run)(1)


def test_timer_expires_once_at_its_last_start():
    clock = Clock()
    seen = []
    timer = clock.timer(lambda: seen.append(clock.now))
    timer.start(5)
    clock.call_at(2, timer.start, 10)
    clock.call_at(3, timer.start, 1)
    clock.run_until(100)
    assert seen == [4]
    assert not timer.running


def test_timer_restarted_for_later_moves_on():
    clock = Clock()
    seen = []
    timer = clock.timer(lambda: seen.append(clock.now))
    for time in range(10):
        clock.call_at(time, timer.start, 5)
    clock.run_until(100)
    assert seen == [14]


def test_stopped_timer_stays_silent_and_can_start_again():
    clock = Clock()
    seen = []
    timer = clock.timer(lambda: seen.append(clock.now))
    timer.start(5)
    clock.call_at(1, timer.stop)
    clock.call_at(7, timer.start, 1)
    clock.run_until(100)
    assert seen == [8]


def test_timer_stopped_and_started_for_the_same_instant_expires_once():
    clock = Clock()
    seen = []
    timer = clock.timer(lambda: seen.append(clock.now))
    timer.start(5)
    timer.stop()
    timer.start(5)
    clock.run_until(100)
    assert seen == [5]
