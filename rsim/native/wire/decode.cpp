#include "decode.hpp"

#include <algorithm>
#include <array>

#include "policies.hpp"
#include "transports.hpp"

namespace rsim::wire {
namespace {

// A quoted message is cut here, so that an error is never much longer than what provoked it.
constexpr std::size_t max_quote = 1400;

struct Refused {
    Refusal refusal;
};

struct Tlv {
    std::uint16_t type;
    std::size_t start;  // of the header
    std::size_t value;  // of the value
    std::size_t end;    // of the value, without padding
    std::size_t next;   // of the next parameter
};

// Reads the parameters of one container (the message itself, or a parameter that holds others).
class Parameters {
public:
    Parameters(std::span<const std::uint8_t> data, std::size_t at, std::size_t end,
               std::vector<ErrorCause>& reports)
        : data_(data), at_(at), end_(end), reports_(reports) {}

    // Fixed fields in front of the parameters.
    [[gnu::always_inline]] std::uint32_t word32(const char* field) {
        if (end_ - at_ < 4) refuse_word(field);
        const std::uint32_t value = load32(data_.data() + at_);
        at_ += 4;
        return value;
    }
    [[gnu::always_inline]] std::uint16_t word16(const char* field) {
        if (end_ - at_ < 2) refuse_word(field);
        const std::uint16_t value = load16(data_.data() + at_);
        at_ += 2;
        return value;
    }

    // All octets that are left.
    std::string_view rest() {
        const std::size_t from = std::exchange(at_, end_);
        return {reinterpret_cast<const char*>(data_.data()) + from, end_ - from};
    }

    // The next parameter that is understood, or none at the end. Unknown ones on the way are
    // treated by the two high bits of their type (RFC 5354 section 3).
    const Tlv* peek() {
        while (!found_ && at_ < end_) {
            Tlv tlv = header();
            if (understood(tlv.type)) {
                found_ = true;
                tlv_ = tlv;
                break;
            }
            const unsigned action = tlv.type >> 14;
            if (action & 1) reports_.push_back({"UNRECOGNIZED_PARAMETER"_cause, quote(tlv)});
            if (action < 2) {
                Refusal refusal{tlv.start, tlv.type, "unknown parameter whose type says to discard the message", {}};
                if (action == 1) {
                    refusal.cause = std::move(reports_.back());
                    reports_.pop_back();
                }
                throw Refused{std::move(refusal)};
            }
            at_ = tlv.next;
        }
        return found_ ? &tlv_ : nullptr;
    }

    bool next_is(ParameterType type) {
        if (!found_ && at_ >= end_) return false;
        const Tlv* tlv = peek();
        return tlv && tlv->type == static_cast<std::uint16_t>(type);
    }

    Tlv take(ParameterType type, const char* field) {
        const Tlv* tlv = peek();
        if (!tlv) refuse(at_, static_cast<std::uint16_t>(type), std::string(field) + " is missing", std::string());
        if (tlv->type != static_cast<std::uint16_t>(type))
            refuse(*tlv, "unexpected parameter where " + std::string(field) + " belongs");
        return consume();
    }

    Tlv consume() {
        found_ = false;
        at_ = tlv_.next;
        return tlv_;
    }

    void finish() {
        if (const Tlv* tlv = peek()) refuse(*tlv, "surplus or repeated parameter");
    }

    // From here on these types, which RFC 5354 does not assign, are no unknown ones.
    void understand(std::span<const ParameterType> extensions) { extensions_ = extensions; }

    std::string_view value(const Tlv& tlv) const {
        return {reinterpret_cast<const char*>(data_.data()) + tlv.value, tlv.end - tlv.value};
    }
    const std::uint8_t* bytes(std::size_t at) const { return data_.data() + at; }

    Parameters inside(const Tlv& tlv) const { return between(tlv.value, tlv.end); }
    Parameters between(std::size_t at, std::size_t end) const { return {data_, at, end, reports_}; }

