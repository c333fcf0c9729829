// How each native policy selects: by which rank or weight of its elements.
#include <algorithm>
#include <array>

#include "../wire/policies.hpp"
#include "selections.hpp"

namespace rsim::handlespace {
namespace {

namespace value = wire::value;

constexpr std::uint64_t full_load = 0xffffffff;

// An element in a pool of that policy. Only values that the policy's record declares can be read.
template <std::uint32_t policy>
struct In {
    const Element& element;
};

template <const wire::PolicyValue& wanted, std::uint32_t policy>
std::uint64_t word(In<policy> in) {
    constexpr int at = wire::find_policy(policy)->index_of(wanted);
    static_assert(at >= 0, "the policy's record (wire/policies.hpp) does not declare this value");
    return in.element.content.policy.word(at);
}

// Ranks: the smallest is listed first.
constexpr auto highest_priority = [](auto in, const SelectionSettings&) { return full_load - word<value::priority>(in); };

constexpr auto load = [](auto in, const SelectionSettings&) { return word<value::load>(in); };

constexpr auto load_with_one_more = [](auto in, const SelectionSettings&) {
    return word<value::load>(in) + word<value::load_degradation>(in);
};

// With what earlier listings have added.
template <auto rank>
constexpr auto degraded = [](auto in, const SelectionSettings& settings) {
    const std::uint64_t sum = rank(in, settings) + in.element.degradations * word<value::load_degradation>(in);
    return settings.saturate ? std::min(sum, full_load) : sum;
};

// rank + distance * DPF (as a share of full load), cut off where 64 bits end.
template <auto rank>
constexpr auto distant = [](auto in, const SelectionSettings& settings) {
    const std::uint64_t near = rank(in, settings);
    const std::uint64_t penalty = word<value::distance>(in) * word<value::load_dpf>(in);  // 32 by 32 bits
    return near + penalty < near ? UINT64_MAX : near + penalty;
};

// Weights.
constexpr auto stated_weight = [](auto in, const SelectionSettings&) { return word<value::weight>(in); };

// What a load leaves free.
template <auto rank>
constexpr auto unused = [](auto in, const SelectionSettings& settings) {
    return full_load - std::min(rank(in, settings), full_load);
};

// weight * (1 - distance * DPF); what would be negative or nothing becomes 1.
constexpr auto distant_weight = [](auto in, const SelectionSettings&) {
    const std::uint64_t penalty = word<value::weight_dpf>(in) * word<value::distance>(in);
    if (penalty >= full_load) return std::uint64_t{1};
    return std::max<std::uint64_t>(1, word<value::weight>(in) * (full_load - penalty) / full_load);
};

template <std::uint32_t policy, auto rank>
std::uint64_t rank_in(const Element& element, const SelectionSettings& settings) {
    return rank(In<policy>{element}, settings);
}

// Type code of the policy of that name; a name without a record does not compile.
consteval std::uint32_t operator""_policy(const char* name, std::size_t size) {
    return wire::find_policy(std::string_view(name, size))->type;
}

struct Selecting {
    std::uint32_t policy;
    SelectionFactory factory;
};

template <class Way>
constexpr Selecting by(std::uint32_t policy) {
    return {policy, [](const SelectionSettings& settings) -> std::unique_ptr<Selection> {
                if constexpr (std::is_constructible_v<Way, const SelectionSettings&>) return std::make_unique<Way>(settings);
                else return std::make_unique<Way>();
            }};
}
template <std::uint32_t policy, auto rank>
constexpr Selecting smallest_first() {
    return by<Sorted<&rank_in<policy, rank>, false>>(policy);
}
// The rank grows with each listing.
template <std::uint32_t policy, auto rank>
constexpr Selecting smallest_first_degraded() {
    return by<Sorted<&rank_in<policy, rank>, true>>(policy);
}
template <std::uint32_t policy, auto weight>
constexpr Selecting in_proportion_to() {
    return by<Proportional<&rank_in<policy, weight>>>(policy);
}

constexpr auto selections = std::to_array<Selecting>({
    by<RoundRobin>("round_robin"_policy),
    by<WeightedRoundRobin>("weighted_round_robin"_policy),
    by<Random>("random"_policy),
    in_proportion_to<"weighted_random"_policy, stated_weight>(),
    smallest_first<"priority"_policy, highest_priority>(),
    smallest_first<"least_used"_policy, load>(),
    smallest_first_degraded<"least_used_degradation"_policy, degraded<load>>(),
    smallest_first<"priority_least_used"_policy, load_with_one_more>(),
    in_proportion_to<"randomized_least_used"_policy, unused<load>>(),
    in_proportion_to<"randomized_priority_least_used"_policy, unused<load_with_one_more>>(),
    in_proportion_to<"randomized_least_used_degradation"_policy, unused<degraded<load>>>(),
    smallest_first_degraded<"priority_least_used_degradation"_policy, degraded<load_with_one_more>>(),
    in_proportion_to<"randomized_priority_least_used_degradation"_policy, unused<degraded<load_with_one_more>>>(),
    in_proportion_to<"weighted_random_dpf"_policy, distant_weight>(),
    smallest_first<"least_used_dpf"_policy, distant<load>>(),
    smallest_first_degraded<"least_used_degradation_dpf"_policy, distant<degraded<load>>>(),
    smallest_first<"priority_least_used_dpf"_policy, distant<load_with_one_more>>(),
    smallest_first_degraded<"priority_least_used_degradation_dpf"_policy, distant<degraded<load_with_one_more>>>(),
});

constexpr SelectionFactory factory_of(std::uint32_t policy_type) {
    for (const Selecting& one : selections)
        if (one.policy == policy_type) return one.factory;
    return nullptr;
}
static_assert(std::ranges::all_of(wire::native_policies, [](const auto& policy) { return factory_of(policy.type); }),
              "a policy has a record (wire/policies.hpp) but does not select: add it to `selections`");

}  // namespace

SelectionFactory find_selection(std::uint32_t policy_type) { return factory_of(policy_type); }

}  // namespace rsim::handlespace
