// A number that tells one sequence of words from another: cheap enough for every event and every message.
#pragma once

#include <bit>
#include <cstdint>

namespace rsim {

// Each word is mixed in by a multiplication with an odd number, which loses nothing, and a rotation. It is no defence
// against anybody who looks for two sequences with one fingerprint.
class Fingerprint {
public:
    void add(std::uint64_t word) { value_ = std::rotl((value_ ^ word) * 0x9e3779b97f4a7c15u, 29) + 1; }
    std::uint64_t value() const { return value_; }

private:
    std::uint64_t value_ = 0;
};

}  // namespace rsim
