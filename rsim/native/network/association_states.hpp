// States of an association, what changes them, and where the RFC says so (RFC 9260 4).
#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>

namespace rsim::network {

enum class State : std::uint8_t {
    cookie_wait,
    cookie_echoed,
    established,
    shutdown_pending,
    shutdown_sent,
    shutdown_ack_sent,
    closed,
};

enum class Change : std::uint8_t {
    init_ack,     // the peer has answered the INIT
    cookie_ack,   // the peer has answered the COOKIE ECHO
    cookie_echo,  // the cookie of the peer is good: this is the listener's side
    join,         // both sides are set up at once, as nothing lies between them
    close,        // the endpoint ends the association in order
    drain,        // all that was sent is acknowledged
    shutdown,     // the peer has sent SHUTDOWN
    end,          // both sides have shut down, one has aborted, or the peer does not answer
};

struct Transition {
    State state;
    Change change;
    State next;
    const char* section;
};

inline constexpr std::array transitions{
    Transition{State::cookie_wait, Change::init_ack, State::cookie_echoed, "RFC 9260 5.1 C"},
    Transition{State::cookie_echoed, Change::cookie_ack, State::established, "RFC 9260 5.1 E"},
    Transition{State::cookie_wait, Change::cookie_echo, State::established, "RFC 9260 5.1 D"},
    Transition{State::cookie_wait, Change::join, State::established, "RFC 9260 5.1"},
    Transition{State::established, Change::close, State::shutdown_pending, "RFC 9260 9.2"},
    Transition{State::shutdown_pending, Change::drain, State::shutdown_sent, "RFC 9260 9.2"},
    Transition{State::established, Change::shutdown, State::shutdown_ack_sent, "RFC 9260 9.2"},
    Transition{State::shutdown_pending, Change::shutdown, State::shutdown_ack_sent, "RFC 9260 9.2"},
    Transition{State::shutdown_sent, Change::shutdown, State::shutdown_ack_sent, "RFC 9260 9.2"},
    Transition{State::cookie_wait, Change::end, State::closed, "RFC 9260 5.1, 9.1"},
    Transition{State::cookie_echoed, Change::end, State::closed, "RFC 9260 5.1, 9.1"},
    Transition{State::established, Change::end, State::closed, "RFC 9260 8.1, 9.1"},
    Transition{State::shutdown_pending, Change::end, State::closed, "RFC 9260 8.1, 9.1"},
    Transition{State::shutdown_sent, Change::end, State::closed, "RFC 9260 9.2"},
    Transition{State::shutdown_ack_sent, Change::end, State::closed, "RFC 9260 9.2"},
};

// The table has no row for what has happened: an error of this program, not of a peer.
struct StateProblem : std::logic_error {
    StateProblem(State state, Change change) : std::logic_error("association"), state(state), change(change) {}
    State state;
    Change change;
};

// How often each row was taken, by all associations of the process.
inline std::array<std::uint64_t, transitions.size()> transitions_taken{};

// The state after a change.
inline State state_after(State state, Change change) {
    for (std::size_t row = 0; row < transitions.size(); ++row) {
        if (transitions[row].state != state || transitions[row].change != change) continue;
        ++transitions_taken[row];
        return transitions[row].next;
    }
    throw StateProblem(state, change);
}

}  // namespace rsim::network
