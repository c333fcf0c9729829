// The stack of a host: which association a packet is for, set-up by cookies, and packets out of the blue (RFC 9260 5, 8.4).
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../clock/alarm.hpp"
#include "cpu.hpp"
#include "fabric.hpp"
#include "packet.hpp"
#include "stack_state.hpp"

namespace rsim::network {

class Association;

// What a host counts of its stack.
enum class Count : std::uint8_t {
    associations_opened,
    associations_lost,
    retransmissions,
    packets_out_of_the_blue,
    packets_with_wrong_tag,
    path_failures,
};

// What the stack asks of its host.
struct StackHost {
    virtual ~StackHost() = default;
    virtual bool hears(std::uint16_t port, bool tcp) = 0;
    // Makes an association for a peer that has echoed a good cookie; null if nobody takes it.
    virtual Ref<Association> accept(const Packet& packet, const Cookie& cookie) = 0;
    virtual void take_datagram(const Packet& packet) = 0;
    virtual void count(Count what, std::uint64_t number) = 0;
};

class Stack {
public:
    Stack(Ref<Fabric> fabric, StackHost& host, std::vector<std::uint32_t> addresses);
    ~Stack();
    Stack(const Stack&) = delete;
    Stack& operator=(const Stack&) = delete;

    Fabric& fabric() const { return *fabric_; }
    StackHost& host() const { return host_; }
    bool up() const { return up_; }

    // The host goes down, and loses all associations and cookies without a word.
    void fail();
    void restore() { up_ = true; }
    // Nothing happens here any more.
    void close();

    // Takes a packet that has reached the host.
    void arrive(PacketPtr packet);
    // The same, when the CPU has done its work for it.
    void take(PacketPtr packet);
    // A message that went without being watched was lost on its way.
    void take_back(const Packet& packet);

    Association* find(std::uint16_t port, std::uint32_t remote, std::uint16_t remote_port) const;
    void add(Association& association, std::uint32_t remote);
    void remove(Association& association);
    void reroute();
    void watch_peers();
    // Octets more, or fewer, are in use.
    void change_memory(std::int64_t octets);
    bool out_of_memory() const { return own_.memory.value() >= limits.memory; }
    // From now on what this host keeps counts with that of others, too.
    void share(StackTally& tally) { tally_ = &tally; }
    StackTally& tally() { return *tally_; }

    std::vector<std::uint32_t> addresses;  // numbers, the primary one first
    Ref<Cpu> cpu;                          // null: work takes no time
    double init_time = 0, cookie_time = 0; // s of CPU time for an INIT and a COOKIE ECHO
    StackLimits limits;

private:
    static std::uint64_t key(std::uint16_t port, std::uint32_t remote, std::uint16_t remote_port) {
        return std::uint64_t{remote} << 32 | std::uint32_t{port} << 16 | remote_port;
    }
    template <class Function>
    void each(Function function);

    void reply(const Packet& packet, std::uint32_t tag, ControlChunk chunk);
    void abort(const Packet& packet, std::uint32_t tag);
    void answer_init(const Packet& packet, const ControlChunk& chunk);
    void take_cookie(PacketPtr packet, Association* present);
    void take_out_of_the_blue(const Packet& packet);
    // Whether there is room for one thing more of `kept`, of which there may be `most`.
    bool has_room(const Level& kept, std::uint64_t most, std::uint64_t octets) const;
    void change(Level StackTally::*level, std::int64_t by);
    // Keeps state for an INIT; false if there is no room for it.
    bool keep_half_open(const Packet& packet);
    // Lets go of what is kept for an INIT; false if nothing is.
    bool end_half_open(std::uint64_t key);
    void expire_half_open();

    Ref<Fabric> fabric_;
    StackHost& host_;
    std::unordered_map<std::uint64_t, Association*> table_;
    // All of them, in the order in which they were set up.
    Association *first_ = nullptr, *last_ = nullptr;
    std::unordered_map<std::uint64_t, double> half_open_;         // until when it is kept
    std::deque<std::pair<double, std::uint64_t>> half_open_ends_;  // in their order
    Alarm half_open_timer_;
    StackTally own_;
    StackTally* tally_ = &own_;
    std::uint64_t secret_ = 0;
    bool up_ = true;
};

}  // namespace rsim::network
