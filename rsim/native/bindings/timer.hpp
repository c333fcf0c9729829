// Timers: what they call, and how they share entries of the queue of events.
#pragma once

#include "event_queue.hpp"

#include <unordered_map>

namespace rsim {

// The method of a compiled class that `bound` is bound from, null if there is none. It is known from then on, as
// such classes live as long as the process.
inline PyObject* unbound(const PyCFunctionObject* bound) {
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

inline Timer& timer_of(PyObject* self) { return *reinterpret_cast<Timer*>(self); }

}  // namespace rsim
