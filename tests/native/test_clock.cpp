// The order of events: by time, priority and insertion, over random histories.
#include <functional>
#include <queue>
#include <random>
#include <tuple>
#include <vector>

#include "check.hpp"
#include "clock/heap.hpp"

using namespace rsim;

int main() {
    std::mt19937_64 random(1);
    EventHeap<int> heap;
    using Key = std::tuple<double, unsigned, int>;
    std::priority_queue<Key, std::vector<Key>, std::greater<>> plain;
    int inserted = 0;
    for (int step = 0; step < 200'000; ++step) {
        if (plain.empty() || random() % 5 < 3) {
            const double time = static_cast<double>(random() % 50);
            const unsigned priority = random() % 2;
            heap.push(time, priority, inserted);
            plain.emplace(time, priority, inserted++);
        } else {
            const auto [time, priority, item] = plain.top();
            plain.pop();
            CHECK(heap.next_time() == time);
            const Due<int> due = heap.pop();
            CHECK(due.time == time && due.item == item && due.order >> 62 == priority);
        }
        CHECK(heap.size() == plain.size());
    }
    const auto all = heap.take_all();
    CHECK(all.size() == plain.size() && heap.empty());
    return failures != 0;
}
