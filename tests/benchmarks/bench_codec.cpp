// Cost of encoding and decoding in C++, for the messages of the yardstick.
#include <cstdio>

#include "timing.hpp"
#include "wire/decode.hpp"
#include "wire/encode.hpp"

using namespace rsim::wire;

namespace {

PoolElement element(std::uint32_t identifier, bool asap) {
    PoolElement made;
    made.identifier = identifier;
    made.registration_life = 300;
    const std::uint8_t address[] = {10, 0, 0, 1};
    made.user_transport.port = 80;
    add_address(made.user_transport.content, address, 4);
    made.policy = {0x40000001, std::string("\0\0\0\7", 4)};
    if (asap) made.asap_transport = made.user_transport;
    return made;
}

template <class M>
void measure(const char* name, Protocol protocol, const M& message) {
    Encoder encoder(rfc);
    const auto bytes = encoder.encode(message);
    const std::vector<std::uint8_t> data(bytes.begin(), bytes.end());
    const double encode = nanoseconds(200000, 7, [&](std::size_t) {
        Encoder each(rfc);
        keep(each.encode(message));
    });
    const double decoding = nanoseconds(200000, 7, [&](std::size_t) { keep(decode(data, protocol)); });
    std::printf("%-34s%4zu bytes  encode %6.1f ns  decode %6.1f ns\n", name, data.size(), encode, decoding);
}

}  // namespace

int main() {
    std::puts("in C++");
    measure("registration", Protocol::asap, Registration{"benchmark", element(1, false)});
    HandleResolutionResponse response;
    response.pool_handle = "benchmark";
    for (std::uint32_t i = 0; i < 4; ++i) response.pool_elements.push_back(element(i, false));
    measure("resolution response, 4 elements", Protocol::asap, response);
    HandleUpdate update;
    update.sender = 1;
    update.pool_handle = "benchmark";
    update.pool_element = element(1, true);
    measure("handle update", Protocol::enrp, update);
    measure("resolution", Protocol::asap, HandleResolution{false, "benchmark", {}});
    measure("endpoint keep-alive", Protocol::asap, EndpointKeepAlive{false, 1, "benchmark", {}});
}
