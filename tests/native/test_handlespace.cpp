// The handlespace as C++ sees it: random histories against plain bookkeeping.
#include <malloc.h>

#include <map>
#include <random>
#include <set>

#include "check.hpp"
#include "handlespace/handlespace.hpp"
#include "wire/policies.hpp"

using namespace rsim;
using namespace rsim::handlespace;

namespace {

std::mt19937_64 random_words(1);

std::uint64_t next_word(void*) { return random_words(); }
Draws draws{nullptr, next_word};

wire::PoolElement element(std::uint32_t identifier, std::uint32_t owner, const wire::NativePolicy& policy) {
    wire::PoolElement made;
    made.identifier = identifier;
    made.home_server = owner;
    const std::uint8_t address[] = {10, 0, 0, 1};
    wire::add_address(made.user_transport.content, address, 4);
    made.policy.type = policy.type;
    made.policy.data.resize(4 * policy.value_count());
    for (std::size_t i = 0; i < policy.value_count(); ++i)
        wire::store32(made.policy.data.data() + 4 * i, static_cast<std::uint32_t>(random_words()) >> (random_words() % 32));
    return made;
}

void random_history(const wire::NativePolicy& policy) {
    Handlespace handlespace({});
    std::map<std::uint32_t, std::uint32_t> owners;  // by identifier
    const std::string handle(policy.name);
    for (int step = 0; step < 4000; ++step) {
        const std::uint32_t identifier = random_words() % 40;
        switch (random_words() % 4) {
            case 0:
            case 1: {
                const std::uint32_t owner = 1 + random_words() % 3;
                const auto outcome = handlespace.add(handle, element(identifier, owner, policy), 1.0 + random_words() % 100);
                CHECK(outcome == (owners.count(identifier) ? Outcome::renewed : Outcome::added));
                owners[identifier] = owner;
                break;
            }
            case 2:
                CHECK(handlespace.remove(handle, identifier) == (owners.erase(identifier) == 1));
                break;
            default: {
                const std::size_t count = 1 + random_words() % 45;
                const auto& chosen = handlespace.select(handle, count, draws);
                std::set<std::uint32_t> distinct;
                for (const Element* e : chosen) {
                    distinct.insert(e->content.identifier);
                    CHECK(owners.count(e->content.identifier) == 1);
                }
                CHECK(distinct.size() == chosen.size());
                CHECK(chosen.size() == std::min(count, owners.size()));
            }
        }
        CHECK(handlespace.elements() == owners.size());
    }
    std::size_t listed = 0;
    std::optional<Cursor> cursor;
    do {
        const TablePiece piece = handlespace.table(cursor, 7, 100000, std::nullopt);
        for (const auto& entry : piece.entries) listed += entry.pool_elements.size();
        cursor = piece.next;
    } while (cursor);
    CHECK(listed == owners.size());
    double last = 0;
    while (handlespace.elements() > 0) {
        const double due = handlespace.next_expiry();
        CHECK(due >= last);
        last = due;
        CHECK(handlespace.expire(due).has_value());
    }
    CHECK(handlespace.pools() == 0);
    CHECK(handlespace.checksum(1) == 0xffff);
}

// What elements took is given back when they leave, also where many have left and few have stayed.
void memory_returns(const wire::NativePolicy& policy) {
    Handlespace handlespace({});
    const auto used = [] { return mallinfo2().uordblks; };
    for (std::uint32_t i = 0; i < 10; ++i) handlespace.add("pool", element(i, 1, policy), 1e6);
    const std::size_t before = used();
    for (std::uint32_t i = 10; i < 50000; ++i) handlespace.add("pool", element(i, 1, policy), 1e6);
    const std::size_t full = used() - before;
    for (std::uint32_t i = 10; i < 50000; ++i) handlespace.remove("pool", i);
    CHECK(used() - before < full / 100);
}

}  // namespace

int main() {
#if !defined(__SANITIZE_ADDRESS__)  // whose allocator mallinfo2 knows nothing of
    for (const auto& policy : wire::native_policies) memory_returns(policy);
#endif
    for (const auto& policy : wire::native_policies) random_history(policy);
    return failures != 0;
}
