// State that a host keeps for its peers: how much of it there is, and how much there may be.
#pragma once

#include <cstdint>
#include <limits>

namespace rsim::network {

struct StackLimits {
    static constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

    bool cookies = true;  // false: the listener keeps state for each INIT
    std::uint64_t half_open = unlimited, associations = unlimited, memory = unlimited;
    // Octets that each takes.
    std::uint64_t half_open_octets = 320, association_octets = 8192, tls_octets = 32'768;
};

// A number that changes, and its integral over time.
class Level {
public:
    std::uint64_t value() const { return value_; }
    void change(double now, std::int64_t by) {
        settle(now);
        value_ += static_cast<std::uint64_t>(by);
    }
    double integral(double now) {
        settle(now);
        return integral_;
    }

private:
    void settle(double now) {
        integral_ += static_cast<double>(value_) * (now - since_);
        since_ = now;
    }

    std::uint64_t value_ = 0;
    double integral_ = 0, since_ = 0;
};

// What one host, or all of a role together, keep and have refused.
struct StackTally {
    Level half_open, associations, memory;
    std::uint64_t inits = 0;                 // that reached a listener
    std::uint64_t inits_refused = 0;         // for want of room for their state
    std::uint64_t associations_refused = 0;  // whose cookie was good, for the same reason
    std::uint64_t packets_refused = 0;       // with data, for want of memory
};

}  // namespace rsim::network
