// The receiving half of an association: what has arrived, in which order it is handed on, and when it is acknowledged
// (RFC 9260 6.2, 6.5, 6.6, 6.9).
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "packet.hpp"

namespace rsim::network {

class Reception {
public:
    enum class Arrival { fresh, duplicate, refused };

    Reception(std::uint64_t cumulative, std::uint32_t buffer) : cumulative(cumulative), buffer_(buffer) {}

    // Takes a chunk; adds what can be handed on now to `ready`, in the order of the streams.
    Arrival take(const DataChunk& chunk, std::vector<Ref<Message>>& ready);
    // Takes a message that has come whole, in its order and after all before it; false if it has not.
    bool take_next(const DataChunk& chunk);
    // The acknowledgement as of now, with as many gaps as fit.
    void fill(Sack& sack, std::size_t most_gaps);

    // Octets that the peer may still send.
    std::uint32_t window() const {
        const std::uint64_t used = held_octets_ + unread;
        return used < buffer_ ? static_cast<std::uint32_t>(buffer_ - used) : 0;
    }
    // Octets that wait, for others or for the endpoint.
    std::uint64_t kept() const { return held_octets_ + unread; }
    std::uint32_t buffer() const { return buffer_; }
    bool has_gaps() const { return !beyond_.empty(); }

    std::uint64_t cumulative;      // all TSNs up to this one have arrived
    std::uint64_t unread = 0;      // octets that the endpoint has not taken yet
    unsigned packets = 0;          // with data, that are not acknowledged yet
    std::uint32_t told_window = 0; // what the last acknowledgement has told

private:
    bool note(std::uint64_t tsn);
    void hand_on(Ref<Message> message, std::vector<Ref<Message>>& ready);
    std::uint64_t& expected(std::uint16_t stream);

    std::uint32_t buffer_;
    std::uint64_t held_octets_ = 0;
    std::vector<Range> beyond_;  // TSNs that have arrived above `cumulative`
    std::vector<std::uint64_t> expected_;
    std::map<std::pair<std::uint16_t, std::uint64_t>, Ref<Message>> held_;
    // A message of which only a part has come. What is `passed` was given to the endpoint already, for want of room (RFC
    // 9260 6.9), and only what is kept counts.
    struct Partial {
        Ref<Message> message;
        std::uint32_t octets = 0, kept = 0;
        bool passed = false;
    };
    std::map<Message*, Partial> partial_;
};

}  // namespace rsim::network
