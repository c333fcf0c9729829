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

inline constexpr auto port = required("port", &Transport::port, layout::Port{}, "port");
inline constexpr auto port_alone = required("port", &Transport::port, layout::PortAndReserved{}, "port");
inline constexpr auto addresses = required("addresses", &Transport::content, layout::Addresses{SIZE_MAX},
                                           "its IPv4 and IPv6 addresses, in order, at least one");
inline constexpr auto address = required("addresses", &Transport::content, layout::Addresses{1},
                                         "its IPv4 or IPv6 address, exactly one");
inline constexpr const char* use_doc = "0 for data only, 1 for data plus control";

struct Dccp {
    static constexpr ParameterType kind = ParameterType::dccp_transport;
    static constexpr TransportName about{"DccpTransport", "RFC 5354 3.3", "dccp", "a DCCP transport"};
    static constexpr auto fields() {
        return std::tuple{port_alone, required("service_code", &Transport::service_code, layout::Word{}, "service code"),
                          address};
    }
};

struct Sctp {
    static constexpr ParameterType kind = ParameterType::sctp_transport;
    static constexpr TransportName about{"SctpTransport", "RFC 5354 3.4", "sctp",
                                         "an SCTP transport; its addresses may mix families"};
    static constexpr auto fields() {
        return std::tuple{port, optional("use", &Transport::use, layout::TransportUse{}, use_doc), addresses};
    }
};

struct Tcp {
    static constexpr ParameterType kind = ParameterType::tcp_transport;
    static constexpr TransportName about{"TcpTransport", "RFC 5354 3.5", "tcp",
                                         "a TCP transport; rsplib puts its use into the reserved field"};
    static constexpr auto fields() {
        return std::tuple{
            port, optional("use", &Transport::use, layout::ReservedUse{}, use_doc, "TCP_TRANSPORT_USE"_dialect), address};
    }
};

struct Udp {
    static constexpr ParameterType kind = ParameterType::udp_transport;
    static constexpr TransportName about{"UdpTransport", "RFC 5354 3.6", "udp", "a UDP transport"};
    static constexpr auto fields() { return std::tuple{port_alone, address}; }
};

struct UdpLite {
    static constexpr ParameterType kind = ParameterType::udp_lite_transport;
    static constexpr TransportName about{"UdpLiteTransport", "RFC 5354 3.7", "udp_lite", "a UDP-Lite transport"};
    static constexpr auto fields() { return std::tuple{port_alone, address}; }
};

struct Opaque {
    static constexpr ParameterType kind = ParameterType::opaque_transport;
    static constexpr TransportName about{"OpaqueTransport", "RFC 5354 3.16", "opaque",
                                         "octets that only the application understands"};
    static constexpr auto fields() {
        return std::tuple{required("data", &Transport::content, layout::Rest{}, "the octets")};
    }
};

}  // namespace transport

// All kinds, the most frequent first.
using TransportKinds = std::tuple<transport::Sctp, transport::Tcp, transport::Udp, transport::UdpLite, transport::Dccp,
                                  transport::Opaque>;

// Calls visit.operator()<Kind>() with the kind that has this type of parameter; false if none has.
template <class Visit>
constexpr bool with_transport_kind(ParameterType type, Visit&& visit) {
    return [&]<std::size_t... n>(std::index_sequence<n...>) {
        return ((type == std::tuple_element_t<n, TransportKinds>::kind &&
                 (visit.template operator()<std::tuple_element_t<n, TransportKinds>>(), true)) || ...);
    }(std::make_index_sequence<std::tuple_size_v<TransportKinds>>{});
}

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
using SctpTransport = TransportOf<transport::Sctp>;

}  // namespace rsim::wire
