// A priority queue whose items know their place, so that any of them can be moved or removed.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace rsim::handlespace {

// Who is first of equals.
struct Sequence {
    std::uint64_t number;

    static constexpr Sequence last() { return {UINT64_MAX}; }
    bool operator<(Sequence other) const { return number < other.number; }
};

// For queues in which it doesn't matter.
struct NoTie {
    static constexpr NoTie last() { return {}; }
    bool operator<(NoTie) const { return false; }
};

// Items stand in the order of their ranks, those of one rank in that of their ties; Tie::last() is after all. Number(item) gives a
// reference to a std::uint32_t in which the queue keeps the item's number. Positions stand in an array by number:
// moving an entry touches no item.
//
// The `front` smallest entries are kept in order, the others in a 4-ary heap behind them: short lists
// of the smallest are read off, and a small queue needs no heap. Where ranks are rarely the same, `rare_ties` is quicker.
template <class Rank, class Tie, class Item, class Number, std::size_t front = 0, bool rare_ties = true>
class IndexedHeap {
public:
    struct Key {
        Rank rank;
        [[no_unique_address]] Tie tie;
        bool operator<(const Key& other) const { return rank != other.rank ? rank < other.rank : tie < other.tie; }
    };

    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    Key top_key() const { return key_at(0); }
    Item& top() const { return item_at(0); }
    Key key_of(Item& item) const { return key_of(Number{}(item)); }

    void push(Key key, Item& item) { resume(admit(item), key); }

    void remove(Item& item) {
        const std::uint32_t number = Number{}(item);
        hold(number);
        release(number);
        if (sparse()) compact();
    }

    void change(Item& item, Key key) { change(Number{}(item), key); }

    // By number, for whoever lets some items wait outside the order: those keep their numbers.
    bool sparse() const { return items_.size() > 16 && used_ < items_.size() / 4; }
    std::size_t used() const { return used_; }
    std::size_t numbers() const { return items_.size(); }
    // The one at a place in order, below `front`.
    std::uint32_t in_order(std::size_t at) const { return others_[at].number; }
    Key key_of(std::uint32_t number) const { return key_at(positions_[number]); }
    Item& item(std::uint32_t number) const { return *items_[number]; }

    // Gives an item a number; it waits.
    [[gnu::always_inline]] std::uint32_t admit(Item& item) {
        const std::uint32_t number = free_;
        if (number == items_.size()) {
            make_room(items_, number + 1);
            make_room(positions_, number + 1);
            items_.push_back(&item);
            positions_.push_back(0);
            ++free_;
        } else {
            items_[number] = &item;
            free_ = positions_[number];
        }
        Number{}(item) = number;
        ++used_;
        return number;
    }

    // Of one that waits.
    [[gnu::always_inline]] void release(std::uint32_t number) {
        positions_[number] = std::exchange(free_, number);
        --used_;
    }

    [[gnu::always_inline]] void resume(std::uint32_t number, Key key) {
        resize(size_ + 1);
        rise(size_ - 1, key, number);
    }

    [[gnu::always_inline]] void hold(std::uint32_t number) {
        std::size_t at = positions_[number];
        if constexpr (front > 0)
            for (; at < front && at + 1 < size_; ++at) move(at, at + 1);
        const Key key = key_at(size_ - 1);
        const std::uint32_t moved = others_[size_ - 1].number;
        resize(size_ - 1);
        if (at < size_) settle(at, key, moved);
    }

    void change(std::uint32_t number, Key key) { settle(positions_[number], key, number); }

    void change_first(Key key) { settle(0, key, others_[0].number); }

    // One that waits takes the place of one that waits from then on.
    void exchange(std::uint32_t number, std::uint32_t waiting, Key key) { settle(positions_[number], key, waiting); }

    // Numbers all items anew after most have left, and gives the memory back. None may wait.
    void compact() {
        std::vector<Item*> items(size_);
        for (std::size_t at = 0; at < size_; ++at) {
            items[at] = &item_at(at);
            others_[at].number = static_cast<std::uint32_t>(at);
            Number{}(*items[at]) = static_cast<std::uint32_t>(at);
        }
        items_ = std::move(items);
        positions_.resize(size_);
        for (std::size_t at = 0; at < size_; ++at) positions_[at] = static_cast<std::uint32_t>(at);
        free_ = static_cast<std::uint32_t>(size_);
        ranks_.shrink_to_fit();
        others_.shrink_to_fit();
        positions_.shrink_to_fit();
    }

