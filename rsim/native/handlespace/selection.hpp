// Selection policies (RFC 5356), server side: which elements a resolution lists, and in which order.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "draws.hpp"
#include "element.hpp"

namespace rsim::handlespace {

// What decides figures and is not in the elements; a handlespace has one set for all its pools.
struct SelectionSettings {
    std::uint32_t increment = 1;                    // elements that a selection moves on
    std::uint32_t degradations_per_selection = 1;   // steps per listing (RFC 5356: one)
    std::uint32_t degradations_at_registration = 0; // steps right after a registration
    bool saturate = false;                          // cut degraded loads off at 100 %
};

// Answers are rarely longer: so many elements are kept in order, where that is quicker than looking for them.
inline constexpr std::size_t usual_list = 8;

// The elements of one pool in the order of its policy.
class Selection {
public:
    virtual ~Selection() = default;
    virtual void insert(Element& element) = 0;
    virtual void remove(Element& element) = 0;
    // The element's policy values changed, or a registration set its degradation back.
    virtual void update(Element& element) = 0;
    // Adds `count` distinct elements to `chosen`, fewer if the pool is smaller.
    virtual void select(std::size_t count, Draws& draws, std::vector<Element*>& chosen) = 0;
};

using SelectionFactory = std::unique_ptr<Selection> (*)(const SelectionSettings& settings);

// The native policy of that type code, or null.
SelectionFactory find_selection(std::uint32_t policy_type);

}  // namespace rsim::handlespace
