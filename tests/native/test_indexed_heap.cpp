// The queue of items by key against an ordered set, with and without a part in order.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "check.hpp"
#include "handlespace/indexed_heap.hpp"

using rsim::handlespace::IndexedHeap;

namespace {

struct Item {
    std::uint32_t number = 0;
    std::uint64_t key = 0;
};
struct Number {
    std::uint32_t& operator()(Item& item) const { return item.number; }
};

template <std::size_t front>
void behaves_like_an_ordered_set(std::size_t largest) {
    std::mt19937_64 words(largest);
    IndexedHeap<std::uint64_t, Item, Number, front> heap;
    std::set<std::pair<std::uint64_t, Item*>> plain;
    std::vector<std::unique_ptr<Item>> items;
    std::uint64_t last = 0;
    const auto fresh = [&] { return (words() % 1000 << 32) + last++; };  // no two are the same
    const auto rekey = [&](Item& item, std::uint64_t key) {
        plain.erase({item.key, &item});
        item.key = key;
        plain.insert({key, &item});
    };
    for (int step = 0; step < 20000; ++step) {
        const std::size_t what = words() % 5;
        if (items.empty() || (what == 0 && items.size() < largest)) {
            items.push_back(std::make_unique<Item>());
            Item& item = *items.back();
            item.key = fresh();
            plain.insert({item.key, &item});
            heap.push(item.key, item);
        } else if (what == 1 || (step > 15000 && what == 0)) {
            std::swap(items[words() % items.size()], items.back());
            plain.erase({items.back()->key, items.back().get()});
            heap.remove(*items.back());
            items.pop_back();
        } else if (what == 2) {
            rekey(heap.top(), heap.top().key + (words() % 100 << 32));
            heap.increase(heap.top(), heap.top().key);
        } else {
            Item& item = *items[words() % items.size()];
            rekey(item, fresh());
            heap.change(item, item.key);
        }
        CHECK(heap.size() == plain.size());
        std::vector<std::pair<std::uint64_t, Item*>> seen;
        const std::size_t count = words() % 30;
        heap.smallest(count, [&](std::uint64_t key, Item& item) { seen.push_back({key, &item}); });
        CHECK(seen.size() == std::min(count, plain.size()));
        CHECK(std::equal(seen.begin(), seen.end(), plain.begin()));
        if (failures) return;
    }
}

}  // namespace

int main() {
    for (const std::size_t largest : {3, 9, 20, 200}) {
        behaves_like_an_ordered_set<0>(largest);
        behaves_like_an_ordered_set<1>(largest);
        behaves_like_an_ordered_set<8>(largest);
    }
    return failures != 0;
}
