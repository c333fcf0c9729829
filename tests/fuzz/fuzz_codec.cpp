// libFuzzer target: whatever the bytes, the codec reads nothing outside them, and what it accepts
// comes back equal when it is written and read again.
#include <cstdlib>

#include "wire/decode.hpp"
#include "wire/encode.hpp"

using namespace rsim::wire;

namespace {

// Everything that a message holds is written down, extensions too.
constexpr unsigned dialect = rsplib & ~"PADDED_MESSAGE_LENGTH"_dialect;

void check(std::span<const std::uint8_t> data, Protocol protocol) {
    const Decoded decoded = decode(data, protocol);
    if (decoded.message.has_value() == decoded.refusal.has_value()) std::abort();
    if (const auto reply = error_reply(data, decoded, protocol, 1))
        std::visit([](const auto& message) { Encoder(rfc).encode(message); }, *reply);
    if (!decoded.message) return;
    std::visit([&](const auto& message) {
        Encoder encoder(dialect);
        const auto bytes = encoder.encode(message);
        const std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
        const Decoded again = decode(copy, protocol);
        if (!again.message || !(*again.message == *decoded.message)) std::abort();
    }, *decoded.message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    check({data, size}, Protocol::asap);
    check({data, size}, Protocol::enrp);
    return 0;
}
