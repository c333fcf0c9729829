// The queue of events and its timers, which call Python when something is due.
#include "../clock/heap.hpp"
#include "common.hpp"

#include <limits>

namespace rsim {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();
// SimPy's priorities begin at -1, those of the heap at 0.
constexpr unsigned heap_priority(int priority) { return static_cast<unsigned>(priority + 1); }
constexpr unsigned normal = heap_priority(1);

enum class Kind { call, event, timer };

// What is due: a call with its arguments, an event of SimPy's with its time (whole numbers stay
// whole), or a timer. Owns its references.
struct Item {
    Kind kind;
    PyObject* what;
    PyObject* arguments;
};

class EventQueue {
public:
    explicit EventQueue(PyObject* clock, double now) : clock(Py_NewRef(clock)), now(now) {}
    EventQueue(const EventQueue&) = delete;
    EventQueue& operator=(const EventQueue&) = delete;
    ~EventQueue() { clear(); }

    void push(double time, unsigned priority, Kind kind, PyObject* what, PyObject* arguments = nullptr) {
        heap.push(time, priority, {kind, Py_NewRef(what), Py_XNewRef(arguments)});
    }

    // Carries out what is due first.
    void step();

    void run_until(double limit) {
        while (!heap.empty() && heap.next_time() < limit) step();
        now = limit;
    }

    void clear() {
        for (const auto& due : heap.take_all()) {
            Py_DECREF(due.item.what);
            Py_XDECREF(due.item.arguments);
        }
        Py_CLEAR(clock);
    }

    EventHeap<Item> heap;
    PyObject* clock;
    double now;
};

// A timer has at most one entry in the queue that counts. One that is restarted for later keeps its
// entry and moves on when that comes up, so that frequent restarts cost no queue operation.
struct Timer {
    nb::object owner;
    nb::object function;
    EventQueue* queue;
    double due = never;
    double pending = never;

    void start(PyObject* self, double delay) {
        if (!queue) return;  // Cancelled, or the garbage collector has taken the clock away.
        due = queue->now + delay;
        if (due < pending) {
            pending = due;
            queue->push(due, normal, Kind::timer, self);
        }
    }

    void cancel() {
        queue = nullptr;
        due = pending = never;
        // Last, as they may be all that keeps whoever keeps this timer.
        const nb::object former_owner = std::move(owner);
        const nb::object former_function = std::move(function);
    }

    void come_up(PyObject* self, double time) {
        if (time != pending) return;
        if (due == time) {
            due = pending = never;
            // The function may be all that keeps the timer.
            const nb::object called = function;
            nb::steal(PyObject_CallNoArgs(called.ptr()));
            if (PyErr_Occurred()) throw nb::python_error();
        } else if (due < never) {
            pending = due;
            queue->push(due, normal, Kind::timer, self);
        } else {
            pending = never;
        }
    }
};

PyObject* interned(const char* text) { return PyUnicode_InternFromString(text); }

void EventQueue::step() {
    static PyObject* const now_name = interned("_now");
    static PyObject* const process_name = interned("_process");
    const Due<Item> first = heap.pop();
    const nb::object what = nb::steal(first.item.what);
    const nb::object arguments = nb::steal(first.item.arguments);
    if (first.time != now) {
        now = first.time;
        const bool given = first.item.kind == Kind::event;
        const nb::object value = given ? arguments : nb::steal(PyFloat_FromDouble(now));
        if (PyObject_SetAttr(clock, now_name, value.ptr())) throw nb::python_error();
    }
    nb::object result;
    switch (first.item.kind) {
    case Kind::call:
        result = nb::steal(PyObject_Call(what.ptr(), arguments.ptr(), nullptr));
        break;
    case Kind::event:
        result = nb::steal(PyObject_CallMethodOneArg(clock, process_name, what.ptr()));
        break;
    case Kind::timer:
        nb::inst_ptr<Timer>(what)->come_up(what.ptr(), first.time);
        return;
    }
    if (!result.is_valid()) throw nb::python_error();
}

int visit_queue(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    if (!nb::inst_ready(self)) return 0;
    const EventQueue* queue = nb::inst_ptr<EventQueue>(self);
    Py_VISIT(queue->clock);
    for (const auto& due : queue->heap.entries()) {
        Py_VISIT(due.item.what);
        Py_VISIT(due.item.arguments);
    }
    return 0;
}

int clear_queue(PyObject* self) {
    if (nb::inst_ready(self)) nb::inst_ptr<EventQueue>(self)->clear();
    return 0;
}

int visit_timer(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    if (!nb::inst_ready(self)) return 0;
    const Timer* timer = nb::inst_ptr<Timer>(self);
    Py_VISIT(timer->owner.ptr());
    Py_VISIT(timer->function.ptr());
    return 0;
}

int clear_timer(PyObject* self) {
    if (nb::inst_ready(self)) nb::inst_ptr<Timer>(self)->cancel();
    return 0;
}

PyType_Slot queue_slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(visit_queue)},
                             {Py_tp_clear, reinterpret_cast<void*>(clear_queue)},
                             {0, nullptr}};
