// The selection policies that the codec can take apart: name, type code, data words.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace rsim::wire {

enum class PolicyType : std::uint32_t {
    round_robin = 0x00000001,
    weighted_round_robin = 0x00000002,
    random = 0x00000003,
    weighted_random = 0x00000004,
    priority = 0x00000005,
    least_used = 0x40000001,
    least_used_degradation = 0x40000002,
    priority_least_used = 0x40000003,
    randomized_least_used = 0x40000004,
    // Private types of rsplib.
    randomized_priority_least_used = 0xb0001001,
    randomized_least_used_degradation = 0xb0001002,
    priority_least_used_degradation = 0xb0001003,
    randomized_priority_least_used_degradation = 0xb0001004,
    weighted_random_dpf = 0xb0002001,
    least_used_dpf = 0xb0002002,
    least_used_degradation_dpf = 0xb0002003,
    priority_least_used_dpf = 0xb0002004,
    priority_least_used_degradation_dpf = 0xb0002005,
};

struct PolicyFormat {
    PolicyType type;
    std::string_view name;
    std::array<std::string_view, 4> words;  // names of the 32-bit data words, in order

    constexpr std::size_t word_count() const {
        std::size_t count = 0;
        while (count < words.size() && !words[count].empty()) ++count;
        return count;
    }

    // Position of the word of that name, or -1.
    constexpr int index_of(std::string_view word) const {
        for (std::size_t i = 0; i < word_count(); ++i)
            if (words[i] == word) return static_cast<int>(i);
        return -1;
    }
};

inline constexpr std::array<PolicyFormat, 18> policy_formats{{
    {PolicyType::round_robin, "round_robin", {}},
    {PolicyType::weighted_round_robin, "weighted_round_robin", {"weight"}},
    {PolicyType::random, "random", {}},
    {PolicyType::weighted_random, "weighted_random", {"weight"}},
    {PolicyType::priority, "priority", {"priority"}},
    {PolicyType::least_used, "least_used", {"load"}},
    {PolicyType::least_used_degradation, "least_used_degradation", {"load", "load_degradation"}},
    {PolicyType::priority_least_used, "priority_least_used", {"load", "load_degradation"}},
    {PolicyType::randomized_least_used, "randomized_least_used", {"load"}},
    {PolicyType::randomized_priority_least_used, "randomized_priority_least_used",
     {"load", "load_degradation"}},
    {PolicyType::randomized_least_used_degradation, "randomized_least_used_degradation",
     {"load", "load_degradation"}},
    {PolicyType::priority_least_used_degradation, "priority_least_used_degradation",
     {"load", "load_degradation"}},
    {PolicyType::randomized_priority_least_used_degradation,
     "randomized_priority_least_used_degradation",
     {"load", "load_degradation"}},
    {PolicyType::weighted_random_dpf, "weighted_random_dpf", {"weight", "weight_dpf", "distance"}},
    {PolicyType::least_used_dpf, "least_used_dpf", {"load", "load_dpf", "distance"}},
    {PolicyType::least_used_degradation_dpf, "least_used_degradation_dpf",
     {"load", "load_degradation", "load_dpf", "distance"}},
    {PolicyType::priority_least_used_dpf, "priority_least_used_dpf",
     {"load", "load_degradation", "load_dpf", "distance"}},
    {PolicyType::priority_least_used_degradation_dpf, "priority_least_used_degradation_dpf",
     {"load", "load_degradation", "load_dpf", "distance"}},
}};

constexpr const PolicyFormat* find_policy(std::uint32_t type) {
    for (const auto& format : policy_formats)
        if (static_cast<std::uint32_t>(format.type) == type) return &format;
    return nullptr;
}

constexpr const PolicyFormat* find_policy(std::string_view name) {
    for (const auto& format : policy_formats)
        if (format.name == name) return &format;
    return nullptr;
}

// 0x00000000 and 0x40000000 are invalid (RFC 5356 7.1).
constexpr bool policy_type_is_valid(std::uint32_t type) {
    return type != 0 && type != 0x40000000;
}

}  // namespace rsim::wire
