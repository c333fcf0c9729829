// A CPU as Python has it: service times by kind of message, and work of Python's.
#pragma once

#include <unordered_map>

#include "../network/cpu.hpp"
#include "common.hpp"
#include "event_queue.hpp"

namespace rsim {

class CpuCore {
public:
    CpuCore(nb::object queue, nb::object stream, nb::dict service_times, double default_time, double application_time,
            bool exponential, nb::object buffer, nb::object urgent);
    CpuCore(const CpuCore&) = delete;
    ~CpuCore() { close(); }

    // Time in s that a message takes, by its kind.
    double service_time(std::uint32_t ppid, nb::bytes data);
    void submit(double time, nb::object function, nb::tuple arguments, bool urgent);
    int traverse(visitproc visit, void* arg) const;
    void close();

    Ref<network::Cpu> cpu;

private:
    nb::object queue_, stream_;
    std::unordered_map<std::uint64_t, double> times_;
    double default_, application_;
    bool exponential_;
};

}  // namespace rsim