    void require_length(const Tlv& tlv, std::size_t length) const {
        if (tlv.end - tlv.start != length)
            refuse(tlv, "length is " + std::to_string(tlv.end - tlv.start) + ", must be " + std::to_string(length));
    }
    void require_at_least(const Tlv& tlv, std::size_t length) const {
        if (tlv.end - tlv.start < length)
            refuse(tlv, "length is " + std::to_string(tlv.end - tlv.start) + ", must be at least " + std::to_string(length));
    }

    [[noreturn]] void refuse(const Tlv& tlv, std::string reason) const {
        refuse(tlv.start, tlv.type, std::move(reason), quote(tlv));
    }
    [[noreturn]] void refuse_here(std::string reason) const { refuse(at_, 0, std::move(reason), {}); }

private:
    [[noreturn, gnu::cold, gnu::noinline]] void refuse_word(const char* field) const {
        refuse(at_, 0, std::string(field) + " is cut short", std::string());
    }

    static bool assigned(std::uint16_t type) { return type >= 0x1 && type <= 0x10; }
    bool understood(std::uint16_t type) const {
        return assigned(type) || std::ranges::find(extensions_, static_cast<ParameterType>(type)) != extensions_.end();
    }

    Tlv header() const {
        const std::size_t left = end_ - at_;
        if (left < 4)
            refuse(at_, 0, "parameter header is cut short", std::string(reinterpret_cast<const char*>(bytes(at_)), left));
        const std::uint16_t type = load16(bytes(at_));
        const std::size_t length = load16(bytes(at_) + 2);
        Tlv tlv{type, at_, at_ + 4, at_ + length, 0};
        if (length < 4 || length > left) {
            tlv.end = end_;
            refuse(tlv, length < 4 ? "parameter length is below 4" : "parameter runs past its container");
        }
        tlv.next = std::min(end_, at_ + ((length + 3) & ~std::size_t{3}));
        return tlv;
    }

    std::string quote(const Tlv& tlv) const {
        const std::size_t size = std::min(tlv.end - tlv.start, max_quote);
        return {reinterpret_cast<const char*>(bytes(tlv.start)), size};
    }

    [[noreturn]] static void refuse(std::size_t offset, std::uint16_t parameter, std::string reason, std::string quoted) {
        throw Refused{{offset, parameter, std::move(reason),
                       ErrorCause{"INVALID_VALUES"_cause, std::move(quoted)}}};
    }

    std::span<const std::uint8_t> data_;
    std::size_t at_;
    std::size_t end_;
    std::vector<ErrorCause>& reports_;
    std::span<const ParameterType> extensions_;
    bool found_ = false;
    Tlv tlv_{};
};

bool is_transport(std::uint16_t type) {
    return with_transport_kind(static_cast<ParameterType>(type), []<class>() {});
}

Policy read_policy(Parameters& parent, const Tlv& tlv) {
    parent.require_at_least(tlv, 8);
    Policy policy{load32(parent.bytes(tlv.value)), std::string(parent.value(tlv).substr(4))};
    if (!policy_type_is_valid(policy.type)) parent.refuse(tlv, "invalid policy type");
    if (const NativePolicy* native = find_policy(policy.type)) parent.require_length(tlv, 8 + 4 * native->value_count());
    return policy;
}

// The parameters of T that are extensions.
template <class T>
constexpr auto extensions_of = [] {
    constexpr auto count = [] {
        std::size_t found = 0;
        each_field<T>([&]<std::size_t n>() { found += is_extension(field_of<T, n>.layout); });
        return found;
    }();
    std::array<ParameterType, count> types{};
    std::size_t at = 0;
    each_field<T>([&]<std::size_t n>() {
        if constexpr (is_extension(field_of<T, n>.layout)) types[at++] = field_of<T, n>.layout.type;
    });
    return types;
}();

// Behind the last field of T that must be there.
template <class T>
constexpr std::size_t end_of_required = [] {
    std::size_t end = 0;
    each_field<T>([&]<std::size_t n>() {
        if (field_of<T, n>.required) end = n + 1;
    });
    return end;
}();

// Octets in front of the parameters of T.
template <class T>
constexpr std::size_t fixed_octets = [] {
    std::size_t octets = 0;
    each_field<T>([&]<std::size_t n>() {
        if constexpr (requires { field_of<T, n>.layout.octets; }) octets += field_of<T, n>.layout.octets;
    });
    return octets;
}();

// Fills a message, or a parameter that holds others, field by field in the order of the wire.
class Reader {
public:
    // `container` is the parameter itself, null for a message.
    Reader(std::uint8_t flags, Parameters& parameters, const Tlv* container = nullptr)
        : flags_(flags), in_(parameters), container_(container) {}

