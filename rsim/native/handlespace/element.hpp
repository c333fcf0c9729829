// A pool element as the handlespace keeps it.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>

#include "../wire/types.hpp"

namespace rsim::handlespace {

struct Holding;

// Unreachability reports about an element.
struct Reports {
    std::uint32_t count = 0;
    std::map<std::uint64_t, std::uint32_t> by_reporter;
};

struct Element {
    static constexpr std::uint32_t no_slot = std::numeric_limits<std::uint32_t>::max();

    wire::PoolElement content;
    Holding* holding = nullptr;
    std::unique_ptr<Reports> reports;
    std::uint64_t sequence = 0;           // for the selection: order among equals, or the like
    std::uint32_t selection_slot = 0;     // the selection's number for it
    std::uint32_t expiry_slot = no_slot;  // the expiry index's number for it, if its life ends
    std::uint32_t degradations = 0;       // steps of load degradation since the last registration
    bool marked = false;                  // not yet seen in the present download
};

struct SelectionSlot {
    std::uint32_t& operator()(Element& element) const { return element.selection_slot; }
};

}  // namespace rsim::handlespace
