// What has been sent: messages and bytes by payload protocol and type, and a fingerprint of all of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../fingerprint.hpp"

namespace rsim::network {

class Traffic {
public:
    struct Protocol {
        std::uint32_t identifier = 0;
        std::array<std::uint64_t, 256> messages{};  // by type, which the first byte gives
        std::uint64_t octets = 0;
    };

    // One message of at least one byte.
    void count(std::uint32_t identifier, const unsigned char* data, std::size_t size) {
        Protocol& protocol = of(identifier);
        ++protocol.messages[data[0]];
        protocol.octets += size;
        fingerprint_.add(std::uint64_t{identifier} << 32 | static_cast<std::uint32_t>(size));
        for (; size >= 8; data += 8, size -= 8) add(data, 8);
        if (size > 0) add(data, size);
    }

    // The entry of a protocol, made if there is none yet.
    Protocol& of(std::uint32_t identifier) {
        // There are two to four.
        for (Protocol& protocol : protocols_)
            if (protocol.identifier == identifier) return protocol;
        protocols_.emplace_back().identifier = identifier;
        return protocols_.back();
    }

    const std::vector<Protocol>& protocols() const { return protocols_; }
    std::uint64_t fingerprint() const { return fingerprint_.value(); }

private:
    void add(const unsigned char* data, std::size_t size) {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < size; ++i) word |= std::uint64_t{data[i]} << 8 * i;
        fingerprint_.add(word);
    }

    std::vector<Protocol> protocols_;
    Fingerprint fingerprint_;
};

}  // namespace rsim::network
