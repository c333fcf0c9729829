// A host's CPU: one queue with a bounded buffer, first come, first served.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>

#include "../clock/event.hpp"
#include "../reference.hpp"

namespace rsim::network {

// Something to do when the work for it is done.
class Job {
public:
    virtual ~Job() = default;
    virtual void run() = 0;
    // For the garbage collector of who has made it.
    virtual int visit(void* visitor, void* argument) const { return static_cast<void>(visitor), static_cast<void>(argument), 0; }
};

struct CpuCounters {
    std::uint64_t jobs = 0;     // messages and handshakes served
    std::uint64_t dropped = 0;  // messages that found the buffer full
    double busy = 0;            // s of work
    double waited = 0;          // s that served work had waited, added up
};

// Where one protocol goes first, its messages are served before all others, and are let in whatever the others have filled.
class Cpu {
public:
    static constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();

    Cpu(Schedule& schedule, std::size_t buffer, std::uint64_t urgent) : schedule_(&schedule), buffer_(buffer), urgent_(urgent) {}

    std::uint32_t references = 0;

    // Whether it would refuse one more; the one in service counts.
    bool full() const { return waiting_.size() + working_ >= buffer_; }
    bool urgent(std::uint64_t ppid) const { return urgent_ != none && ppid == urgent_; }
    // Whether it takes a message of a payload protocol; one that it does not take is counted.
    bool admit(std::uint64_t ppid) {
        if (!full() || urgent(ppid)) return true;
        ++counters.dropped;
        return false;
    }

    // Runs a job when its turn has come and `time` s of work are done. The buffer is not asked.
    void submit(double time, std::unique_ptr<Job> job, bool urgent = false) {
        ++counters.jobs;
        if (working_)
            (urgent ? urgent_waiting_ : waiting_).push_back({schedule_->now, time, std::move(job)});
        else if (time > 0)
            serve({schedule_->now, time, std::move(job)});
        else
            job->run();
    }

    // Forgets all work, as when the host goes down.
    void clear() {
        ++epoch_;
        working_ = false;
        // Their ends may call back, when the queue is whole.
        const auto waiting = std::exchange(waiting_, {}), urgent = std::exchange(urgent_waiting_, {});
    }

    // Nothing is done any more.
    void close() {
        clear();
        schedule_ = nullptr;
    }

    int visit(void* visitor, void* argument) const {
        for (const auto* queue : {&waiting_, &urgent_waiting_})
            for (const Work& work : *queue)
                if (const int result = work.job->visit(visitor, argument)) return result;
        return 0;
    }

    CpuCounters counters;

private:
    struct Work {
        double since, time;
        std::unique_ptr<Job> job;
    };

    struct Done final : Event {
        Done(Ref<Cpu> cpu, std::unique_ptr<Job> job) : cpu(std::move(cpu)), epoch(this->cpu->epoch_), job(std::move(job)) {}
        void happen() override {
            const std::unique_ptr<Done> self(this);
            cpu->finish(*job, epoch);
        }
        void drop() override { delete this; }
        int visit(void* visitor, void* argument) const override { return job->visit(visitor, argument); }

        Ref<Cpu> cpu;
        unsigned epoch;
        std::unique_ptr<Job> job;
    };

    void serve(Work work) {
        working_ = true;
        counters.waited += schedule_->now - work.since;
        counters.busy += work.time;
        auto* const done = new Done(Ref<Cpu>(this), std::move(work.job));
        schedule_->add(schedule_->now + work.time, *done);
    }

    void finish(Job& job, unsigned epoch) {
        if (epoch != epoch_ || !schedule_) return;
        job.run();
        if (epoch != epoch_ || !schedule_) return;
        working_ = false;
        auto& queue = urgent_waiting_.empty() ? waiting_ : urgent_waiting_;
        if (queue.empty()) return;
        Work next = std::move(queue.front());
        queue.pop_front();
        serve(std::move(next));
    }

    Schedule* schedule_;
    std::size_t buffer_;
    std::uint64_t urgent_;
    std::deque<Work> waiting_, urgent_waiting_;
    unsigned epoch_ = 0;
    bool working_ = false;
};

}  // namespace rsim::network
