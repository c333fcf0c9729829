// How elements are selected: a ring, turns, an order by rank, draws that are uniform or in proportion to weights.
#pragma once

#include <algorithm>
#include <utility>

#include "indexed_heap.hpp"
#include "ring.hpp"
#include "selection.hpp"
#include "turn_queue.hpp"
#include "weight_sums.hpp"

namespace rsim::handlespace {

// Rank or weight of an element under the handlespace's settings.
using Rank = std::uint64_t (*)(const Element&, const SelectionSettings&);

template <class Tie, bool rare_ties>
using SortedHeap = IndexedHeap<std::uint64_t, Tie, Element, SelectionSlot, usual_list, rare_ties>;

class RoundRobin final : public Selection {
public:
    explicit RoundRobin(const SelectionSettings& settings) : settings_(settings) {}

    void insert(Element& element) override { ring_.insert(element); }
    void remove(Element& element) override { ring_.remove(element); }
    void update(Element&) override {}
    void select(std::size_t count, Draws&, std::vector<Element*>& chosen) override {
        ring_.first(count, chosen);
        ring_.advance(std::min<std::size_t>(settings_.increment, chosen.size()));
    }

private:
    const SelectionSettings& settings_;
    Ring<Element, SelectionSlot> ring_;
};

// Priority and the least-used family: smallest rank first, ties to the element that was chosen
// longest ago.
//
// `degrades`: whether the rank depends on how often an element was listed. All that are listed move then.
template <Rank rank, bool degrades>
class Sorted final : public Selection {
    using Heap = SortedHeap<Sequence, degrades>;

public:
    explicit Sorted(const SelectionSettings& settings) : settings_(settings) {}

    void insert(Element& element) override { heap_.push({rank(element, settings_), {next_++}}, element); }
    void remove(Element& element) override { heap_.remove(element); }
    void update(Element& element) override {
        heap_.change(element, {rank(element, settings_), heap_.key_of(element).tie});
    }
    void select(std::size_t count, Draws&, std::vector<Element*>& chosen) override {
        heap_.smallest(count, chosen);
        if constexpr (degrades) {
            // The others are on their way while the first is ranked.
            for (const Element* element : chosen) fetch(*element);
        }
        const std::size_t moved = degrades ? chosen.size() : settings_.increment;
        heap_.renew_smallest(std::min(moved, chosen.size()), [&](Element& element, Heap::Key key, std::size_t place) {
            element.degrade(settings_.degradations_per_selection);
            if (degrades) key.rank = rank(element, settings_);
            if (place < settings_.increment) key.tie = {next_++};
            return key;
        });
    }

private:
    const SelectionSettings& settings_;
    Heap heap_;
    std::uint64_t next_ = 0;
};

// Weighted round robin: turns of different elements interleave (RFC 5356 4.2.2).
class WeightedRoundRobin final : public Selection {
public:
    explicit WeightedRoundRobin(const SelectionSettings& settings) : settings_(settings) {}

    void insert(Element& element) override { turns_.insert(element); }
    void remove(Element& element) override { turns_.remove(element); }
    void update(Element& element) override { turns_.update(element); }
    void select(std::size_t count, Draws&, std::vector<Element*>& chosen) override {
        turns_.next(count, chosen);
        turns_.advance(std::min<std::size_t>(settings_.increment, chosen.size()));
    }

private:
    const SelectionSettings& settings_;
    TurnQueue turns_;
};

// A set from which elements are drawn uniformly, without repeats.
class UniformSet {
public:
    std::size_t size() const { return elements_.size(); }
    void insert(Element& element) {
        element.selection_slot = static_cast<std::uint32_t>(elements_.size());
        elements_.push_back(&element);
    }
    void remove(Element& element) {
        Element& last = *elements_.back();
        elements_[element.selection_slot] = &last;
        last.selection_slot = element.selection_slot;
        elements_.pop_back();
        if (elements_.size() < elements_.capacity() / 4) elements_.shrink_to_fit();
    }
    void draw(std::size_t count, Draws& draws, std::vector<Element*>& chosen) {
        count = std::min(count, elements_.size());
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t other = i + draws.below(elements_.size() - i);
            std::swap(elements_[i], elements_[other]);
            fetch(*elements_[i]);
            elements_[i]->selection_slot = static_cast<std::uint32_t>(i);
            elements_[other]->selection_slot = static_cast<std::uint32_t>(other);
            chosen.push_back(elements_[i]);
        }
    }

private:
    std::vector<Element*> elements_;
};

class Random final : public Selection {
public:
    void insert(Element& element) override { elements_.insert(element); }
    void remove(Element& element) override { elements_.remove(element); }
    void update(Element&) override {}
    void select(std::size_t count, Draws& draws, std::vector<Element*>& chosen) override {
        elements_.draw(count, draws, chosen);
    }

private:
    UniformSet elements_;
};

// Weighted random and randomized least used: in proportion to weights, without repeats. Elements
// of weight 0 are drawn only, uniformly, when the others don't suffice.
template <Rank weight_of>
class Proportional final : public Selection {
public:
    explicit Proportional(const SelectionSettings& settings) : settings_(settings) {}

    void insert(Element& element) override {
        const std::uint64_t weight = weight_of(element, settings_);
        if (weight > 0) positive_.insert(element, weight);
        else zero_.insert(element);
    }
    void remove(Element& element) override {
        if (positive_.contains(element)) positive_.remove(element);
        else zero_.remove(element);
    }
    void update(Element& element) override {
        const std::uint64_t weight = weight_of(element, settings_);
        if (weight > 0 && positive_.contains(element)) {
            positive_.change(element, weight);
        } else if (weight > 0 || positive_.contains(element)) {
            remove(element);
            insert(element);
        }
    }
    void select(std::size_t count, Draws& draws, std::vector<Element*>& chosen) override {
        while (chosen.size() < count && positive_.total() > 0) {
            Element& element = positive_.at(draws.below(positive_.total()));
            fetch(element);
            chosen.push_back(&element);
            if (chosen.size() < count) positive_.change(element, 0);
        }
        zero_.draw(count - chosen.size(), draws, chosen);
        for (Element* element : chosen) {
            element->degrade(settings_.degradations_per_selection);
            update(*element);
        }
    }

private:
    const SelectionSettings& settings_;
    WeightSums<Element, SelectionSlot> positive_;
    UniformSet zero_;
};

}  // namespace rsim::handlespace
