// How the queue of events carries out what is due.
#include "event_queue.hpp"

#include "timer.hpp"

namespace rsim {

static PyObject* interned(const char* text) { return PyUnicode_InternFromString(text); }

bool EventQueue::take_first() {
    const Due<Item> first = due.pop();
    if (Event* const event = first.item.event()) return take_event(*event, first.time);
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

bool EventQueue::take_event(Event& event, double time) {
    if (event.due_by(time) != time) {
        event.pass(time);
        return false;
    }
    try {
        if (time != now) set_now(time, nullptr);
        note(time);
    } catch (...) {
        event.drop();
        throw;
    }
    event.happen();
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
static double due_by(const Due<Item>& entry) {
    if (const Event* const event = entry.item.event()) return event->due_by(entry.time);
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
        if (due_by(entry) < never) return false;
        if (entry.item.event()) return true;
        if (!entry.item.timer()) return false;
        Timer& timer = timer_of(entry.item.timer());
        if (timer.pending == entry.time) timer.pending = never;
        return true;
    }, dropped);
    left = 0;
    // Their ends may call back.
    for (const Item& item : dropped) item.release();
}

}  // namespace rsim
