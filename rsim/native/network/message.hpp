// User messages, as associations carry them.
#pragma once

#include <cstdint>

#include "../reference.hpp"

namespace rsim::network {

// A user message or the octets of a datagram. Who sends it knows what is in it; here only its size counts.
struct Message {
    virtual ~Message() = default;

    std::uint32_t references = 0;
    std::uint32_t ppid = 0;      // payload protocol identifier
    std::uint32_t size = 0;      // octets as they travel
    std::uint16_t stream = 0;
    bool unordered = false;
    std::uint64_t sequence = 0;  // in its stream
    std::uint64_t number = 0;    // among all of its association
};

}  // namespace rsim::network
