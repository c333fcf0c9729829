// Python faces of the parameters of RFC 5354.
#include <arpa/inet.h>

#include "described.hpp"

namespace rsim {

using namespace wire;

namespace {

void add_addresses(Transport& transport, nb::iterable addresses) {
    const nb::object parse = nb::module_::import_("ipaddress").attr("ip_address");
    for (nb::handle item : addresses) {
        nb::object address;
        try {
            address = parse(item);
        } catch (nb::python_error& error) {
            // An interrupt, for one, is none of the address's doing.
            if (!error.matches(PyExc_ValueError)) throw;
            raise_field_error("addresses", nb::str(error.value()).c_str());
        }
        const nb::bytes packed = nb::cast<nb::bytes>(address.attr("packed"));
        transport.add_address(reinterpret_cast<const std::uint8_t*>(packed.c_str()), packed.size());
    }
}

nb::tuple addresses_of(const Transport& transport) {
    nb::list result;
    const nb::module_ ipaddress = nb::module_::import_("ipaddress");
    transport.each_address([&](const std::uint8_t* octets, std::size_t size) {
        result.append(ipaddress.attr(size == 4 ? "IPv4Address" : "IPv6Address")(nb::bytes(octets, size)));
    });
    return nb::tuple(result);
}

nb::tuple texts_of(const Transport& transport) {
    nb::list result;
    transport.each_address([&](const std::uint8_t* octets, std::size_t size) {
        char text[INET6_ADDRSTRLEN];
        inet_ntop(size == 4 ? AF_INET : AF_INET6, octets, text, sizeof text);
        result.append(nb::str(text));
    });
    return nb::tuple(result);
}

std::string identity(const Transport& t) {
    Encoder encoder(rsplib);
    return encoder.parameter([&](Encoder& e) { e.transport("transport", t); });
}

template <class T>
nb::class_<T, Transport> transport_class(nb::module_& module, const char* name, const char* doc) {
    nb::class_<T, Transport> cls(module, name, doc);
    cls.def_prop_ro("addresses", &addresses_of,
                    nb::sig("def addresses(self) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]"),
                    "Its addresses, in order.");
    return cls;
}

// What the constructors take.
constexpr const char* parameters =
    "\n\nParameters: `port` 16 bits; `addresses` IPv4 or IPv6, as text or of the module ipaddress, one, of SCTP one or more";
constexpr const char* raises = ". Raises FieldError, which names the field, for a value out of its range.";
constexpr const char* with_use = "; `use` 0 for data only, 1 for data plus control";

#define ADDRESSES "collections.abc.Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address | str]"

template <class T>
void plain_transport(nb::module_& module, const char* name, const char* protocol, const char* doc) {
    auto cls = transport_class<T>(module, name, (std::string(doc) + parameters + raises).c_str());
    cls.def("__init__", [](T* self, nb::int_ port, nb::iterable addresses) {
        T made;
        made.port = whole<std::uint16_t>("port", port);
        add_addresses(made, addresses);
        new (self) T(std::move(made));
    }, nb::kw_only(), "port"_a, "addresses"_a, nb::sig("def __init__(self, *, port: int, addresses: " ADDRESSES ") -> None"));
    value_methods<T>(cls, {"port", "addresses"}, [](const T& t) { return identity(t); }, {"protocol", protocol});
}

template <class T>
void transport_with_use(nb::module_& module, const char* name, const char* protocol, const char* doc) {
    auto cls = transport_class<T>(module, name, (std::string(doc) + parameters + with_use + raises).c_str());
    cls.def("__init__", [](T* self, nb::int_ port, nb::iterable addresses, nb::int_ use) {
        T made;
        made.port = whole<std::uint16_t>("port", port);
        made.use = whole<std::uint16_t>("use", use, 1);
        add_addresses(made, addresses);
        new (self) T(std::move(made));
    }, nb::kw_only(), "port"_a, "addresses"_a, "use"_a = 0,
       nb::sig("def __init__(self, *, port: int, addresses: " ADDRESSES ", use: int = 0) -> None"));
    cls.def_prop_ro("use", [](const T& t) { return t.use; }, "0: data only; 1: data plus control.");
    value_methods<T>(cls, {"port", "addresses", "use"}, [](const T& t) { return identity(t); }, {"protocol", protocol});
}

void bind_transports(nb::module_& module) {
    nb::class_<Transport>(module, "Transport", "A transport address of any kind (RFC 5354 3.3 to 3.7, 3.16).")
        .def("encode", [](const Transport& t) {
            return encode_parameter([&](Encoder& out) { out.transport("transport", t); });
        }, "The parameter's own bytes, as an error cause quotes it. Raises FieldError for what the wire can't carry.")
        .def_prop_ro("port", [](const Transport& t) { return t.port; }, "Its port; 0 if it is opaque.")
        .def_prop_ro("hosts", [](const Transport& t) {
            return t.kind == ParameterType::opaque_transport ? nb::tuple() : texts_of(t);
        }, nb::sig("def hosts(self) -> tuple[str, ...]"), "Its addresses as text; none if it is opaque.");
    transport_with_use<SctpTransport>(module, "SctpTransport", "sctp", "SCTP transport (RFC 5354 3.4); its addresses may mix families.");
    transport_with_use<TcpTransport>(module, "TcpTransport", "tcp",
        "TCP transport (RFC 5354 3.5). `use` stands for rsplib's use of the reserved field; the RFC encoding leaves it 0.");
    plain_transport<UdpTransport>(module, "UdpTransport", "udp", "UDP transport (RFC 5354 3.6).");
    plain_transport<UdpLiteTransport>(module, "UdpLiteTransport", "udp_lite", "UDP-Lite transport (RFC 5354 3.7).");

    auto dccp = transport_class<DccpTransport>(module, "DccpTransport",
        (std::string("DCCP transport (RFC 5354 3.3).") + parameters + "; `service_code` 32 bits" + raises).c_str());
    dccp.def("__init__", [](DccpTransport* self, nb::int_ port, nb::int_ service_code, nb::iterable addresses) {
        DccpTransport made;
        made.port = whole<std::uint16_t>("port", port);
        made.service_code = whole<std::uint32_t>("service_code", service_code);
        add_addresses(made, addresses);
        new (self) DccpTransport(std::move(made));
    }, nb::kw_only(), "port"_a, "service_code"_a, "addresses"_a,
       nb::sig("def __init__(self, *, port: int, service_code: int, addresses: " ADDRESSES ") -> None"));
    dccp.def_prop_ro("service_code", [](const DccpTransport& t) { return t.service_code; }, "Service code, 32 bits.");
    value_methods<DccpTransport>(dccp, {"port", "service_code", "addresses"}, [](const DccpTransport& t) { return identity(t); },
                                 {"protocol", "dccp"});

    nb::class_<OpaqueTransport, Transport> opaque(module, "OpaqueTransport", 
        "Opaque transport (RFC 5354 3.16): octets that only the application understands.\n\nParameters: `data` the octets.");
    opaque.def("__init__", [](OpaqueTransport* self, nb::bytes data) {
        new (self) OpaqueTransport();
        self->content = to_string(data);
    }, nb::kw_only(), "data"_a);
    opaque.def_prop_ro("data", [](const OpaqueTransport& t) { return to_bytes(t.content); }, "The octets.");
    value_methods<OpaqueTransport>(opaque, {"data"}, [](const OpaqueTransport& t) { return identity(t); }, {"protocol", "opaque"});
}

// A parameter that is described by its fields; `identity` maps it to bytes that are equal where values are.
template <class T, class... Leading>
nb::class_<T> bind_parameter(nb::module_& module, std::function<std::string(const T&)> identity, Leading... leading) {
    const std::string head = std::string(T::about.name) + " (" + T::about.source + "): " + T::about.doc + ".";
    nb::class_<T> cls(module, T::about.name, class_doc<T>(head).c_str());
    add_fields(cls, leading...);
    value_methods<T>(cls, names_of<T>(), std::move(identity));
    return cls;
}

void bind_others(nb::module_& module) {
    bind_parameter<PoolElement>(module, [](const PoolElement& e) {
        Encoder encoder(rsplib);
        return encoder.parameter([&](Encoder& out) { out.element("pool_element", e); });
    }, nb::kw_only()).def("encode", [](const PoolElement& e) {
        return encode_parameter([&](Encoder& out) { out.element("pool_element", e); });
    }, "The parameter's own bytes, as an error cause quotes it. Raises FieldError for what the wire can't carry.");
    bind_parameter<ServerInformation>(module, [](const ServerInformation& s) {
        return std::to_string(s.server_identifier) + ":" + identity(s.transport);
    }, nb::kw_only());
    bind_parameter<ErrorCause>(module, [](const ErrorCause& c) { return std::to_string(c.code) + ":" + c.information; });
    bind_parameter<PoolEntry>(module, [](const PoolEntry& e) {
        Encoder encoder(rsplib);
        return encoder.parameter([&](Encoder& out) { out.pools("pools", {e}); });
    }, nb::kw_only());
}

}  // namespace

nb::object transport_object(const Transport& transport) {
    switch (transport.kind) {
        case ParameterType::dccp_transport: return nb::cast(DccpTransport(transport));
        case ParameterType::tcp_transport: return nb::cast(TcpTransport(transport));
        case ParameterType::udp_transport: return nb::cast(UdpTransport(transport));
        case ParameterType::udp_lite_transport: return nb::cast(UdpLiteTransport(transport));
        case ParameterType::opaque_transport: return nb::cast(OpaqueTransport(transport));
        default: return nb::cast(SctpTransport(transport));
    }
}

void bind_wire_parameters(nb::module_& module) {
    bind_transports(module);
    bind_wire_policy(module);
    bind_others(module);
}

}  // namespace rsim
