// A pool element as the handlespace keeps it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "../wire/parameters.hpp"

namespace rsim::handlespace {

struct Holding;

struct Element {
    static constexpr std::uint32_t no_slot = std::numeric_limits<std::uint32_t>::max();
    static constexpr std::uint32_t most_degradations = (1u << 31) - 1;

    explicit Element(const wire::PoolElement& registered) : content(registered) {}

    // Adds steps of load degradation, as many as can be counted.
    void degrade(std::uint64_t steps) {
        degradations = static_cast<std::uint32_t>(std::min<std::uint64_t>(degradations + steps, most_degradations));
    }

    wire::PoolElement content;
    Holding* holding = nullptr;
    std::uint32_t selection_slot = 0;     // the selection's number for it
    std::uint32_t expiry_slot = no_slot;  // the expiry index's number for it, if its life ends
    std::uint32_t degradations : 31 = 0;  // steps of load degradation since the last registration
    std::uint32_t marked : 1 = 0;         // not yet seen in the present download
};

// Begins to bring an element into the cache; that of a large pool is in none.
inline void fetch(const Element& element) {
    for (std::size_t at = 0; at < sizeof element; at += 64) __builtin_prefetch(reinterpret_cast<const char*>(&element) + at);
}

struct SelectionSlot {
    std::uint32_t& operator()(Element& element) const { return element.selection_slot; }
};

}  // namespace rsim::handlespace
