// Numbers of the wire that have names in Python too: error causes and dialects. Python's enums follow from the tables.
#pragma once

#include <array>
#include <cstdint>

namespace rsim::wire {

template <class Code>
struct CodeName {
    Code code;
    const char* name;  // of the member in Python
    const char* doc;   // what it stands for
};

// Error causes, RFC 5354 table 2.
enum class Cause : std::uint16_t {
    unspecified = 0x0,
    unrecognized_parameter = 0x1,
    unrecognized_message = 0x2,
    invalid_values = 0x3,
    non_unique_pe_identifier = 0x4,
    inconsistent_policy = 0x5,
    lack_of_resources = 0x6,
    inconsistent_transport_type = 0x7,
    inconsistent_data_control = 0x8,
    unknown_pool_handle = 0x9,
    security = 0xa,
};

inline constexpr auto causes = std::to_array<CodeName<Cause>>({
    {Cause::unspecified, "UNSPECIFIED", "No cause is given."},
    {Cause::unrecognized_parameter, "UNRECOGNIZED_PARAMETER", "A parameter of unknown type; the cause quotes it."},
    {Cause::unrecognized_message, "UNRECOGNIZED_MESSAGE", "A message of unknown type; the cause quotes it."},
    {Cause::invalid_values, "INVALID_VALUES", "A parameter with values that are not valid; the cause quotes it."},
    {Cause::non_unique_pe_identifier, "NON_UNIQUE_PE_IDENTIFIER", "Another pool element has the identifier."},
    {Cause::inconsistent_policy, "INCONSISTENT_POLICY", "The policy is not the pool's; the cause quotes the pool's."},
    {Cause::lack_of_resources, "LACK_OF_RESOURCES", "The server lacks the resources."},
    {Cause::inconsistent_transport_type, "INCONSISTENT_TRANSPORT_TYPE", "The transport is not of the pool's type."},
    {Cause::inconsistent_data_control, "INCONSISTENT_DATA_CONTROL", "The transport's use is not the pool's."},
    {Cause::unknown_pool_handle, "UNKNOWN_POOL_HANDLE", "No pool has the handle."},
    {Cause::security, "SECURITY", "Refused for reasons of security."},
});

// Ways in which an encoder may leave the letter of the RFCs; combined as bits.
enum Dialect : unsigned {
    rfc = 0,
    padded_message_length = 1,
    business_card_policy = 2,
    keep_alive_pe_identifier = 4,
    handle_resolution_option = 8,
    tcp_transport_use = 16,
    takeover_suggested = 32,
    rsplib = 63,
};

inline constexpr auto dialects = std::to_array<CodeName<Dialect>>({
    {rfc, "RFC", "The letter of the RFCs."},
    {padded_message_length, "PADDED_MESSAGE_LENGTH", "The message length counts the final filler (RFC 5354 4: it does not)."},
    {business_card_policy, "BUSINESS_CARD_POLICY", "A policy between handle and elements."},
    {keep_alive_pe_identifier, "KEEP_ALIVE_PE_IDENTIFIER", "A PE Identifier in ASAP_ENDPOINT_KEEP_ALIVE."},
    {handle_resolution_option, "HANDLE_RESOLUTION_OPTION", "Parameter 0x803f in ASAP_HANDLE_RESOLUTION."},
    {tcp_transport_use, "TCP_TRANSPORT_USE", "Transport use in TCP's reserved field."},
    {takeover_suggested, "TAKEOVER_SUGGESTED", "Flag 0x01 of ENRP_HANDLE_UPDATE."},
    {rsplib, "RSPLIB", "All of these: rsplib's bytes."},
});

}  // namespace rsim::wire
