// Cost of the handlespace's operations in C++, laid out as the yardstick's table.
#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <new>
#include <numeric>
#include <random>
#include <sys/wait.h>
#include <unistd.h>

#include "handlespace/handlespace.hpp"
#include "timing.hpp"
#include "wire/policies.hpp"

// What is allocated, with the allocator's own eight bytes: its statistics would count what it keeps for later as used.
static bool counting = false;
static std::ptrdiff_t allocated = 0;

void* operator new(std::size_t size) {
    void* made = std::malloc(size);
    if (!made) throw std::bad_alloc();
    if (counting) allocated += static_cast<std::ptrdiff_t>(malloc_usable_size(made)) + 8;
    return made;
}
void operator delete(void* given) noexcept {
    if (counting && given) allocated -= static_cast<std::ptrdiff_t>(malloc_usable_size(given)) + 8;
    std::free(given);
}
void operator delete(void* given, std::size_t) noexcept { operator delete(given); }

using namespace rsim;
using namespace rsim::handlespace;

namespace {

std::mt19937_64 words(1);
std::uint64_t next_word(void*) { return words(); }
Draws draws{nullptr, next_word};

wire::PoolElement element(std::uint32_t identifier, const wire::NativePolicy& policy) {
    wire::PoolElement made;
    made.identifier = identifier;
    made.home_server = 1;
    made.registration_life = 300;
    const std::uint8_t address[] = {10, 0, 0, 1};
    made.user_transport.port = 80;
    wire::add_address(made.user_transport.content, address, 4);
    made.asap_transport = made.user_transport;
    made.policy.type = policy.type;
    made.policy.data.resize(4 * policy.value_count());
    for (std::size_t i = 0; i < policy.value_count(); ++i) {
        const bool weight = policy.values[i].name == "weight";
        wire::store32(made.policy.data.data() + 4 * i, static_cast<std::uint32_t>(weight ? 1 + words() % 100 : words()));
    }
    return made;
}

// Pools that were there before leave holes in the memory, over which the next one's elements would be strewn.
template <class Action>
void in_process_of_its_own(Action action) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        action();
        std::fflush(stdout);
        _exit(0);
    }
    int status = 1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) std::exit(1);
}

void measure(const wire::NativePolicy& policy, std::size_t pools, std::size_t size) {
    const std::size_t total = pools * size;
    std::vector<std::string> handles(pools);
    for (std::size_t p = 0; p < pools; ++p) {
        const std::string number = std::to_string(p);
        handles[p] = "pool-" + std::string(6 - number.size(), '0') + number;
    }
    std::vector<std::uint32_t> order(total);
    std::iota(order.begin(), order.end(), 1u);
    std::shuffle(order.begin(), order.end(), words);
    const std::size_t samples = std::min<std::size_t>(total, 4096);
    std::vector<wire::PoolElement> fresh, renewed;
    for (std::size_t i = 0; i < samples; ++i) {
        fresh.push_back(element(order[i], policy));
        renewed.push_back(element(order[i], policy));
    }
    const auto pool = [&](std::size_t i) -> const std::string& { return handles[order[i % total] % pools]; };

    counting = true;
    Handlespace handlespace({});
    for (std::size_t i = 0; i < total; ++i) {
        wire::PoolElement one = i < samples ? fresh[i] : element(order[i], policy);
        handlespace.add(pool(i), one, 300);
    }
    counting = false;
    const double bytes = static_cast<double>(allocated) / static_cast<double>(total);

    const std::size_t rounds = std::max<std::size_t>(1, 40000 / samples);
    double out = 1e300, in = 1e300;
    for (std::size_t round = 0; round < rounds; ++round) {
        double start = cpu_seconds();
        for (std::size_t i = 0; i < samples; ++i) handlespace.remove(pool(i), fresh[i].identifier);
        out = std::min(out, (cpu_seconds() - start) / static_cast<double>(samples));
        start = cpu_seconds();
        for (std::size_t i = 0; i < samples; ++i) handlespace.add(pool(i), fresh[i], 300);
        in = std::min(in, (cpu_seconds() - start) / static_cast<double>(samples));
    }
    const double changed = nanoseconds(samples, static_cast<int>(2 * rounds), [&](std::size_t i) {
        const std::size_t at = i % samples;
        handlespace.add(pool(at), i / samples % 2 ? fresh[at] : renewed[at], 300);
    });
    for (std::size_t i = 0; i < samples; ++i) handlespace.add(pool(i), fresh[i], 300);
    const double same = nanoseconds(samples, static_cast<int>(rounds), [&](std::size_t i) {
        const std::size_t at = i % samples;
        handlespace.add(pool(at), fresh[at], 300);
    });
    std::printf("%-24.*s %6zu %8zu %8.0f %8.0f %8.0f %8.0f", static_cast<int>(policy.name.size()), policy.name.data(),
                pools, size, in * 1e9, changed, same, out * 1e9);
    // Drawn beforehand: a draw takes as long as a selection in a small pool.
    std::vector<const std::string*> asked;
    for (std::size_t i = 0; i < 20000; ++i) asked.push_back(&handles[words() % pools]);
    for (std::size_t count = 1; count <= 4; ++count)
        std::printf(" %8.0f", nanoseconds(asked.size(), 5, [&](std::size_t i) {
            keep(handlespace.select(*asked[i % asked.size()], count, draws));
        }));
    // With what an answer does, and a list in Python: a look at what the elements are.
    std::printf(" %8.0f", nanoseconds(asked.size(), 5, [&](std::size_t i) {
        for (const Element* listed : handlespace.select(*asked[i % asked.size()], 4, draws)) {
            keep(wire::Transport(listed->content.user_transport));
            keep(wire::Policy(listed->content.policy));
        }
    }));
    std::printf(" %8.0f\n", bytes);
}

}  // namespace

// Arguments: the largest pool, 1,000,000 if left out.
int main(int count, char** arguments) {
    const std::size_t largest = count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 1000000;
    std::printf("%-24s %6s %8s %8s %8s %8s %8s %8s %8s %8s %8s %8s %8s\n", "policy", "pools", "elements", "register",
                "renew", "same", "remove", "select 1", "2", "3", "4", "4, read", "bytes");
    const auto row = [](std::size_t policy, std::size_t pools, std::size_t size) {
        in_process_of_its_own([=] { measure(wire::native_policies[policy], pools, size); });
    };
    for (std::size_t i = 0; i < 9; ++i) {
        for (std::size_t size = 10; size <= largest; size *= 10) row(i, 1, size);
        for (std::size_t size = 10; size <= std::min<std::size_t>(1000, largest); size *= 10) row(i, 1000, size);
    }
}