    // An extension is understood where it may stand: behind all that must be there.
    template <class T, class Object>
    void fields(Object& object) {
        each_field<T>([&]<std::size_t n>() {
            constexpr const auto& field = field_of<T, n>;
            if constexpr (n == end_of_required<T> && !extensions_of<T>.empty()) in_.understand(extensions_of<T>);
            read_field<field>(object.*field.member);
        });
    }

private:
    template <const auto& field, class Value>
    void read_field(Value& value) {
        if constexpr (!requires { field.layout.type; }) read(field.layout, field.name, value);
        else if constexpr (has_parameter_for_each<Value, decltype(field.layout)>)
            while (in_.next_is(field.layout.type)) read(field.layout, in_.consume(), value.emplace_back());
        else if constexpr (field.required) read(field.layout, in_.take(field.layout.type, field.name), value);
        else if (in_.next_is(field.layout.type)) read(field.layout, in_.consume(), place_of(value));
    }
    template <class Value>
    static Value& place_of(std::optional<Value>& value) {
        return value.emplace();
    }
    template <class Value>
    static Value& place_of(Value& value) {
        return value;
    }

    // One function for each layout. What is a parameter has been found.
    void read(layout::HandleParameter, const Tlv& tlv, std::string& value) {
        in_.require_at_least(tlv, 5);
        value = in_.value(tlv);
    }
    void read(layout::OctetsParameter, const Tlv& tlv, std::string& value) { value = in_.value(tlv); }
    void read(layout::OwnExtension, const Tlv& tlv, std::string& value) { value = in_.value(tlv); }
    void read(layout::WordParameter, const Tlv& tlv, std::uint32_t& value) {
        in_.require_length(tlv, 8);
        value = load32(in_.bytes(tlv.value));
    }
    void read(layout::ChecksumParameter, const Tlv& tlv, std::uint16_t& value) {
        in_.require_length(tlv, 6);
        value = load16(in_.bytes(tlv.value));
    }
    void read(layout::PolicyParameter, const Tlv& tlv, Policy& value) { value = read_policy(in_, tlv); }
    void read(layout::ElementParameter, const Tlv& tlv, PoolElement& value) { inside<PoolElement>(tlv, value); }
    void read(layout::ServerParameter, const Tlv& tlv, ServerInformation& value) {
        inside<ServerInformation>(tlv, value);
    }
    // Causes have the layout of parameters, but any code is well formed.
    void read(layout::ErrorParameter, const Tlv& tlv, std::vector<ErrorCause>& causes) {
        std::size_t at = tlv.value;
        while (at < tlv.end) {
            const std::size_t left = tlv.end - at;
            const std::size_t length = left < 4 ? 0 : load16(in_.bytes(at + 2));
            if (length < 4 || length > left) in_.refuse(tlv, "an error cause has a bad length");
            Parameters cause = in_.between(at, at + length);
            Reader(0, cause, &tlv).fields<ErrorCause>(causes.emplace_back());
            at += (length + 3) & ~std::size_t{3};
        }
        if (causes.empty()) in_.refuse(tlv, "an operation error without a cause");
    }

