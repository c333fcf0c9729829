// Python faces of the messages of RFC 5352 and RFC 5353, and of the codec.
#include "element_list.hpp"

#include "../wire/decode.hpp"

namespace rsim {

using namespace wire;

namespace {

// Writes down every field whatever the dialect, so that equal messages and only those are equal.
constexpr unsigned everything = rsplib & ~static_cast<unsigned>(padded_message_length);

template <class M>
nb::bytes encode_message(const M& message, unsigned dialect) {
    Encoder encoder(dialect);
    try {
        const auto bytes = encoder.encode(message);
        return nb::bytes(bytes.data(), bytes.size());
    } catch (const FieldProblem& problem) {
        raise_field_error(problem.field.c_str(), problem.what());
    }
}

template <class M>
nb::class_<M> message_class(nb::module_& module, const char* doc) {
    nb::class_<M> cls(module, M::name, doc);
    cls.attr("type_code") = M::type;
    cls.def("encode", &encode_message<M>, "dialect"_a = 0u,
            "Bytes of the message, by the letter of the RFCs or in a dialect (rsim.wire.Dialect).");
    return cls;
}

template <class M>
void finish(nb::class_<M>& cls, FieldNames names) {
    value_methods<M>(cls, std::move(names), [](const M& m) {
        const nb::bytes bytes = encode_message(m, everything);
        return to_string(bytes);
    }, {"message", M::name});
}

std::uint32_t word(const char* field, nb::int_ value) { return whole<std::uint32_t>(field, value); }

std::optional<std::uint32_t> optional_word(const char* field, std::optional<nb::int_> value) {
    if (!value) return std::nullopt;
    return word(field, *value);
}

// Of a value that may be missing.
template <class T>
std::optional<T> optional(const T* value) {
    return value ? std::optional<T>(*value) : std::nullopt;
}

template <class M>
void add_handle(nb::class_<M>& cls) {
    cls.def_prop_ro("pool_handle", [](const M& m) { return to_bytes(m.pool_handle); });
}

template <class M>
void add_causes(nb::class_<M>& cls) {
    cls.def_prop_ro("error_causes", [](const M& m) {
        return to_tuple(m.error_causes, &object_from<ErrorCause>);
    }, nb::sig("def error_causes(self) -> tuple[ErrorCause, ...]"));
}

template <class M>
void add_elements(nb::class_<M>& cls) {
    cls.def_prop_ro("pool_elements", [](const M& m) {
        return to_tuple(m.pool_elements, &object_from<PoolElement>);
    }, nb::sig("def pool_elements(self) -> tuple[PoolElement, ...]"));
}

template <class M>
void add_parties(nb::class_<M>& cls) {
    cls.def_ro("sender", &M::sender, "Identifier of the sending server.");
    cls.def_ro("receiver", &M::receiver, "Identifier of the receiving server, 0 for all.");
}

template <class M>
void element_message(nb::module_& module, const char* doc) {
    auto cls = message_class<M>(module, doc);
    cls.def("__init__", [](M* self, nb::bytes pool_handle, nb::int_ pe_identifier) {
        new (self) M{to_string(pool_handle), word("pe_identifier", pe_identifier)};
    }, nb::kw_only(), "pool_handle"_a, "pe_identifier"_a);
    add_handle(cls);
    cls.def_ro("pe_identifier", &M::pe_identifier);
    finish(cls, {"pool_handle", "pe_identifier"});
}

template <class M>
void cookie_message(nb::module_& module, const char* doc) {
    auto cls = message_class<M>(module, doc);
    cls.def("__init__", [](M* self, nb::bytes cookie) { new (self) M{to_string(cookie)}; }, nb::kw_only(), "cookie"_a);
    cls.def_prop_ro("cookie", [](const M& m) { return to_bytes(m.cookie); });
    finish(cls, {"cookie"});
}

template <class M>
void takeover_message(nb::module_& module, const char* doc) {
    auto cls = message_class<M>(module, doc);
    cls.def("__init__", [](M* self, nb::int_ sender, nb::int_ receiver, nb::int_ target) {
        new (self) M{word("sender", sender), word("receiver", receiver), word("target", target)};
    }, nb::kw_only(), "sender"_a, "receiver"_a, "target"_a);
    add_parties(cls);
    cls.def_ro("target", &M::target, "Identifier of the server to be taken over.");
    finish(cls, {"sender", "receiver", "target"});
}

using Causes = Given<ErrorCause>;

void bind_asap(nb::module_& module) {
    auto registration = message_class<Registration>(module, "ASAP_REGISTRATION (RFC 5352 2.2.1).");
    registration.def("__init__", [](Registration* self, nb::bytes pool_handle, const PoolElement& pool_element) {
        new (self) Registration{to_string(pool_handle), pool_element};
    }, nb::kw_only(), "pool_handle"_a, "pool_element"_a);
    add_handle(registration);
    registration.def_prop_ro("pool_element", [](const Registration& m) { return m.pool_element; });
    finish(registration, {"pool_handle", "pool_element"});

    element_message<Deregistration>(module, "ASAP_DEREGISTRATION (RFC 5352 2.2.2).");

    auto response = message_class<RegistrationResponse>(module, "ASAP_REGISTRATION_RESPONSE (RFC 5352 2.2.3).");
    response.def("__init__", [](RegistrationResponse* self, nb::bytes pool_handle, nb::int_ pe_identifier, bool reject, Causes causes) {
        new (self) RegistrationResponse{reject, to_string(pool_handle), word("pe_identifier", pe_identifier), std::move(causes.values)};
    }, nb::kw_only(), "pool_handle"_a, "pe_identifier"_a, "reject"_a = false, "error_causes"_a = nb::tuple());
    response.def_ro("reject", &RegistrationResponse::reject, "R bit.");
    add_handle(response);
    response.def_ro("pe_identifier", &RegistrationResponse::pe_identifier);
    add_causes(response);
    finish(response, {"reject", "pool_handle", "pe_identifier", "error_causes"});

    auto withdrawn = message_class<DeregistrationResponse>(module, "ASAP_DEREGISTRATION_RESPONSE (RFC 5352 2.2.4).");
    withdrawn.def("__init__", [](DeregistrationResponse* self, nb::bytes pool_handle, nb::int_ pe_identifier, Causes causes) {
        new (self) DeregistrationResponse{to_string(pool_handle), word("pe_identifier", pe_identifier), std::move(causes.values)};
    }, nb::kw_only(), "pool_handle"_a, "pe_identifier"_a, "error_causes"_a = nb::tuple());
    add_handle(withdrawn);
    withdrawn.def_ro("pe_identifier", &DeregistrationResponse::pe_identifier);
    add_causes(withdrawn);
    finish(withdrawn, {"pool_handle", "pe_identifier", "error_causes"});

    auto resolution = message_class<HandleResolution>(module,
        "ASAP_HANDLE_RESOLUTION (RFC 5352 2.2.5). `items` is the extension 0x803f: elements wanted.");
    resolution.def("__init__", [](HandleResolution* self, nb::bytes pool_handle, bool send_updates, std::optional<nb::int_> items) {
        new (self) HandleResolution{send_updates, to_string(pool_handle), optional_word("items", items)};
    }, nb::kw_only(), "pool_handle"_a, "send_updates"_a = false, "items"_a = nb::none());
    resolution.def_ro("send_updates", &HandleResolution::send_updates, "S bit.");
    add_handle(resolution);
    resolution.def_ro("items", &HandleResolution::items);
    finish(resolution, {"send_updates", "pool_handle", "items"});

    auto answer = message_class<HandleResolutionResponse>(module, "ASAP_HANDLE_RESOLUTION_RESPONSE (RFC 5352 2.2.6).");
    answer.def("__init__", [](HandleResolutionResponse* self, nb::bytes pool_handle, GivenElements given,
                              const Policy* policy, bool accept_updates, Causes causes) {
        new (self) HandleResolutionResponse{accept_updates, to_string(pool_handle), optional(policy), std::move(given.elements),
                                            std::move(causes.values)};
    }, nb::kw_only(), "pool_handle"_a, "pool_elements"_a = nb::tuple(), "policy"_a.none() = nb::none(), "accept_updates"_a = false,
       "error_causes"_a = nb::tuple());
    answer.def_ro("accept_updates", &HandleResolutionResponse::accept_updates, "A bit.");
    add_handle(answer);
    answer.def_prop_ro("policy", [](const HandleResolutionResponse& m) { return m.policy; }, "Overall policy of the pool; None stands for round robin.");
    add_elements(answer);
    add_causes(answer);
    finish(answer, {"accept_updates", "pool_handle", "policy", "pool_elements", "error_causes"});

    auto keep_alive = message_class<EndpointKeepAlive>(module,
        "ASAP_ENDPOINT_KEEP_ALIVE (RFC 5352 2.2.7). `pe_identifier` is an extension of rsplib.");
    keep_alive.def("__init__", [](EndpointKeepAlive* self, nb::int_ server_identifier, nb::bytes pool_handle, bool home,
                                  std::optional<nb::int_> pe_identifier) {
        new (self) EndpointKeepAlive{home, word("server_identifier", server_identifier), to_string(pool_handle),
                                     optional_word("pe_identifier", pe_identifier)};
    }, nb::kw_only(), "server_identifier"_a, "pool_handle"_a, "home"_a = false, "pe_identifier"_a = nb::none());
    keep_alive.def_ro("home", &EndpointKeepAlive::home, "H bit: the sender is the new home server.");
    keep_alive.def_ro("server_identifier", &EndpointKeepAlive::server_identifier);
    add_handle(keep_alive);
    keep_alive.def_ro("pe_identifier", &EndpointKeepAlive::pe_identifier);
    finish(keep_alive, {"home", "server_identifier", "pool_handle", "pe_identifier"});

    element_message<EndpointKeepAliveAck>(module, "ASAP_ENDPOINT_KEEP_ALIVE_ACK (RFC 5352 2.2.8).");
    element_message<EndpointUnreachable>(module, "ASAP_ENDPOINT_UNREACHABLE (RFC 5352 2.2.9).");

    auto announce = message_class<ServerAnnounce>(module, "ASAP_SERVER_ANNOUNCE (RFC 5352 2.2.10).");
    announce.def("__init__", [](ServerAnnounce* self, nb::int_ server_identifier, Given<Transport> transports) {
        new (self) ServerAnnounce{word("server_identifier", server_identifier), std::move(transports.values)};
    }, nb::kw_only(), "server_identifier"_a, "transports"_a = nb::tuple());
    announce.def_ro("server_identifier", &ServerAnnounce::server_identifier);
    announce.def_prop_ro("transports", [](const ServerAnnounce& m) { return to_tuple(m.transports, &transport_object); },
                         nb::sig("def transports(self) -> tuple[Transport, ...]"));
    finish(announce, {"server_identifier", "transports"});

    cookie_message<Cookie>(module, "ASAP_COOKIE (RFC 5352 2.2.11).");
    cookie_message<CookieEcho>(module, "ASAP_COOKIE_ECHO (RFC 5352 2.2.12).");

    auto card = message_class<BusinessCard>(module,
        "ASAP_BUSINESS_CARD (RFC 5352 2.2.13), elements in order of preference. `policy` is an extension of rsplib.");
    card.def("__init__", [](BusinessCard* self, nb::bytes pool_handle, GivenElements given, const Policy* policy) {
        new (self) BusinessCard{to_string(pool_handle), std::move(given.elements), optional(policy)};
    }, nb::kw_only(), "pool_handle"_a, "pool_elements"_a, "policy"_a.none() = nb::none());
    add_handle(card);
    add_elements(card);
    card.def_prop_ro("policy", [](const BusinessCard& m) { return m.policy; });
    finish(card, {"pool_handle", "pool_elements", "policy"});

    auto error = message_class<AsapError>(module, "ASAP_ERROR (RFC 5352 2.2.14).");
    error.def("__init__", [](AsapError* self, Causes causes) { new (self) AsapError{std::move(causes.values)}; },
              nb::kw_only(), "error_causes"_a);
    add_causes(error);
    finish(error, {"error_causes"});
}

void bind_enrp(nb::module_& module) {
    auto presence = message_class<Presence>(module, "ENRP_PRESENCE (RFC 5353 2.1).");
    presence.def("__init__", [](Presence* self, nb::int_ sender, nb::int_ receiver, bool reply_required, std::optional<nb::int_> checksum,
                                const ServerInformation* information) {
        std::optional<std::uint16_t> sum;
        if (checksum) sum = whole<std::uint16_t>("pe_checksum", *checksum);
        new (self) Presence{reply_required, word("sender", sender), word("receiver", receiver), sum, optional(information)};
    }, nb::kw_only(), "sender"_a, "receiver"_a, "reply_required"_a = false, "pe_checksum"_a = nb::none(), "server_information"_a.none() = nb::none());
    presence.def_ro("reply_required", &Presence::reply_required);
    add_parties(presence);
    presence.def_ro("pe_checksum", &Presence::pe_checksum, "Checksum over the sender's pool elements (RFC 5353 3.6.2).");
    presence.def_prop_ro("server_information", [](const Presence& m) { return m.server_information; });
    finish(presence, {"reply_required", "sender", "receiver", "pe_checksum", "server_information"});

    auto request = message_class<HandleTableRequest>(module, "ENRP_HANDLE_TABLE_REQUEST (RFC 5353 2.2).");
    request.def("__init__", [](HandleTableRequest* self, nb::int_ sender, nb::int_ receiver, bool own_only) {
        new (self) HandleTableRequest{own_only, word("sender", sender), word("receiver", receiver)};
    }, nb::kw_only(), "sender"_a, "receiver"_a, "own_only"_a = false);
    request.def_ro("own_only", &HandleTableRequest::own_only, "W bit: only elements that the receiver owns.");
    add_parties(request);
    finish(request, {"own_only", "sender", "receiver"});

    auto table = message_class<HandleTableResponse>(module, "ENRP_HANDLE_TABLE_RESPONSE (RFC 5353 2.3).");
    table.def("__init__", [](HandleTableResponse* self, nb::int_ sender, nb::int_ receiver, Given<PoolEntry> pools, bool reject, bool more) {
        new (self) HandleTableResponse{reject, more, word("sender", sender), word("receiver", receiver), std::move(pools.values)};
    }, nb::kw_only(), "sender"_a, "receiver"_a, "pools"_a = nb::tuple(), "reject"_a = false, "more"_a = false);
    table.def_ro("reject", &HandleTableResponse::reject, "R bit.");
    table.def_ro("more", &HandleTableResponse::more, "M bit: ask again for what follows.");
    add_parties(table);
    table.def_prop_ro("pools", [](const HandleTableResponse& m) { return to_tuple(m.pools, &object_from<PoolEntry>); },
                      nb::sig("def pools(self) -> tuple[PoolEntry, ...]"));
    finish(table, {"reject", "more", "sender", "receiver", "pools"});

    auto update = message_class<HandleUpdate>(module,
        "ENRP_HANDLE_UPDATE (RFC 5353 2.4); action 0 adds, 1 deletes. `takeover_suggested` is draft-dreibholz-rserpool-enrp-takeover.");
    update.def("__init__", [](HandleUpdate* self, nb::int_ sender, nb::int_ receiver, nb::int_ action, nb::bytes pool_handle,
                              const PoolElement& element, bool takeover_suggested) {
        new (self) HandleUpdate{takeover_suggested, word("sender", sender), word("receiver", receiver),
                                whole<std::uint16_t>("update_action", action, 1), to_string(pool_handle), element};
    }, nb::kw_only(), "sender"_a, "receiver"_a, "update_action"_a, "pool_handle"_a, "pool_element"_a, "takeover_suggested"_a = false);
    update.def_ro("takeover_suggested", &HandleUpdate::takeover_suggested, "T bit of the draft.");
    add_parties(update);
    update.def_ro("update_action", &HandleUpdate::update_action, "0: add the element; 1: delete it.");
    add_handle(update);
    update.def_prop_ro("pool_element", [](const HandleUpdate& m) { return m.pool_element; });
    finish(update, {"takeover_suggested", "sender", "receiver", "update_action", "pool_handle", "pool_element"});

    auto list_request = message_class<ListRequest>(module, "ENRP_LIST_REQUEST (RFC 5353 2.5).");
    list_request.def("__init__", [](ListRequest* self, nb::int_ sender, nb::int_ receiver) {
        new (self) ListRequest{word("sender", sender), word("receiver", receiver)};
    }, nb::kw_only(), "sender"_a, "receiver"_a);
    add_parties(list_request);
    finish(list_request, {"sender", "receiver"});

    auto list = message_class<ListResponse>(module, "ENRP_LIST_RESPONSE (RFC 5353 2.6).");
    list.def("__init__", [](ListResponse* self, nb::int_ sender, nb::int_ receiver, Given<ServerInformation> servers, bool reject) {
        new (self) ListResponse{reject, word("sender", sender), word("receiver", receiver), std::move(servers.values)};
    }, nb::kw_only(), "sender"_a, "receiver"_a, "servers"_a = nb::tuple(), "reject"_a = false);
    list.def_ro("reject", &ListResponse::reject, "R bit.");
    add_parties(list);
    list.def_prop_ro("servers", [](const ListResponse& m) { return to_tuple(m.servers, &object_from<ServerInformation>); },
                     nb::sig("def servers(self) -> tuple[ServerInformation, ...]"));
    finish(list, {"reject", "sender", "receiver", "servers"});

    takeover_message<InitTakeover>(module, "ENRP_INIT_TAKEOVER (RFC 5353 2.7).");
    takeover_message<InitTakeoverAck>(module, "ENRP_INIT_TAKEOVER_ACK (RFC 5353 2.8).");
    takeover_message<TakeoverServer>(module, "ENRP_TAKEOVER_SERVER (RFC 5353 2.9).");

    auto error = message_class<EnrpError>(module, "ENRP_ERROR (RFC 5353 2.10).");
    error.def("__init__", [](EnrpError* self, nb::int_ sender, nb::int_ receiver, Causes causes) {
        new (self) EnrpError{word("sender", sender), word("receiver", receiver), std::move(causes.values)};
    }, nb::kw_only(), "sender"_a, "receiver"_a, "error_causes"_a);
    add_parties(error);
    add_causes(error);
    finish(error, {"sender", "receiver", "error_causes"});
}

std::span<const std::uint8_t> view(nb::bytes data) {
    return {reinterpret_cast<const std::uint8_t*>(data.c_str()), data.size()};
}

Protocol protocol_of(std::string_view name) {
    if (name == "asap") return Protocol::asap;
    if (name == "enrp") return Protocol::enrp;
    raise_field_error("protocol", "is '" + std::string(name) + "', must be 'asap' or 'enrp'");
}

nb::object object_of(Message&& message) {
    return std::visit([](auto&& content) { return nb::cast(std::move(content)); }, std::move(message));
}

nb::object decode_or_raise(nb::bytes data, const char* protocol) {
    Decoded decoded = decode(view(data), protocol_of(protocol));
    if (decoded.message) return object_of(std::move(*decoded.message));
    const nb::object cls = error_class("WireError");
    const Refusal& refusal = *decoded.refusal;
    const nb::object error = cls(refusal.reason, refusal.offset, refusal.parameter);
    PyErr_SetObject(cls.ptr(), error.ptr());
    throw nb::python_error();
}

// What became of received bytes.
struct Received {
    nb::object message;
    nb::object reply;
    std::string reason;
};

Received receive(nb::bytes data, const char* protocol_name, std::uint32_t own_identifier) {
    const Protocol protocol = protocol_of(protocol_name);
    Decoded decoded = decode(view(data), protocol);
    Received received{nb::none(), nb::none(), {}};
    if (decoded.refusal || !decoded.reports.empty())
        if (auto reply = error_reply(view(data), decoded, protocol, own_identifier)) received.reply = object_of(std::move(*reply));
    if (decoded.refusal) received.reason = decoded.refusal->reason;
    if (decoded.message) received.message = object_of(std::move(*decoded.message));
    return received;
}

int received_traverse(PyObject* self, visitproc visit, void* arg) {
#if PY_VERSION_HEX >= 0x03090000
    Py_VISIT(Py_TYPE(self));
#endif
    if (!nb::inst_ready(self)) return 0;
    const Received* received = nb::inst_ptr<Received>(self);
    Py_VISIT(received->message.ptr());
    Py_VISIT(received->reply.ptr());
    return 0;
}

int received_clear(PyObject* self) {
    if (!nb::inst_ready(self)) return 0;
    Received* received = nb::inst_ptr<Received>(self);
    received->message.reset();
    received->reply.reset();
    return 0;
}

PyType_Slot received_slots[] = {{Py_tp_traverse, slot(received_traverse)},
                                {Py_tp_clear, slot(received_clear)},
                                {0, nullptr}};

}  // namespace

void bind_wire_messages(nb::module_& module) {
    bind_asap(module);
    bind_enrp(module);
    nb::class_<Received>(module, "Received", nb::type_slots(received_slots), "What became of received bytes.")
        .def_ro("message", &Received::message, nb::sig("def message(self) -> Message | None"), "The decoded message, or None.")
        .def_ro("reply", &Received::reply, nb::sig("def reply(self) -> AsapError | EnrpError | None"),
                "The error message to send back, or None.")
        .def_ro("reason", &Received::reason, "Why there is no message, else empty.")
        .def("__repr__", [](const Received& r) {
            return std::string("Received(message=") + nb::repr(r.message).c_str() + ", reply=" + nb::repr(r.reply).c_str() + ")";
        });
    module.def("decode", &decode_or_raise, "data"_a, "protocol"_a,
               nb::sig("def decode(data: bytes, protocol: str) -> Message"),
               "The message in `data`, by protocol 'asap' or 'enrp'. Raises WireError with offset, parameter and reason.");
    module.def("receive", &receive, "data"_a, "protocol"_a, "identifier"_a = 0u,
               "Treats received bytes as RFC 5354 3 and 4 ask, whatever they are; never raises on their content.\n\n"
               "`identifier` is the receiving server's own, for an ENRP_ERROR in reply.");
}

}  // namespace rsim
