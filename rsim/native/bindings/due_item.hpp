// What is due: calls, methods and events of SimPy's, timers, and events without Python, each in one word.
#pragma once

#include "../clock/event.hpp"
#include "common.hpp"

#include <new>

namespace rsim {

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

// What is due: a call, a timer or an event without Python, in one word, as the queue moves it around. Owns its
// references.
class Item {
public:
    explicit Item(Event& event) : word_(reinterpret_cast<std::uintptr_t>(&event) | is_event) {}
    explicit Item(PyObject* timer) : word_(reinterpret_cast<std::uintptr_t>(Py_NewRef(timer)) | is_timer) {}
    Item(Kind kind, PyObject* what, PyObject* const* given, std::size_t count) {
        auto* made = static_cast<Call*>(PyMem_Malloc(sizeof(Call) + count * sizeof(PyObject*)));
        if (!made) throw std::bad_alloc();
        *made = {kind, static_cast<std::uint32_t>(count), Py_NewRef(what)};
        for (std::size_t at = 0; at < count; ++at) made->arguments()[at] = Py_NewRef(given[at]);
        word_ = reinterpret_cast<std::uintptr_t>(made);
    }

    // Null for all else.
    PyObject* timer() const {
        return word_ & is_timer ? reinterpret_cast<PyObject*>(word_ & ~is_timer) : nullptr;
    }
    Event* event() const { return word_ & is_event ? reinterpret_cast<Event*>(word_ & ~is_event) : nullptr; }
    Call& call() const { return *reinterpret_cast<Call*>(word_); }

    void release() const {
        if (Event* held = event()) {
            held->drop();
            return;
        }
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
        if (const Event* held = event()) return held->visit(reinterpret_cast<void*>(visit), arg);
        if (PyObject* held = timer()) {
            Py_VISIT(held);
            return 0;
        }
        Py_VISIT(call().what);
        for (std::uint32_t at = 0; at < call().count; ++at) Py_VISIT(call().arguments()[at]);
        return 0;
    }

private:
    static constexpr std::uintptr_t is_timer = 1, is_event = 2;
    std::uintptr_t word_;
};

}  // namespace rsim
