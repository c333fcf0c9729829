// Random early detection, the gentle form (Floyd and Jacobson 1993; Floyd 2000).
#pragma once

#include <cmath>
#include <cstddef>

namespace rsim::network {

struct RedSettings {
    double minimum = 0, maximum = 0;  // packets: below the first nothing is dropped
    double most = 0;                  // share of packets dropped at the maximum; from there it grows to 1 at twice of it
    double weight = 0;                // of the present queue in the average
};

class Red {
public:
    // A packet finds `length` packets waiting; `idle` is how many could have left since there was one. `uniform()` draws.
    template <class Uniform>
    bool drops(const RedSettings& settings, std::size_t length, double idle, Uniform&& uniform) {
        if (idle > 0)
            average_ *= std::pow(1 - settings.weight, idle);
        else
            average_ += settings.weight * (static_cast<double>(length) - average_);
        const double share = share_at(settings, average_);
        if (share <= 0) {
            passed_ = 0;
            return false;
        }
        // Spread evenly: the distance from one dropped packet to the next is uniform from 1 to 1 / share.
        const double left = 1 - passed_ * share;
        if (left <= share || uniform() * left < share) {
            passed_ = 0;
            return true;
        }
        ++passed_;
        return false;
    }

    static double share_at(const RedSettings& settings, double average) {
        if (average < settings.minimum) return 0;
        if (average < settings.maximum)
            return settings.most * (average - settings.minimum) / (settings.maximum - settings.minimum);
        if (average >= 2 * settings.maximum) return 1;
        return settings.most + (1 - settings.most) * (average / settings.maximum - 1);
    }

private:
    double average_ = 0;  // packets
    double passed_ = 0;   // packets since one was dropped
};

}  // namespace rsim::network
