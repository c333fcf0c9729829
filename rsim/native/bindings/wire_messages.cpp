// Python faces of the messages of RFC 5352 and RFC 5353, and of the codec.
#include "described.hpp"

#include "../wire/decode.hpp"

namespace rsim {

using namespace wire;

namespace {

// Writes down every field whatever the dialect, so that equal messages and only those are equal.
constexpr unsigned everything = rsplib & ~"PADDED_MESSAGE_LENGTH"_dialect;

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
void bind_message(nb::module_& module, const char* protocol) {
    const std::string head = std::string(M::about.rfc_name) + " (" + M::about.source + "): " + M::about.doc + ".";
    nb::class_<M> cls(module, M::about.name, class_doc<M>(head).c_str());
    cls.attr("type_code") = M::about.type;
    cls.attr("protocol") = protocol;
    cls.attr("rfc_name") = M::about.rfc_name;
    add_fields(cls, nb::kw_only());
    cls.def("encode", &encode_message<M>, "dialect"_a = 0u,
            "Bytes of the message, by the letter of the RFCs or in a dialect.\n\n"
            "Parameters: `dialect` flags of rsim.wire.Dialect. Raises FieldError for what the wire can't carry.");
    value_methods<M>(cls, names_of<M>(), [](const M& m) {
        const nb::bytes bytes = encode_message(m, everything);
        return to_string(bytes);
    }, {"message", M::about.name});
}

// The classes of a protocol, and the type that is any of them.
template <class... M>
void bind_messages(nb::module_& module, MessageList<M...>, const char* protocol, const char* name) {
    (bind_message<M>(module, protocol), ...);
    module.attr(name) = nb::module_::import_("typing").attr("Union")[nb::make_tuple(nb::type<M>()...)];
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
    bind_messages(module, AsapMessages{}, "asap", "AsapMessage");
    bind_messages(module, EnrpMessages{}, "enrp", "EnrpMessage");
    module.attr("Message") = nb::module_::import_("typing").attr("Union")[nb::make_tuple(module.attr("AsapMessage"), module.attr("EnrpMessage"))];
    nb::class_<Received>(module, "Received", nb::type_slots(received_slots), "What became of received bytes (RFC 5354 3 and 4).")
        .def_ro("message", &Received::message, nb::sig("def message(self) -> Message | None"), "The decoded message, or None.")
        .def_ro("reply", &Received::reply, nb::sig("def reply(self) -> AsapError | EnrpError | None"),
                "The error message to send back, or None.")
        .def_ro("reason", &Received::reason, "Why there is no message, else empty.")
        .def("__repr__", [](const Received& r) {
            return std::string("Received(message=") + nb::repr(r.message).c_str() + ", reply=" + nb::repr(r.reply).c_str() + ")";
        });
    module.def("decode", &decode_or_raise, "data"_a, "protocol"_a,
               nb::sig("def decode(data: bytes, protocol: str) -> Message"),
               "The message in some bytes.\n\n"
               "Parameters: `data` the bytes; `protocol` 'asap' or 'enrp'. Raises WireError with offset, parameter and reason "
               "for bytes that are no such message, FieldError for another protocol.");
    module.def("receive", &receive, "data"_a, "protocol"_a, "identifier"_a = 0u,
               "Treats received bytes as RFC 5354 3 and 4 ask, whatever they are; never raises on their content.\n\n"
               "Parameters: `data` the bytes; `protocol` 'asap' or 'enrp'; `identifier` the receiving server's own, 32 bits, "
               "for an ENRP_ERROR in reply. Raises FieldError for another protocol.");
}

}  // namespace rsim
