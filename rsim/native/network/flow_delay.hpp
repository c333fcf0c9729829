// Delays that vary, of one flow whose packets keep their order.
//
// Independent delays would have packets wait for late ones before them, so that the mean grew with the rate. So a flow has
// a level, drawn from the distribution, for twice the mean delay. Where the next level is lower, the delay falls by 1 s a
// second, which keeps the order, from half of the difference before the end of a level until half of it after. The mean
// over time is that of the levels, but for levels that are longer than they are held.
#pragma once

#include <algorithm>

namespace rsim::network {

class FlowDelay {
public:
    // Delay in s of a packet that leaves at a time; `draw()` gives levels, whose mean is `mean` s.
    template <class Draw>
    double at(double time, double mean, Draw&& draw) {
        const double length = 2 * mean;
        if (!(time < begin_ + 2 * length)) {
            // It has been idle, or is new: nothing of the past is left.
            begin_ = time;
            before_ = level_ = draw();
            next_ = draw();
        }
        while (time >= begin_ + length) {
            begin_ += length;
            before_ = level_;
            level_ = next_;
            next_ = draw();
        }
        const double since = time - begin_;
        double delay = level_;
        if (before_ > level_) delay = std::max(delay, (before_ + level_) / 2 - since);
        if (next_ < level_) delay = std::min(delay, std::max(next_, level_ - (since - (length - (level_ - next_) / 2))));
        arrival_ = std::max(arrival_, time + delay);
        return arrival_ - time;
    }

    // Whether nothing of it matters any more at a time.
    bool idle(double time, double mean) const { return time >= begin_ + 4 * mean && time >= arrival_; }

private:
    double begin_ = -1e300, before_ = 0, level_ = 0, next_ = 0, arrival_ = 0;
};

}  // namespace rsim::network
