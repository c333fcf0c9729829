// Encoding of messages (RFC 5354 sections 3 and 4).
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "messages.hpp"
#include "policies.hpp"

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
            if (const char* problem = message.problem()) throw FieldProblem(M::name, problem);
        M::fields(message, *this);
        const std::size_t padded = static_cast<std::size_t>(at_ - start_);
        const std::size_t length =
            dialect_ & padded_message_length ? padded : static_cast<std::size_t>(end_of_value() - start_);
        if (length > max_length) throw FieldProblem(M::name, "the message exceeds 65535 bytes");
        start_[0] = M::type;
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

    // What messages list in `fields`.
    void flag(const char*, std::uint8_t mask, bool value) {
        if (value) flags_ |= mask;
    }
    void extension_flag(const char*, std::uint8_t mask, bool value) {
        if (value && (dialect_ & takeover_suggested)) flags_ |= mask;
    }
    void word32(const char*, std::uint32_t value) { put32(value); }
    void action(const char* field, std::uint16_t value) {
        if (value > 1) throw FieldProblem(field, "0 adds an element and 1 deletes it; no other value is defined");
        put16(value);
        put16(0);
    }
    void handle(const char* field, const std::string& value) {
        if (value.empty()) throw FieldProblem(field, "a pool handle has at least one byte");
        octets(ParameterType::pool_handle, field, value);
    }
    void cookie(const char* field, const std::string& value) {
        octets(ParameterType::cookie, field, value);
    }
    void identifier(const char*, std::uint32_t value) {
        header(ParameterType::pe_identifier, 8);
        put32(value);
        close();
    }
    void optional_identifier(const char* field, const std::optional<std::uint32_t>& value) {
        if (value && (dialect_ & keep_alive_pe_identifier)) identifier(field, *value);
    }
    void resolution_option(const char*, const std::optional<std::uint32_t>& value) {
        if (!value || !(dialect_ & handle_resolution_option)) return;
        header(ParameterType::handle_resolution_option, 8);
        put32(*value);
        close();
    }
    void optional_checksum(const char*, const std::optional<std::uint16_t>& value) {
        if (!value) return;
        header(ParameterType::pe_checksum, 6);
        put16(*value);
        close();
    }
    void policy(const char* field, const Policy& value) {
        if (!policy_type_is_valid(value.type))
            throw FieldProblem(field, "policy types 0x00000000 and 0x40000000 are invalid (RFC 5356 7.1)");
        std::uint8_t* const parameter = open(ParameterType::policy);
        put32(value.type);
        put(field, value.data);
        close(field, parameter);
    }
    void optional_policy(const char* field, const std::optional<Policy>& value) {
        if (value) policy(field, *value);
    }
    void extension_policy(const char* field, const std::optional<Policy>& value) {
        if (value && (dialect_ & business_card_policy)) policy(field, *value);
    }
    void transport(const char* field, const Transport& value);
    void transports(const char* field, const std::vector<Transport>& values);
    void element(const char* field, const PoolElement& value);
    void elements(const char* field, const std::vector<PoolElement>& values) {
        for (const auto& value : values) element(field, value);
    }
    void pools(const char* field, const std::vector<PoolEntry>& values);
    void server(const char* field, const ServerInformation& value);
    void optional_server(const char* field, const std::optional<ServerInformation>& value) {
        if (value) server(field, *value);
    }
    void servers(const char* field, const std::vector<ServerInformation>& values) {
        for (const auto& value : values) server(field, value);
    }
    void error(const char* field, const std::vector<ErrorCause>& causes);
    void optional_error(const char* field, const std::vector<ErrorCause>& causes) {
        if (!causes.empty()) error(field, causes);
    }

private:
    static constexpr std::size_t max_length = 65535;

    // 65535 bytes and room for one fixed part more; variable parts are checked as they are put.
    static std::uint8_t* buffer() {
        thread_local std::vector<std::uint8_t> storage(max_length + 1024);
        return storage.data();
    }

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
    void require_room(const char* field, std::size_t size) const {
        if (static_cast<std::size_t>(at_ - start_) + size > max_length)
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
