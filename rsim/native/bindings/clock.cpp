// The queue of events and its timers, which call Python when something is due.
//
// Both are types of Python's own making, as timers are many and every message starts some: they are in no table of
// instances, and a method finds its arguments where the interpreter has put them.
#include "../clock/due_queue.hpp"
#include "../fingerprint.hpp"
#include "common.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <new>
#include <unordered_map>
#include <utility>

namespace rsim {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();
// SimPy's priorities begin at -1, those of the queue at 0.
constexpr unsigned queue_priority(long priority) { return static_cast<unsigned>(priority + 1); }
constexpr unsigned normal = queue_priority(1);

enum class Kind : std::uint32_t { call, method, event };

// A call that is due, a call of the method of that name, or an event of SimPy's with its time (whole numbers stay
// whole). Arguments follow in the same memory, not in a tuple, which the garbage collector would have to know; what
// stands before them is room for one more, as calls of Python's like it.
struct Call {
    Kind kind;
    std::uint32_t count;
    PyObject* what;

    PyObject** arguments() { return &what + 1; }
};

// What is due: a call or a timer, in one word, as the queue moves it around. Owns its references.
class Item {
public:
    explicit Item(PyObject* timer) : word_(reinterpret_cast<std::uintptr_t>(Py_NewRef(timer)) | is_timer) {}
    Item(Kind kind, PyObject* what, PyObject* const* given, std::size_t count) {
        auto* made = static_cast<Call*>(PyMem_Malloc(sizeof(Call) + count * sizeof(PyObject*)));
        if (!made) throw std::bad_alloc();
        *made = {kind, static_cast<std::uint32_t>(count), Py_NewRef(what)};
        for (std::size_t at = 0; at < count; ++at) made->arguments()[at] = Py_NewRef(given[at]);
        word_ = reinterpret_cast<std::uintptr_t>(made);
    }

    // Null for a call.
    PyObject* timer() const {
        return word_ & is_timer ? reinterpret_cast<PyObject*>(word_ & ~is_timer) : nullptr;
    }
    Call& call() const { return *reinterpret_cast<Call*>(word_); }

    void release() const {
        if (PyObject* held = timer()) {
            Py_DECREF(held);
            return;
        }
        Call& held = call();
        Py_DECREF(held.what);
        for (std::uint32_t at = 0; at < held.count; ++at) Py_DECREF(held.arguments()[at]);
        PyMem_Free(&held);
    }

    int traverse(visitproc visit, void* arg) const {
        if (PyObject* held = timer()) {
            Py_VISIT(held);
            return 0;
        }
        Py_VISIT(call().what);
        for (std::uint32_t at = 0; at < call().count; ++at) Py_VISIT(call().arguments()[at]);
        return 0;
    }

private:
    static constexpr std::uintptr_t is_timer = 1;
    std::uintptr_t word_;
};

class EventQueue {
public:
    explicit EventQueue(PyObject* clock, double now) : clock(Py_NewRef(clock)), now(now) {}
    EventQueue(const EventQueue&) = delete;
    EventQueue& operator=(const EventQueue&) = delete;
    ~EventQueue() { clear(); }

    void push(double time, unsigned priority, Item item) {
        try {
            due.push(time, priority, item);
        } catch (...) {
            item.release();
            throw;
        }
    }

    // Carries out what is due first; false if nothing is.
    bool step() {
        const Doing steps(doing, "EventQueue", "step");
        while (!due.empty())
            if (take_first()) return true;
        return false;
    }

    void run_until(double limit) {
        const Doing runs(doing, "EventQueue", "run_until");
        while (!due.empty() && due.next_time() < limit) take_first();
        now = limit;
    }

    // When something is due next, without a change to the queue: what has the same time keeps its order.
    double peek() const;

    // An entry of a timer doesn't count any more, or does again.
    void leave_entry() {
        if (++left > fewest_left && left > due.size() / 2) drop_left();
    }
    void take_entry_back() {
        if (left > 0) --left;
    }

    void clear() {
        left = 0;
        // Their ends may call back, when the queue is whole.
        const DueQueue<Item> all = std::exchange(due, {});
        all.each([](const Item& item) {
            item.release();
            return 0;
        });
        Py_CLEAR(clock);
    }

    // What is carried out, in its order. Compiled code never asks for signals by itself.
    void note(double time) {
        happened.add(std::bit_cast<std::uint64_t>(time));
        if (++at_once > most_at_once) tell_standstill(time);
        if ((++carried_out & 1023) == 0 && PyErr_CheckSignals() < 0) throw nb::python_error();
    }

