// Decoding of messages and the treatment of what is not understood (RFC 5354 sections 3 and 4).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "messages.hpp"

namespace rsim::wire {

// Why a message was refused, and what its sender is told.
struct Refusal {
    std::size_t offset = 0;        // of the offending octet in the message
    std::uint16_t parameter = 0;   // type of the offending parameter, 0 if it is the message itself
    std::string reason;
    std::optional<ErrorCause> cause;  // none: discarded in silence
};

// Outcome of reading one message. What is not understood but may be skipped and shall be reported
// stands in `reports`, with or without a message.
struct Decoded {
    std::optional<Message> message;
    std::vector<ErrorCause> reports;
    std::optional<Refusal> refusal;
};

Decoded decode(std::span<const std::uint8_t> data, Protocol protocol);

// The ASAP_ERROR or ENRP_ERROR that answers `data`, if any: never for an error message.
std::optional<Message> error_reply(std::span<const std::uint8_t> data, const Decoded& decoded,
                                   Protocol protocol, std::uint32_t own_identifier);

}  // namespace rsim::wire
