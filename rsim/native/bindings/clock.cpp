// Python face of the queue of events and its timers, which call Python when something is due.
//
// Both are types of Python's own making, as timers are many and every message starts some: they are in no table of
// instances, and a method finds its arguments where the interpreter has put them.
#include "timer.hpp"

#include <cmath>

namespace rsim {
namespace {

// A number of seconds; `what` it is, for who gives none.
double number(PyObject* value, const char* what) {
    const double found = PyFloat_AsDouble(value);
    if (found == -1.0 && PyErr_Occurred()) throw nb::python_error();
    if (std::isnan(found)) raise_field_error(what, "is nan, must be a number of seconds");
    return found;
}

PyTypeObject* queue_type = nullptr;
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

bool is_queue(nb::handle object) { return Py_IS_TYPE(object.ptr(), queue_type); }

void bind_clock(nb::module_& module) {
    queue_type = add_type(module, queue_spec);
    timer_type = add_type(module, timer_spec);
}

}  // namespace rsim
