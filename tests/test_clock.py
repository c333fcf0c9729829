import gc
import weakref
from functools import partial

import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from rsim.clock import Clock
from rsim.errors import StandstillError


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


@pytest.mark.parametrize("count", range(8))
def test_calls_pass_on_any_number_of_arguments_and_let_go_of_them(count):
    class Receiver:
        def take(self, *args):
            seen.append(args)

    class Argument:
        pass

    clock, seen = Clock(), []
    receiver, given = Receiver(), tuple(Argument() for _ in range(count))
    clock.call_at(1, receiver.take, *given)
    clock.call_method_at(2, "take", receiver, *given)
    clock.run_until(3)
    assert seen == [given, given]
    watched = [weakref.ref(one) for one in (receiver, *given)]
    seen.clear()
    del receiver, given
    assert not any(watch() for watch in watched)


def test_a_clock_with_calls_still_due_is_freed_with_all_that_they_hold():
    class Holder:
        def call(self, *args):
            raise AssertionError("never due")

    clock, holder = Clock(), Holder()
    holder.clock = clock
    clock.call_at(1, holder.call, holder, clock)
    clock.call_method_at(1, "call", holder, clock)
    holder.timer = clock.timer(holder.call)
    holder.timer.start(1)
    watch = weakref.ref(holder)
    del clock, holder
    gc.collect()
    assert watch() is None


def test_wrong_use_of_the_queue_is_told():
    clock = Clock()
    timer = clock.timer(lambda: None)
    for call in (
        lambda: clock.call_at(1),
        lambda: clock.call_at("soon", print),
        lambda: clock.call_method_at(1, "name"),
        lambda: clock.call_method_at(1, print, "name"),
        lambda: timer.start("soon"),
        lambda: type(timer)(),
        lambda: type(clock.events)(),
    ):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(ValueError, match="priority"):
        clock.events.schedule(1.0, 3, None)
    clock.call_method_at(1, "missing", "text")
    with pytest.raises(AttributeError, match="missing"):
        clock.run_until(2)
    assert len(clock.events) == 0


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


def test_cancelled_timer_is_over_and_frees_what_it_would_have_called():
    clock = Clock()
    seen = []

    class Owner:
        def __init__(self):
            self.timer = clock.timer(self.expired)

        def expired(self):
            seen.append(clock.now)
            self.timer.cancel()

    owner, other = Owner(), Owner()
    gone = [weakref.ref(owner), weakref.ref(other)]
    owner.timer.start(5)
    other.timer.start(3)
    owner.timer.cancel()
    owner.timer.start(1)
    assert not owner.timer.running
    gc.disable()
    try:
        del owner, other
        assert gone[0]() is None and gone[1]() is not None
        clock.run_until(100)
        assert gone[1]() is None
    finally:
        gc.enable()
    assert seen == [3]


def test_timer_calls_whatever_can_be_called():
    clock = Clock()
    seen = []

    class Owner:
        def method(self):
            seen.append(self)

        @classmethod
        def of_class(cls):
            seen.append(cls)

        @staticmethod
        def of_none():
            seen.append(None)

        def __call__(self):
            seen.append("called")

    class List(list):
        def clear(self):
            seen.append("overridden")

    owner, items, others, kept = Owner(), [1], List([1]), [1]
    functions = [owner.method, owner.of_class, owner.of_none, owner, partial(seen.append, 5)]
    functions += [items.clear, others.clear, partial(list.clear, others), super(List, others).copy]
    functions += [kept.__len__, gc.isenabled]
    for number, function in enumerate(functions):
        clock.timer(function).start(number)
    clock.run_until(len(functions))
    assert seen == [owner, Owner, None, "called", 5, "overridden"]
    assert items == others == []


def test_timer_stopped_and_started_for_the_same_instant_expires_once():
    clock = Clock()
    seen = []
    timer = clock.timer(lambda: seen.append(clock.now))
    timer.start(5)
    timer.stop()
    timer.start(5)
    clock.run_until(100)
    assert seen == [5]


