// The queue of events, which carries out what is due; its Python face stands in clock.cpp.
#pragma once

#include "../clock/due_queue.hpp"
#include "../fingerprint.hpp"
#include "due_item.hpp"

#include <bit>
#include <limits>
#include <utility>

namespace rsim {

// SimPy's priorities begin at -1, those of the queue at 0.
inline constexpr unsigned queue_priority(long priority) { return static_cast<unsigned>(priority + 1); }
inline constexpr unsigned normal = queue_priority(1);

class EventQueue final : public Schedule {
public:
    explicit EventQueue(PyObject* clock, double now) : Schedule(now), clock(Py_NewRef(clock)) {}
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

    void add(double time, Event& event) override { due.push(time, normal, Item(event)); }

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
    void leave_entry() override {
        if (++left > fewest_left && left > due.size() / 2) drop_left();
    }
    void take_entry_back() override {
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
    Fingerprint happened;

private:
    static constexpr std::size_t fewest_left = 64;
    static constexpr std::uint64_t usual_at_once = 1'000'000;

    [[noreturn]] void tell_standstill(double time) const;
    // Takes the first entry out and carries it out; false if it was one of a timer that isn't due.
    bool take_first();
    bool take_event(Event& event, double time);
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

// Whether an object is of Python's class EventQueue.
bool is_queue(nb::handle object);

inline EventQueue& queue_of(PyObject* self) { return reinterpret_cast<QueueObject*>(self)->queue; }

}  // namespace rsim
