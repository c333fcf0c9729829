// The messages of ASAP (RFC 5352 section 2.2).
//
// Each is described once: a struct, what it is called, and its fields in the order of the wire. `problem` names what
// the fields can't express.
#pragma once

#include "parameters.hpp"

namespace rsim::wire {

// What a message is called, and by which number the wire knows it.
struct MessageName {
    std::uint8_t type;      // in the common header
    const char* name;       // of the class in Python
    const char* rfc_name;   // as the RFCs write it
    const char* source;     // section that defines it
    const char* doc;        // what it does
};

// Fields that several messages have.
template <class M>
constexpr auto pool_handle_field() {
    return required("pool_handle", &M::pool_handle, layout::HandleParameter{}, "the pool's name, at least one byte");
}
template <class M>
constexpr auto pe_identifier_field() {
    return required("pe_identifier", &M::pe_identifier, layout::WordParameter{ParameterType::pe_identifier},
                    "the pool element's identifier");
}
template <class M>
constexpr auto error_causes_field() {
    return optional("error_causes", &M::error_causes, layout::ErrorParameter{}, "what went wrong, empty for nothing");
}

struct Registration {
    std::string pool_handle;
    PoolElement pool_element;
    std::optional<std::string> statement{};
    bool operator==(const Registration&) const = default;

    static constexpr MessageName about{0x01, "Registration", "ASAP_REGISTRATION", "RFC 5352 2.2.1",
                                       "a pool element registers, or renews its registration"};
    static constexpr auto fields() {
        return std::tuple{pool_handle_field<Registration>(),
                          required("pool_element", &Registration::pool_element, layout::ElementParameter{},
                                   "the element that registers"),
                          optional("statement", &Registration::statement, layout::OwnExtension{extension(0x8041)},
                                   "the element's signed policy statement, an extension of rsim's (parameter 0x8041)")};
    }
};

struct Deregistration {
    std::string pool_handle;
    std::uint32_t pe_identifier = 0;
    bool operator==(const Deregistration&) const = default;

    static constexpr MessageName about{0x02, "Deregistration", "ASAP_DEREGISTRATION", "RFC 5352 2.2.2",
                                       "a pool element deregisters"};
    static constexpr auto fields() {
        return std::tuple{pool_handle_field<Deregistration>(), pe_identifier_field<Deregistration>()};
    }
};

struct RegistrationResponse {
    bool reject = false;
    std::string pool_handle;
    std::uint32_t pe_identifier = 0;
    std::vector<ErrorCause> error_causes;
    bool operator==(const RegistrationResponse&) const = default;

    static constexpr MessageName about{0x03, "RegistrationResponse", "ASAP_REGISTRATION_RESPONSE", "RFC 5352 2.2.3",
                                       "a server grants a registration or refuses it"};
    static constexpr auto fields() {
        return std::tuple{optional("reject", &RegistrationResponse::reject, layout::Flag{0x01},
                                   "R bit: the registration is refused"),
                          pool_handle_field<RegistrationResponse>(), pe_identifier_field<RegistrationResponse>(),
                          error_causes_field<RegistrationResponse>()};
    }
};

struct DeregistrationResponse {
    std::string pool_handle;
    std::uint32_t pe_identifier = 0;
    std::vector<ErrorCause> error_causes;
    bool operator==(const DeregistrationResponse&) const = default;

    static constexpr MessageName about{0x04, "DeregistrationResponse", "ASAP_DEREGISTRATION_RESPONSE",
                                       "RFC 5352 2.2.4", "a server grants a deregistration or refuses it"};
    static constexpr auto fields() {
        return std::tuple{pool_handle_field<DeregistrationResponse>(), pe_identifier_field<DeregistrationResponse>(),
                          error_causes_field<DeregistrationResponse>()};
    }
};

struct HandleResolution {
    bool send_updates = false;
    std::string pool_handle;
    std::optional<std::uint32_t> items;
    std::optional<std::string> evidence{};
    bool operator==(const HandleResolution&) const = default;

