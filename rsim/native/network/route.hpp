// Routes: the links between two addresses.
#pragma once

#include <limits>
#include <vector>

#include "link.hpp"

namespace rsim::network {

struct Route {
    explicit Route(std::vector<Link*> links, std::uint32_t mtu) : links(std::move(links)), mtu(mtu) { refresh(); }

    // Looks at the links again.
    void refresh() {
        plain = simple = true;
        delay = 0;
        for (const Link* link : links) {
            plain = plain && link->plain();
            // Who stands further on looks at a packet when it comes there.
            simple = simple && link->simple() && (!link->taps || delay == 0);
            delay += link->settings.delay;
        }
    }

    // Whether a packet that enters a simple route gets to its end, which the links count.
    bool let_through(Packet& packet) const {
        for (Link* link : links)
            if (!link->let_through(packet)) return false;
        return true;
    }

    std::vector<Link*> links;  // from the source to the destination
    std::uint32_t mtu;         // octets of the largest packet that they carry
    bool plain = true;         // no link does more than delay
    bool simple = true;        // what the links do to a packet is known when it leaves
    double delay = 0;          // of a simple route, in s
    // Packets that went as one event, without asking the links, and those among them that did not arrive.
    std::uint64_t packets = 0, packets_cut = 0;
    // When a link has last gone down.
    double cut_at = -std::numeric_limits<double>::infinity();
};

}  // namespace rsim::network
