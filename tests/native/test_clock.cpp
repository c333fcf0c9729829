// The order of what is due: by time, priority and insertion, over random histories.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <queue>
#include <random>
#include <tuple>
#include <vector>

#include "check.hpp"
#include "clock/due_queue.hpp"

using namespace rsim;

namespace {

constexpr double forever = std::numeric_limits<double>::infinity();

// Pushes and pops `steps` times, three pushes to two pops and then the other way round, beside a plain queue; `draw`
// has the next time from the last one that was popped.
template <class Draw>
void same_as_plain(int steps, std::mt19937_64& random, Draw draw) {
    DueQueue<int> queue;
    using Key = std::tuple<double, unsigned, int>;
    std::priority_queue<Key, std::vector<Key>, std::greater<>> plain;
    double now = 0;
    for (int step = 0, inserted = 0; step < steps; ++step) {
        if (plain.empty() || static_cast<int>(random() % 5) < (step < steps / 2 ? 3 : 2)) {
            const double time = draw(now);
            const unsigned priority = random() % 4;
            queue.push(time, priority, inserted);
            plain.emplace(time, priority, inserted++);
        } else {
            const auto [time, priority, item] = plain.top();
            plain.pop();
            CHECK(queue.next_time() == time);
            const Due<int> due = queue.pop();
            CHECK(due.time == time && due.item == item && due.order >> 62 == priority);
            now = time;
        }
        CHECK(queue.size() == plain.size() && queue.empty() == plain.empty());
    }
    std::vector<int> all;
    queue.each([&](int item) {
        all.push_back(item);
        return 0;
    });
    CHECK(all.size() == plain.size());
    std::sort(all.begin(), all.end());
    CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
    // The others stay in their order, and the first of them that counts is found.
    const auto odd = [](const Due<int>& entry) { return entry.item % 2 ? entry.time : forever; };
    std::vector<int> dropped;
    const double first = queue.earliest(odd);
    queue.drop([](const Due<int>& entry) { return entry.item % 2 == 0; }, dropped);
    CHECK(queue.size() + dropped.size() == plain.size());
    CHECK(first == (queue.empty() ? forever : queue.next_time()) && first == queue.earliest(odd));
    for (; !plain.empty(); plain.pop())
        if (std::get<2>(plain.top()) % 2) CHECK(queue.pop().item == std::get<2>(plain.top()));
    CHECK(queue.empty() && std::ranges::all_of(dropped, [](int item) { return item % 2 == 0; }));
    queue.push(1, 0, 7);
    CHECK(queue.next_time() == 1 && queue.pop().item == 7);
}

}  // namespace

int main() {
    std::mt19937_64 random(1);
    // Few times, each of many entries, before and after the last one popped.
    same_as_plain(200'000, random, [&](double) { return static_cast<double>(random() % 50); });
    // As in a run: soon, or after an exponential time, at the very same time, or never.
    std::exponential_distribution<double> soon(100), late(0.01);
    same_as_plain(200'000, random, [&](double now) {
        switch (random() % 8) {
        case 0: return now;
        case 1: return forever;
        case 2: case 3: return now + late(random);
        default: return now + soon(random);
        }
    });
    // Any size and sign, also those that differ in the last digit only.
    same_as_plain(200'000, random, [&](double now) {
        switch (random() % 6) {
        case 0: return std::nextafter(now, forever);
        case 1: return std::nextafter(now, -forever);
        case 2: return -std::abs(now);
        case 3: return random() % 2 ? 0.0 : -0.0;
        default: return std::ldexp(random() % 2 ? 1.5 : -1.5, static_cast<int>(random() % 2000) - 1000);
        }
    });
    // Many at one time, which go on at that time.
    DueQueue<int> queue;
    for (int item = 0; item < 1000; ++item) queue.push(3, 1, item);
    for (int item = 0; item < 5000; ++item) {
        CHECK(queue.pop().item == item);
        queue.push(3, 1, item + 1000);
    }
    return failures != 0;
}