class PlainTimer:
    """A timer as a list of what is due: every start forgets those before."""

    def __init__(self, clock, function):
        self.clock, self.function, self.number = clock, function, 0

    def start(self, delay):
        self.number += 1
        number = self.number
        self.clock.call_at(self.clock.now + delay, lambda: self.due(number))

    def due(self, number):
        if number == self.number:
            self.number += 1
            self.function()

    def stop(self):
        self.number += 1


ACTIONS = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.integers(0, 3),
        st.one_of(st.just("stop"), st.integers(0, 20)),
    ),
    max_size=60,
)


@given(ACTIONS)
def test_timers_expire_as_plain_ones_do(actions):
    seen = []
    for kind in (lambda clock, f: clock.timer(f), PlainTimer):
        clock, times = Clock(), []
        timers = [
            kind(clock, partial(lambda n, c, t: t.append((c.now, n)), n, clock, times))
            for n in range(4)
        ]
        for time, number, what in actions:
            if what == "stop":
                clock.call_at(time, timers[number].stop)
            else:
                # Halves, so that no two kinds of things are due at once.
                clock.call_at(time, timers[number].start, what + 0.5)
        clock.run_until(100)
        seen.append(sorted(times))
    assert seen[0] == seen[1]


def test_an_abandoned_clock_is_freed():
    class Actor:
        def __init__(self, clock):
            self.clock = clock
            self.timer = clock.timer(self.again)
            self.timer.start(1)
            clock.call_at(5, self.again)

        def again(self):
            self.timer.start(1)

    clock = Clock()
    actor = Actor(clock)
    clock.process(iter_forever(clock))
    clock.run_until(10)
    gone = weakref.ref(actor), weakref.ref(clock)
    del actor, clock
    gc.collect()
    assert [one() for one in gone] == [None, None]


def iter_forever(clock):
    while True:
        yield clock.timeout(1)


def test_timers_started_between_runs_count_from_the_present():
    clock = Clock()
    seen = []
    clock.run_until(3)
    timer = clock.timer(lambda: seen.append(clock.now))
    timer.start(2)
    clock.run_until(10)
    assert seen == [5]


def test_errors_leave_the_queue_as_it_is():
    clock = Clock()
    seen = []
    clock.call_at(1, lambda: 1 / 0)
    clock.call_at(1, seen.append, "after")
    timer = clock.timer(lambda: 1 / 0)
    timer.start(2)
    with pytest.raises(ZeroDivisionError):
        clock.run_until(5)
    assert clock.now == 1 and clock.peek() == 1
    with pytest.raises(ZeroDivisionError):
        clock.run_until(5)
    assert clock.now == 2 and seen == ["after"] and not timer.running
    clock.run_until(5)
    assert clock.now == 5 and clock.peek() == float("inf")
    with pytest.raises(simpy.core.EmptySchedule):
        clock.step()


def test_a_stopped_timer_is_as_if_it_had_not_been_started():
    clock, seen = Clock(), []
    timer = clock.timer(lambda: seen.append(clock.now))
    timer.start(50)
    timer.stop()
    assert clock.peek() == float("inf")
    clock.run()
    assert clock.now == 0 and seen == [] and len(clock.events) == 0
    timer.start(50)
    timer.stop()
    with pytest.raises(simpy.core.EmptySchedule):
        clock.step()
    timer.start(60)
    timer.stop()
    clock.call_at(70, seen.append, "call")
    assert clock.peek() == 70
    clock.step()
    assert clock.now == 70 and seen == ["call"]


