#include "packet.hpp"

#include "fabric.hpp"

namespace rsim::network {
namespace {

// Packets that are not under way, to be used again with the room that they have.
struct Store {
    // More are seldom needed again soon.
    static constexpr std::size_t most = 4096;
    std::vector<Packet*> free;
    ~Store() {
        for (Packet* packet : free) delete packet;
    }
};

Store& store() {
    static Store packets;
    return packets;
}

}  // namespace

PacketPtr Packet::make() {
    auto& free = store().free;
    if (free.empty()) return PacketPtr(new Packet);
    PacketPtr packet(free.back());
    free.pop_back();
    return packet;
}

PacketPtr Packet::copy() const {
    PacketPtr other = make();
    other->source = source;
    other->destination = destination;
    other->group = group;
    other->source_port = source_port;
    other->destination_port = destination_port;
    other->tag = tag;
    other->protocol = protocol;
    other->has_sack = has_sack;
    other->hop = hop;
    other->size = size;
    other->sent_at = sent_at;
    other->route = route;
    other->fabric = fabric;
    other->sack = sack;
    other->controls = controls;
    other->data = data;
    other->datagram = datagram;
    return other;
}

void Packet::clear() {
    protocol = Protocol::sctp;
    short_way = has_sack = false;
    hop = 0;
    group = no_group;
    tag = size = 0;
    route = nullptr;
    fabric = {};
    sack.gaps.clear();
    controls.clear();
    data.clear();
    datagram = {};
}

void ReturnPacket::operator()(Packet* packet) const {
    packet->clear();
    auto& free = store().free;
    if (free.size() < Store::most)
        free.push_back(packet);
    else
        delete packet;
}

void Packet::happen() {
    PacketPtr self(this);
    const Ref<Fabric> carrier = fabric;
    carrier->proceed(std::move(self));
}

std::uint32_t Packet::count_octets(bool ipv6) const {
    std::uint32_t octets = ipv6 ? ipv6_header : ipv4_header;
    if (protocol == Protocol::udp) return octets + udp_header + (datagram ? datagram->size : 0);
    if (protocol == Protocol::tcp) {
        octets += tcp_header;
        for (const DataChunk& chunk : data) octets += chunk.length;
        for (const ControlChunk& chunk : controls)
            if (chunk.kind == Control::init || chunk.kind == Control::init_ack) octets += syn_options;
        if (has_sack) octets += sack.gap_options();
        return octets;
    }
    octets += sctp_header;
    for (const ControlChunk& chunk : controls) octets += chunk.size();
    if (has_sack) octets += sack.size();
    for (const DataChunk& chunk : data) octets += chunk.size();
    return octets;
}

}  // namespace rsim::network