    // Gives the `count` smallest items, or all if they are fewer, new keys: key(item, present key, its place).
    template <class Renew>
    void renew_smallest(std::size_t count, Renew key) {
        count = std::min(count, size_);
        if (count <= front) {
            renew_front(count, key);
            return;
        }
        std::vector<Item*> items;
        smallest(count, items);
        for (std::size_t i = 0; i < count; ++i) change(*items[i], key(*items[i], key_of(*items[i]), i));
    }

    // Adds the `count` items with the smallest keys, in order; the queue stays as it is.
    void smallest(std::size_t count, std::vector<Item*>& items) const {
        count = std::min(count, size_);
        const std::size_t before = items.size();
        items.resize(before + count);
        // As each_smallest does, but a tenth quicker for short lists.
        const std::size_t read = std::min(count, front);
        for (std::size_t at = 0; at < read; ++at) items[before + at] = &item_at(at);
        std::size_t end = before + read;
        if (count > read) pick(count - read, [&](std::uint32_t number) { items[end++] = items_[number]; });
    }

    // Calls take(number) for each of them.
    template <class Take>
    void each_smallest(std::size_t count, Take take) const {
        count = std::min(count, size_);
        const std::size_t read = std::min(count, front);
        for (std::size_t at = 0; at < read; ++at) take(others_[at].number);
        if (count > read) pick(count - read, take);
    }

private:
    struct Other {
        [[no_unique_address]] Tie tie;
        std::uint32_t number;
    };

    static_assert(sizeof(Other) <= 16, "the number goes where a tie has room");
    static constexpr std::size_t children = 4;
    static constexpr Key last{std::numeric_limits<Rank>::has_infinity ? std::numeric_limits<Rank>::infinity()
                                                                      : std::numeric_limits<Rank>::max(),
                              Tie::last()};

    static std::size_t first_child(std::size_t at) { return children * (at - front) + 1 + front; }
    static std::size_t parent(std::size_t at) { return (at - front - 1) / children + front; }

    Key key_at(std::size_t at) const { return {ranks_[at], others_[at].tie}; }
    Item& item_at(std::size_t at) const { return *items_[others_[at].number]; }

    // Of the heap, candidates for the next smallest are the children of those already picked.
    template <class Take>
    void pick(std::size_t count, Take take) const {
        std::vector<std::size_t> candidates;
        const auto later = [this](std::size_t a, std::size_t b) { return key_at(b) < key_at(a); };
        std::size_t picked = front;
        for (;;) {
            take(others_[picked].number);
            if (--count == 0) return;
            const std::size_t first = first_child(picked);
            for (std::size_t child = first; child < std::min(first + children, size_); ++child) {
                candidates.push_back(child);
                std::push_heap(candidates.begin(), candidates.end(), later);
            }
            std::pop_heap(candidates.begin(), candidates.end(), later);
            picked = candidates.back();
            candidates.pop_back();
        }
    }

    template <class Renew>
    void renew_front(std::size_t count, Renew& key) {
        if (count == 1) {
            settle(0, key(item_at(0), key_at(0), 0), others_[0].number);
            return;
        }
        std::array<Key, front> keys;
        std::array<std::uint32_t, front> numbers;
        for (std::size_t i = 0; i < count; ++i) {
            const Key renewed = key(item_at(i), key_at(i), i);
            std::size_t at = i;
            for (; at > 0 && renewed < keys[at - 1]; --at) {
                keys[at] = keys[at - 1];
                numbers[at] = numbers[at - 1];
            }
            keys[at] = renewed;
            numbers[at] = others_[i].number;
        }
        // What stays in front and those renewed that come before its last, then the smallest of the others. For
        // each that the heap gives away the largest of the renewed goes there.
        const std::size_t ordered = std::min(front, size_);
        std::size_t from = count;
        std::size_t low = 0;
        std::size_t high = count;
        std::size_t at = 0;
        for (; from < ordered; ++at) {
            if (low < high && keys[low] < key_at(from)) {
                set(at, keys[low], numbers[low]);
                ++low;
            } else {
                move(at, from++);
            }
        }
        for (; low < high; ++at) {
            if (size_ > front && key_at(front) < keys[low]) {
                move(at, front);
                --high;
                sink(front, keys[high], numbers[high]);
            } else {
                set(at, keys[low], numbers[low]);
                ++low;
            }
        }
    }

