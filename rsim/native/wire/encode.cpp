#include "encode.hpp"

namespace rsim::wire {

void Encoder::transport(const char* field, const Transport& value) {
    if (value.kind == ParameterType::opaque_transport) return octets(value.kind, field, value.content);
    const std::size_t addresses = value.address_count();
    if (addresses == 0) throw FieldProblem(field, "a transport has at least one address");
    if (addresses > 1 && value.kind != ParameterType::sctp_transport)
        throw FieldProblem(field, "only an SCTP transport has more than one address");
    if (value.use > 1) throw FieldProblem(field, "transport use is 0 (data only) or 1 (data plus control)");

    std::uint8_t* const parameter = open(value.kind);
    put16(value.port);
    const bool has_use = value.kind == ParameterType::sctp_transport ||
                         (value.kind == ParameterType::tcp_transport && (dialect_ & tcp_transport_use));
    put16(has_use ? value.use : 0);
    if (value.kind == ParameterType::dccp_transport) put32(value.service_code);
    value.each_address([&](const std::uint8_t* octets, std::size_t size) {
        require_room(field, 4 + size);
        header(size == 4 ? ParameterType::ipv4_address : ParameterType::ipv6_address,
               static_cast<std::uint16_t>(4 + size));
        std::memcpy(at_, octets, size);
        at_ += size;
    });
    close(field, parameter);
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
    fields(value);
    close(field, parameter);
}

void Encoder::pools(const char* field, const std::vector<PoolEntry>& values) {
    for (const auto& pool : values) {
        if (pool.pool_elements.empty())
            throw FieldProblem(field, "a pool entry lists at least one pool element");
        fields(pool);
    }
}

void Encoder::write(layout::ServerParameter, const char* field, const ServerInformation& value) {
    if (value.transport.kind != ParameterType::sctp_transport)
        throw FieldProblem(field, "server information holds an SCTP transport (RFC 5354 3.11)");
    std::uint8_t* const parameter = open(ParameterType::server_information);
    fields(value);
    close(field, parameter);
}

void Encoder::write(layout::ErrorParameter, const char* field, const std::vector<ErrorCause>& causes) {
    if (causes.empty()) throw FieldProblem(field, "an operation error has at least one cause");
    std::uint8_t* const parameter = open(ParameterType::operation_error);
    for (const auto& cause : causes) {
        std::uint8_t* const start = at_;
        require_room(field, 4);
        put16(cause.code);
        put16(0);
        put(field, cause.information);
        close(field, start);
    }
    close(field, parameter);
}

}  // namespace rsim::wire
