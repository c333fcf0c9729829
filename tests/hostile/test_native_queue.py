"""The queue of events and its timers used wrongly, or from within what they call."""

import copy
import gc
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from rsim._native import EventQueue
from rsim.clock import Clock
from rsim.errors import FieldError, ReentryError

NAN = float("nan")
SCRIPT = Path(__file__).with_name("out_of_memory.py")


def refused(call):
    with pytest.raises(ReentryError, match="EventQueue"):
        call()


@pytest.mark.parametrize("outer", ["step", "run_until", "run"])
def test_the_queue_is_not_run_from_within_what_it_calls(outer):
    clock, seen = Clock(), []

    def inner():
        refused(clock.step)
        refused(lambda: clock.run_until(50))
        refused(lambda: clock.run(until=50))
        seen.append(clock.now)

    def process():
        yield clock.timeout(1)
        inner()

    clock.call_at(1, inner)
    timer = clock.timer(inner)
    timer.start(1)
    clock.process(process())
    clock.call_at(2, seen.append, "after")
    run = {"step": lambda: [clock.step() for _ in range(6)], "run": clock.run}
    run.get(outer, lambda: clock.run_until(10))()
    assert seen == [1, 1, 1, "after"]
    clock.run_until(20)


def test_a_queue_goes_on_after_a_refusal_that_came_through():
    clock, seen = Clock(), []
    clock.call_at(1, clock.step)
    clock.call_at(2, seen.append, 2)
    with pytest.raises(ReentryError):
        clock.run_until(5)
    clock.run_until(5)
    assert seen == [2]


def test_the_end_of_what_was_called_may_use_the_queue():
    class Dying:
        def __del__(self):
            ends.append(clock.now)
            clock.call_at(clock.now + 1, ends.append, "called")
            timer.start(0.5)

        def call(self, *args):
            pass

    clock, ends = Clock(), []
    timer = clock.timer(lambda: ends.append("timer"))
    clock.call_at(1, Dying().call, Dying())
    clock.run_until(5)
    assert ends == [1, 1, "timer", "called", "called"]


def test_a_queue_that_is_freed_with_what_uses_it_in_the_end():
    class Dying:
        __slots__ = ()

        def __del__(self):
            ends.append(0)
            for queue in queues:
                queue.call_at(1.0, print)
                queue.peek()

    queues, ends = [], []
    for _ in range(20):
        clock = Clock()
        queues.append(clock.events)
        for number in range(100):
            clock.call_at(number, print, Dying())
            timer = clock.timer(partial(print, Dying()))
            timer.start(number)
            if number % 2:
                timer.cancel()
        queues.clear()
        clock.call_at(1, clock.run)
        del clock, timer
        gc.collect()
    assert len(ends) == 20 * 200


def test_timers_that_end_themselves_or_each_other():
    clock, seen = Clock(), []

    def end_all():
        seen.append(clock.now)
        for timer in timers:
            timer.cancel()
        timers.clear()
        gc.collect()

    timers = [clock.timer(end_all) for _ in range(200)]
    for timer in timers:
        timer.start(1)
        timer.start(0.5)
    del timer
    clock.run()
    assert seen == [0.5] and len(clock.events) == 0


def test_a_clock_that_raises_when_its_time_is_set():
    class Stopped:
        def __setattr__(self, name, value):
            raise KeyError(name)

    queue = EventQueue(Stopped())
    queue.call_at(1.0, print)
    queue.timer(print).start(2.0)
    for _ in range(2):
        with pytest.raises(KeyError, match="_now"):
            queue.step()
    assert not queue.step()


def test_times_that_are_no_numbers_are_refused():
    clock = Clock()
    timer = clock.timer(print)
    for call in (
        lambda: clock.call_at(NAN, print),
        lambda: clock.call_method_at(NAN, "a", print),
        lambda: clock.run_until(NAN),
        lambda: timer.start(NAN),
        lambda: clock.events.schedule(NAN, 1, clock.event()),
    ):
        with pytest.raises(FieldError, match="nan"):
            call()
    assert len(clock.events) == 0 and not timer.running


def test_a_timer_of_something_that_cannot_be_called():
    clock = Clock()
    clock.timer(None).start(1)
    with pytest.raises(TypeError, match="not callable"):
        clock.run()


@pytest.mark.parametrize("one", [EventQueue(None), Clock().timer(print)])
def test_queues_and_timers_are_neither_copied_nor_pickled(one):
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="pickle"):
            attempt(one)
    with pytest.raises(AttributeError):
        one.new_attribute = 1
    with pytest.raises(TypeError):
        type("Derived", (type(one),), {})


def test_a_queue_without_memory_is_an_error_of_python():
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), "queue"], capture_output=True, text=True, timeout=300
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended
    assert ended.stdout == "MemoryError\n"
