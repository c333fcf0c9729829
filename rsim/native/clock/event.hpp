// What is due without Python, and the queue that it stands in.
#pragma once

#include <limits>

namespace rsim {

inline constexpr double never = std::numeric_limits<double>::infinity();

// An entry of the queue. The queue owns it until it is due.
class Event {
public:
    // When it is due by its entry of the time `entry`: at that time, later, or never.
    virtual double due_by(double entry) const { return entry; }
    // It is due. From here on it owns itself.
    virtual void happen() = 0;
    // Its entry of the time `entry` has come up, for which it isn't due.
    virtual void pass(double entry) { static_cast<void>(entry); }
    // It won't happen, as the queue is at its end.
    virtual void drop() = 0;
    // For the garbage collector of who has made it.
    virtual int visit(void* visitor, void* argument) const { return static_cast<void>(visitor), static_cast<void>(argument), 0; }

protected:
    ~Event() = default;
};

// What the simulated network needs of the queue of events.
class Schedule {
public:
    explicit Schedule(double now) : now(now) {}

    // Puts an event into the queue.
    virtual void add(double time, Event& event) = 0;
    // An entry of an alarm doesn't count any more, or does again.
    virtual void leave_entry() = 0;
    virtual void take_entry_back() = 0;

    double now;

protected:
    ~Schedule() = default;
};

}  // namespace rsim
