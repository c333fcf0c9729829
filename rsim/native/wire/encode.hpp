// Encoding of messages (RFC 5354 sections 3 and 4).
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "messages.hpp"
#include "policies.hpp"
#include "transports.hpp"

namespace rsim::wire {

// A value that the wire can't represent; `field` names it as the message does.
struct FieldProblem : std::runtime_error {
    FieldProblem(std::string field_name, const std::string& reason)
        : std::runtime_error(reason), field(std::move(field_name)) {}
    std::string field;
};

// Builds one message in a buffer of its own that is used again by the next.
class Encoder {
public:
    explicit Encoder(unsigned dialect) : dialect_(dialect), start_(buffer()), at_(start_ + 4) {}

    template <class M>
    std::span<const std::uint8_t> encode(const M& message) {
        if constexpr (requires { message.problem(); })
            if (const char* problem = message.problem()) throw FieldProblem(M::about.name, problem);
        fields<M>(message);
        const std::size_t padded = static_cast<std::size_t>(at_ - start_);
        const std::size_t length =
            dialect_ & "PADDED_MESSAGE_LENGTH"_dialect ? padded : static_cast<std::size_t>(end_of_value() - start_);
        if (length > max_length) throw FieldProblem(M::about.name, "the message exceeds 65535 bytes");
        start_[0] = M::about.type;
        start_[1] = flags_;
        store16(start_ + 2, static_cast<std::uint16_t>(length));
        return {start_, padded};
    }

    // Only the parameter, as an error cause quotes it.
    template <class Write>
    std::string parameter(Write&& write) {
        at_ = start_;
        write(*this);
        return {reinterpret_cast<const char*>(start_), static_cast<std::size_t>(end_of_value() - start_)};
    }

    void policy(const char* field, const Policy& value) {
        if (!policy_type_is_valid(value.type))
            throw FieldProblem(field, "policy types 0x00000000 and 0x40000000 are invalid (RFC 5356 7.1)");
        std::uint8_t* const parameter = open(ParameterType::policy);
        put32(value.type);
        put(field, value.data);
        close(field, parameter);
    }
    void transport(const char* field, const Transport& value);
    void element(const char* field, const PoolElement& value);
    void pools(const char* field, const std::vector<PoolEntry>& values);

private:
    // The fields that `Described` has, of a message or parameter. A problem is that of the field, or of `parent`.
    template <class Described, class Object>
    void fields(const Object& object, const char* parent = nullptr) {
        each_field<Described>([&]<std::size_t n>() {
            constexpr auto field = field_of<Described, n>;
            const auto& value = object.*field.member;
            if constexpr (field.dialect != rfc)
                if (!(dialect_ & field.dialect)) return leave_out(field.layout);
            if constexpr (requires { value.size(); } && !field.required)
                if (value.empty()) return;
            write(field.layout, parent ? parent : field.name, value);
        });
    }

    template <class Layout>
    void leave_out(Layout) {}
    void leave_out(layout::ReservedUse) { put16(0); }

