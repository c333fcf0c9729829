// Queues of messages: the same as a plain one over random histories, and gone things gone at once.
#include <deque>
#include <memory>
#include <random>

#include "check.hpp"
#include "network/ring.hpp"

using namespace rsim::network;

int main() {
    std::mt19937_64 random(1);
    for (int history = 0; history < 200; ++history) {
        Ring<std::shared_ptr<int>> ring;
        std::deque<std::shared_ptr<int>> plain;
        CHECK(ring.empty());
        for (int step = 0; step < 500; ++step) {
            const auto made = std::make_shared<int>(step);
            // Grows for a while, and then shrinks to nothing.
            const auto drawn = random() % (step < 250 ? 3 : 8);
            if (drawn == 0) {
                ring.push_front(made);
                plain.push_front(made);
            } else if (drawn == 1) {
                CHECK(ring.push_back(made) == made);
                plain.push_back(made);
            } else if (!plain.empty()) {
                const std::weak_ptr<int> first = plain.front();
                ring.pop_front();
                plain.pop_front();
                CHECK(first.expired());
            }
            CHECK(ring.size() == plain.size() && ring.empty() == plain.empty());
            for (std::size_t at = 0; at < plain.size(); ++at) CHECK(ring[at] == plain[at]);
            if (plain.empty()) continue;
            CHECK(ring.front() == plain.front() && ring.back() == plain.back());
        }
        ring.clear();
        CHECK(ring.empty());
        for (const auto& one : plain) CHECK(one.use_count() == 1);
    }
    return failures != 0;
}
