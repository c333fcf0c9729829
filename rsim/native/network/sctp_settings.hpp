// Protocol parameters of associations (RFC 9260 16), and what the host gives them.
#pragma once

#include <cstdint>
#include <limits>

namespace rsim::network {

struct SctpSettings {
    double rto_initial = 1, rto_min = 1, rto_max = 60;  // s
    unsigned association_max_retrans = 10, path_max_retrans = 5, max_init_retransmits = 8;
    double heartbeat_interval = 30;  // s; infinity: no heartbeats
    double sack_delay = 0.2;         // s
    double cookie_life = 60;         // s
    bool congestion_control = true;
    unsigned max_burst = 4;                  // packets
    std::uint32_t receive_buffer = 131'072;  // octets of an association
};

}  // namespace rsim::network