    // One function for each layout.
    void write(layout::Flag flag, const char*, bool value) {
        if (value) flags_ |= flag.mask;
    }
    void write(layout::Word, const char*, std::uint32_t value) { put32(value); }
    void write(layout::SignedWord, const char*, std::int32_t value) { put32(static_cast<std::uint32_t>(value)); }
    void write(layout::Action, const char* field, std::uint16_t value) {
        if (value > 1) throw FieldProblem(field, "0 adds an element and 1 deletes it; no other value is defined");
        put16(value);
        put16(0);
    }
    void write(layout::HandleParameter handle, const char* field, const std::string& value) {
        if (value.empty()) throw FieldProblem(field, "a pool handle has at least one byte");
        octets(handle.type, field, value);
    }
    void write(layout::OctetsParameter parameter, const char* field, const std::string& value) {
        octets(parameter.type, field, value);
    }
    void write(layout::WordParameter parameter, const char*, std::uint32_t value) {
        header(parameter.type, 8);
        put32(value);
        close();
    }
    void write(layout::ChecksumParameter parameter, const char*, std::uint16_t value) {
        header(parameter.type, 6);
        put16(value);
        close();
    }
    void write(layout::OwnExtension extension, const char* field, const std::string& value) {
        if (static_cast<std::size_t>(at_ - start_) + with_filler(4 + value.size()) > max_length) return;
        octets(extension.type, field, value);
    }
    void write(layout::PolicyParameter, const char* field, const Policy& value) { policy(field, value); }
    void write(layout::ElementParameter, const char* field, const PoolElement& value) { element(field, value); }
    void write(layout::ServerParameter, const char* field, const ServerInformation& value);
    void write(layout::ErrorParameter, const char* field, const std::vector<ErrorCause>& causes);
    void write(layout::PoolEntries, const char* field, const std::vector<PoolEntry>& values) { pools(field, values); }
    void write(layout::ServerTransports, const char* field, const std::vector<Transport>& values);
    void write(layout::UserTransport, const char* field, const Transport& value) { transport(field, value); }
    void write(layout::AsapTransport, const char* field, const Transport& value);
    void write(layout::ServerTransport, const char* field, const Transport& value) { transport(field, value); }
    void write(layout::CauseCode, const char* field, std::uint16_t value) {
        require_room(field, 4);
        put16(value);
        put16(0);
    }
    void write(layout::Rest, const char* field, const std::string& value) { put(field, value); }
    void write(layout::Port, const char*, std::uint16_t value) { put16(value); }
    void write(layout::PortAndReserved, const char*, std::uint16_t value) {
        put16(value);
        put16(0);
    }
    void write(layout::TransportUse, const char* field, std::uint16_t value) {
        if (value > 1) throw FieldProblem(field, "transport use is 0 (data only) or 1 (data plus control)");
        put16(value);
    }
    void write(layout::ReservedUse, const char* field, std::uint16_t value) {
        write(layout::TransportUse{}, field, value);
    }
    void write(layout::Addresses addresses, const char* field, const std::string& content);

    // What may be missing, and what there may be several of.
    template <class Layout, class Value>
    void write(Layout layout, const char* field, const std::optional<Value>& value) {
        if (value) write(layout, field, *value);
    }
    template <class Layout, class Value>
    void write(Layout layout, const char* field, const std::vector<Value>& values) {
        for (const Value& value : values) write(layout, field, value);
    }

    static constexpr std::size_t max_length = 65535;

    // 65535 bytes and room for one fixed part more; variable parts are checked as they are put.
    static std::uint8_t* buffer() {
        thread_local std::vector<std::uint8_t> storage(max_length + 1024);
        return storage.data();
    }

    static constexpr std::size_t with_filler(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

    std::uint8_t* end_of_value() const { return at_ - padding_; }

    void put16(std::uint16_t value) {
        store16(at_, value);
        at_ += 2;
        padding_ = 0;
    }
    void put32(std::uint32_t value) {
        store32(at_, value);
        at_ += 4;
        padding_ = 0;
    }
    void put(const char* field, std::string_view bytes) {
        require_room(field, bytes.size());
        std::memcpy(at_, bytes.data(), bytes.size());
        at_ += bytes.size();
        padding_ = 0;
    }
    [[gnu::always_inline]] void require_room(const char* field, std::size_t size) const {
        if (static_cast<std::size_t>(at_ - start_) + size > max_length) refuse_room(field);
    }
    [[noreturn, gnu::cold, gnu::noinline]] static void refuse_room(const char* field) {
        throw FieldProblem(field, "does not fit: a message has at most 65535 bytes");
    }
    void header(ParameterType type, std::uint16_t length) {
        put16(static_cast<std::uint16_t>(type));
        put16(length);
    }
    std::uint8_t* open(ParameterType type) {
        std::uint8_t* const parameter = at_;
        header(type, 0);
        return parameter;
    }
    // A parent counts the padding between its children but not after the last one (RFC 5354 2).
    void close(const char* field, std::uint8_t* parameter) {
        require_room(field, 0);
        store16(parameter + 2, static_cast<std::uint16_t>(end_of_value() - parameter));
        close();
    }
    void close() {
        while ((at_ - start_) % 4 != 0) {
            *at_++ = 0;
            ++padding_;
        }
    }
    void octets(ParameterType type, const char* field, const std::string& value) {
        std::uint8_t* const parameter = open(type);
        put(field, value);
        close(field, parameter);
    }

    unsigned dialect_;
    std::uint8_t* start_;
    std::uint8_t* at_;
    std::uint8_t flags_ = 0;
    int padding_ = 0;  // zero bytes just before at_ that pad the last parameter
};

}  // namespace rsim::wire
