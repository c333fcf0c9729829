// Paths of an association: pairs of addresses with their round-trip times and windows (RFC 9260 6.3, 6.4, 7.2).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "../clock/alarm.hpp"
#include "route.hpp"
#include "sctp_settings.hpp"

namespace rsim::network {

struct Path {
    Path(std::uint32_t local, std::uint32_t remote, Route& route, Route& back, double rto)
        : local(local), remote(remote), route(&route), back(&back), rto(rto) {}

    // Takes a round-trip time in s into account (RFC 9260 6.3.1).
    void note_round_trip(double time, const SctpSettings& settings) {
        constexpr double alpha = 1.0 / 8, beta = 1.0 / 4;  // RFC 9260 16
        if (srtt < 0) {
            srtt = time;
            rttvar = time / 2;
        } else {
            rttvar = (1 - beta) * rttvar + beta * std::abs(srtt - time);
            srtt = (1 - alpha) * srtt + alpha * time;
        }
        rto = std::clamp(srtt + 4 * rttvar, settings.rto_min, settings.rto_max);
    }

    void back_off(const SctpSettings& settings) { rto = std::min(2 * rto, settings.rto_max); }

    std::uint32_t local, remote;  // numbers of addresses
    Route *route, *back;  // there, and from there
    double rto;  // s
    double srtt = -1, rttvar = 0;
    unsigned errors = 0;
    bool active = true;

    // Congestion (RFC 9260 7.2), in octets of user messages.
    double cwnd = 0, ssthresh = std::numeric_limits<double>::infinity();
    std::uint64_t flight = 0;
    std::uint64_t partial_bytes_acked = 0;
    double data_sent_at = -std::numeric_limits<double>::infinity();

    // The one message of each round trip that is timed (RFC 9260 6.3.1, C4 and C5).
    bool timing = false;
    std::uint64_t timed_tsn = 0;
    double timed_at = 0;
    // Messages went without being watched, and would have given a round-trip time.
    bool passed_short = false;

    // Heartbeats (RFC 9260 8.3).
    bool beating = false;  // one is awaited
    std::uint64_t beat_number = 0;
    double beat_at = 0;       // when it was sent
    double next_beat_at = 0;  // when the next one is due, whatever comes of this one
    // When something was last sent that gives a round-trip time.
    double used_at = -std::numeric_limits<double>::infinity();

    Alarm t3;    // retransmission
    Alarm beat;  // heartbeats
};

}  // namespace rsim::network
