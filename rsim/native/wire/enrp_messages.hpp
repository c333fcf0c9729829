// The messages of ENRP (RFC 5353 section 2), described as those of ASAP are.
#pragma once

#include "asap_messages.hpp"

namespace rsim::wire {

// Both parties, with which every message of ENRP begins.
template <class M>
constexpr auto sender_field() {
    return required("sender", &M::sender, layout::Word{}, "identifier of the sending server");
}
template <class M>
constexpr auto receiver_field() {
    return required("receiver", &M::receiver, layout::Word{}, "identifier of the receiving server, 0 for all");
}
template <class M>
constexpr auto target_field() {
    return required("target", &M::target, layout::Word{}, "identifier of the server to be taken over");
}

struct Presence {
    bool reply_required = false;
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;
    std::optional<std::uint16_t> pe_checksum;
    std::optional<ServerInformation> server_information;
    bool operator==(const Presence&) const = default;

    static constexpr MessageName about{0x01, "Presence", "ENRP_PRESENCE", "RFC 5353 2.1",
                                       "a server tells its peers that it is there"};
    static constexpr auto fields() {
        return std::tuple{
            optional("reply_required", &Presence::reply_required, layout::Flag{0x01},
                     "R bit: the receiver shall answer with a presence"),
            sender_field<Presence>(), receiver_field<Presence>(),
            optional("pe_checksum", &Presence::pe_checksum, layout::ChecksumParameter{},
                     "checksum over the sender's pool elements (RFC 5353 3.6.2)"),
            optional("server_information", &Presence::server_information, layout::ServerParameter{},
                     "where the sender takes ENRP")};
    }
};

struct HandleTableRequest {
    bool own_only = false;
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;
    bool operator==(const HandleTableRequest&) const = default;

    static constexpr MessageName about{0x02, "HandleTableRequest", "ENRP_HANDLE_TABLE_REQUEST", "RFC 5353 2.2",
                                       "a server asks a peer for its handlespace"};
    static constexpr auto fields() {
        return std::tuple{optional("own_only", &HandleTableRequest::own_only, layout::Flag{0x01},
                                   "W bit: only elements that the receiver owns"),
                          sender_field<HandleTableRequest>(), receiver_field<HandleTableRequest>()};
    }
};

struct HandleTableResponse {
    bool reject = false;
    bool more = false;
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;
    std::vector<PoolEntry> pools;
    bool operator==(const HandleTableResponse&) const = default;

    static constexpr MessageName about{0x03, "HandleTableResponse", "ENRP_HANDLE_TABLE_RESPONSE", "RFC 5353 2.3",
                                       "a server sends a piece of its handlespace, or refuses to"};
    static constexpr auto fields() {
        return std::tuple{
            optional("reject", &HandleTableResponse::reject, layout::Flag{0x01}, "R bit: the request is refused"),
            optional("more", &HandleTableResponse::more, layout::Flag{0x02}, "M bit: ask again for what follows"),
            sender_field<HandleTableResponse>(), receiver_field<HandleTableResponse>(),
            optional("pools", &HandleTableResponse::pools, layout::PoolEntries{}, "pools and elements of them")};
    }
    const char* problem() const {
        return reject && !pools.empty() ? "a rejecting response holds no pool entries" : nullptr;
    }
};

struct HandleUpdate {
    bool takeover_suggested = false;
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;
    std::uint16_t update_action = 0;
    std::string pool_handle;
    PoolElement pool_element;
    bool operator==(const HandleUpdate&) const = default;

    static constexpr MessageName about{0x04, "HandleUpdate", "ENRP_HANDLE_UPDATE", "RFC 5353 2.4",
                                       "a server tells its peers of an element that it has added or removed"};
    static constexpr auto fields() {
        return std::tuple{
            optional("takeover_suggested", &HandleUpdate::takeover_suggested, layout::Flag{0x01},
                     "T bit of draft-dreibholz-rserpool-enrp-takeover: the receiver may become the element's home",
                     "TAKEOVER_SUGGESTED"_dialect),
            sender_field<HandleUpdate>(), receiver_field<HandleUpdate>(),
            required("update_action", &HandleUpdate::update_action, layout::Action{}, "0 adds the element, 1 deletes it"),
            pool_handle_field<HandleUpdate>(),
            required("pool_element", &HandleUpdate::pool_element, layout::ElementParameter{}, "the element")};
    }
};

struct ListRequest {
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;
    bool operator==(const ListRequest&) const = default;

    static constexpr MessageName about{0x05, "ListRequest", "ENRP_LIST_REQUEST", "RFC 5353 2.5",
                                       "a server asks a peer which servers it knows"};
    static constexpr auto fields() {
        return std::tuple{sender_field<ListRequest>(), receiver_field<ListRequest>()};
    }
};

struct ListResponse {
    bool reject = false;
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;
    std::vector<ServerInformation> servers;
    bool operator==(const ListResponse&) const = default;

    static constexpr MessageName about{0x06, "ListResponse", "ENRP_LIST_RESPONSE", "RFC 5353 2.6",
                                       "a server lists the servers that it knows, or refuses to"};
    static constexpr auto fields() {
        return std::tuple{
            optional("reject", &ListResponse::reject, layout::Flag{0x01}, "R bit: the request is refused"),
            sender_field<ListResponse>(), receiver_field<ListResponse>(),
            optional("servers", &ListResponse::servers, layout::ServerParameter{}, "the servers")};
    }
    const char* problem() const {
        return reject && !servers.empty() ? "a rejecting response holds no servers" : nullptr;
    }
};

struct InitTakeover {
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;
    std::uint32_t target = 0;
    bool operator==(const InitTakeover&) const = default;

    static constexpr MessageName about{0x07, "InitTakeover", "ENRP_INIT_TAKEOVER", "RFC 5353 2.7",
                                       "a server wants to take over one that does not answer"};
    static constexpr auto fields() {
        return std::tuple{sender_field<InitTakeover>(), receiver_field<InitTakeover>(), target_field<InitTakeover>()};
    }
};

struct InitTakeoverAck {
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;
    std::uint32_t target = 0;
    bool operator==(const InitTakeoverAck&) const = default;

    static constexpr MessageName about{0x08, "InitTakeoverAck", "ENRP_INIT_TAKEOVER_ACK", "RFC 5353 2.8",
                                       "a server agrees to a takeover"};
    static constexpr auto fields() {
        return std::tuple{sender_field<InitTakeoverAck>(), receiver_field<InitTakeoverAck>(),
                          target_field<InitTakeoverAck>()};
    }
};

struct TakeoverServer {
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;
    std::uint32_t target = 0;
    bool operator==(const TakeoverServer&) const = default;

    static constexpr MessageName about{0x09, "TakeoverServer", "ENRP_TAKEOVER_SERVER", "RFC 5353 2.9",
                                       "a server tells its peers that it has taken another over"};
    static constexpr auto fields() {
        return std::tuple{sender_field<TakeoverServer>(), receiver_field<TakeoverServer>(),
                          target_field<TakeoverServer>()};
    }
};

struct EnrpError {
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;
    std::vector<ErrorCause> error_causes;
    bool operator==(const EnrpError&) const = default;

    static constexpr MessageName about{0x0a, "EnrpError", "ENRP_ERROR", "RFC 5353 2.10",
                                       "tells the sender of a message what was wrong with it"};
    static constexpr auto fields() {
        return std::tuple{sender_field<EnrpError>(), receiver_field<EnrpError>(),
                          required("error_causes", &EnrpError::error_causes, layout::ErrorParameter{},
                                   "at least one cause")};
    }
};

}  // namespace rsim::wire
