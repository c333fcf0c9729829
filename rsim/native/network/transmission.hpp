// The sending half of an association: fragments, windows, retransmission, and the paths to the peer's addresses (RFC
// 9260 6, 7, 8; of TCP RFC 5681 and 6298, in octets).
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "packet.hpp"
#include "path.hpp"
#include "ring.hpp"

namespace rsim::network {

// What the sending half asks of its association.
class Carrier {
public:
    // A packet for a path, with the acknowledgement that is owed if there is room for a chunk of so many octets beside it.
    virtual PacketPtr make_packet(const Path& path, std::uint32_t chunk) = 0;
    virtual void transmit(Path& path, PacketPtr packet) = 0;
    // The first octet of a message leaves.
    virtual void note_leaving(Message& message) = 0;
    // So many messages are sent again.
    virtual void note_retransmission(unsigned messages) = 0;
    virtual void note_path_failure() = 0;
    // The peer does not acknowledge any more.
    virtual void give_up() = 0;
    virtual double draw() = 0;
    // It must not go while a time-out is worked on, though the peer may be given up in it.
    virtual void hold() = 0;
    virtual void let_go() = 0;

protected:
    ~Carrier() = default;
};

class Transmission {
public:
    Transmission(Carrier& carrier, Schedule& schedule, const SctpSettings& settings, Protocol protocol, bool ipv6,
                 std::uint64_t first_tsn);

    void add_path(std::uint32_t local, std::uint32_t remote, Route& route, Route& back);
    const std::vector<std::unique_ptr<Path>>& paths() const { return paths_; }
    Path& primary() const { return *paths_.front(); }
    // The primary path, or the first one that works where it does not (RFC 9260 6.4).
    Path& best() const;
    Path& path_to(std::uint32_t address) const;
    // Octets of a packet that chunks, or the data of a segment, may take.
    std::uint32_t room(const Path& path) const;

    // The peer takes so many octets at first.
    void set_window(std::uint32_t window) { peer_window_ = window; }

    // A message waits to be sent.
    void add(Ref<Message> message);
    // Sends what the windows allow.
    void push();
    // Puts data into a packet, as COOKIE ECHO has room for it.
    void fill(Packet& packet, Path& path);
    // All that was sent goes into this packet once more, as COOKIE ECHO is repeated.
    void refill(Packet& packet, Path& path);
    // Retransmission is due from now on, or was by the time at which it was sent.
    void start_timers();

    // One more TSN, for a message that goes without being watched.
    std::uint64_t take_tsn() { return next_tsn_++; }
    std::uint64_t next_tsn() const { return next_tsn_; }
    // A message that went without being watched has not arrived.
    void take_back(const DataChunk& chunk, double sent_at);

    void take(const Sack& sack);
    // All up to this TSN has arrived.
    void take_cumulative(std::uint64_t tsn);

    bool idle() const { return sent_.empty() && waiting_.empty(); }
    // All that has been sent is among what has arrived up to this TSN.
    bool done_by(std::uint64_t tsn) const { return waiting_.empty() && next_tsn_ == tsn + 1; }
    // The message that was added last if it has not begun to leave, else null.
    Message* last_waiting() const {
        return waiting_.empty() || waiting_.back().offset > 0 ? nullptr : waiting_.back().message.get();
    }
    // Messages that wait, or are not acknowledged.
    std::size_t unacknowledged() const { return messages_; }
    // Messages since the first one that is not acknowledged.
    std::uint64_t undelivered() const;

    // Begins to send heartbeats on idle paths, or ends it.
    void watch();
    void unwatch();
    void take_heartbeat_answer(Path& path, std::uint64_t number);

    // Nothing is sent any more.
    void stop();

    std::uint64_t messages_added = 0;

private:
    struct Sent {
        Ref<Message> message;
        std::uint32_t offset, length;
        Path* path;
        double sent_at;
        std::uint8_t missing = 0;  // reports that miss it
        bool arrived = false;
        bool again = false;   // has been sent more than once
        bool fast = false;    // has been sent again at once
        bool marked = false;  // is to be sent again
    };
    struct Waiting {
        Ref<Message> message;
        std::uint32_t offset;
    };
    struct Acked {
        Path* path;
        std::uint64_t octets;
        std::uint64_t flight;  // before
    };

    // Whether there is something that has not arrived, of which a condition holds.
    template <class Condition>
    bool any_outstanding(Condition&& condition) const {
        for (std::size_t number = 0; number < sent_.size(); ++number)
            if (!sent_[number].arrived && condition(sent_[number])) return true;
        return false;
    }
    Sent& at(std::uint64_t tsn) { return sent_[static_cast<std::size_t>(tsn - first_tsn_)]; }
    void expire_t3(Path& path);
    void beat(Path& path);
    void note_error(Path& path);
    std::uint32_t overhead() const { return tcp_ ? 0 : data_header; }
    std::uint32_t largest(const Path& path) const { return room(path) - overhead(); }
    std::uint32_t size_of(std::uint32_t length) const { return tcp_ ? length : data_header + (length + 3) / 4 * 4; }
    std::uint32_t used(const Packet& packet) const;
    double initial_window(const Path& path) const;
    std::uint64_t flight() const;
    void append(Packet& packet, Path& path, std::uint32_t length);
    void send_new(Path& path);
    void send_marked();
    void send_again(Path& path, std::set<std::uint64_t>& tsns, bool fast);
    void mark(std::uint64_t tsn);
    void note_arrival(std::uint64_t tsn, std::vector<Acked>& acked);
    void advance(std::uint64_t cumulative, std::vector<Acked>& acked);
    void grow(const Acked& acked, bool advanced, bool recovering);
    bool count_missing(const Sack& sack, std::uint64_t newest, bool advanced, std::vector<std::uint64_t>& lost);
    void enter_recovery(const std::vector<std::uint64_t>& lost);
    void restart_timers(const std::vector<Acked>& acked, bool advanced);

    Carrier& carrier_;
    Schedule& schedule_;
    const SctpSettings& settings_;
    std::vector<std::unique_ptr<Path>> paths_;
    Ring<Waiting> waiting_;
    Ring<Sent> sent_;     // by TSN, from `first_tsn_`
    std::uint64_t first_tsn_;   // the first one that is not acknowledged with all before it
    std::uint64_t next_tsn_;
    std::set<std::uint64_t> marked_;
    std::vector<Range> gaps_;   // of the last acknowledgement
    std::size_t messages_ = 0;
    std::uint32_t peer_window_ = 0;
    std::uint64_t recovery_end_ = 0;
    unsigned errors_ = 0;
    bool in_recovery_ = false;
    bool tcp_;
    bool ipv6_;
    bool stopped_ = false;
    bool watched_ = false;
    bool probing_ = false;     // something was sent though the peer's window was shut
    bool timers_held_ = true;  // T1 watches over what rides with COOKIE ECHO
};

}  // namespace rsim::network
