// How the values of fields pass between Python and the structs of the wire.
#pragma once

#include "element_list.hpp"
#include "transports.hpp"

namespace rsim {

// For each type of a field: `Given` is what the constructor takes, `taken` makes the field's value of it or raises
// FieldError, `shown` is what the property gives, `range` is told to who reads the docstring.
//
// Values with content of their own are copied: nanobind's references end the process when memory runs out.
template <class Value, class Layout>
struct Passing {
    using Given = const Value&;
    static Value taken(const char*, Given given) { return given; }
    static Value shown(const Value& value) { return value; }
    static constexpr const char* range = "";
};

template <class Layout>
struct Passing<bool, Layout> {
    using Given = bool;
    static bool taken(const char*, bool given) { return given; }
    static bool shown(bool value) { return value; }
    static constexpr const char* range = "";
};

template <class Number>
struct PassingNumber {
    using Given = nb::int_;
    static Number taken(const char* field, nb::int_ given) { return whole<Number>(field, given); }
    static Number shown(Number value) { return value; }
};
template <class Layout>
struct Passing<std::uint16_t, Layout> : PassingNumber<std::uint16_t> {
    static constexpr const char* range = ", 16 bits";
};
template <class Layout>
struct Passing<std::uint32_t, Layout> : PassingNumber<std::uint32_t> {
    static constexpr const char* range = ", 32 bits";
};
struct PassingZeroOrOne : PassingNumber<std::uint16_t> {
    static std::uint16_t taken(const char* field, nb::int_ given) { return whole<std::uint16_t>(field, given, 1); }
    static constexpr const char* range = "";
};
template <>
struct Passing<std::uint16_t, wire::layout::Action> : PassingZeroOrOne {};
template <>
struct Passing<std::uint16_t, wire::layout::TransportUse> : PassingZeroOrOne {};
template <>
struct Passing<std::uint16_t, wire::layout::ReservedUse> : PassingZeroOrOne {};
template <class Layout>
struct Passing<std::int32_t, Layout> : PassingNumber<std::int32_t> {
    static std::int32_t taken(const char* field, nb::int_ given) {
        int overflow = 0;
        const long long number = PyLong_AsLongLongAndOverflow(given.ptr(), &overflow);
        if (overflow || number < INT32_MIN || number > INT32_MAX)
            raise_field_error(field, "does not fit a signed 32-bit number of seconds");
        return static_cast<std::int32_t>(number);
    }
    static constexpr const char* range = ", 32 bits with a sign";
};

template <class Layout>
struct Passing<std::string, Layout> {
    using Given = nb::bytes;
    static std::string taken(const char*, nb::bytes given) { return to_string(given); }
    static nb::bytes shown(const std::string& value) { return to_bytes(value); }
    static constexpr const char* range = "";
};

template <>
struct Passing<std::string, wire::layout::Addresses> {
    using Given = AddressesGiven;
    static std::string taken(const char* field, AddressesGiven given) { return packed_addresses(field, given); }
    static AddressesShown shown(const std::string& packed) { return nb::borrow<AddressesShown>(addresses_of(packed)); }
    static constexpr const char* range = "";
};

template <class Layout>
struct Passing<wire::Transport, Layout> {
    using Given = const wire::Transport&;
    static wire::Transport taken(const char*, Given given) { return given; }
    static nb::typed<nb::object, wire::Transport> shown(const wire::Transport& value) { return transport_object(value); }
    static constexpr const char* range = "";
};
template <>
struct Passing<wire::Transport, wire::layout::ServerTransport> {
    using Given = const SctpTransport&;
    static wire::Transport taken(const char*, Given given) { return given; }
    static nb::typed<nb::object, SctpTransport> shown(const wire::Transport& value) { return transport_object(value); }
    static constexpr const char* range = "";
};
template <>
struct Passing<std::optional<wire::Transport>, wire::layout::AsapTransport> {
    using Given = const SctpTransport*;
    static std::optional<wire::Transport> taken(const char*, Given given) {
        return given ? std::optional<wire::Transport>(*given) : std::nullopt;
    }
    static nb::typed<nb::object, std::optional<SctpTransport>> shown(const std::optional<wire::Transport>& value) {
        return value ? transport_object(*value) : nb::none();
    }
    static constexpr const char* range = "";
};

// What may be missing.
template <class Value, class Layout>
struct Passing<std::optional<Value>, Layout> {
    using One = Passing<Value, Layout>;
    static constexpr bool by_reference = std::is_reference_v<typename One::Given>;
    using Given = std::conditional_t<by_reference, const Value*, std::optional<std::remove_cvref_t<typename One::Given>>>;
    static std::optional<Value> taken(const char* field, Given given) {
        if (!given) return std::nullopt;
        return One::taken(field, *given);
    }
    static auto shown(const std::optional<Value>& value) {
        return value ? std::optional(One::shown(*value)) : std::nullopt;
    }
    static constexpr const char* range = One::range;
};

// What there may be several of.
template <class Value, class Layout>
struct Passing<std::vector<Value>, Layout> {
    using Given = rsim::Given<Value>;
    static std::vector<Value> taken(const char*, Given given) { return std::move(given.values); }
    static nb::typed<nb::tuple, Value, nb::ellipsis> shown(const std::vector<Value>& values) {
        return to_tuple(values, &object_from<Value>);
    }
    static constexpr const char* range = "";
};
template <class Layout>
struct Passing<std::vector<wire::PoolElement>, Layout> {
    using Given = GivenElements;
    static std::vector<wire::PoolElement> taken(const char*, GivenElements given) { return std::move(given.elements); }
    static nb::typed<nb::tuple, wire::PoolElement, nb::ellipsis> shown(const std::vector<wire::PoolElement>& values) {
        return to_tuple(values, &object_from<wire::PoolElement>);
    }
    static constexpr const char* range = "";
};
template <class Layout>
struct Passing<std::vector<wire::Transport>, Layout> {
    using Given = rsim::Given<wire::Transport>;
    static std::vector<wire::Transport> taken(const char*, Given given) { return std::move(given.values); }
    static nb::typed<nb::tuple, wire::Transport, nb::ellipsis> shown(const std::vector<wire::Transport>& values) {
        return to_tuple(values, &transport_object);
    }
    static constexpr const char* range = "";
};

}  // namespace rsim
