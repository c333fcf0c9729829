// Python faces of the parameters of RFC 5354.
#include <arpa/inet.h>

#include "described.hpp"

namespace rsim {

using namespace wire;

namespace {

nb::tuple texts_of(const Transport& transport) {
    nb::list result;
    each_address(transport.content, [&](const std::uint8_t* octets, std::size_t size) {
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

// What is described by its fields; `identity` maps it to bytes that are equal where values are.
template <class T, class... Base, class... Leading>
nb::class_<T, Base...> bind_parameter(nb::module_& module, std::function<std::string(const T&)> identity, Label label,
                                      Leading... leading) {
    const std::string head = std::string(T::about.name) + " (" + T::about.source + "): " + T::about.doc + ".";
    nb::class_<T, Base...> cls(module, T::about.name, class_doc<T>(head).c_str());
    add_fields(cls, leading...);
    value_methods<T>(cls, names_of<T>(), std::move(identity), label);
    return cls;
}

template <class T>
void bind_transport(nb::module_& module) {
    bind_parameter<T, Transport>(module, [](const T& t) { return identity(t); }, {"protocol", T::about.protocol}, nb::kw_only());
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
    [&]<class... Kind>(std::type_identity<std::tuple<Kind...>>) {
        (bind_transport<TransportOf<Kind>>(module), ...);
    }(std::type_identity<TransportKinds>{});
}

void bind_others(nb::module_& module) {
    bind_parameter<PoolElement>(module, [](const PoolElement& e) {
        Encoder encoder(rsplib);
        return encoder.parameter([&](Encoder& out) { out.element("pool_element", e); });
    }, {}, nb::kw_only()).def("encode", [](const PoolElement& e) {
        return encode_parameter([&](Encoder& out) { out.element("pool_element", e); });
    }, "The parameter's own bytes, as an error cause quotes it. Raises FieldError for what the wire can't carry.");
    bind_parameter<ServerInformation>(module, [](const ServerInformation& s) {
        return std::to_string(s.server_identifier) + ":" + identity(s.transport);
    }, {}, nb::kw_only());
    bind_parameter<ErrorCause>(module, [](const ErrorCause& c) { return std::to_string(c.code) + ":" + c.information; }, {});
    bind_parameter<PoolEntry>(module, [](const PoolEntry& e) {
        Encoder encoder(rsplib);
        return encoder.parameter([&](Encoder& out) { out.pools("pools", {e}); });
    }, {}, nb::kw_only());
}

}  // namespace

std::string packed_addresses(const char* field, nb::iterable given) {
    const nb::object parse = nb::module_::import_("ipaddress").attr("ip_address");
    std::string content;
    for (nb::handle item : given) {
        nb::object address;
        try {
            address = parse(item);
        } catch (nb::python_error& error) {
            // An interrupt, for one, is none of the address's doing.
            if (!error.matches(PyExc_ValueError)) throw;
            raise_field_error(field, nb::str(error.value()).c_str());
        }
        const nb::bytes packed = nb::cast<nb::bytes>(address.attr("packed"));
        add_address(content, reinterpret_cast<const std::uint8_t*>(packed.c_str()), packed.size());
    }
    return content;
}

nb::tuple addresses_of(const std::string& packed) {
    nb::list result;
    const nb::module_ ipaddress = nb::module_::import_("ipaddress");
    each_address(packed, [&](const std::uint8_t* octets, std::size_t size) {
        result.append(ipaddress.attr(size == 4 ? "IPv4Address" : "IPv6Address")(nb::bytes(octets, size)));
    });
    return nb::tuple(result);
}

nb::object transport_object(const Transport& transport) {
    nb::object made;
    with_transport_kind(transport.kind, [&]<class Kind>() { made = nb::cast(TransportOf<Kind>(transport)); });
    return made;
}

void bind_wire_parameters(nb::module_& module) {
    bind_transports(module);
    bind_wire_policy(module);
    bind_others(module);
}

}  // namespace rsim