    // One function for each layout of what is none, or has a place of its own.
    void read(layout::Flag flag, const char*, bool& value) { value = flags_ & flag.mask; }
    void read(layout::Word, const char* field, std::uint32_t& value) { value = in_.word32(field); }
    void read(layout::SignedWord, const char* field, std::int32_t& value) {
        value = static_cast<std::int32_t>(in_.word32(field));
    }
    void read(layout::Action, const char* field, std::uint16_t& value) {
        value = static_cast<std::uint16_t>(in_.word32(field) >> 16);
        if (value > 1) in_.refuse_here("update action is neither 0 (add) nor 1 (delete)");
    }
    void read(layout::PoolEntries, const char*, std::vector<PoolEntry>& values) {
        while (in_.next_is(ParameterType::pool_handle)) {
            PoolEntry& entry = values.emplace_back();
            fields<PoolEntry>(entry);
            if (entry.pool_elements.empty()) in_.refuse_here("a pool entry without a pool element");
        }
    }
    void read(layout::ServerTransports, const char*, std::vector<Transport>& values) {
        while (const Tlv* next = in_.peek()) {
            const Tlv tlv = *next;
            if (tlv.type != static_cast<std::uint16_t>(ParameterType::sctp_transport) &&
                tlv.type != static_cast<std::uint16_t>(ParameterType::tcp_transport))
                in_.refuse(tlv, "an announcement lists SCTP and TCP transports only");
            values.push_back(transport_in(in_.consume()));
        }
    }
    // Before the policy stands the user transport, after it the ASAP transport (RFC 5354 3.10).
    void read(layout::UserTransport, const char*, Transport& value) {
        const Tlv* next = in_.peek();
        if (!next || !is_transport(next->type)) in_.refuse(*container_, "user transport is missing");
        const Tlv user = in_.consume();
        value = transport_in(user);
        next = in_.peek();
        if (next && is_transport(next->type)) in_.refuse(*next, "a second user transport");
    }
    void read(layout::AsapTransport, const char*, std::optional<Transport>& value) {
        if (!in_.peek()) return;
        const Tlv asap = in_.consume();
        if (asap.type != static_cast<std::uint16_t>(ParameterType::sctp_transport))
            in_.refuse(asap, "only an SCTP transport for ASAP may follow the policy");
        value = transport_in(asap);
    }
    void read(layout::ServerTransport, const char*, Transport& value) {
        value = transport_in(in_.take(ParameterType::sctp_transport, "server transport"));
    }

    void read(layout::CauseCode, const char* field, std::uint16_t& value) {
        value = static_cast<std::uint16_t>(in_.word32(field) >> 16);
    }
    void read(layout::Rest, const char*, std::string& value) { value = in_.rest(); }
    void read(layout::Port, const char* field, std::uint16_t& value) { value = in_.word16(field); }
    void read(layout::PortAndReserved, const char* field, std::uint16_t& value) {
        value = static_cast<std::uint16_t>(in_.word32(field) >> 16);
    }
    void read(layout::TransportUse, const char* field, std::uint16_t& value) {
        value = in_.word16(field);
        if (value > 1) in_.refuse(*container_, "transport use is neither 0 nor 1");
    }
    void read(layout::ReservedUse, const char* field, std::uint16_t& value) {
        value = in_.word16(field);
        if (value > 1) value = 0;
    }
    void read(layout::Addresses addresses, const char*, std::string& content) {
        std::size_t count = 0;
        while (const Tlv* address = in_.peek()) {
            const bool v4 = address->type == static_cast<std::uint16_t>(ParameterType::ipv4_address);
            if (!v4 && address->type != static_cast<std::uint16_t>(ParameterType::ipv6_address))
                in_.refuse(*container_, "a transport holds addresses only");
            const std::size_t size = v4 ? 4 : 16;
            if (address->end - address->value != size) in_.refuse(*container_, "an address has the wrong length");
            if (++count > addresses.most) in_.refuse(*container_, "more than one address");
            add_address(content, in_.bytes(address->value), size);
            in_.consume();
        }
        if (count == 0) in_.refuse(*container_, "no address");
    }

