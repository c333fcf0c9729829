// Cost of an event among others: the first is carried out and one put in its place, a third of them soon, the others
// after an exponential time, as messages and timers are. Beside it a binary heap.
#include <cmath>
#include <cstdio>
#include <functional>
#include <queue>
#include <random>
#include <tuple>
#include <vector>

#include "clock/due_queue.hpp"
#include "timing.hpp"

namespace {

// As large as what a clock keeps of an event.
struct Item {
    void* what;
};

using Entry = std::tuple<double, std::uint64_t, Item>;
struct Later {
    bool operator()(const Entry& a, const Entry& b) const {
        return std::tie(std::get<0>(a), std::get<1>(a)) > std::tie(std::get<0>(b), std::get<1>(b));
    }
};

}  // namespace

int main() {
    constexpr std::size_t known = 1 << 16;
    std::mt19937_64 random(1);
    std::exponential_distribution<double> late(1.0 / 300);
    std::vector<double> delays(known);
    for (double& delay : delays) delay = random() % 3 == 0 ? 0.01 : late(random);
    std::puts("ns an event       buckets        heap");
    for (const std::size_t others : {10, 30, 100, 1'000, 10'000, 20'000, 200'000}) {
        rsim::DueQueue<Item> buckets;
        std::priority_queue<Entry, std::vector<Entry>, Later> heap;
        std::uint64_t inserted = 0;
        for (std::size_t at = 0; at < others; ++at) {
            const double time = late(random);
            buckets.push(time, 2, {});
            heap.emplace(time, inserted++, Item{});
        }
        const auto in_buckets = [&](std::size_t i) {
            const auto due = buckets.pop();
            buckets.push(due.time + delays[i % known], 2, due.item);
        };
        const auto in_heap = [&](std::size_t i) {
            const Entry due = heap.top();
            heap.pop();
            heap.emplace(std::get<0>(due) + delays[i % known], inserted++, std::get<2>(due));
        };
        // The first rounds bring the times that are due to how they are spread in a run.
        const std::size_t rounds = 300'000 + 3 * others;
        const double first = nanoseconds(rounds, 4, in_buckets);
        std::printf("%9zu %15.1f %11.1f\n", others, first, nanoseconds(rounds, 4, in_heap));
    }
}
