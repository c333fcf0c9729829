// What carries packets: routes between addresses, and the way of each packet.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "../clock/event.hpp"
#include "link.hpp"
#include "packet.hpp"
#include "route.hpp"
#include "sctp_settings.hpp"

namespace rsim::network {

class Stack;

// What the fabric asks of who has built it.
struct FabricPlan {
    virtual ~FabricPlan() = default;
    // The links from one address to another; none where nothing joins them, or one of them is unknown.
    virtual std::vector<Link*> find_links(std::uint32_t source, std::uint32_t destination) = 0;
    // The first octet of a message leaves.
    virtual void note_leaving(Message& message) = 0;
    // Takes a packet that leaves, and when it arrives; infinity: not known.
    virtual void capture(const Packet& packet, double arrival) = 0;
};

class Fabric {
public:
    Fabric(Schedule& schedule, FabricPlan& plan, SctpSettings sctp, std::unique_ptr<Draw> draws, bool ipv6);

    std::uint32_t references = 0;

    double now() const { return schedule_->now; }
    Schedule& schedule() const { return *schedule_; }
    // From here on nothing happens any more.
    void close();
    bool closed() const { return !schedule_; }

    // Addresses have numbers from 0. `site` is one for all addresses between which routes are the same.
    std::uint32_t add_address(std::uint32_t site);
    std::size_t addresses() const { return stations_.size(); }
    // From now on the address has links of its own to its site.
    void add_access(std::uint32_t address);
    void attach(std::uint32_t address, Stack* stack) { stations_[address].stack = stack; }
    Stack* stack_at(std::uint32_t address) const {
        return address < stations_.size() ? stations_[address].stack : nullptr;
    }

    Link& add_link(std::unique_ptr<Link> link);
    Route& route(std::uint32_t source, std::uint32_t destination);
    // Looks at the links of all routes again.
    void refresh();
    // A link has gone down: what is on its way there is lost.
    void note_cut(const Link& link);
    // Looks for all routes anew, as links have been added, have gone down or are back.
    void reroute();
    // Has all associations watch their peers, as the network has changed.
    void watch_peers();

    void note_leaving(Message& message) { plan_.note_leaving(message); }
    // Sends a packet on its way.
    void transmit(PacketPtr packet, Route& route);
    // Sends a packet that nobody watches on a simple route; false if it gets lost, and is left.
    bool transmit_short(PacketPtr& packet, Route& route);
    // For links: it is at the far end at a time.
    void pass_on(double time, PacketPtr packet);
    // For packets: it is where it was on its way to.
    void proceed(PacketPtr packet);
    // Hands a packet to the host that it is for, if there is one.
    void deliver(PacketPtr packet);

    // A tag or first TSN that nobody can guess.
    std::uint32_t draw_tag();
    double draw() { return draws_->uniform(); }

    const std::vector<std::unique_ptr<Route>>& routes() const { return all_routes_; }

    SctpSettings sctp, tcp;
    bool capturing = false;
    bool ipv6;

private:
    struct Station {
        std::uint32_t site = 0;
        bool has_access = false;
        Stack* stack = nullptr;
    };

    // Hop of a packet that goes the whole way as one event.
    static constexpr std::uint16_t whole_way = 0xFFFF;

    void next_hop(PacketPtr packet);
    bool prepare(Packet& packet, Route& route);
    bool transmit_simple(PacketPtr& packet, Route& route);
    Route& find_route(std::uint32_t source, std::uint32_t destination);

    Schedule* schedule_;
    FabricPlan& plan_;
    std::unique_ptr<Draw> draws_;
    std::vector<Station> stations_;
    std::vector<std::unique_ptr<Link>> links_;
    std::unordered_map<std::uint64_t, Route*> routes_;
    // With those that were replaced: packets may still be on them, and they have counted.
    std::vector<std::unique_ptr<Route>> all_routes_;
    // A way that is taken again is the same route.
    std::map<std::vector<Link*>, Route*> routes_by_links_;
};

}  // namespace rsim::network
