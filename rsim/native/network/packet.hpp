// What crosses a link: SCTP packets with their chunks (RFC 9260 3), TCP segments, UDP datagrams.
//
// A TCP segment is described by the chunks that do in SCTP what it does: INIT is its SYN, a SACK its acknowledgement
// number, DATA its octets. Sequence numbers don't wrap here; what writes them takes the lower 32 bits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "../clock/event.hpp"
#include "message.hpp"

namespace rsim::network {

class Fabric;
struct Route;

// Kinds of control chunks, with their type codes (RFC 9260 3.2).
enum class Control : std::uint8_t {
    init = 1,
    init_ack = 2,
    heartbeat = 4,
    heartbeat_ack = 5,
    abort = 6,
    shutdown = 7,
    shutdown_ack = 8,
    cookie_echo = 10,
    cookie_ack = 11,
    shutdown_complete = 14,
};

// The state cookie: all that a listener must know to create the association (RFC 9260 5.1.3).
struct Cookie {
    std::uint64_t mac = 0;  // of all else and the ports, with the secret of the listener
    std::uint32_t own_tag = 0, peer_tag = 0;
    std::uint64_t own_tsn = 0, peer_tsn = 0;
    std::uint32_t window = 0;  // of the peer
    std::vector<std::uint32_t> remote;
    double created = 0;
};

struct ControlChunk {
    Control kind = Control::abort;
    std::uint32_t tag = 0;     // of INIT and INIT ACK
    std::uint32_t window = 0;  // of INIT and INIT ACK
    std::uint64_t tsn = 0;     // the first one of INIT and INIT ACK; the last one that has arrived of SHUTDOWN
    std::uint64_t number = 0;  // of a heartbeat
    std::vector<std::uint32_t> addresses;
    std::shared_ptr<const Cookie> cookie;

    std::uint32_t size() const {
        constexpr std::uint32_t address = 8;
        std::uint32_t own = 4;
        switch (kind) {
        case Control::init: own = 20; break;
        // With the cookie, whose size is that of a common implementation.
        case Control::init_ack: own = 100; break;
        case Control::cookie_echo: own = 80; break;
        case Control::heartbeat:
        case Control::heartbeat_ack: own = 44; break;
        case Control::shutdown: own = 8; break;
        default: break;
        }
        return own + address * static_cast<std::uint32_t>(addresses.size());
    }
};

// First and last of consecutive TSNs.
using Range = std::pair<std::uint64_t, std::uint64_t>;

struct Sack {
    std::uint64_t cumulative = 0;
    std::uint32_t window = 0;
    std::vector<Range> gaps;

    std::uint32_t size() const { return 16 + 4 * static_cast<std::uint32_t>(gaps.size()); }
    // Octets of the option that tells them in TCP (RFC 2018 3).
    std::uint32_t gap_options() const { return gaps.empty() ? 0 : 4 + 8 * static_cast<std::uint32_t>(gaps.size()); }
};

inline constexpr std::uint32_t data_header = 16;

// A user message, or a part of one, in a DATA chunk (RFC 9260 3.3.1).
struct DataChunk {
    std::uint64_t tsn = 0;
    std::uint32_t offset = 0, length = 0;  // octets of the message
    Ref<Message> message;                  // null: what is left of a message that somebody has replaced

    bool begins() const { return offset == 0; }
    bool ends() const { return message && offset + length == message->size; }
    bool whole() const { return begins() && ends(); }
    std::uint32_t size() const { return data_header + (length + 3) / 4 * 4; }
};

enum class Protocol : std::uint8_t { sctp, tcp, udp };

class Packet;
struct ReturnPacket {
    void operator()(Packet* packet) const;
};
using PacketPtr = std::unique_ptr<Packet, ReturnPacket>;

// A packet; under way it is its own event.
class Packet final : public Event {
public:
    // One from the store, empty.
    static PacketPtr make();
    // One like this, for the next link.
    PacketPtr copy() const;

    void happen() override;
    void drop() override { ReturnPacket()(this); }

    // Octets on the link, from the IP header on.
    std::uint32_t count_octets(bool ipv6) const;

    static constexpr std::uint32_t no_group = 0xFFFFFFFF;

    std::uint32_t source = 0, destination = 0;  // numbers of addresses
    std::uint32_t group = no_group;             // that a datagram is for, of which the destination is a member
    std::uint16_t source_port = 0, destination_port = 0;
    std::uint32_t tag = 0;
    Protocol protocol = Protocol::sctp;
    // It went as one event, where a path only delays; nobody waits for its acknowledgement.
    bool short_way = false;
    bool has_sack = false;
    std::uint16_t hop = 0;  // the next link of the route
    std::uint32_t size = 0;
    double sent_at = 0;
    Route* route = nullptr;
    Ref<Fabric> fabric;
    Sack sack;
    std::vector<ControlChunk> controls;
    std::vector<DataChunk> data;
    Ref<Message> datagram;

private:
    friend struct ReturnPacket;
    void clear();
};

inline constexpr std::uint32_t ipv4_header = 20, ipv6_header = 40, sctp_header = 12, udp_header = 8, tcp_header = 20;
inline constexpr std::uint32_t ipv6_fragment_header = 8;
// Octets of TCP options in a SYN: segment size, timestamps, window scale, SACK permitted.
inline constexpr std::uint32_t syn_options = 20;

}  // namespace rsim::network
