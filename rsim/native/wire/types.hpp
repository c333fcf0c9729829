// What parameters are made of: octets, their types, transports, policies (RFC 5354 section 3, RFC 5356).
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rsim::wire {

inline std::uint16_t load16(const void* from) {
    const auto* b = static_cast<const std::uint8_t*>(from);
    return static_cast<std::uint16_t>(b[0] << 8 | b[1]);
}

inline std::uint32_t load32(const void* from) {
    const auto* b = static_cast<const std::uint8_t*>(from);
    return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
}

inline void store16(void* to, std::uint16_t value) {
    auto* b = static_cast<std::uint8_t*>(to);
    b[0] = static_cast<std::uint8_t>(value >> 8);
    b[1] = static_cast<std::uint8_t>(value);
}

inline void store32(void* to, std::uint32_t value) {
    store16(to, static_cast<std::uint16_t>(value >> 16));
    store16(static_cast<std::uint8_t*>(to) + 2, static_cast<std::uint16_t>(value));
}

// Parameter types, RFC 5354 table 1.
enum class ParameterType : std::uint16_t {
    ipv4_address = 0x1,
    ipv6_address = 0x2,
    dccp_transport = 0x3,
    sctp_transport = 0x4,
    tcp_transport = 0x5,
    udp_transport = 0x6,
    udp_lite_transport = 0x7,
    policy = 0x8,
    pool_handle = 0x9,
    pool_element = 0xa,
    server_information = 0xb,
    operation_error = 0xc,
    cookie = 0xd,
    pe_identifier = 0xe,
    pe_checksum = 0xf,
    opaque_transport = 0x10,
};

// Puts an address behind those in a transport's content.
inline void add_address(std::string& content, const std::uint8_t* octets, std::size_t size) {
    content.push_back(size == 4 ? 4 : 6);
    content.append(reinterpret_cast<const char*>(octets), size);
}

// Calls visit(octets, size) for each address of a transport's content in order.
template <class Visit>
void each_address(const std::string& content, Visit&& visit) {
    std::size_t at = 0;
    while (at < content.size()) {
        const std::size_t size = content[at] == 4 ? 4 : 16;
        visit(reinterpret_cast<const std::uint8_t*>(content.data()) + at + 1, size);
        at += 1 + size;
    }
}

// Transport address of one of the kinds 0x3 to 0x7, or opaque octets (0x10).
//
// Addresses stand packed in `content`, each a family octet (4 or 6) and its octets, so that the
// common case of up to three IPv4 addresses needs no memory of its own; for an opaque transport
// `content` is its data.
struct Transport {
    ParameterType kind = ParameterType::sctp_transport;
    std::uint16_t port = 0;
    std::uint16_t use = 0;
    std::uint32_t service_code = 0;
    std::string content;

    bool operator==(const Transport&) const = default;

    // Not of an opaque transport.
    std::size_t address_count() const {
        std::size_t count = 0;
        each_address(content, [&](const std::uint8_t*, std::size_t) { ++count; });
        return count;
    }
};

// Pool member selection policy: its type and its data as on the wire (RFC 5356).
struct Policy {
    std::uint32_t type = 1;
    std::string data;

    bool operator==(const Policy&) const = default;

    std::uint32_t word(std::size_t index) const { return load32(data.data() + 4 * index); }
};

}  // namespace rsim::wire
