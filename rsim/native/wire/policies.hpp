// The native selection policies (RFC 5356, and those of RSPSIM and rsplib): one record each, from which the codec, Python's
// Policy and the pool user's rule follow. How each selects stands in handlespace/native_policies.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace rsim::wire {

// A 32-bit word of a policy's parameter.
struct PolicyValue {
    std::string_view name;  // empty for none
    const char* doc;        // meaning, unit and range
};

namespace value {
inline constexpr PolicyValue weight{"weight", "share of the selections, in relation to the other elements' weights"};
inline constexpr PolicyValue priority{"priority", "larger is chosen first"};
inline constexpr PolicyValue load{"load", "load of the element, 0xffffffff is 100% (RFC 5356 3.1)"};
inline constexpr PolicyValue load_degradation{"load_degradation", "load that a selection or a request adds, as a load"};
inline constexpr PolicyValue load_dpf{"load_dpf", "distance penalty factor of the load: load for each ms, as a load"};
inline constexpr PolicyValue weight_dpf{"weight_dpf", "distance penalty factor of the weight: share for each ms, as a load"};
inline constexpr PolicyValue distance{"distance", "distance of the element in ms"};
}  // namespace value

// What a pool user does with the elements of an answer.
enum class UserRule {
    in_order,  // the first that answers
    walk,      // one after the other, then from the beginning
    uniform,   // any, with equal chances
};

// Most 32-bit words that a policy of these has.
inline constexpr std::size_t most_policy_values = 4;

struct NativePolicy {
    std::string_view name;
    std::uint32_t type;
    std::array<PolicyValue, most_policy_values> values;  // in the order of the wire
    UserRule user_rule;

    constexpr std::size_t value_count() const {
        std::size_t count = 0;
        while (count < values.size() && !values[count].name.empty()) ++count;
        return count;
    }

    // Position of a value among the words, or -1.
    constexpr int index_of(const PolicyValue& wanted) const {
        for (std::size_t i = 0; i < value_count(); ++i)
            if (values[i].name == wanted.name) return static_cast<int>(i);
        return -1;
    }
};

// Policies of RFC 5356, then the private types of RSPSIM and rsplib.
inline constexpr auto native_policies = std::to_array<NativePolicy>({
    {"round_robin", 0x00000001, {}, UserRule::walk},
    {"weighted_round_robin", 0x00000002, {value::weight}, UserRule::walk},
    {"random", 0x00000003, {}, UserRule::uniform},
    {"weighted_random", 0x00000004, {value::weight}, UserRule::uniform},
    {"priority", 0x00000005, {value::priority}, UserRule::in_order},
    {"least_used", 0x40000001, {value::load}, UserRule::in_order},
    {"least_used_degradation", 0x40000002, {value::load, value::load_degradation}, UserRule::in_order},
    {"priority_least_used", 0x40000003, {value::load, value::load_degradation}, UserRule::in_order},
    {"randomized_least_used", 0x40000004, {value::load}, UserRule::uniform},
    {"randomized_priority_least_used", 0xb0001001, {value::load, value::load_degradation}, UserRule::uniform},
    {"randomized_least_used_degradation", 0xb0001002, {value::load, value::load_degradation}, UserRule::uniform},
    {"priority_least_used_degradation", 0xb0001003, {value::load, value::load_degradation}, UserRule::in_order},
    {"randomized_priority_least_used_degradation", 0xb0001004, {value::load, value::load_degradation}, UserRule::uniform},
    {"weighted_random_dpf", 0xb0002001, {value::weight, value::weight_dpf, value::distance}, UserRule::uniform},
    {"least_used_dpf", 0xb0002002, {value::load, value::load_dpf, value::distance}, UserRule::in_order},
    {"least_used_degradation_dpf", 0xb0002003,
     {value::load, value::load_degradation, value::load_dpf, value::distance}, UserRule::in_order},
    {"priority_least_used_dpf", 0xb0002004,
     {value::load, value::load_degradation, value::load_dpf, value::distance}, UserRule::in_order},
    {"priority_least_used_degradation_dpf", 0xb0002005,
     {value::load, value::load_degradation, value::load_dpf, value::distance}, UserRule::in_order},
});

constexpr const NativePolicy* find_policy(std::uint32_t type) {
    for (const NativePolicy& policy : native_policies)
        if (policy.type == type) return &policy;
    return nullptr;
}

constexpr const NativePolicy* find_policy(std::string_view name) {
    for (const NativePolicy& policy : native_policies)
        if (policy.name == name) return &policy;
    return nullptr;
}

// 0x00000000 and 0x40000000 are invalid (RFC 5356 7.1).
constexpr bool policy_type_is_valid(std::uint32_t type) {
    return type != 0 && type != 0x40000000;
}

}  // namespace rsim::wire