    Transport transport_in(const Tlv& tlv) {
        Transport transport;
        transport.kind = static_cast<ParameterType>(tlv.type);
        with_transport_kind(transport.kind, [&]<class Kind>() { inside<Kind>(tlv, transport); });
        return transport;
    }

    // The content of a parameter that holds others.
    template <class T, class Object>
    void inside(const Tlv& tlv, Object& object) {
        in_.require_at_least(tlv, 4 + fixed_octets<T>);
        Parameters inner = in_.inside(tlv);
        Reader(0, inner, &tlv).fields<T>(object);
        inner.finish();
    }

    std::uint8_t flags_;
    Parameters& in_;
    const Tlv* container_;
};

template <class M>
bool read_if(std::uint8_t type, std::uint8_t flags, Parameters& parameters, std::optional<Message>& message) {
    if (type != M::about.type) return false;
    M& content = std::get<M>(message.emplace(std::in_place_type<M>));
    Reader(flags, parameters).fields<M>(content);
    parameters.finish();
    if constexpr (requires { content.problem(); })
        if (const char* problem = content.problem()) parameters.refuse_here(problem);
    return true;
}

template <class... Ms>
bool read_any(MessageList<Ms...>, std::uint8_t type, std::uint8_t flags, Parameters& parameters,
              std::optional<Message>& message) {
    return (read_if<Ms>(type, flags, parameters, message) || ...);
}

Refusal unknown_message(std::span<const std::uint8_t> data, std::size_t length) {
    Refusal refusal{0, 0, "unknown message type " + std::to_string(data[0]), {}};
    if (data[0] >> 6 == 1)
        refusal.cause = ErrorCause{"UNRECOGNIZED_MESSAGE"_cause,
                                   std::string(reinterpret_cast<const char*>(data.data()), std::min(length, max_quote))};
    return refusal;
}

}  // namespace

Decoded decode(std::span<const std::uint8_t> data, Protocol protocol) {
    Decoded decoded;
    if (data.size() < 4) {
        decoded.refusal = Refusal{0, 0, "shorter than the common header", {}};
        return decoded;
    }
    const std::size_t length = load16(data.data() + 2);
    if (length < 4 || length > data.size() || data.size() - length > 3) {
        decoded.refusal = Refusal{2, 0,
                                  "message length is " + std::to_string(length) + " but " +
                                      std::to_string(data.size()) + " bytes arrived", {}};
        return decoded;
    }
    Parameters parameters(data, 4, length, decoded.reports);
    try {
        const bool known = protocol == Protocol::asap
                               ? read_any(AsapMessages{}, data[0], data[1], parameters, decoded.message)
                               : read_any(EnrpMessages{}, data[0], data[1], parameters, decoded.message);
        if (!known) decoded.refusal = unknown_message(data, length);
    } catch (Refused& refused) {
        decoded.message.reset();
        decoded.refusal = std::move(refused.refusal);
    }
    return decoded;
}

std::optional<Message> error_reply(std::span<const std::uint8_t> data, const Decoded& decoded,
                                   Protocol protocol, std::uint32_t own_identifier) {
    const bool silent = decoded.refusal && !decoded.refusal->cause;
    const std::uint8_t error_type = protocol == Protocol::asap ? AsapError::about.type : EnrpError::about.type;
    if (silent || data.empty() || data[0] == error_type) return std::nullopt;
    std::vector<ErrorCause> causes = decoded.reports;
    if (decoded.refusal) causes.push_back(*decoded.refusal->cause);
    if (causes.empty()) return std::nullopt;
    // Quotes are limited one by one; this keeps many of them within one message.
    std::size_t total = 0;
    for (std::size_t i = 0; i < causes.size(); ++i) {
        total += 8 + causes[i].information.size();
        if (i > 0 && total > 60000) causes.resize(i);
    }
    if (protocol == Protocol::asap) return AsapError{std::move(causes)};
    const std::uint32_t sender = data.size() >= 8 ? load32(data.data() + 4) : 0;
    return EnrpError{own_identifier, sender, std::move(causes)};
}

}  // namespace rsim::wire
