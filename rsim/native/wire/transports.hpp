// The kinds of transports, each described once: what it is called, and its fields. The codec has one type for all.
#pragma once

#include "fields.hpp"

namespace rsim::wire {

struct TransportName {
    const char* name;      // of the class in Python
    const char* source;    // section that defines it
    const char* protocol;  // the transport protocol's name in `to_dict`
    const char* doc;       // what it is
};

namespace transport {

inline constexpr auto port = required("port", &Transport::port, layout::TransportPort{}, "port");
inline constexpr auto addresses = required("addresses", &Transport::content, layout::TransportAddresses{},
                                           "its IPv4 and IPv6 addresses, in order, at least one");
inline constexpr auto address = required("addresses", &Transport::content, layout::TransportAddresses{},
                                         "its IPv4 or IPv6 address, exactly one");
inline constexpr const char* use_doc = "0 for data only, 1 for data plus control";

struct Dccp {
    static constexpr ParameterType kind = ParameterType::dccp_transport;
    static constexpr TransportName about{"DccpTransport", "RFC 5354 3.3", "dccp", "a DCCP transport"};
    static constexpr auto fields() {
        return std::tuple{
            port, required("service_code", &Transport::service_code, layout::ServiceCode{}, "service code"), address};
    }
};

struct Sctp {
    static constexpr ParameterType kind = ParameterType::sctp_transport;
    static constexpr TransportName about{"SctpTransport", "RFC 5354 3.4", "sctp",
                                         "an SCTP transport; its addresses may mix families"};
    static constexpr auto fields() {
        return std::tuple{port, addresses, optional("use", &Transport::use, layout::TransportUse{}, use_doc)};
    }
};

struct Tcp {
    static constexpr ParameterType kind = ParameterType::tcp_transport;
    static constexpr TransportName about{"TcpTransport", "RFC 5354 3.5", "tcp",
                                         "a TCP transport; rsplib puts its use into the reserved field"};
    static constexpr auto fields() {
        return std::tuple{port, address,
                          optional("use", &Transport::use, layout::TransportUse{}, use_doc, tcp_transport_use)};
    }
};

struct Udp {
    static constexpr ParameterType kind = ParameterType::udp_transport;
    static constexpr TransportName about{"UdpTransport", "RFC 5354 3.6", "udp", "a UDP transport"};
    static constexpr auto fields() { return std::tuple{port, address}; }
};

struct UdpLite {
    static constexpr ParameterType kind = ParameterType::udp_lite_transport;
    static constexpr TransportName about{"UdpLiteTransport", "RFC 5354 3.7", "udp_lite", "a UDP-Lite transport"};
    static constexpr auto fields() { return std::tuple{port, address}; }
};

struct Opaque {
    static constexpr ParameterType kind = ParameterType::opaque_transport;
    static constexpr TransportName about{"OpaqueTransport", "RFC 5354 3.16", "opaque",
                                         "octets that only the application understands"};
    static constexpr auto fields() {
        return std::tuple{required("data", &Transport::content, layout::OpaqueData{}, "the octets")};
    }
};

}  // namespace transport

// The types of a description's fields, in their order.
template <class Described>
using ValuesOf = decltype(std::apply([](auto... field) { return std::tuple<typename decltype(field)::Value...>{}; },
                                     Described::fields()));

// A transport of one kind; made of the values of its fields, in their order.
template <class Kind>
struct TransportOf : Transport {
    static constexpr auto about = Kind::about;
    static constexpr auto fields() { return Kind::fields(); }

    TransportOf() { kind = Kind::kind; }
    explicit TransportOf(const Transport& other) : Transport(other) {}
    template <class... Value>
        requires std::is_same_v<ValuesOf<Kind>, std::tuple<Value...>>
    explicit TransportOf(Value... values) : TransportOf() {
        std::apply([&](auto... field) { ((this->*field.member = std::move(values)), ...); }, Kind::fields());
    }
    bool operator==(const TransportOf&) const = default;
};
using DccpTransport = TransportOf<transport::Dccp>;
using SctpTransport = TransportOf<transport::Sctp>;
using TcpTransport = TransportOf<transport::Tcp>;
using UdpTransport = TransportOf<transport::Udp>;
using UdpLiteTransport = TransportOf<transport::UdpLite>;
using OpaqueTransport = TransportOf<transport::Opaque>;

}  // namespace rsim::wire
