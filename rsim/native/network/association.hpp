// One end of an SCTP association, or of a TCP connection, which is the same at this level: it takes as many round trips to
// be set up, acknowledges and retransmits by the same clock. It has one address on each side, no heartbeats and no streams.
//
// T1 for INIT and COOKIE ECHO and T2 for SHUTDOWN share one timer; T3 and heartbeats are a path's (transmission.hpp).
#pragma once

#include <cstdint>
#include <vector>

#include "association_states.hpp"
#include "reception.hpp"
#include "stack.hpp"
#include "transmission.hpp"

namespace rsim::network {

// What the network tells about an association.
enum class Notice : std::uint8_t { up, shut_down, aborted, lost, restarted, none };

// Who uses an association.
struct User {
    virtual ~User() = default;
    virtual void receive(Message& message) = 0;
    virtual void note_up() = 0;
    // The peer has answered the INIT: what is sent now rides with the COOKIE ECHO.
    virtual void note_init_ack() = 0;
    // It is at its end; `notice` is why, `none` if the user has ended it.
    virtual void note_end(Notice notice) = 0;
};

struct Identity {
    std::uint32_t local = 0;  // number of the address
    std::uint16_t local_port = 0, remote_port = 0;
    std::vector<std::uint32_t> remote;  // numbers of all addresses of the peer, the primary one first
    std::uint32_t own_tag = 0, peer_tag = 0;
    std::uint64_t own_tsn = 0, peer_tsn = 0;
    Protocol protocol = Protocol::sctp;
};

class Association final : public Carrier {
public:
    Association(Stack& stack, User& user, const Identity& identity);

    std::uint32_t references = 0;

    // Begins to set it up: sends INIT.
    void open();
    // The listener's side comes to life, and answers the COOKIE ECHO.
    void accept(const Cookie& cookie);
    // Set up at once with the other end, where nothing is in between.
    void join(Association& peer);

    void send(Ref<Message> message);
    // Ends it in order: what has been sent still arrives (RFC 9260 9.2).
    void close();
    // Tells the peer that it is over.
    void abort();
    // Ends it, and tells its user.
    void end(Notice notice);
    // Its user is gone; a shutdown that has begun goes on.
    void detach();

    // The message that was sent last if it has not begun to leave, else null.
    Message* last_waiting() const { return transmission_.last_waiting(); }
    User* user() const { return user_; }

    // Takes a packet that has reached the host for this association.
    void take(Packet& packet);
    // Takes a message that went without being watched; false if it has to be taken as a packet.
    bool take_short(Packet& packet);
    void take_back(const Packet& packet);
    // The endpoint has taken octets that it had left, or leaves some.
    void leave_unread(std::uint32_t octets) {
        reception_.unread += octets;
        settle_memory();
    }
    // Octets that TLS takes from now on.
    void add_memory(std::uint64_t octets) {
        extra_memory_ += octets;
        settle_memory();
    }
    // What it takes beside its state: buffers and TLS.
    std::uint64_t further_memory() const { return further_memory_; }
    void read(std::uint32_t octets);

    void reroute();
    void watch_peer();

    State state() const { return state_; }
    bool setting_up() const { return state_ == State::cookie_wait || state_ == State::cookie_echoed; }
    std::size_t unacknowledged() const { return transmission_.unacknowledged(); }
    std::uint64_t undelivered() const { return undelivered_; }

    Identity identity;
    const Transmission& transmission() const { return transmission_; }
    const Reception& reception() const { return reception_; }

    // The others of its stack, in the order in which they were set up.
    Association *before = nullptr, *after = nullptr;

private:
    friend class Stack;

    // Carrier.
    PacketPtr make_packet(const Path& path, std::uint32_t chunk) override;
    void transmit(Path& path, PacketPtr packet) override;
    void note_leaving(Message& message) override;
    void note_retransmission(unsigned messages) override;
    void note_path_failure() override;
    void give_up() override;
    double draw() override { return stack_->fabric().draw(); }
    void hold() override { ++references; }
    void let_go() override {
        if (--references == 0) delete this;
    }

    Fabric& fabric() const { return stack_->fabric(); }
    // A packet for a path, with nothing in it.
    PacketPtr begin_packet(const Path& path) const;
    void enter(Change change);
    void send_control(Path& path, ControlChunk chunk);
    void send_init();
    void send_cookie_echo();
    void send_closing(Control kind);
    void start_timer(Path& path);
    void expire();
    void take_control(const ControlChunk& chunk, const Packet& packet);
    void take_init_ack(const ControlChunk& chunk);
    void take_cookie_ack();
    void take_shutdown(const ControlChunk& chunk);
    void take_data(Packet& packet);
    void take_sack(const Sack& sack);
    void acknowledge();
    void establish();
    void shut_down_when_idle();
    // Tells the stack what buffers and TLS take by now.
    void settle_memory();
    Path& answering() const;
    // Whether messages may go as one event, without packet and SACK: nothing is under way that could matter to them.
    void review();
    bool goes_short(const Message& message, const Path& path);
    void send_short(Ref<Message> message, Path& path);
    bool acknowledgement_passes(const Path& path);
    // Messages are watched from now on.
    void leave_short_way();
    Association* peer() const;

    Stack* stack_;
    User* user_;
    const SctpSettings& settings_;
    Reception reception_;
    Transmission transmission_;
    Alarm timer_;       // T1, T2
    Alarm sack_timer_;  // a SACK that waits for a second packet
    std::shared_ptr<const Cookie> cookie_;
    std::vector<std::uint64_t> sequences_;  // of what is sent, by stream
    std::uint64_t undelivered_ = 0;
    double epoch_ = 0;                              // when the present count of octets began
    std::uint64_t octets_ = 0, octets_before_ = 0;  // that went short in this epoch and in the one before
    std::uint64_t further_memory_ = 0, extra_memory_ = 0;
    unsigned retries_ = 0;
    std::uint32_t answering_ = none;  // address from which the last packet came, where there are several
    State state_ = State::cookie_wait;
    bool calm_ = false;

    static constexpr std::uint32_t none = 0xFFFFFFFF;
};

}  // namespace rsim::network
