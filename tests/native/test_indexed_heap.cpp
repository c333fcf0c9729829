// The queue of items by key against an ordered set: with and without a part in order, with few ties and many.
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
using rsim::handlespace::NoTie;

namespace {

struct Item {
    std::uint32_t number = 0;
    std::uint64_t rank = 0;
    std::uint64_t tie = 0;
};
struct Number {
    std::uint32_t& operator()(Item& item) const { return item.number; }
};
struct Tie {
    std::uint64_t number;
    static constexpr Tie last() { return {UINT64_MAX}; }
    bool operator<(Tie other) const { return number < other.number; }
};
struct InOrder {
    bool operator()(const Item* a, const Item* b) const {
        return a->rank != b->rank ? a->rank < b->rank : a->tie < b->tie;
    }
};

// `ranks`: how many there are; the largest possible one is among them.
template <std::size_t front, bool rare_ties>
void behaves_like_an_ordered_set(std::size_t largest, std::uint64_t ranks) {
    using Heap = IndexedHeap<std::uint64_t, Tie, Item, Number, front, rare_ties>;
    std::mt19937_64 words(largest);
    Heap heap;
    std::set<Item*, InOrder> plain;
    std::vector<std::unique_ptr<Item>> items;
    std::uint64_t last = 0;
    const auto fresh = [&] {
        const std::uint64_t rank = words() % ranks;
        return typename Heap::Key{rank ? rank : UINT64_MAX, {last++}};
    };
    const auto set_key = [&](Item& item, typename Heap::Key key) {
        plain.erase(&item);
        item.rank = key.rank;
        item.tie = key.tie.number;
        plain.insert(&item);
    };
    for (int step = 0; step < 20000; ++step) {
        const std::size_t what = words() % 5;
        if (items.empty() || (what == 0 && items.size() < largest)) {
            items.push_back(std::make_unique<Item>());
            Item& item = *items.back();
            set_key(item, fresh());
            heap.push({item.rank, {item.tie}}, item);
        } else if (what == 1 || (step > 15000 && what == 0)) {
            std::swap(items[words() % items.size()], items.back());
            plain.erase(items.back().get());
            heap.remove(*items.back());
            items.pop_back();
        } else if (what == 2) {
            const std::size_t count = words() % 12;
            std::vector<Item*> expected(plain.begin(), std::next(plain.begin(), std::min(count, plain.size())));
            std::size_t renewed = 0;
            heap.renew_smallest(count, [&](Item& item, typename Heap::Key key, std::size_t place) {
                CHECK(place == renewed && expected[renewed++] == &item && key.rank == item.rank && key.tie.number == item.tie);
                set_key(item, words() % 4 ? fresh() : typename Heap::Key{item.rank, {last++}});
                return typename Heap::Key{item.rank, {item.tie}};
            });
            CHECK(renewed == expected.size());
        } else {
            Item& item = *items[words() % items.size()];
            set_key(item, fresh());
            heap.change(item, {item.rank, {item.tie}});
        }
        CHECK(heap.size() == plain.size() && heap.empty() == plain.empty());
        if (!heap.empty()) {
            CHECK(&heap.top() == *plain.begin() && heap.top_key().rank == heap.top().rank);
            Item& any = *items[words() % items.size()];
            CHECK(heap.key_of(any).rank == any.rank && heap.key_of(any).tie.number == any.tie);
        }
        std::vector<Item*> seen;
        const std::size_t count = words() % 30;
        heap.smallest(count, seen);
        CHECK(seen.size() == std::min(count, plain.size()));
        CHECK(std::equal(seen.begin(), seen.end(), plain.begin()));
        if (failures) return;
    }
}

void finds_a_smallest_where_equals_may_come_in_any_order() {
    std::mt19937_64 words(1);
    IndexedHeap<double, NoTie, Item, Number> heap;
    std::vector<Item> items(300);
    for (Item& item : items) {
        item.rank = words() % 50;
        heap.push({static_cast<double>(item.rank), {}}, item);
    }
    std::uint64_t last = 0;
    while (!heap.empty()) {
        CHECK(heap.top().rank >= last && heap.top_key().rank == static_cast<double>(heap.top().rank));
        last = heap.top().rank;
        heap.remove(heap.top());
    }
}

template <bool rare_ties>
void all_sizes(std::size_t largest, std::uint64_t ranks) {
    behaves_like_an_ordered_set<0, rare_ties>(largest, ranks);
    behaves_like_an_ordered_set<1, rare_ties>(largest, ranks);
    behaves_like_an_ordered_set<8, rare_ties>(largest, ranks);
}

}  // namespace

int main() {
    for (const std::size_t largest : {3, 9, 20, 200})
        for (const std::uint64_t ranks : {2ull, 10ull, 1ull << 40}) {
            all_sizes<false>(largest, ranks);
            all_sizes<true>(largest, ranks);
        }
    finds_a_smallest_where_equals_may_come_in_any_order();
    return failures != 0;
}