    DueQueue<Item> due;
    PyObject* clock;
    double now;
    Fingerprint happened;

private:
    static constexpr std::size_t fewest_left = 64;
    static constexpr std::uint64_t usual_at_once = 1'000'000;

    [[noreturn]] void tell_standstill(double time) const;
    // Takes the first entry out and carries it out; false if it was one of a timer that isn't due.
    bool take_first();
    void call(Call& call, double time);
    void set_now(double time, PyObject* given);
    void drop_left();

    // Entries of timers that were stopped or started for an earlier time. They stay until they come up or are more
    // than the others, so that to stop a timer, as most are, costs no search.
    std::size_t left = 0;
    // Events at the present time, and how many there may be: some for each entry that was there when it began, as many
    // hosts may start at once.
    std::uint64_t at_once = 0;
    std::uint64_t most_at_once = usual_at_once;
    std::uint64_t carried_out = 0;
    const char* doing = nullptr;
};

struct QueueObject {
    PyObject_HEAD
    EventQueue queue;
};

EventQueue& queue_of(PyObject* self) { return reinterpret_cast<QueueObject*>(self)->queue; }

// The method of a compiled class that `bound` is bound from, null if there is none. It is known from then on, as
// such classes live as long as the process.
PyObject* unbound(const PyCFunctionObject* bound) {
    static auto* known = new std::unordered_map<const PyMethodDef*, nb::object>;
    nb::object& found = (*known)[bound->m_ml];
    if (!found.is_valid()) {
        PyObject* const type = reinterpret_cast<PyObject*>(Py_TYPE(bound->m_self));
        found = nb::steal(PyObject_GetAttrString(type, bound->m_ml->ml_name));
        PyErr_Clear();
        const bool same = found.is_valid() && Py_IS_TYPE(found.ptr(), &PyMethodDescr_Type) &&
                          reinterpret_cast<PyMethodDescrObject*>(found.ptr())->d_method == bound->m_ml;
        if (!same) found = nb::none();
    }
    return found.is_none() ? nullptr : found.ptr();
}

// A function without arguments; of a bound method its two parts, as most timers keep one for as long as they live.
struct Callback {
    PyObject* function;
    PyObject* self;  // null: none

    explicit Callback(PyObject* callable) : function(callable), self(nullptr) {
        if (PyMethod_Check(callable)) {
            function = PyMethod_GET_FUNCTION(callable);
            self = PyMethod_GET_SELF(callable);
        } else if (PyCFunction_CheckExact(callable) && PyCFunction_GET_SELF(callable)) {
            const auto* bound = reinterpret_cast<PyCFunctionObject*>(callable);
            if (PyObject* found = unbound(bound)) {
                function = found;
                self = bound->m_self;
            }
        }
        Py_INCREF(function);
        Py_XINCREF(self);
    }
    Callback(Callback&& other) noexcept
        : function(std::exchange(other.function, nullptr)), self(std::exchange(other.self, nullptr)) {}
    ~Callback() {
        Py_XDECREF(function);
        Py_XDECREF(self);
    }

    void operator()() const {
        // Whoever is called may let go of it.
        const nb::object called = nb::borrow(function), first = nb::borrow(self);
        PyObject* arguments[] = {nullptr, first.ptr()};
        const std::size_t count = (first.is_valid() ? 1 : 0) | PY_VECTORCALL_ARGUMENTS_OFFSET;
        if (!nb::steal(PyObject_Vectorcall(called.ptr(), arguments + 1, count, nullptr)).is_valid()) throw nb::python_error();
    }
};

// A timer has at most one entry in the queue that counts, that of the time `pending`. One that is restarted for later
// keeps its entry and moves on when that comes up, so that frequent restarts cost no queue operation; one that is
// stopped leaves its entry, and takes it back if it is started again for no earlier time.
struct Timer {
    PyObject_HEAD
    double pending;
    double due;
    PyObject* owner;  // the queue; null: cancelled, or the garbage collector has taken the clock away
    Callback callback;

    void start(double delay) {
        if (!owner) return;
        EventQueue& queue = queue_of(owner);
        const double time = queue.now + delay;
        const bool has_entry = pending < never, stopped = due == never;
        if (time < pending) {
            queue.push(time, normal, Item(object()));
            pending = due = time;
            if (has_entry && !stopped) queue.leave_entry();
        } else if (time < never) {
            due = time;
            if (stopped) queue.take_entry_back();
        } else {
            stop();
        }
    }

