// Routes: the links between two addresses.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "link.hpp"

namespace rsim::network {

struct Route {
    explicit Route(std::vector<Link*> links) : links(std::move(links)) { refresh(); }

    // Looks at the links again.
    void refresh() {
        plain = simple = true;
        delay = 0;
        mtu = links.empty() ? LinkSettings{}.mtu : std::numeric_limits<std::uint32_t>::max();
        for (const Link* link : links) {
            plain = plain && link->plain();
            // Who stands further on looks at a packet when it comes there.
            simple = simple && link->simple() && (!link->taps || delay == 0);
            delay += link->settings.delay;
            mtu = std::min(mtu, link->settings.mtu);
        }
    }

    // IP splits a packet that is larger than the MTU, as when it is sent again on another route (RFC 9260 6.9). It goes
    // on as one, with the octets of all headers: `header` at the front, `further` in each fragment beside it.
    void fragment(Packet& packet, std::uint32_t header, std::uint32_t further) const {
        for (Link* link : links)
            if (packet.size > link->settings.mtu) ++link->counters.fragmented;
        const std::uint32_t room = (mtu - header - further) / 8 * 8, payload = packet.size - header;
        packet.size = payload + (payload + room - 1) / room * (header + further);
    }

    // Whether a packet that enters a simple route gets to its end, which the links count.
    bool let_through(Packet& packet) const {
        for (Link* link : links)
            if (!link->let_through(packet)) return false;
        return true;
    }

    std::vector<Link*> links;  // from the source to the destination
    std::uint32_t mtu = 0;     // octets of the largest packet that they carry
    bool plain = true;         // no link does more than delay
    bool simple = true;        // what the links do to a packet is known when it leaves
    double delay = 0;          // of a simple route, in s
    // Packets that went as one event, without asking the links, and those among them that did not arrive.
    std::uint64_t packets = 0, packets_cut = 0;
    // When a link has last gone down.
    double cut_at = -std::numeric_limits<double>::infinity();
};

}  // namespace rsim::network
