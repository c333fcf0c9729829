// A pool element as the handlespace keeps it.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>

#include "../wire/types.hpp"

namespace rsim::handlespace {

class Pool;
struct Holding;

struct Element {
    wire::PoolElement content;
    Pool* pool = nullptr;
    Holding* holding = nullptr;
    double expires = std::numeric_limits<double>::infinity();  // s
    std::uint32_t expiry_slot = 0;
    std::uint32_t slot = 0;         // place in the selection's own structure
    std::uint64_t sequence = 0;     // grows with every selection: ties go to the longest unchosen
    std::uint32_t degradations = 0; // steps of load degradation since the last registration
    bool marked = false;            // not yet seen in the present download
    std::uint32_t report_count = 0;
    std::unique_ptr<std::map<std::uint64_t, std::uint32_t>> reports;  // by reporter
};

struct SelectionSlot {
    std::uint32_t& operator()(Element& element) const { return element.slot; }
};

}  // namespace rsim::handlespace