    void stop() {
        if (due == never) return;
        due = never;
        queue_of(owner).leave_entry();
    }

    void cancel() {
        const bool running = due < never;
        due = pending = never;
        // Last, as they may be all that keeps whoever keeps this timer.
        const nb::object former_owner = nb::steal(std::exchange(owner, nullptr));
        const Callback former_callback = std::move(callback);
        if (running) queue_of(former_owner.ptr()).leave_entry();
    }

    // When it is due by its entry of this time; never if that doesn't count.
    double due_by(double time) const { return time == pending ? due : never; }

    // Its entry of this time, for which it isn't due, has been taken out.
    void pass(EventQueue& queue, double time) {
        const double postponed = due_by(time);
        if (time == pending) pending = never;
        if (postponed < never) {
            queue.push(postponed, normal, Item(object()));
            pending = postponed;
        } else {
            queue.take_entry_back();
        }
    }

    void expire() {
        due = pending = never;
        callback();
    }

    PyObject* object() { return reinterpret_cast<PyObject*>(this); }
};

Timer& timer_of(PyObject* self) { return *reinterpret_cast<Timer*>(self); }

PyObject* interned(const char* text) { return PyUnicode_InternFromString(text); }

bool EventQueue::take_first() {
    const Due<Item> first = due.pop();
    struct Release {
        const Item& item;
        ~Release() { item.release(); }
    } release{first.item};
    PyObject* const held = first.item.timer();
    if (!held) {
        call(first.item.call(), first.time);
        return true;
    }
    Timer& timer = timer_of(held);
    if (timer.due_by(first.time) != first.time) {
        timer.pass(*this, first.time);
        return false;
    }
    if (first.time != now) set_now(first.time, nullptr);
    note(first.time);
    timer.expire();
    return true;
}

void EventQueue::set_now(double time, PyObject* given) {
    static PyObject* const name = interned("_now");
    now = time;
    at_once = 0;
    most_at_once = usual_at_once + 20 * due.size();
    const nb::object value = given ? nb::borrow(given) : nb::steal(PyFloat_FromDouble(now));
    if (!value.is_valid() || PyObject_SetAttr(clock, name, value.ptr())) throw nb::python_error();
}

void EventQueue::tell_standstill(double time) const {
    PyErr_Format(error_class("StandstillError").ptr(),
                 "simulated time stands still at %R s: more than %llu events at one instant; some interval or delay is "
                 "too small, or 0",
                 nb::float_(time).ptr(), static_cast<unsigned long long>(most_at_once));
    throw nb::python_error();
}

void EventQueue::call(Call& call, double time) {
    static PyObject* const process_name = interned("_process");
    PyObject* const what = call.what;
    if (time != now) set_now(time, call.kind == Kind::event ? call.arguments()[0] : nullptr);
    note(time);
    const std::size_t count = call.count | PY_VECTORCALL_ARGUMENTS_OFFSET;
    nb::object result;
    switch (call.kind) {
    case Kind::call:
        result = nb::steal(PyObject_Vectorcall(what, call.arguments(), count, nullptr));
        break;
    case Kind::method:
        result = nb::steal(PyObject_VectorcallMethod(what, call.arguments(), count, nullptr));
        break;
    case Kind::event:
        result = nb::steal(PyObject_CallMethodOneArg(clock, process_name, what));
        break;
    }
    if (!result.is_valid()) throw nb::python_error();
}

// What is due by an entry: at its time, at a timer's, or never.
double due_by(const Due<Item>& entry) {
    PyObject* const timer = entry.item.timer();
    return timer ? timer_of(timer).due_by(entry.time) : entry.time;
}

double EventQueue::peek() const { return due.earliest(due_by); }

void EventQueue::drop_left() {
    std::vector<Item> dropped;
    try {
        dropped.reserve(due.size());
    } catch (const std::bad_alloc&) {
        return;  // they come up some time
    }
    due.drop([](const Due<Item>& entry) {
        if (!entry.item.timer() || due_by(entry) < never) return false;
        Timer& timer = timer_of(entry.item.timer());
        if (timer.pending == entry.time) timer.pending = never;
        return true;
    }, dropped);
    left = 0;
    // Their ends may call back.
    for (const Item& item : dropped) item.release();
}

// A number of seconds; `what` it is, for who gives none.
double number(PyObject* value, const char* what) {
    const double found = PyFloat_AsDouble(value);
    if (found == -1.0 && PyErr_Occurred()) throw nb::python_error();
    if (std::isnan(found)) raise_field_error(what, "is nan, must be a number of seconds");
    return found;
}

PyTypeObject* timer_type = nullptr;

PyObject* make_queue(PyTypeObject* type, PyObject* arguments, PyObject* keywords) {
    static const char* names[] = {"clock", "now", nullptr};
    PyObject* clock = nullptr;
    double now = 0;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|d", const_cast<char**>(names), &clock, &now)) return nullptr;
    PyObject* self = type->tp_alloc(type, 0);
    if (self) new (&queue_of(self)) EventQueue(clock, now);
    return self;
}

PyObject* queue_call_at(PyObject* self, PyObject* const* given, Py_ssize_t count) {
    if (count < 2) return wrong_arguments("a time, a function and its arguments");
    return guarded([&] {
        const double due = number(given[0], "time");
        queue_of(self).push(due, normal, Item(Kind::call, given[1], given + 2, static_cast<std::size_t>(count - 2)));
        return Py_NewRef(Py_None);
    });
}

PyObject* queue_call_method_at(PyObject* self, PyObject* const* given, Py_ssize_t count) {
    if (count < 3 || !PyUnicode_Check(given[1])) return wrong_arguments("a time, a method's name, an object and arguments");
    return guarded([&] {
        const double due = number(given[0], "time");
        queue_of(self).push(due, normal, Item(Kind::method, given[1], given + 2, static_cast<std::size_t>(count - 2)));
        return Py_NewRef(Py_None);
    });
}

PyObject* queue_schedule(PyObject* self, PyObject* const* given, Py_ssize_t count) {
    if (count != 3) return wrong_arguments("a time, a priority and an event");
    return guarded([&]() -> PyObject* {
        const double due = number(given[0], "time");
        const long priority = PyLong_AsLong(given[1]);
        if (priority == -1 && PyErr_Occurred()) throw nb::python_error();
        if (priority < -1 || priority > 2) return PyErr_Format(PyExc_ValueError, "priority: must be -1 to 2");
        queue_of(self).push(due, queue_priority(priority), Item(Kind::event, given[2], given, 1));
        return Py_NewRef(Py_None);
    });
}

PyObject* queue_timer(PyObject* self, PyObject* function) {
    return guarded([&]() -> PyObject* {
        Callback callback(function);
        PyObject* made = timer_type->tp_alloc(timer_type, 0);
        if (!made) return nullptr;
        Timer& timer = timer_of(made);
        timer.owner = Py_NewRef(self);
        new (&timer.callback) Callback(std::move(callback));
        timer.due = timer.pending = never;
        return made;
    });
}

PyObject* queue_step(PyObject* self, PyObject*) {
    return guarded([&] { return PyBool_FromLong(queue_of(self).step()); });
}

PyObject* queue_run_until(PyObject* self, PyObject* time) {
    return guarded([&] {
        queue_of(self).run_until(number(time, "time"));
        return Py_NewRef(Py_None);
    });
}

PyObject* queue_peek(PyObject* self, PyObject*) { return PyFloat_FromDouble(queue_of(self).peek()); }

Py_ssize_t queue_length(PyObject* self) { return static_cast<Py_ssize_t>(queue_of(self).due.size()); }

int visit_queue(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    const EventQueue& queue = queue_of(self);
    Py_VISIT(queue.clock);
    return queue.due.each([&](const Item& item) { return item.traverse(visit, arg); });
}

int clear_queue(PyObject* self) {
    queue_of(self).clear();
    return 0;
}

int visit_timer(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(timer_of(self).owner);
    Py_VISIT(timer_of(self).callback.function);
    Py_VISIT(timer_of(self).callback.self);
    return 0;
}

int clear_timer(PyObject* self) {
    timer_of(self).cancel();
    return 0;
}

void end_queue(PyObject* self) { queue_of(self).~EventQueue(); }
void end_timer(PyObject* self) { timer_of(self).cancel(); }

PyObject* timer_start(PyObject* self, PyObject* delay) {
    return guarded([&] {
        timer_of(self).start(number(delay, "delay"));
        return Py_NewRef(Py_None);
    });
}

PyObject* timer_stop(PyObject* self, PyObject*) {
    timer_of(self).stop();
    return Py_NewRef(Py_None);
}

PyObject* timer_cancel(PyObject* self, PyObject*) {
    timer_of(self).cancel();
    return Py_NewRef(Py_None);
}

PyObject* timer_running(PyObject* self, void*) { return PyBool_FromLong(timer_of(self).due < never); }

PyObject* queue_fingerprint(PyObject* self, void*) {
    return PyLong_FromUnsignedLongLong(queue_of(self).happened.value());
}

PyMethodDef queue_methods[] = {
    method("call_at", queue_call_at, METH_FASTCALL,
           "call_at($self, time, function, /, *args)\n--\n\n"
           "Calls a function at a time; it can't be called back.\n\n"
           "Parameters: `time` in s, absolute; `function` to call; `args` its arguments. Raises FieldError for a time that "
           "is not a number."),
    method("call_method_at", queue_call_method_at, METH_FASTCALL,
           "call_method_at($self, time, name, owner, /, *args)\n--\n\n"
           "Calls a method at a time, without an object for the bound method.\n\n"
           "Parameters: `time` in s, absolute; `name` of the method; `owner` whose method it is; `args` its arguments. "
           "Raises FieldError for a time that is not a number."),
    method("schedule", queue_schedule, METH_FASTCALL,
           "schedule($self, time, priority, event, /)\n--\n\n"
           "Puts an event of SimPy's into the queue.\n\n"
           "Parameters: `time` in s, absolute; `priority` -1 to 2, smallest first among those of one time; `event` that is "
           "processed then. Raises FieldError for a time that is not a number, ValueError for another priority."),
    method("timer", queue_timer, METH_O,
           "timer($self, function, /)\n--\n\n"
           "A timer that is not running yet.\n\n"
           "Parameters: `function` to call, without arguments, when it expires."),
    method("step", queue_step, METH_NOARGS,
           "step($self, /)\n--\n\n"
           "Carries out what is due first; False if nothing is.\n\n"
           "Raises ReentryError from within what it calls, StandstillError if time does not go on."),
    method("run_until", queue_run_until, METH_O,
           "run_until($self, time, /)\n--\n\n"
           "Carries out all that is due before a time.\n\n"
           "Parameters: `time` in s, absolute. Raises ReentryError from within what it calls, StandstillError if time does "
           "not go on."),
    method("peek", queue_peek, METH_NOARGS,
           "peek($self, /)\n--\n\n"
           "When something is due next, in s; infinity if nothing is."),
    {},
};
PyMethodDef timer_methods[] = {
    method("start", timer_start, METH_O, 
           "start($self, delay, /)\n--\n\n"
           "Starts it, whatever it was to do before.\n\n"
           "Parameters: `delay` in s from now until it expires. Raises FieldError for a delay that is not a number."),
    method("stop", timer_stop, METH_NOARGS, "stop($self, /)\n--\n\nIt does not expire until it is started again."),
    method("cancel", timer_cancel, METH_NOARGS, 
           "cancel($self, /)\n--\n\nIt never expires again, and lets go of its function."),
    {},
};
PyGetSetDef queue_properties[] = {
    {"fingerprint", queue_fingerprint, nullptr, "Fingerprint of the times of all that was carried out, in its order.", nullptr},
    {},
};
PyGetSetDef timer_properties[] = {
    {"running", timer_running, nullptr, "Whether it will expire if nobody stops it.", nullptr},
    {},
};

PyType_Slot queue_slots[] = {
    {Py_tp_doc, const_cast<char*>("What is due, in order of time, priority and insertion.\n\n"
                                  "Parameters: `clock` whose `_now` follows, and whose `_process` takes events of "
                                  "SimPy's; `now` its time in s.")},
    {Py_tp_new, slot(make_queue)},
    {Py_tp_dealloc, slot(free_object<end_queue>)},
    {Py_tp_traverse, slot(visit_queue)},
    {Py_tp_clear, slot(clear_queue)},
    {Py_tp_methods, queue_methods},
    {Py_tp_getset, queue_properties},
    {Py_mp_length, slot(queue_length)},
    {0, nullptr},
};
PyType_Slot timer_slots[] = {
    {Py_tp_doc, const_cast<char*>("A time-out that can be started, restarted and stopped; `EventQueue.timer` makes it.")},
    {Py_tp_dealloc, slot(free_object<end_timer>)},
    {Py_tp_traverse, slot(visit_timer)},
    {Py_tp_clear, slot(clear_timer)},
    {Py_tp_methods, timer_methods},
    {Py_tp_getset, timer_properties},
    {0, nullptr},
};
PyType_Spec queue_spec{"rsim._native.EventQueue", sizeof(QueueObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                       queue_slots};
PyType_Spec timer_spec{"rsim._native.Timer", sizeof(Timer), 0,
                       Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION, timer_slots};

}  // namespace

void bind_clock(nb::module_& module) {
    add_type(module, queue_spec);
    timer_type = add_type(module, timer_spec);
}

}  // namespace rsim
