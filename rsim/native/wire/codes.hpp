// Numbers of the wire that have names in Python too: error causes and dialects. Python's enums follow from the tables.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace rsim::wire {

struct CodeName {
    std::uint16_t code;
    const char* name;  // of the member in Python; C++ writes "NAME"_cause and "NAME"_dialect
    const char* doc;   // what it stands for
};

// Error causes, RFC 5354 table 2.
inline constexpr auto causes = std::to_array<CodeName>({
    {0x0, "UNSPECIFIED", "No cause is given."},
    {0x1, "UNRECOGNIZED_PARAMETER", "A parameter of unknown type; the cause quotes it."},
    {0x2, "UNRECOGNIZED_MESSAGE", "A message of unknown type; the cause quotes it."},
    {0x3, "INVALID_VALUES", "A parameter with values that are not valid; the cause quotes it."},
    {0x4, "NON_UNIQUE_PE_IDENTIFIER", "Another pool element has the identifier."},
    {0x5, "INCONSISTENT_POLICY", "The policy is not the pool's; the cause quotes the pool's."},
    {0x6, "LACK_OF_RESOURCES", "The server lacks the resources."},
    {0x7, "INCONSISTENT_TRANSPORT_TYPE", "The transport is not of the pool's type."},
    {0x8, "INCONSISTENT_DATA_CONTROL", "The transport's use is not the pool's."},
    {0x9, "UNKNOWN_POOL_HANDLE", "No pool has the handle."},
    {0xa, "SECURITY", "Refused for reasons of security."},
});

// Ways in which an encoder may leave the letter of the RFCs; combined as bits.
inline constexpr auto dialects = std::to_array<CodeName>({
    {0, "RFC", "The letter of the RFCs."},
    {1, "PADDED_MESSAGE_LENGTH", "The message length counts the final filler (RFC 5354 4: it does not)."},
    {2, "BUSINESS_CARD_POLICY", "A policy between handle and elements."},
    {4, "KEEP_ALIVE_PE_IDENTIFIER", "A PE Identifier in ASAP_ENDPOINT_KEEP_ALIVE."},
    {8, "HANDLE_RESOLUTION_OPTION", "Parameter 0x803f in ASAP_HANDLE_RESOLUTION."},
    {16, "TCP_TRANSPORT_USE", "Transport use in TCP's reserved field."},
    {32, "TAKEOVER_SUGGESTED", "Flag 0x01 of ENRP_HANDLE_UPDATE."},
    {63, "RSPLIB", "All of these: rsplib's bytes."},
});

// The number of that name; a name that the table does not have does not compile.
template <class Table>
consteval std::uint16_t code_named(const Table& table, std::string_view name) {
    for (const CodeName& row : table)
        if (row.name == name) return row.code;
    throw "no such name";
}
consteval std::uint16_t operator""_cause(const char* name, std::size_t size) { return code_named(causes, {name, size}); }
consteval unsigned operator""_dialect(const char* name, std::size_t size) { return code_named(dialects, {name, size}); }

inline constexpr unsigned rfc = "RFC"_dialect;
inline constexpr unsigned rsplib = "RSPLIB"_dialect;

}  // namespace rsim::wire