    static constexpr MessageName about{0x05, "HandleResolution", "ASAP_HANDLE_RESOLUTION", "RFC 5352 2.2.5",
                                       "a pool user asks for the elements of a pool"};
    static constexpr auto fields() {
        return std::tuple{
            optional("send_updates", &HandleResolution::send_updates, layout::Flag{0x01},
                     "S bit: the sender wants to hear of changes of the pool"),
            pool_handle_field<HandleResolution>(),
            optional("items", &HandleResolution::items, layout::WordParameter{extension(0x803f)},
                     "number of elements wanted, parameter 0x803f of draft-dreibholz-rserpool-asap-hropt",
                     "HANDLE_RESOLUTION_OPTION"_dialect),
            optional("evidence", &HandleResolution::evidence, layout::OwnExtension{extension(0x8043)},
                     "elements that do not serve as they have stated, an extension of rsim's (parameter 0x8043)")};
    }
};

struct HandleResolutionResponse {
    bool accept_updates = false;
    std::string pool_handle;
    std::optional<Policy> policy;
    std::vector<PoolElement> pool_elements;
    std::vector<ErrorCause> error_causes;
    std::optional<std::string> statements{};
    std::optional<std::string> choice_grant{};
    bool operator==(const HandleResolutionResponse&) const = default;

    static constexpr MessageName about{0x06, "HandleResolutionResponse", "ASAP_HANDLE_RESOLUTION_RESPONSE",
                                       "RFC 5352 2.2.6", "a server lists elements of a pool, or says why not"};
    static constexpr auto fields() {
        return std::tuple{
            optional("accept_updates", &HandleResolutionResponse::accept_updates, layout::Flag{0x01},
                     "A bit: the sender will tell of changes of the pool"),
            pool_handle_field<HandleResolutionResponse>(),
            optional("policy", &HandleResolutionResponse::policy, layout::PolicyParameter{},
                     "overall policy of the pool; None stands for round robin"),
            optional("pool_elements", &HandleResolutionResponse::pool_elements, layout::ElementParameter{},
                     "elements by the pool's policy, the one to use first in front"),
            error_causes_field<HandleResolutionResponse>(),
            optional("statements", &HandleResolutionResponse::statements, layout::OwnExtension{extension(0x8042)},
                     "signed policy statements of the elements, an extension of rsim's (parameter 0x8042)"),
            optional("choice_grant", &HandleResolutionResponse::choice_grant,
                     layout::OwnExtension{extension(0x8040)},
                     "how the pool user has to choose, an extension of rsim's (parameter 0x8040)")};
    }
    const char* problem() const {
        if (error_causes.empty() && pool_elements.empty())
            return "a positive response lists at least one pool element";
        if (!error_causes.empty() && (policy || !pool_elements.empty()))
            return "a negative response holds an operation error only";
        return nullptr;
    }
};

struct EndpointKeepAlive {
    bool home = false;
    std::uint32_t server_identifier = 0;
    std::string pool_handle;
    std::optional<std::uint32_t> pe_identifier;
    bool operator==(const EndpointKeepAlive&) const = default;

    static constexpr MessageName about{0x07, "EndpointKeepAlive", "ASAP_ENDPOINT_KEEP_ALIVE", "RFC 5352 2.2.7",
                                       "a server asks a pool element whether it is there"};
    static constexpr auto fields() {
        return std::tuple{
            optional("home", &EndpointKeepAlive::home, layout::Flag{0x01}, "H bit: the sender is the new home server"),
            required("server_identifier", &EndpointKeepAlive::server_identifier, layout::Word{},
                     "identifier of the sending server"),
            pool_handle_field<EndpointKeepAlive>(),
            optional("pe_identifier", &EndpointKeepAlive::pe_identifier, layout::WordParameter{ParameterType::pe_identifier},
                     "the pool element's identifier, an extension of rsplib's", "KEEP_ALIVE_PE_IDENTIFIER"_dialect)};
    }
};

struct EndpointKeepAliveAck {
    std::string pool_handle;
    std::uint32_t pe_identifier = 0;
    bool operator==(const EndpointKeepAliveAck&) const = default;