PyType_Slot timer_slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(visit_timer)},
                             {Py_tp_clear, reinterpret_cast<void*>(clear_timer)},
                             {0, nullptr}};

}  // namespace

void bind_clock(nb::module_& module) {
    nb::class_<EventQueue>(module, "EventQueue", nb::type_slots(queue_slots),
        "What is due, in order of time, priority and insertion.\n\n"
        "Parameters: `clock` whose `_now` follows, and whose `_process` takes events of SimPy's.")
        .def("__init__", [](EventQueue* self, nb::object clock, double now) {
            new (self) EventQueue(clock.ptr(), now);
        }, "clock"_a, "now"_a = 0.0, nb::sig("def __init__(self, clock: typing.Any, now: float = 0.0) -> None"))
        .def("call_at", [](EventQueue& self, double time, nb::handle function, nb::args arguments) {
            self.push(time, normal, Kind::call, function.ptr(), arguments.ptr());
        }, nb::sig("def call_at(self, time: float, function: collections.abc.Callable[..., object], *args: object) -> None"),
           "Calls `function(*args)` at `time` (s, absolute); it can't be called back.")
        .def("schedule", [](EventQueue& self, nb::handle time, int priority, nb::handle event) {
            const double due = PyFloat_AsDouble(time.ptr());
            if (due == -1.0 && PyErr_Occurred()) throw nb::python_error();
            if (priority < -1 || priority > 2) throw nb::value_error("priority: must be -1 to 2");
            self.push(due, heap_priority(priority), Kind::event, event.ptr(), time.ptr());
        }, "time"_a, "priority"_a, "event"_a, nb::sig("def schedule(self, time: float, priority: int, event: typing.Any) -> None"),
           "Puts an event of SimPy's into the queue.")
        .def("timer", [](nb::handle_t<EventQueue> self, nb::object function) {
            return Timer{nb::borrow(self), std::move(function), nb::inst_ptr<EventQueue>(self)};
        }, "function"_a, nb::sig("def timer(self, function: collections.abc.Callable[[], object]) -> Timer"),
           "A timer that calls `function` when it expires; it isn't running yet.")
        .def("step", [](EventQueue& self) {
            if (self.heap.empty()) return false;
            self.step();
            return true;
        }, "Carries out what is due first; False if nothing is.")
        .def("run_until", &EventQueue::run_until, "time"_a, "Carries out all that is due before `time` (s).")
        .def("peek", [](const EventQueue& self) { return self.heap.empty() ? never : self.heap.next_time(); },
             "When something is due next, infinity if nothing is.")
        .def("__len__", [](const EventQueue& self) { return self.heap.size(); });

    nb::class_<Timer>(module, "Timer", nb::type_slots(timer_slots),
        "A named time-out that can be started, restarted and stopped.")
        .def("start", [](nb::handle_t<Timer> self, double delay) { nb::inst_ptr<Timer>(self)->start(self.ptr(), delay); },
             "delay"_a, "Expires `delay` seconds from now, whatever it was to do before.")
        .def("stop", [](Timer& self) { self.due = never; }, "Does not expire, until it is started again.")
        .def("cancel", [](Timer& self) { self.cancel(); }, "Never expires again, and lets go of its function.")
        .def_prop_ro("running", [](const Timer& self) { return self.due < never; },
                     "Whether it will expire if nobody stops it.");
}

}  // namespace rsim
