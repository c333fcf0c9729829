// One Python class for each kind of transport; the codec has one type for all.
#pragma once

#include "common.hpp"

namespace rsim {

template <wire::ParameterType Kind>
struct TransportOf : wire::Transport {
    TransportOf() { kind = Kind; }
    explicit TransportOf(const wire::Transport& other) : wire::Transport(other) {}
    bool operator==(const TransportOf&) const = default;
};
using DccpTransport = TransportOf<wire::ParameterType::dccp_transport>;
using SctpTransport = TransportOf<wire::ParameterType::sctp_transport>;
using TcpTransport = TransportOf<wire::ParameterType::tcp_transport>;
using UdpTransport = TransportOf<wire::ParameterType::udp_transport>;
using UdpLiteTransport = TransportOf<wire::ParameterType::udp_lite_transport>;
using OpaqueTransport = TransportOf<wire::ParameterType::opaque_transport>;

nb::object transport_object(const wire::Transport& transport);

}  // namespace rsim
