// Controlled delay (RFC 8289): drops from the head of a queue that stands, more often the longer it does.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace rsim::network {

struct CodelSettings {
    double target = 0.005;  // s that packets may always wait
    double interval = 0.1;  // s for which they may wait longer
};

class Codel {
public:
    // The packet that leaves at a time. `take()` gives the one at the head, and false at the end of the queue; it has
    // waited from `since`, and `few` says that at most an MTU is left behind it. `drop(packet)` takes those that don't leave.
    template <class Take, class Drop>
    auto leave(const CodelSettings& settings, double now, Take&& take, Drop&& drop) {
        auto packet = take();
        bool stands = note(settings, now, packet);
        if (dropping_) {
            dropping_ = stands;
            while (dropping_ && now >= next_drop_) {
                drop(*packet);
                ++count_;
                packet = take();
                dropping_ = note(settings, now, packet);
                if (dropping_) next_drop_ = law(settings, next_drop_);
            }
        } else if (stands) {
            drop(*packet);
            packet = take();
            note(settings, now, packet);
            dropping_ = true;
            // Where it has dropped lately, it goes on about as it ended.
            const std::uint64_t before = count_ - first_count_;
            count_ = before > 1 && now - next_drop_ < 16 * settings.interval ? before : 1;
            first_count_ = count_;
            next_drop_ = law(settings, now);
        }
        return packet;
    }

private:
    // Whether packets have waited too long for too long, as of one that comes to the head.
    template <class Packet>
    bool note(const CodelSettings& settings, double now, const Packet& packet) {
        if (!packet || packet->few || now - packet->since < settings.target) {
            above_until_ = none;
            return false;
        }
        if (above_until_ == none) {
            above_until_ = now + settings.interval;
            return false;
        }
        return now >= above_until_;
    }

    double law(const CodelSettings& settings, double from) const { return from + settings.interval / std::sqrt(count_); }

    static constexpr double none = -std::numeric_limits<double>::infinity();

    double above_until_ = none, next_drop_ = none;
    std::uint64_t count_ = 0, first_count_ = 0;  // of drops, now and as it began
    bool dropping_ = false;
};

}  // namespace rsim::network
