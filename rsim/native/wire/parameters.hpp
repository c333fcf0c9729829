// Parameters that hold others, each described once: a struct, what it is called, and its fields.
#pragma once

#include "fields.hpp"

namespace rsim::wire {

struct ParameterName {
    const char* name;    // of the class in Python
    const char* source;  // section that defines it
    const char* doc;     // what it is
};

struct PoolElement {
    std::uint32_t identifier = 0;
    std::uint32_t home_server = 0;
    std::int32_t registration_life = -1;
    Transport user_transport;
    Policy policy;
    std::optional<Transport> asap_transport;
    bool operator==(const PoolElement&) const = default;

    static constexpr ParameterName about{"PoolElement", "RFC 5354 3.10", "a pool element as it registers"};
    static constexpr auto fields() {
        return std::tuple{
            required("identifier", &PoolElement::identifier, layout::Word{}, "the element's identifier in its pool"),
            optional("home_server", &PoolElement::home_server, layout::Word{},
                     "identifier of its home server, 0 if that is unknown"),
            optional("registration_life", &PoolElement::registration_life, layout::SignedWord{},
                     "life of the registration in s, -1 for ever"),
            required("user_transport", &PoolElement::user_transport, layout::UserTransport{},
                     "where the element serves"),
            required("policy", &PoolElement::policy, layout::PolicyParameter{}, "the pool's policy and its values"),
            optional("asap_transport", &PoolElement::asap_transport, layout::AsapTransport{},
                     "where the element takes ASAP; its home server fills it in")};
    }
};

struct ServerInformation {
    std::uint32_t server_identifier = 0;
    Transport transport;
    bool operator==(const ServerInformation&) const = default;

    static constexpr ParameterName about{"ServerInformation", "RFC 5354 3.11", "a server and where it takes ENRP"};
    static constexpr auto fields() {
        return std::tuple{required("server_identifier", &ServerInformation::server_identifier, layout::Word{},
                                   "the server's identifier"),
                          required("transport", &ServerInformation::transport, layout::ServerTransport{},
                                   "where the server takes ENRP")};
    }
};

struct ErrorCause {
    std::uint16_t code = 0;
    std::string information;
    bool operator==(const ErrorCause&) const = default;

    static constexpr ParameterName about{"ErrorCause", "RFC 5354 3.12", "why a message or a request was refused"};
    static constexpr auto fields() {
        return std::tuple{
            required("code", &ErrorCause::code, layout::CauseCode{}, "cause code (rsim.wire.Cause)"),
            optional("information", &ErrorCause::information, layout::Rest{},
                     "cause-specific information, often the parameter at fault")};
    }
};

struct PoolEntry {
    std::string pool_handle;
    std::vector<PoolElement> pool_elements;
    bool operator==(const PoolEntry&) const = default;

    static constexpr ParameterName about{"PoolEntry", "RFC 5353 2.3", "a pool and elements of it, as handle tables list them"};
    static constexpr auto fields() {
        return std::tuple{required("pool_handle", &PoolEntry::pool_handle, layout::HandleParameter{}, "the pool's name, at least one byte"),
                          required("pool_elements", &PoolEntry::pool_elements, layout::ElementParameter{}, "at least one element")};
    }
};

}  // namespace rsim::wire
