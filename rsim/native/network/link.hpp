// Links: one direction of a path, with delay, jitter, loss, a rate with a queue, and cuts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "../clock/alarm.hpp"
#include "flow_delay.hpp"
#include "link_queue.hpp"
#include "packet.hpp"

namespace rsim::network {

// Draws of one purpose.
struct Draw {
    virtual ~Draw() = default;
    // From [0, 1).
    virtual double uniform() = 0;
};

// A time that is drawn again and again, in s.
struct DrawnTime {
    virtual ~DrawnTime() = default;
    virtual double draw() = 0;
};

// Those who stand on a link and see what it carries.
struct Taps {
    virtual ~Taps() = default;
    // Whether the packet goes on, which they may alter; `held` grows by the time in s for which it is held back.
    virtual bool pass(Packet& packet, double& held) = 0;
    // Whether they look at nothing but messages, and hold nothing back.
    virtual bool see_messages_only() const = 0;
};

// Which packets a queue drops: those that find it full, some before, or those that have waited too long.
enum class Discipline : std::uint8_t { drop_tail, red, codel };

struct LinkSettings {
    double delay = 0;  // s
    std::unique_ptr<DrawnTime> varying;  // the delay, if it isn't always the same
    std::unique_ptr<DrawnTime> jitter;
    double loss = 0;
    double bandwidth = std::numeric_limits<double>::infinity();  // bit/s
    double queue = std::numeric_limits<double>::infinity();      // octets that may wait
    std::size_t queue_packets = std::numeric_limits<std::size_t>::max();  // packets that may wait
    Discipline discipline = Discipline::drop_tail;
    bool fair = false;  // sources take turns
    RedSettings red;
    CodelSettings codel;
    // A packet goes on while it still comes in from the link before, as through a switch.
    bool cut_through = false;
    std::uint32_t mtu = 1500;  // octets of the largest packet

    bool limited() const { return bandwidth < std::numeric_limits<double>::infinity(); }
    double seconds(double octets) const { return 8 * octets / bandwidth; }
};

struct LinkCounters {
    std::uint64_t packets = 0;     // that entered the link
    std::uint64_t octets = 0;      // of those packets
    std::uint64_t lost = 0;        // at random
    std::uint64_t overflowed = 0;  // that found the queue full
    std::uint64_t cut = 0;         // that were lost as the link was cut
    std::uint64_t dropped_early = 0;  // by RED or CoDel
    std::uint64_t fragmented = 0;  // that were larger than the MTU
    double waited = 0;             // s that packets have waited in the queue, added up
};

class Link {
public:
    Link(LinkSettings settings, std::unique_ptr<Draw> draws) : settings(std::move(settings)), draws_(std::move(draws)) {}

    // Whether what it does to a packet is known when the packet enters it: it may lose it, but does not let it wait.
    bool simple() const {
        return up && (!taps || taps->see_messages_only()) && !settings.varying && !settings.jitter && !settings.limited();
    }
    // Whether it does nothing but delay.
    bool plain() const { return simple() && !taps && settings.loss == 0; }
    // Whether a packet that enters a simple link gets through, which is counted.
    bool let_through(Packet& packet);

    // Takes a packet, and gives it to the fabric at the far end unless it gets lost.
    void carry(Fabric& fabric, PacketPtr packet);
    // It carries nothing from now on, and loses what waits for it.
    void cut(double now);
    // Nothing happens any more.
    void close();
    // Sources that it keeps a queue of packets for.
    std::size_t sources() const { return room_ ? room_->queue.sources() : 0; }

    LinkSettings settings;
    LinkCounters counters;
    Taps* taps = nullptr;
    bool up = true;
    double cut_at = -std::numeric_limits<double>::infinity();

private:
    // A queue whose packets leave one by one, when it is their turn.
    struct Room {
        LinkQueue queue;
        Alarm turn;
    };

    // When the last bit of a packet leaves, which is known as it comes; none if it is dropped.
    std::optional<double> queue_up(const Packet& packet, double now);
    // Has a packet wait for its turn, unless it is dropped.
    void wait(Fabric& fabric, PacketPtr packet, double held);
    // Whether there is room for a packet, for which the longest subqueues give way.
    bool make_room(LinkQueue::Subqueue& own, const Packet& packet, double now);
    // The packet whose turn it is leaves.
    void serve(double now);
    // The last bit of a packet leaves at a time.
    void depart(Fabric& fabric, PacketPtr packet, double time, double held);
    // Packets that could have left since something waited.
    double idle(double now) const { return std::max(0.0, now - free_at_) / settings.seconds(settings.mtu); }

    // The delay of a packet that leaves at a time, where delays vary: datagrams have their own, flows keep their order.
    double draw_delay(const Packet& packet, double time);

    struct FlowKey {
        std::uint64_t addresses, ports;
        bool operator==(const FlowKey&) const = default;
    };
    struct FlowHash {
        std::size_t operator()(const FlowKey& key) const {
            return std::hash<std::uint64_t>()(key.addresses * 0x9e3779b97f4a7c15u ^ key.ports);
        }
    };

    std::unique_ptr<Draw> draws_;
    std::unordered_map<FlowKey, FlowDelay, FlowHash> flows_;
    std::size_t most_flows_ = 64;
    double free_at_ = 0;
    std::deque<double> starts_;  // when those that wait begin to leave, where that counts
    Red red_;
    std::unique_ptr<Room> room_;
};

}  // namespace rsim::network
