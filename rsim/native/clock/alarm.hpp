// Time-outs of the simulated network.
#pragma once

#include "event.hpp"

namespace rsim {

// A time-out that can be started, started again and stopped. One that is started again for later keeps its entry in the
// queue and moves on when that comes up, so that frequent starts cost no operation of the queue; one that is stopped
// leaves its entry, and takes it back if it is started again for no earlier time.
class Alarm {
public:
    // What is called when it expires, with what it belongs to.
    using Function = void (*)(void* owner, void* part);

    Alarm() = default;
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    ~Alarm() { release(); }

    void bind(Schedule& schedule, Function function, void* owner, void* part = nullptr) {
        schedule_ = &schedule;
        function_ = function;
        owner_ = owner;
        part_ = part;
    }

    bool running() const { return due_ < never; }

    // Expires after `delay` s, whatever it was to do before.
    void start(double delay) {
        if (!schedule_) return;
        const double time = schedule_->now + delay;
        if (!(time < never)) return stop();
        if (entry_ && time >= entry_->time) {
            if (due_ == never) schedule_->take_entry_back();
            due_ = time;
            return;
        }
        auto* entry = new Entry(*this, time);
        try {
            schedule_->add(time, *entry);
        } catch (...) {
            delete entry;
            throw;
        }
        abandon_entry();
        entry_ = entry;
        due_ = time;
    }

    void stop() {
        if (due_ == never) return;
        due_ = never;
        schedule_->leave_entry();
    }

    // It never expires again.
    void release() {
        abandon_entry();
        due_ = never;
        schedule_ = nullptr;
    }

private:
    struct Entry final : Event {
        Entry(Alarm& alarm, double time) : alarm(&alarm), time(time) {}

        double due_by(double) const override { return alarm ? alarm->due_ : never; }

        void happen() override {
            Alarm& expired = *alarm;
            expired.entry_ = nullptr;
            expired.due_ = never;
            delete this;
            expired.function_(expired.owner_, expired.part_);
        }

        void pass(double) override {
            if (alarm && alarm->due_ < never) {
                time = alarm->due_;
                alarm->schedule_->add(time, *this);
                return;
            }
            if (alarm) {
                alarm->entry_ = nullptr;
                alarm->schedule_->take_entry_back();
            } else {
                schedule->take_entry_back();
            }
            delete this;
        }

        void drop() override {
            if (alarm) {
                alarm->entry_ = nullptr;
                alarm->due_ = never;
            }
            delete this;
        }

        Alarm* alarm;
        Schedule* schedule = nullptr;  // once there is no alarm
        double time;
    };

    void abandon_entry() {
        if (!entry_) return;
        if (due_ < never) schedule_->leave_entry();
        entry_->schedule = schedule_;
        entry_->alarm = nullptr;
        entry_ = nullptr;
    }

    Schedule* schedule_ = nullptr;
    Function function_ = nullptr;
    void* owner_ = nullptr;
    void* part_ = nullptr;
    Entry* entry_ = nullptr;
    double due_ = never;
};

}  // namespace rsim
