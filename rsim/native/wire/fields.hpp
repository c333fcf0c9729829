// What a field of a message is: its name in Python, where it stands in the struct, how it is laid out on the wire, and
// what it means. Encoder, decoder, Python's classes and their stubs follow from these records.
#pragma once

#include <tuple>
#include <utility>

#include "codes.hpp"
#include "types.hpp"

namespace rsim::wire {

// How a field is laid out on the wire. The encoder and the decoder have one function for each of these.
namespace layout {

struct Flag {  // a bit of the octet of flags
    std::uint8_t mask;
};
struct Word {  // 32 bits in front of the parameters
    static constexpr std::size_t octets = 4;
};
struct SignedWord {  // the same with a sign
    static constexpr std::size_t octets = 4;
};
struct Action {};      // 16 bits, 0 or 1, and 16 reserved ones (RFC 5353 2.4)

struct OctetsParameter {
    ParameterType type;
};
struct WordParameter {
    ParameterType type;
};
struct HandleParameter {  // at least one octet
    static constexpr ParameterType type = ParameterType::pool_handle;
};
struct ChecksumParameter {
    static constexpr ParameterType type = ParameterType::pe_checksum;
};
struct PolicyParameter {
    static constexpr ParameterType type = ParameterType::policy;
};
struct ElementParameter {
    static constexpr ParameterType type = ParameterType::pool_element;
};
struct ServerParameter {
    static constexpr ParameterType type = ParameterType::server_information;
};
struct ErrorParameter {
    static constexpr ParameterType type = ParameterType::operation_error;
};
struct OwnExtension {  // octets of rsim's own, left out of a message that would become too long
    ParameterType type;
};
struct PoolEntries {};      // a pool handle and pool elements, again and again
struct ServerTransports {}; // SCTP and TCP transports up to the end of the message

struct UserTransport {};    // any transport, in front of the policy (RFC 5354 3.10)
struct AsapTransport {};    // an SCTP transport after the policy
struct ServerTransport {};  // an SCTP transport (RFC 5354 3.11)

struct CauseCode {  // in front of a cause's length (RFC 5354 3.12)
    static constexpr std::size_t octets = 4;
};
struct Rest {};  // all octets that are left

struct Port {  // 16 bits
    static constexpr std::size_t octets = 2;
};
struct PortAndReserved {  // the same, and 16 reserved ones
    static constexpr std::size_t octets = 4;
};
struct TransportUse {  // 16 bits, 0 or 1
    static constexpr std::size_t octets = 2;
};
struct ReservedUse {  // the same, but reserved in the RFCs: 0, and read as 0 if it is neither
    static constexpr std::size_t octets = 2;
};
struct Addresses {  // each a parameter, at least one
    std::size_t most;
};

}  // namespace layout

// The type of a parameter that RFC 5354 does not assign. Who does not know it skips it without a word if it begins with the
// bits 10, as those of draft-dreibholz-rserpool-asap-hropt and of rsim do.
constexpr ParameterType extension(std::uint16_t type) { return ParameterType{type}; }

// Whether a layout is such a parameter.
template <class Layout>
constexpr bool is_extension(const Layout& layout) {
    if constexpr (requires { layout.type; }) return static_cast<std::uint16_t>(layout.type) > 0x10;
    else return false;
}

// Whether there is a parameter for each value of a list; an operation error holds all its causes.
template <class Value, class Layout>
inline constexpr bool has_parameter_for_each = false;
template <class Value, class Layout>
inline constexpr bool has_parameter_for_each<std::vector<Value>, Layout> =
    !std::is_same_v<std::remove_const_t<Layout>, layout::ErrorParameter>;

template <class Owner_, class Value_, class Layout_>
struct Field {
    using Owner = Owner_;
    using Value = Value_;
    using Layout = Layout_;

    const char* name;       // of the keyword and the property
    Value Owner::*member;
    Layout layout;
    bool required;          // if not, the constructor takes what a fresh Owner has
    unsigned dialect;       // written only in a dialect that has it; 0 in all
    const char* doc;        // meaning, unit and range
};

template <class Owner, class Value, class Layout>
constexpr auto required(const char* name, Value Owner::*member, Layout layout, const char* doc) {
    return Field<Owner, Value, Layout>{name, member, layout, true, 0, doc};
}

template <class Owner, class Value, class Layout>
constexpr auto optional(const char* name, Value Owner::*member, Layout layout, const char* doc, unsigned dialect = rfc) {
    return Field<Owner, Value, Layout>{name, member, layout, false, dialect, doc};
}

// A record of T's fields: those of the struct, in its order, which is the order of the wire.
template <class T>
inline constexpr auto record_of = T::fields();

// Calls visit.operator()<n>() for the n-th field in turn.
template <class T, class Visit>
constexpr void each_field(Visit&& visit) {
    [&]<std::size_t... n>(std::index_sequence<n...>) {
        (visit.template operator()<n>(), ...);
    }(std::make_index_sequence<std::tuple_size_v<std::remove_const_t<decltype(record_of<T>)>>>{});
}

template <class T, std::size_t n>
inline constexpr auto field_of = std::get<n>(record_of<T>);

}  // namespace rsim::wire
