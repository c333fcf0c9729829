#include "encode.hpp"

namespace rsim::wire {

void Encoder::transport(const char* field, const Transport& value) {
    with_transport_kind(value.kind, [&]<class Kind>() {
        std::uint8_t* const parameter = open(Kind::kind);
        fields<Kind>(value, field);
        close(field, parameter);
    });
}

void Encoder::write(layout::Addresses addresses, const char* field, const std::string& content) {
    std::size_t count = 0;
    each_address(content, [&](const std::uint8_t* octets, std::size_t size) {
        if (++count > addresses.most) throw FieldProblem(field, "only an SCTP transport has more than one address");
        require_room(field, 4 + size);
        header(size == 4 ? ParameterType::ipv4_address : ParameterType::ipv6_address,
               static_cast<std::uint16_t>(4 + size));
        std::memcpy(at_, octets, size);
        at_ += size;
    });
    if (count == 0) throw FieldProblem(field, "a transport has at least one address");
}

void Encoder::write(layout::ServerTransports, const char* field, const std::vector<Transport>& values) {
    for (const auto& value : values) {
        if (value.kind != ParameterType::sctp_transport && value.kind != ParameterType::tcp_transport)
            throw FieldProblem(field, "an announcement lists SCTP and TCP transports only (RFC 5352 2.2.10)");
        transport(field, value);
    }
}

void Encoder::write(layout::AsapTransport, const char* field, const Transport& value) {
    if (value.kind != ParameterType::sctp_transport)
        throw FieldProblem(field, "an ASAP transport is an SCTP transport (RFC 5354 3.10)");
    transport(field, value);
}

void Encoder::element(const char* field, const PoolElement& value) {
    std::uint8_t* const parameter = open(ParameterType::pool_element);
    fields<PoolElement>(value);
    close(field, parameter);
}

void Encoder::pools(const char* field, const std::vector<PoolEntry>& values) {
    for (const auto& pool : values) {
        if (pool.pool_elements.empty())
            throw FieldProblem(field, "a pool entry lists at least one pool element");
        fields<PoolEntry>(pool);
    }
}

void Encoder::write(layout::ServerParameter, const char* field, const ServerInformation& value) {
    if (value.transport.kind != ParameterType::sctp_transport)
        throw FieldProblem(field, "server information holds an SCTP transport (RFC 5354 3.11)");
    std::uint8_t* const parameter = open(ParameterType::server_information);
    fields<ServerInformation>(value);
    close(field, parameter);
}

void Encoder::write(layout::ErrorParameter, const char* field, const std::vector<ErrorCause>& causes) {
    if (causes.empty()) throw FieldProblem(field, "an operation error has at least one cause");
    std::uint8_t* const parameter = open(ParameterType::operation_error);
    for (const auto& cause : causes) {
        std::uint8_t* const start = at_;
        fields<ErrorCause>(cause, field);
        close(field, start);
    }
    close(field, parameter);
}

}  // namespace rsim::wire
