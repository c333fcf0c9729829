// Delays that vary, of one flow whose packets keep their order.
//
// Independent delays would have packets wait for late ones before them, so that the mean grew with the rate. So a flow has
// a level, drawn from the distribution, for 1.5 to 3.5 times the mean delay: at random, so that periodic packets don't meet
// the same part of each level. Where the next level is lower, the delay falls by 1 s a second, which keeps the order, from
// half of the difference before the end of a level until half of it after. The mean over time is that of the levels, but for
// levels that are longer than they are held. A packet that comes long after the one before has an independent delay.
#pragma once

#include <algorithm>

namespace rsim::network {

class FlowDelay {
public:
    // Delay in s of a packet that leaves at a time; `draw()` gives levels, whose mean is `mean` s, `uniform()` from [0, 1).
    template <class Draw, class Uniform>
    double at(double time, double mean, Draw&& draw, Uniform&& uniform) {
        const auto hold = [&] { return mean * (1.5 + 2 * uniform()); };
        if (!(time < begin_ + forgotten * mean)) {
            // It has been idle, or is new: nothing of the past is left, and the first packet has the level as it is.
            begin_ = time;
            before_ = level_ = draw();
            next_ = draw();
            length_ = std::max(hold(), (level_ - next_) / 2);
        }
        while (time >= begin_ + length_) {
            begin_ += length_;
            before_ = level_;
            level_ = next_;
            next_ = draw();
            length_ = hold();
        }
        const double since = time - begin_;
        double delay = level_;
        if (before_ > level_) delay = std::max(delay, (before_ + level_) / 2 - since);
        if (next_ < level_) delay = std::min(delay, std::max(next_, level_ - (since - (length_ - (level_ - next_) / 2))));
        arrival_ = std::max(arrival_, time + delay);
        return arrival_ - time;
    }

    // Whether nothing of it matters any more at a time.
    bool idle(double time, double mean) const { return time >= begin_ + forgotten * mean && time >= arrival_; }

private:
    // Mean delays after the begin of a level until the past doesn't count.
    static constexpr double forgotten = 5;

    double begin_ = -1e300, length_ = 0, before_ = 0, level_ = 0, next_ = 0, arrival_ = 0;
};

}  // namespace rsim::network
