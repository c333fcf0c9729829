#include "fabric.hpp"

#include <algorithm>
#include <limits>

#include "association.hpp"
#include "stack.hpp"

namespace rsim::network {

Fabric::Fabric(Schedule& schedule, FabricPlan& plan, SctpSettings sctp, std::unique_ptr<Draw> draws, bool ipv6)
    : sctp(sctp), tcp(sctp), ipv6(ipv6), schedule_(&schedule), plan_(plan), draws_(std::move(draws)) {
    // TCP has no heartbeats.
    tcp.heartbeat_interval = never;
}

void Fabric::close() {
    for (Station& station : stations_)
        if (station.stack) station.stack->close();
    for (const auto& link : links_) link->close();
    schedule_ = nullptr;
}

std::uint32_t Fabric::add_address(std::uint32_t site) {
    stations_.push_back({site, false, nullptr});
    return static_cast<std::uint32_t>(stations_.size() - 1);
}

void Fabric::add_access(std::uint32_t address) { stations_[address].has_access = true; }

Link& Fabric::add_link(std::unique_ptr<Link> link) { return *links_.emplace_back(std::move(link)); }

Route& Fabric::route(std::uint32_t source, std::uint32_t destination) {
    const Station &from = stations_[source], &to = stations_[destination];
    const bool by_site = !from.has_access && !to.has_access;
    constexpr std::uint64_t mark = std::uint64_t{1} << 63;
    const std::uint64_t key = by_site ? mark | std::uint64_t{from.site} << 32 | to.site
                                      : std::uint64_t{source} << 32 | destination;
    if (const auto found = routes_.find(key); found != routes_.end()) return *found->second;
    Route& made = find_route(source, destination);
    routes_[key] = &made;
    return made;
}

Route& Fabric::find_route(std::uint32_t source, std::uint32_t destination) {
    std::vector<Link*> links = plan_.find_links(source, destination);
    Route*& known = routes_by_links_[links];
    if (!known) known = all_routes_.emplace_back(std::make_unique<Route>(std::move(links))).get();
    known->refresh();
    return *known;
}

void Fabric::refresh() {
    for (const auto& route : all_routes_) route->refresh();
}

void Fabric::note_cut(const Link& link) {
    for (const auto& route : all_routes_)
        if (std::find(route->links.begin(), route->links.end(), &link) != route->links.end()) route->cut_at = now();
}

void Fabric::reroute() {
    routes_.clear();
    for (const Station& station : stations_)
        if (station.stack) station.stack->reroute();
}

void Fabric::watch_peers() {
    for (std::uint32_t address = 0; address < stations_.size(); ++address) {
        Stack* const stack = stations_[address].stack;
        if (stack && stack->addresses.front() == address) stack->watch_peers();
    }
}

bool Fabric::prepare(Packet& packet, Route& route) {
    const Stack* const sender = stack_at(packet.source);
    if (closed() || (sender && !sender->up())) return false;
    packet.route = &route;
    packet.sent_at = now();
    packet.size = packet.count_octets(ipv6);
    if (packet.size > route.mtu) route.fragment(packet, ipv6 ? ipv6_header : ipv4_header, ipv6 ? ipv6_fragment_header : 0);
    packet.fabric = Ref<Fabric>(this);
    if (capturing) plan_.capture(packet, route.plain ? now() + route.delay : never);
    return true;
}

void Fabric::transmit(PacketPtr packet, Route& route) {
    if (!prepare(*packet, route)) return;
    if (!route.simple) return next_hop(std::move(packet));
    if (!stack_at(packet->destination)) return;
    // All packets of a simple route go as one event each, so that those that leave at one time arrive in their order.
    transmit_simple(packet, route);
}

bool Fabric::transmit_simple(PacketPtr& packet, Route& route) {
    packet->hop = whole_way;
    if (route.plain)
        ++route.packets;
    else if (!route.let_through(*packet))
        return false;
    pass_on(now() + route.delay, std::move(packet));
    return true;
}

bool Fabric::transmit_short(PacketPtr& packet, Route& route) {
    return !prepare(*packet, route) || transmit_simple(packet, route);
}

void Fabric::pass_on(double time, PacketPtr packet) {
    packet->sent_at = now();
    schedule_->add(time, *packet);
    packet.release();
}

void Fabric::next_hop(PacketPtr packet) {
    Route& route = *packet->route;
    if (packet->hop == route.links.size()) return deliver(std::move(packet));
    Link& link = *route.links[packet->hop++];
    link.carry(*this, std::move(packet));
}

void Fabric::proceed(PacketPtr packet) {
    if (closed()) return;
    Route& route = *packet->route;
    if (packet->hop == whole_way) {
        if (route.cut_at < packet->sent_at) return deliver(std::move(packet));
        ++route.packets_cut;
        if (!packet->short_way) return;
        if (Stack* const sender = stack_at(packet->source)) sender->take_back(*packet);
        return;
    }
    Link& link = *route.links[packet->hop - 1u];
    if (link.cut_at >= packet->sent_at) {
        ++link.counters.cut;
        return;
    }
    next_hop(std::move(packet));
}

void Fabric::deliver(PacketPtr packet) {
    if (Stack* const stack = stack_at(packet->destination)) stack->arrive(std::move(packet));
}

std::uint32_t Fabric::draw_tag() { return 1 + static_cast<std::uint32_t>(draws_->uniform() * 0xFFFFFFFF); }

}  // namespace rsim::network
