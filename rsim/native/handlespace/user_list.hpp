// The pool user's side of selection: which element of an answer to use next (RFC 5356, pool user
// considerations of each policy).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../wire/policies.hpp"
#include "draws.hpp"

namespace rsim::handlespace {

using wire::UserRule;

// The elements of one answer, as a pool user works through them; each has an `identifier`.
template <class Element>
class UserList {
public:
    UserList(std::vector<Element> elements, UserRule rule) : elements_(std::move(elements)), rule_(rule) {}

    std::size_t size() const { return elements_.size(); }

    // The element to use next; null if none is left.
    const Element* choose(Draws& draws) {
        if (elements_.empty()) return nullptr;
        if (rule_ == UserRule::uniform && elements_.size() > 1) return &elements_[draws.below(elements_.size())];
        if (rule_ != UserRule::walk) return &elements_.front();
        if (position_ == elements_.size()) position_ = 0;
        return &elements_[position_++];
    }

    // Takes out an element that was found unreachable; the walk goes on behind it.
    void forget(std::uint32_t identifier) {
        const auto found = std::ranges::find(elements_, identifier, &Element::identifier);
        if (found == elements_.end()) return;
        if (static_cast<std::size_t>(found - elements_.begin()) < position_) --position_;
        elements_.erase(found);
    }

    // The element with an identifier; null if it is not listed.
    const Element* find(std::uint32_t identifier) const {
        const auto found = std::ranges::find(elements_, identifier, &Element::identifier);
        return found == elements_.end() ? nullptr : &*found;
    }

    const Element& operator[](std::size_t at) const { return elements_[at]; }

private:
    std::vector<Element> elements_;
    UserRule rule_;
    std::size_t position_ = 0;
};

}  // namespace rsim::handlespace
