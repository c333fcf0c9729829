// Python face of what has been sent.
//
// A type of Python's own making, as every message passes here.
#include "traffic.hpp"

#include <new>

namespace rsim {
namespace {

using network::Traffic;

struct TrafficObject {
    PyObject_HEAD
    Traffic traffic;
};

PyTypeObject* traffic_type = nullptr;

Traffic& traffic_of(PyObject* self) { return reinterpret_cast<TrafficObject*>(self)->traffic; }

PyObject* make_traffic(PyTypeObject* type, PyObject* arguments, PyObject* keywords) {
    static const char* names[] = {"protocols", nullptr};
    PyObject* protocols = nullptr;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O!", const_cast<char**>(names), &PyTuple_Type, &protocols))
        return nullptr;
    return guarded([&] {
        Traffic traffic;
        for (nb::handle identifier : nb::borrow<nb::tuple>(protocols))
            traffic.of(whole<std::uint32_t>("protocols", nb::cast<nb::int_>(identifier)));
        PyObject* self = type->tp_alloc(type, 0);
        if (self) new (&traffic_of(self)) Traffic(std::move(traffic));
        return self;
    });
}

void end_traffic(PyObject* self) { traffic_of(self).~Traffic(); }

PyObject* traffic_count(PyObject* self, PyObject* const* given, Py_ssize_t count) {
    if (count != 2 || !PyLong_Check(given[0]) || !PyBytes_Check(given[1]) || PyBytes_GET_SIZE(given[1]) == 0)
        return wrong_arguments("a payload protocol identifier (int) and a message of at least one byte");
    return guarded([&] {
        const auto identifier = whole<std::uint32_t>("ppid", nb::borrow<nb::int_>(given[0]));
        const auto* data = reinterpret_cast<const unsigned char*>(PyBytes_AS_STRING(given[1]));
        traffic_of(self).count(identifier, data, static_cast<std::size_t>(PyBytes_GET_SIZE(given[1])));
        return Py_NewRef(Py_None);
    });
}

PyObject* traffic_messages(PyObject* self, void*) {
    return guarded([&] {
        nb::dict result;
        for (const Traffic::Protocol& protocol : traffic_of(self).protocols()) {
            nb::list by_type;
            for (const std::uint64_t number : protocol.messages) by_type.append(number);
            result[nb::int_(protocol.identifier)] = by_type;
        }
        return result.release().ptr();
    });
}

PyObject* traffic_octets(PyObject* self, void*) {
    return guarded([&] {
        nb::dict result;
        for (const Traffic::Protocol& protocol : traffic_of(self).protocols())
            result[nb::int_(protocol.identifier)] = protocol.octets;
        return result.release().ptr();
    });
}

PyObject* traffic_fingerprint(PyObject* self, void*) {
    return PyLong_FromUnsignedLongLong(traffic_of(self).fingerprint());
}

PyMethodDef traffic_methods[] = {
    method("count", traffic_count, METH_FASTCALL, 
           "count($self, ppid, data, /)\n--\n\n"
           "Counts one message under its type, which its first byte gives.\n\n"
           "Parameters: `ppid` its payload protocol identifier; `data` its bytes, at least one."),
    {},
};
PyGetSetDef traffic_properties[] = {
    {"messages", traffic_messages, nullptr, "Numbers of messages by payload protocol, in a list by type.", nullptr},
    {"octets", traffic_octets, nullptr, "Bytes by payload protocol.", nullptr},
    {"fingerprint", traffic_fingerprint, nullptr, "Fingerprint of all messages in their order.", nullptr},
    {},
};
PyType_Slot traffic_slots[] = {
    {Py_tp_doc, const_cast<char*>("Messages and bytes sent, by payload protocol and message type.\n\n"
                                  "Parameters: `protocols` payload protocol identifiers that are listed even if nothing is "
                                  "sent.")},
    {Py_tp_new, slot(make_traffic)},
    {Py_tp_dealloc, slot(free_object<end_traffic>)},
    {Py_tp_methods, traffic_methods},
    {Py_tp_getset, traffic_properties},
    {0, nullptr},
};
PyType_Spec traffic_spec{"rsim._native.Traffic", sizeof(TrafficObject), 0, Py_TPFLAGS_DEFAULT, traffic_slots};

}  // namespace

network::Traffic* traffic_in(nb::handle object) {
    return Py_IS_TYPE(object.ptr(), traffic_type) ? &traffic_of(object.ptr()) : nullptr;
}

void bind_traffic(nb::module_& module) { traffic_type = add_type(module, traffic_spec); }

}  // namespace rsim
