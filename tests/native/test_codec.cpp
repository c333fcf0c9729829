// The codec as C++ sees it: bytes by hand, limits, and mutated inputs under the sanitizers.
#include <random>

#include "check.hpp"
#include "wire/decode.hpp"
#include "wire/encode.hpp"

using namespace rsim::wire;

namespace {

Registration registration() {
    Registration message{"pool", {}};
    message.pool_element.identifier = 0x01020304;
    message.pool_element.registration_life = 30;
    message.pool_element.user_transport.port = 80;
    const std::uint8_t v4[] = {10, 0, 0, 1};
    const std::uint8_t v6[16] = {0x20, 0x01};
    add_address(message.pool_element.user_transport.content, v4, 4);
    add_address(message.pool_element.user_transport.content, v6, 16);
    message.pool_element.policy = {0x40000001, std::string("\0\0\0\7", 4)};
    return message;
}

void round_trip() {
    const Registration message = registration();
    Encoder encoder(rfc);
    const auto bytes = encoder.encode(message);
    CHECK(bytes.size() % 4 == 0);
    CHECK(bytes[0] == 1 && bytes[1] == 0);
    const Decoded decoded = decode(bytes, Protocol::asap);
    CHECK(decoded.message && std::get<Registration>(*decoded.message) == message);
}

void limits() {
    Encoder encoder(rfc);
    bool refused = false;
    try {
        encoder.encode(Cookie{std::string(65536, 'x')});
    } catch (const FieldProblem& problem) {
        refused = problem.field == "cookie";
    }
    CHECK(refused);
    Encoder again(rfc);
    CHECK(again.encode(Cookie{std::string(65527, 'x')}).size() == 65536);
}

void errors_are_not_answered() {
    const std::uint8_t broken[] = {0x0e, 0, 0, 10, 0, 0x0c, 0, 0x14, 0, 1};
    const Decoded decoded = decode(broken, Protocol::asap);
    CHECK(!decoded.message);
    CHECK(!error_reply(broken, decoded, Protocol::asap, 0));
}

// Whatever arrives, nothing is read outside it (the sanitizers watch) and what is accepted can be
// written down again.
void mutations() {
    std::mt19937 random(1);
    Encoder encoder(rfc);
    const auto bytes = encoder.encode(registration());
    const std::vector<std::uint8_t> original(bytes.begin(), bytes.end());
    for (int i = 0; i < 200000; ++i) {
        std::vector<std::uint8_t> data = original;
        for (unsigned changes = random() % 4; changes > 0; --changes) data[random() % data.size()] = static_cast<std::uint8_t>(random());
        data.resize(data.size() - random() % 6);
        const Protocol protocol = random() % 4 ? Protocol::asap : Protocol::enrp;
        const Decoded decoded = decode(data, protocol);
        CHECK(decoded.message.has_value() != decoded.refusal.has_value());
        if (auto reply = error_reply(data, decoded, protocol, 7)) std::visit([](const auto& m) { Encoder(rfc).encode(m); }, *reply);
        if (decoded.message) std::visit([](const auto& m) { Encoder(rsplib).encode(m); }, *decoded.message);
    }
}

}  // namespace

int main() {
    round_trip();
    limits();
    errors_are_not_answered();
    mutations();
    return failures != 0;
}