def test_a_timer_restarted_for_later_is_due_then_only():
    clock, seen = Clock(), []
    timer = clock.timer(lambda: seen.append(clock.now))
    timer.start(50)
    timer.start(100)
    clock.call_at(80, seen.append, "call")
    assert clock.peek() == 80
    clock.step()
    assert clock.peek() == 100
    clock.step()
    assert seen == ["call", 100] and clock.now == 100
    timer.start(50)
    timer.start(float("inf"))
    assert not timer.running and clock.peek() == float("inf")


def no_more(queue, running):
    assert len(queue) <= 2 * running + 65


def count_timers(clock):
    kind = type(clock.timer(print))
    return sum(type(one) is kind for one in gc.get_objects())


def test_timers_that_were_stopped_do_not_stay():
    clock = Clock()
    queue = clock.events
    gc.collect()
    others = count_timers(clock)
    kept = [clock.timer(print) for _ in range(100)]
    for timer in kept:
        timer.start(2000)
    for _ in range(100_000):
        timer = clock.timer(print)
        timer.start(1000)
        timer.stop()
        no_more(queue, 100)
    for _ in range(100_000):
        timer.start(1000)
        timer.cancel()
        timer = clock.timer(print)
        no_more(queue, 100)
    gc.collect()
    # Those that are left keep their timers; those that were dropped are freed.
    assert count_timers(clock) - others < 300


def test_timers_that_are_restarted_do_not_fill_the_queue():
    clock = Clock()
    timer = clock.timer(print)
    for number in range(100_000):
        timer.start(200_000 - number)
        no_more(clock.events, 1)
    for number in range(100_000):
        timer.start(100_000 + number)
        no_more(clock.events, 1)
    assert clock.peek() == 199_999
    others = [clock.timer(print) for _ in range(1000)]
    for turn in range(100):
        for other in others:
            other.start(1000 - turn)
            other.stop()
            other.start(1000 - turn)
        no_more(clock.events, 1001)


@settings(max_examples=40)
@given(ACTIONS, st.integers(0, 200))
def test_dropped_entries_change_nothing_else(actions, stopped):
    """The same as plain timers, with so many others stopped that entries are dropped."""
    seen = []
    for kind in (lambda clock, f: clock.timer(f), PlainTimer):
        clock, times = Clock(), []
        timers = [
            kind(clock, partial(lambda n, c, t: t.append((c.now, n)), n, clock, times))
            for n in range(4)
        ]
        others = [clock.timer(print) for _ in range(stopped)]
        for time, number, what in actions:
            if what == "stop":
                clock.call_at(time, timers[number].stop)
            else:
                clock.call_at(time, timers[number].start, what + 0.5)
        for time in range(0, 40, 3):
            for other in others:
                clock.call_at(time, other.start, 100)
                clock.call_at(time + 1, other.stop)
        due = []
        while clock.peek() < 100:
            due.append(clock.peek())
            clock.step()
            assert clock.now == due[-1]
        assert len(times) <= len(due)
        seen.append(sorted(times))
    assert seen[0] == seen[1]


def test_time_that_stands_still_ends_with_an_error():
    clock = Clock()
    count = 0

    def again():
        nonlocal count
        count += 1
        clock.call_at(clock.now, again)

    clock.call_at(2.5, again)
    with pytest.raises(StandstillError, match=r"stands still at 2\.5 s: more than 1000000 events"):
        clock.run_until(10)
    assert count == 1_000_000


def test_a_million_hosts_may_start_at_one_time():
    clock = Clock()
    done = [0]

    def start(left):
        done[0] += 1
        if left:
            clock.call_at(clock.now, start, left - 1)

    for _ in range(60_000):
        clock.call_at(600, start, 19)
    clock.run_until(601)
    assert done[0] == 1_200_000


def test_time_that_goes_on_by_little_does_not_stand_still():
    clock = Clock()
    count = 0

    def again():
        nonlocal count
        count += 1
        clock.call_at(clock.now + 1e-9, again)

    clock.call_at(0, again)
    clock.run_until(1.1e-3)
    assert count > 1_000_000
