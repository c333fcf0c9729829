// The messages of ASAP (RFC 5352 section 2.2) and ENRP (RFC 5353 section 2) as values.
//
// Each message lists its content once, in `fields`, in the order of the wire; the encoder, the
// decoder and the Python bindings all walk that list. `problem` names what the list can't express.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "types.hpp"

namespace rsim::wire {

enum class Protocol { asap, enrp };

struct Registration {  // RFC 5352 2.2.1
    static constexpr std::uint8_t type = 0x01;
    static constexpr const char* name = "Registration";
    std::string pool_handle;
    PoolElement pool_element;
    bool operator==(const Registration&) const = default;
    template <class Self, class V>
    static void fields(Self& m, V& v) {
        v.handle("pool_handle", m.pool_handle);
        v.element("pool_element", m.pool_element);
    }
};

// Content shared by the messages that name one element: handle and PE identifier.
#define RSIM_ELEMENT_MESSAGE(NAME, TYPE)                      \
    struct NAME {                                             \
        static constexpr std::uint8_t type = TYPE;            \
        static constexpr const char* name = #NAME;            \
        std::string pool_handle;                              \
        std::uint32_t pe_identifier = 0;                      \
        bool operator==(const NAME&) const = default;         \
        template <class Self, class V>                        \
        static void fields(Self& m, V& v) {                   \
            v.handle("pool_handle", m.pool_handle);           \
            v.identifier("pe_identifier", m.pe_identifier);   \
        }                                                     \
    };
RSIM_ELEMENT_MESSAGE(Deregistration, 0x02)        // RFC 5352 2.2.2
RSIM_ELEMENT_MESSAGE(EndpointKeepAliveAck, 0x08)  // RFC 5352 2.2.8
RSIM_ELEMENT_MESSAGE(EndpointUnreachable, 0x09)   // RFC 5352 2.2.9
#undef RSIM_ELEMENT_MESSAGE

struct RegistrationResponse {  // RFC 5352 2.2.3
    static constexpr std::uint8_t type = 0x03;
    static constexpr const char* name = "RegistrationResponse";
    bool reject = false;
    std::string pool_handle;
    std::uint32_t pe_identifier = 0;
    std::vector<ErrorCause> error_causes;
    bool operator==(const RegistrationResponse&) const = default;
    template <class Self, class V>
    static void fields(Self& m, V& v) {
        v.flag("reject", 0x01, m.reject);
        v.handle("pool_handle", m.pool_handle);
        v.identifier("pe_identifier", m.pe_identifier);
        v.optional_error("error_causes", m.error_causes);
    }
};

struct DeregistrationResponse {  // RFC 5352 2.2.4
    static constexpr std::uint8_t type = 0x04;
    static constexpr const char* name = "DeregistrationResponse";
    std::string pool_handle;
    std::uint32_t pe_identifier = 0;
    std::vector<ErrorCause> error_causes;
    bool operator==(const DeregistrationResponse&) const = default;
    template <class Self, class V>
    static void fields(Self& m, V& v) {
        v.handle("pool_handle", m.pool_handle);
        v.identifier("pe_identifier", m.pe_identifier);
        v.optional_error("error_causes", m.error_causes);
    }
};

struct HandleResolution {  // RFC 5352 2.2.5
    static constexpr std::uint8_t type = 0x05;
    static constexpr const char* name = "HandleResolution";
    bool send_updates = false;
    std::string pool_handle;
    std::optional<std::uint32_t> items;
    bool operator==(const HandleResolution&) const = default;
    template <class Self, class V>
    static void fields(Self& m, V& v) {
        v.flag("send_updates", 0x01, m.send_updates);
        v.handle("pool_handle", m.pool_handle);
        v.resolution_option("items", m.items);
    }
};

struct HandleResolutionResponse {  // RFC 5352 2.2.6
    static constexpr std::uint8_t type = 0x06;
    static constexpr const char* name = "HandleResolutionResponse";
    bool accept_updates = false;
    std::string pool_handle;
    std::optional<Policy> policy;
    std::vector<PoolElement> pool_elements;
    std::vector<ErrorCause> error_causes;
    bool operator==(const HandleResolutionResponse&) const = default;
    template <class Self, class V>
    static void fields(Self& m, V& v) {
        v.flag("accept_updates", 0x01, m.accept_updates);
        v.handle("pool_handle", m.pool_handle);
        v.optional_policy("policy", m.policy);
        v.elements("pool_elements", m.pool_elements);
        v.optional_error("error_causes", m.error_causes);
    }
    const char* problem() const {
        if (error_causes.empty() && pool_elements.empty())
            return "a positive response lists at least one pool element";
        if (!error_causes.empty() && (policy || !pool_elements.empty()))
            return "a negative response holds an operation error only";
        return nullptr;
    }
};

struct EndpointKeepAlive {  // RFC 5352 2.2.7
    static constexpr std::uint8_t type = 0x07;
    static constexpr const char* name = "EndpointKeepAlive";
    bool home = false;
    std::uint32_t server_identifier = 0;
    std::string pool_handle;
    std::optional<std::uint32_t> pe_identifier;
    bool operator==(const EndpointKeepAlive&) const = default;
    template <class Self, class V>
    static void fields(Self& m, V& v) {
        v.flag("home", 0x01, m.home);
        v.word32("server_identifier", m.server_identifier);
        v.handle("pool_handle", m.pool_handle);
        v.optional_identifier("pe_identifier", m.pe_identifier);
    }
};

struct ServerAnnounce {  // RFC 5352 2.2.10
    static constexpr std::uint8_t type = 0x0a;
    static constexpr const char* name = "ServerAnnounce";
    std::uint32_t server_identifier = 0;
    std::vector<Transport> transports;
    bool operator==(const ServerAnnounce&) const = default;
    template <class Self, class V>
    static void fields(Self& m, V& v) {
        v.word32("server_identifier", m.server_identifier);
        v.transports("transports", m.transports);
    }
};

#define RSIM_COOKIE_MESSAGE(NAME, TYPE)                \
    struct NAME {                                      \
        static constexpr std::uint8_t type = TYPE;     \
        static constexpr const char* name = #NAME;     \
        std::string cookie;                            \
        bool operator==(const NAME&) const = default;  \
        template <class Self, class V>                 \
        static void fields(Self& m, V& v) {            \
            v.cookie("cookie", m.cookie);              \
        }                                              \
    };
RSIM_COOKIE_MESSAGE(Cookie, 0x0b)      // RFC 5352 2.2.11
RSIM_COOKIE_MESSAGE(CookieEcho, 0x0c)  // RFC 5352 2.2.12
#undef RSIM_COOKIE_MESSAGE

struct BusinessCard {  // RFC 5352 2.2.13
    static constexpr std::uint8_t type = 0x0d;
    static constexpr const char* name = "BusinessCard";
    std::string pool_handle;
    std::vector<PoolElement> pool_elements;
    std::optional<Policy> policy;
    bool operator==(const BusinessCard&) const = default;
    template <class Self, class V>
    static void fields(Self& m, V& v) {
        v.handle("pool_handle", m.pool_handle);
        v.extension_policy("policy", m.policy);
        v.elements("pool_elements", m.pool_elements);
    }
    const char* problem() const {
        return pool_elements.empty() ? "a business card lists at least one pool element" : nullptr;
    }
};

struct AsapError {  // RFC 5352 2.2.14
    static constexpr std::uint8_t type = 0x0e;
    static constexpr const char* name = "AsapError";
    std::vector<ErrorCause> error_causes;
    bool operator==(const AsapError&) const = default;
    template <class Self, class V>
    static void fields(Self& m, V& v) {
        v.error("error_causes", m.error_causes);
    }
};

struct Presence {  // RFC 5353 2.1
    static constexpr std::uint8_t type = 0x01;
    static constexpr const char* name = "Presence";
    bool reply_required = false;
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;
    std::optional<std::uint16_t> pe_checksum;
    std::optional<ServerInformation> server_information;
    bool operator==(const Presence&) const = default;
    template <class Self, class V>
    static void fields(Self& m, V& v) {
        v.flag("reply_required", 0x01, m.reply_required);
        v.word32("sender", m.sender);
        v.word32("receiver", m.receiver);
        v.optional_checksum("pe_checksum", m.pe_checksum);
        v.optional_server("server_information", m.server_information);
    }
};

struct HandleTableRequest {  // RFC 5353 2.2
    static constexpr std::uint8_t type = 0x02;
    static constexpr const char* name = "HandleTableRequest";
    bool own_only = false;
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;
    bool operator==(const HandleTableRequest&) const = default;
    template <class Self, class V>
    static void fields(Self& m, V& v) {
        v.flag("own_only", 0x01, m.own_only);
        v.word32("sender", m.sender);
        v.word32("receiver", m.receiver);
    }
};

struct HandleTableResponse {  // RFC 5353 2.3
    static constexpr std::uint8_t type = 0x03;
    static constexpr const char* name = "HandleTableResponse";
    bool reject = false;
    bool more = false;
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;
    std::vector<PoolEntry> pools;
    bool operator==(const HandleTableResponse&) const = default;
    template <class Self, class V>
    static void fields(Self& m, V& v) {
        v.flag("reject", 0x01, m.reject);
        v.flag("more", 0x02, m.more);
        v.word32("sender", m.sender);
        v.word32("receiver", m.receiver);
        v.pools("pools", m.pools);
    }
    const char* problem() const {
        return reject && !pools.empty() ? "a rejecting response holds no pool entries" : nullptr;
    }
};

struct HandleUpdate {  // RFC 5353 2.4
    static constexpr std::uint8_t type = 0x04;
    static constexpr const char* name = "HandleUpdate";
    bool takeover_suggested = false;
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;
    std::uint16_t update_action = 0;
    std::string pool_handle;
    PoolElement pool_element;
    bool operator==(const HandleUpdate&) const = default;
    template <class Self, class V>
    static void fields(Self& m, V& v) {
        v.extension_flag("takeover_suggested", 0x01, m.takeover_suggested);
        v.word32("sender", m.sender);
        v.word32("receiver", m.receiver);
        v.action("update_action", m.update_action);
        v.handle("pool_handle", m.pool_handle);
        v.element("pool_element", m.pool_element);
    }
};

struct ListRequest {  // RFC 5353 2.5
    static constexpr std::uint8_t type = 0x05;
    static constexpr const char* name = "ListRequest";
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;
    bool operator==(const ListRequest&) const = default;
    template <class Self, class V>
    static void fields(Self& m, V& v) {
        v.word32("sender", m.sender);
        v.word32("receiver", m.receiver);
    }
};

struct ListResponse {  // RFC 5353 2.6
    static constexpr std::uint8_t type = 0x06;
    static constexpr const char* name = "ListResponse";
    bool reject = false;
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;
    std::vector<ServerInformation> servers;
    bool operator==(const ListResponse&) const = default;
    template <class Self, class V>
    static void fields(Self& m, V& v) {
        v.flag("reject", 0x01, m.reject);
        v.word32("sender", m.sender);
        v.word32("receiver", m.receiver);
        v.servers("servers", m.servers);
    }
    const char* problem() const {
        return reject && !servers.empty() ? "a rejecting response holds no servers" : nullptr;
    }
};

#define RSIM_TAKEOVER_MESSAGE(NAME, TYPE)              \
    struct NAME {                                      \
        static constexpr std::uint8_t type = TYPE;     \
        static constexpr const char* name = #NAME;     \
        std::uint32_t sender = 0;                      \
        std::uint32_t receiver = 0;                    \
        std::uint32_t target = 0;                      \
        bool operator==(const NAME&) const = default;  \
        template <class Self, class V>                 \
        static void fields(Self& m, V& v) {            \
            v.word32("sender", m.sender);              \
            v.word32("receiver", m.receiver);          \
            v.word32("target", m.target);              \
        }                                              \
    };
RSIM_TAKEOVER_MESSAGE(InitTakeover, 0x07)     // RFC 5353 2.7
RSIM_TAKEOVER_MESSAGE(InitTakeoverAck, 0x08)  // RFC 5353 2.8
RSIM_TAKEOVER_MESSAGE(TakeoverServer, 0x09)   // RFC 5353 2.9
#undef RSIM_TAKEOVER_MESSAGE

struct EnrpError {  // RFC 5353 2.10
    static constexpr std::uint8_t type = 0x0a;
    static constexpr const char* name = "EnrpError";
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;
    std::vector<ErrorCause> error_causes;
    bool operator==(const EnrpError&) const = default;
    template <class Self, class V>
    static void fields(Self& m, V& v) {
        v.word32("sender", m.sender);
        v.word32("receiver", m.receiver);
        v.error("error_causes", m.error_causes);
    }
};

template <class... Messages>
struct MessageList {
    using Variant = std::variant<Messages...>;
};

using AsapMessages =
    MessageList<Registration, Deregistration, RegistrationResponse, DeregistrationResponse,
                HandleResolution, HandleResolutionResponse, EndpointKeepAlive,
                EndpointKeepAliveAck, EndpointUnreachable, ServerAnnounce, Cookie, CookieEcho,
                BusinessCard, AsapError>;
using EnrpMessages =
    MessageList<Presence, HandleTableRequest, HandleTableResponse, HandleUpdate, ListRequest,
                ListResponse, InitTakeover, InitTakeoverAck, TakeoverServer, EnrpError>;

template <class... A, class... B>
MessageList<A..., B...> join(MessageList<A...>, MessageList<B...>);
using AllMessages = decltype(join(AsapMessages{}, EnrpMessages{}));

using Message = AllMessages::Variant;

}  // namespace rsim::wire
