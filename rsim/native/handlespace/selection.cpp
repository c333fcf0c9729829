#include "selection.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "../wire/policies.hpp"
#include "indexed_heap.hpp"
#include "ring.hpp"
#include "turn_queue.hpp"
#include "weight_sums.hpp"

namespace rsim::handlespace {
namespace {

using wire::PolicyType;

constexpr std::uint64_t full_load = 0xffffffff;

// Position of each value among the data words is the same for all policies that have it, but for
// the distance group at the end.
std::uint64_t load(const Element& e) { return e.content.policy.word(0); }
std::uint64_t degradation(const Element& e) { return e.content.policy.word(1); }

std::uint64_t degraded(const Element& e, std::uint64_t value, const SelectionSettings& settings) {
    const std::uint64_t sum = value + e.degradations * degradation(e);
    return settings.saturate ? std::min(sum, full_load) : sum;
}

// load + distance * DPF (as a share of full load), cut off where 64 bits end.
std::uint64_t penalised(const Element& e, std::uint64_t value, std::size_t dpf_word) {
    const std::uint64_t dpf = e.content.policy.word(dpf_word);
    const std::uint64_t distance = e.content.policy.word(dpf_word + 1);
    const std::uint64_t penalty = distance * dpf;  // 32 by 32 bits
    return value + penalty < value ? UINT64_MAX : value + penalty;
}

using Rank = std::uint64_t (*)(const Element&, const SelectionSettings&);

namespace rank {  // smallest first
std::uint64_t priority(const Element& e, const SelectionSettings&) { return full_load - load(e); }
std::uint64_t least_used(const Element& e, const SelectionSettings&) { return load(e); }
std::uint64_t degraded_load(const Element& e, const SelectionSettings& s) { return degraded(e, load(e), s); }
std::uint64_t with_own(const Element& e, const SelectionSettings&) { return load(e) + degradation(e); }
std::uint64_t with_own_degraded(const Element& e, const SelectionSettings& s) { return degraded(e, load(e) + degradation(e), s); }
std::uint64_t least_used_dpf(const Element& e, const SelectionSettings&) { return penalised(e, load(e), 1); }
std::uint64_t degraded_dpf(const Element& e, const SelectionSettings& s) { return penalised(e, degraded(e, load(e), s), 2); }
std::uint64_t with_own_dpf(const Element& e, const SelectionSettings&) { return penalised(e, load(e) + degradation(e), 2); }
std::uint64_t with_own_degraded_dpf(const Element& e, const SelectionSettings& s) { return penalised(e, with_own_degraded(e, s), 2); }
}  // namespace rank

namespace weight {
std::uint64_t stated(const Element& e, const SelectionSettings&) { return e.content.policy.word(0); }
std::uint64_t unused(std::uint64_t load) { return full_load - std::min(load, full_load); }
std::uint64_t randomized(const Element& e, const SelectionSettings&) { return unused(load(e)); }
std::uint64_t with_own(const Element& e, const SelectionSettings& s) { return unused(rank::with_own(e, s)); }
std::uint64_t degraded_load(const Element& e, const SelectionSettings& s) { return unused(rank::degraded_load(e, s)); }
std::uint64_t with_own_degraded(const Element& e, const SelectionSettings& s) { return unused(rank::with_own_degraded(e, s)); }
// weight * (1 - distance * DPF); what would be negative or nothing becomes 1.
std::uint64_t distant(const Element& e, const SelectionSettings&) {
    const std::uint64_t penalty = std::uint64_t{e.content.policy.word(1)} * e.content.policy.word(2);
    if (penalty >= full_load) return 1;
    return std::max<std::uint64_t>(1, load(e) * (full_load - penalty) / full_load);
}
}  // namespace weight

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

template <Rank rank, bool degrades = false>
std::unique_ptr<Selection> sorted(const SelectionSettings& settings) {
    return std::make_unique<Sorted<rank, degrades>>(settings);
}
template <Rank weight>
std::unique_ptr<Selection> proportional(const SelectionSettings& settings) {
    return std::make_unique<Proportional<weight>>(settings);
}
std::unique_ptr<Selection> round_robin(const SelectionSettings& settings) {
    return std::make_unique<RoundRobin>(settings);
}
std::unique_ptr<Selection> weighted_round_robin(const SelectionSettings& settings) {
    return std::make_unique<WeightedRoundRobin>(settings);
}
std::unique_ptr<Selection> random(const SelectionSettings&) { return std::make_unique<Random>(); }

constexpr std::array<std::pair<PolicyType, SelectionFactory>, 18> native_policies{{
    {PolicyType::round_robin, round_robin},
    {PolicyType::weighted_round_robin, weighted_round_robin},
    {PolicyType::random, random},
    {PolicyType::weighted_random, proportional<weight::stated>},
    {PolicyType::priority, sorted<rank::priority>},
    {PolicyType::least_used, sorted<rank::least_used>},
    {PolicyType::least_used_degradation, sorted<rank::degraded_load, true>},
    {PolicyType::priority_least_used, sorted<rank::with_own>},
    {PolicyType::randomized_least_used, proportional<weight::randomized>},
    {PolicyType::randomized_priority_least_used, proportional<weight::with_own>},
    {PolicyType::randomized_least_used_degradation, proportional<weight::degraded_load>},
    {PolicyType::priority_least_used_degradation, sorted<rank::with_own_degraded, true>},
    {PolicyType::randomized_priority_least_used_degradation, proportional<weight::with_own_degraded>},
    {PolicyType::weighted_random_dpf, proportional<weight::distant>},
    {PolicyType::least_used_dpf, sorted<rank::least_used_dpf>},
    {PolicyType::least_used_degradation_dpf, sorted<rank::degraded_dpf, true>},
    {PolicyType::priority_least_used_dpf, sorted<rank::with_own_dpf>},
    {PolicyType::priority_least_used_degradation_dpf, sorted<rank::with_own_degraded_dpf, true>},
}};

}  // namespace

SelectionFactory find_selection(std::uint32_t policy_type) {
    for (const auto& [type, factory] : native_policies)
        if (static_cast<std::uint32_t>(type) == policy_type) return factory;
    return nullptr;
}

}  // namespace rsim::handlespace