    void set(std::size_t at, const Key& key, std::uint32_t number) {
        ranks_[at] = key.rank;
        others_[at].tie = key.tie;
        others_[at].number = number;
        positions_[number] = static_cast<std::uint32_t>(at);
    }

    void move(std::size_t to, std::size_t from) {
        ranks_[to] = ranks_[from];
        others_[to] = others_[from];
        positions_[others_[to].number] = static_cast<std::uint32_t>(to);
    }

    void settle(std::size_t at, const Key& key, std::uint32_t number) {
        if (at > 0 && key < key_at(at <= front ? at - 1 : parent(at)))
            rise(at, key, number);
        else
            sink(at, key, number);
    }

    void rise(std::size_t at, const Key key, std::uint32_t number) {
        while (at > front) {
            const std::size_t above = parent(at);
            if (!(key < key_at(above))) break;
            move(at, above);
            at = above;
        }
        if constexpr (front > 0)
            if (at <= front)
                for (; at > 0 && key < key_at(at - 1); --at) move(at, at - 1);
        set(at, key, number);
    }

    void sink(std::size_t at, const Key key, std::uint32_t number) {
        if constexpr (front > 0) {
            // What becomes larger than all in order changes places with the heap's smallest.
            const std::size_t end = std::min(front + 1, size_);
            for (; at < front && at + 1 < end && key_at(at + 1) < key; ++at) move(at, at + 1);
            if (at < front) {
                set(at, key, number);
                return;
            }
        }
        for (std::size_t first = first_child(at); first < size_; first = first_child(at)) {
            if constexpr (rare_ties) {
                // All grandchildren, while the children are compared; a large queue is in no cache.
                const std::size_t below = first_child(first);
                if (below < size_)
                    for (const std::size_t place : {0, 8, 15}) __builtin_prefetch(ranks_.data() + below + place);
            }
            const std::size_t least = least_child(first);
            if (!(key_at(least) < key)) break;
            move(at, least);
            at = least;
        }
        set(at, key, number);
    }

    // Without branches on keys, as no one could tell which way they go.
    std::size_t least_child(std::size_t first) const {
        const Rank* rank = ranks_.data() + first;
        const Other* other = others_.data() + first;
        if constexpr (rare_ties) {
            const bool second = rank[1] < rank[0];
            const bool fourth = rank[3] < rank[2];
            const Rank left = second ? rank[1] : rank[0];
            const Rank right = fourth ? rank[3] : rank[2];
            const Rank least = right < left ? right : left;
            const int equals = (rank[0] == least) + (rank[1] == least) + (rank[2] == least) + (rank[3] == least);
            if (equals == 1) [[likely]]
                return first + either(second, 2 + std::size_t{fourth}, right < left);
        }
        const auto before = [&](std::size_t a, std::size_t b) {
            return bool((rank[a] < rank[b]) | ((rank[a] == rank[b]) & (other[a].tie < other[b].tie)));
        };
        const std::size_t left = before(1, 0);
        const std::size_t right = 2 + std::size_t{before(3, 2)};
        return first + either(left, right, before(right, left));
    }

    static std::size_t either(std::size_t one, std::size_t other, bool the_other) {
        return one ^ ((one ^ other) & (0 - std::size_t{the_other}));
    }

    // Fills up with the largest of keys, so that each parent has all its children.
    void resize(std::size_t size) {
        make_room(ranks_, size + children - 1);
        make_room(others_, size + children - 1);
        ranks_.resize(size + children - 1, last.rank);
        others_.resize(size + children - 1, {last.tie, 0});
        for (std::size_t at = size; at < size_; ++at) {
            ranks_[at] = last.rank;
            others_[at] = {last.tie, 0};
        }
        size_ = size;
    }

    // Pools of a few elements are many: room for them at once, and not twice as much as needed.
    template <class Value>
    static void make_room(std::vector<Value>& values, std::size_t size) {
        const std::size_t room = values.capacity();
        if (size > room) values.reserve(room + std::max<std::size_t>(7, room / 2));
    }

    std::size_t size_ = 0;
    std::size_t used_ = 0;                   // with those that wait
    std::vector<Rank> ranks_;                // by position
    std::vector<Other> others_;              // by position: what else there is of an entry
    std::vector<Item*> items_;               // by number
    std::vector<std::uint32_t> positions_;   // by number; of one without an item, the next of those
    std::uint32_t free_ = 0;                 // the first number without an item, maybe a new one
};

}  // namespace rsim::handlespace