    static constexpr MessageName about{0x08, "EndpointKeepAliveAck", "ASAP_ENDPOINT_KEEP_ALIVE_ACK", "RFC 5352 2.2.8",
                                       "a pool element answers a keep-alive"};
    static constexpr auto fields() {
        return std::tuple{pool_handle_field<EndpointKeepAliveAck>(), pe_identifier_field<EndpointKeepAliveAck>()};
    }
};

struct EndpointUnreachable {
    std::string pool_handle;
    std::uint32_t pe_identifier = 0;
    bool operator==(const EndpointUnreachable&) const = default;

    static constexpr MessageName about{0x09, "EndpointUnreachable", "ASAP_ENDPOINT_UNREACHABLE", "RFC 5352 2.2.9",
                                       "a pool user reports an element that does not answer"};
    static constexpr auto fields() {
        return std::tuple{pool_handle_field<EndpointUnreachable>(), pe_identifier_field<EndpointUnreachable>()};
    }
};

struct ServerAnnounce {
    std::uint32_t server_identifier = 0;
    std::vector<Transport> transports;
    bool operator==(const ServerAnnounce&) const = default;

    static constexpr MessageName about{0x0a, "ServerAnnounce", "ASAP_SERVER_ANNOUNCE", "RFC 5352 2.2.10",
                                       "a server announces itself to pool elements and pool users"};
    static constexpr auto fields() {
        return std::tuple{required("server_identifier", &ServerAnnounce::server_identifier, layout::Word{},
                                   "identifier of the sending server"),
                          optional("transports", &ServerAnnounce::transports, layout::ServerTransports{},
                                   "where the server takes ASAP, SCTP and TCP transports only")};
    }
};

struct Cookie {
    std::string cookie;
    bool operator==(const Cookie&) const = default;

    static constexpr MessageName about{0x0b, "Cookie", "ASAP_COOKIE", "RFC 5352 2.2.11",
                                       "a pool element leaves the state of a session with the pool user"};
    static constexpr auto fields() {
        return std::tuple{required("cookie", &Cookie::cookie, layout::OctetsParameter{ParameterType::cookie},
                                   "the state, in a form that the application defines")};
    }
};

struct CookieEcho {
    std::string cookie;
    bool operator==(const CookieEcho&) const = default;

    static constexpr MessageName about{0x0c, "CookieEcho", "ASAP_COOKIE_ECHO", "RFC 5352 2.2.12",
                                       "a pool user hands the state of a session to its new pool element"};
    static constexpr auto fields() {
        return std::tuple{required("cookie", &CookieEcho::cookie, layout::OctetsParameter{ParameterType::cookie},
                                   "the state that the last pool element has sent")};
    }
};

struct BusinessCard {
    std::string pool_handle;
    std::optional<Policy> policy;
    std::vector<PoolElement> pool_elements;
    bool operator==(const BusinessCard&) const = default;

    static constexpr MessageName about{0x0d, "BusinessCard", "ASAP_BUSINESS_CARD", "RFC 5352 2.2.13",
                                       "a pool user that is a pool element itself tells of its pool"};
    static constexpr auto fields() {
        return std::tuple{
            pool_handle_field<BusinessCard>(),
            optional("policy", &BusinessCard::policy, layout::PolicyParameter{},
                     "policy of the pool, an extension of rsplib's", "BUSINESS_CARD_POLICY"_dialect),
            required("pool_elements", &BusinessCard::pool_elements, layout::ElementParameter{},
                     "at least one element, in order of preference")};
    }
    const char* problem() const {
        return pool_elements.empty() ? "a business card lists at least one pool element" : nullptr;
    }
};

struct AsapError {
    std::vector<ErrorCause> error_causes;
    bool operator==(const AsapError&) const = default;

    static constexpr MessageName about{0x0e, "AsapError", "ASAP_ERROR", "RFC 5352 2.2.14",
                                       "tells the sender of a message what was wrong with it"};
    static constexpr auto fields() {
        return std::tuple{required("error_causes", &AsapError::error_causes, layout::ErrorParameter{},
                                   "at least one cause")};
    }
};

}  // namespace rsim::wire
