// Weighted round robin's times.
#pragma once

#include <cstdint>

namespace rsim::handlespace {

// In a round an element of weight w has w turns, its k-th at (2k + 1) / (2w) of the round. Times hold
// the round in the upper and the place in it in the lower 32 bits. Weight 0 has its turn after all rounds.
class Turns {
public:
    static constexpr std::uint64_t never = UINT64_MAX;

    // The first turn of a weight at `time` or later.
    static std::uint64_t first(std::uint64_t weight, std::uint64_t time) {
        if (weight == 0) return never;
        const std::uint64_t at = time & UINT32_MAX;
        std::uint64_t k = at * weight >> 32;
        k = k > 0 ? k - 1 : 0;
        while (k < weight && place(k, weight) < at) ++k;
        return turn(time >> 32, k, weight);
    }

    // The one after a turn of that weight.
    static std::uint64_t following(std::uint64_t weight, std::uint64_t time) {
        if (weight == 0) return never;
        // Rounding down takes less than half a turn off, so that the product is still within it; of weights over
        // 2^31 it can take more.
        std::uint64_t k = (time & UINT32_MAX) * weight >> 32;
        if (weight > exact && place(k, weight) < (time & UINT32_MAX)) ++k;
        return turn(time >> 32, k + 1, weight);
    }

private:
    static constexpr std::uint64_t exact = std::uint64_t{1} << 31;

    // (2k + 1) / (2w) * 2^32, rounded down; 2k + 1 < 2^33, so nothing overflows.
    static std::uint64_t place(std::uint64_t k, std::uint64_t weight) { return ((2 * k + 1) << 31) / weight; }

    static std::uint64_t turn(std::uint64_t round, std::uint64_t k, std::uint64_t weight) {
        return k < weight ? (round << 32) + place(k, weight) : ((round + 1) << 32) + place(0, weight);
    }
};

}  // namespace rsim::handlespace
