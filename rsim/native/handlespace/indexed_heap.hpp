// A priority queue whose items know their place, so that any of them can be moved or removed.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace rsim::handlespace {

// Key is ordered by <; Number(item) gives a reference to a std::uint32_t in which the queue keeps the
// item's number. Positions stand in an array by number: moving an entry touches no item.
//
// The `front` smallest entries are kept in order, the others in a 4-ary heap behind them: short lists
// of the smallest are read off, and a small queue needs no heap.
template <class Key, class Item, class Number, std::size_t front = 0>
class IndexedHeap {
public:
    bool empty() const { return entries_.empty(); }
    std::size_t size() const { return entries_.size(); }
    const Key& top_key() const { return entries_.front().key; }
    Item& top() const { return *items_[entries_.front().number]; }

    void push(Key key, Item& item) {
        std::uint32_t number;
        if (free_.empty()) {
            number = static_cast<std::uint32_t>(items_.size());
            items_.push_back(&item);
            positions_.push_back(0);
        } else {
            number = free_.back();
            free_.pop_back();
            items_[number] = &item;
        }
        Number{}(item) = number;
        entries_.push_back({key, number});
        rise(entries_.size() - 1, entries_.back());
    }

    void remove(Item& item) {
        const std::uint32_t number = Number{}(item);
        std::size_t at = positions_[number];
        free_.push_back(number);
        if constexpr (front > 0)
            for (; at < front && at + 1 < entries_.size(); ++at) set(at, entries_[at + 1]);
        const Entry last = entries_.back();
        entries_.pop_back();
        if (at < entries_.size()) settle(at, last);
        if (items_.size() > 16 && entries_.size() < items_.size() / 4) compact();
    }

    void change(Item& item, Key key) {
        const std::uint32_t number = Number{}(item);
        settle(positions_[number], {key, number});
    }

    // The same where the key does not get smaller.
    void increase(Item& item, Key key) {
        const std::uint32_t number = Number{}(item);
        sink(positions_[number], {key, number});
    }

    // Calls visit(key, item) for the `count` items with the smallest keys, in order; the queue stays as it is.
    template <class Visit>
    void smallest(std::size_t count, Visit visit) const {
        count = std::min(count, entries_.size());
        const std::size_t read = std::min(count, front);
        for (std::size_t at = 0; at < read; ++at) visit(entries_[at].key, *items_[entries_[at].number]);
        if (count - read > few)
            pick_many(count - read, visit);
        else if (count > read)
            pick_few(count - read, visit);
    }

private:
    struct Entry {
        Key key;
        std::uint32_t number;
    };

    static constexpr std::size_t few = 6;

    static std::size_t first_child(std::size_t at) { return 4 * (at - front) + 1 + front; }
    static std::size_t parent(std::size_t at) { return (at - front - 1) / 4 + front; }

    // Of the heap, candidates for the next smallest are the children of those already picked. A short
    // list of them is best kept unordered.
    template <class Visit>
    void pick_few(std::size_t count, Visit& visit) const {
        std::array<std::uint32_t, 3 * few + 4> candidates;
        std::size_t waiting = 0;
        std::size_t picked = front;
        for (;;) {
            visit(entries_[picked].key, *items_[entries_[picked].number]);
            if (--count == 0) return;
            const std::size_t first = first_child(picked);
            for (std::size_t child = first; child < std::min(first + 4, entries_.size()); ++child)
                candidates[waiting++] = static_cast<std::uint32_t>(child);
            std::size_t least = 0;
            for (std::size_t i = 1; i < waiting; ++i)
                if (entries_[candidates[i]].key < entries_[candidates[least]].key) least = i;
            picked = candidates[least];
            candidates[least] = candidates[--waiting];
        }
    }

    template <class Visit>
    void pick_many(std::size_t count, Visit& visit) const {
        std::vector<std::size_t> candidates;
        const auto later = [this](std::size_t a, std::size_t b) { return entries_[b].key < entries_[a].key; };
        std::size_t picked = front;
        for (;;) {
            visit(entries_[picked].key, *items_[entries_[picked].number]);
            if (--count == 0) return;
            const std::size_t first = first_child(picked);
            for (std::size_t child = first; child < std::min(first + 4, entries_.size()); ++child) {
                candidates.push_back(child);
                std::push_heap(candidates.begin(), candidates.end(), later);
            }
            std::pop_heap(candidates.begin(), candidates.end(), later);
            picked = candidates.back();
            candidates.pop_back();
        }
    }

    void set(std::size_t at, const Entry& entry) {
        entries_[at] = entry;
        positions_[entry.number] = static_cast<std::uint32_t>(at);
    }

    void settle(std::size_t at, const Entry& entry) {
        const std::size_t before = at <= front ? at - 1 : parent(at);
        if (at > 0 && entry.key < entries_[before].key)
            rise(at, entry);
        else
            sink(at, entry);
    }

    void rise(std::size_t at, const Entry entry) {
        while (at > front) {
            const std::size_t above = parent(at);
            if (!(entry.key < entries_[above].key)) break;
            set(at, entries_[above]);
            at = above;
        }
        if constexpr (front > 0)
            if (at <= front)
                for (; at > 0 && entry.key < entries_[at - 1].key; --at) set(at, entries_[at - 1]);
        set(at, entry);
    }

    void sink(std::size_t at, const Entry entry) {
        const std::size_t size = entries_.size();
        if constexpr (front > 0) {
            // What becomes larger than all in order changes places with the heap's smallest.
            const std::size_t end = std::min(front + 1, size);
            while (at < front && at + 1 < end && entries_[at + 1].key < entry.key) {
                set(at, entries_[at + 1]);
                ++at;
            }
            if (at < front) {
                set(at, entry);
                return;
            }
        }
        for (;;) {
            const std::size_t first = first_child(at);
            if (first >= size) break;
            std::size_t least = first;
            for (std::size_t child = first + 1; child < std::min(first + 4, size); ++child)
                if (entries_[child].key < entries_[least].key) least = child;
            if (!(entries_[least].key < entry.key)) break;
            set(at, entries_[least]);
            at = least;
        }
        set(at, entry);
    }

    // Numbers the items anew after most have left, and gives the memory back.
    void compact() {
        std::vector<Item*> items(entries_.size());
        for (std::size_t at = 0; at < entries_.size(); ++at) {
            items[at] = items_[entries_[at].number];
            entries_[at].number = static_cast<std::uint32_t>(at);
            Number{}(*items[at]) = static_cast<std::uint32_t>(at);
        }
        items_ = std::move(items);
        positions_.resize(entries_.size());
        for (std::size_t at = 0; at < positions_.size(); ++at) positions_[at] = static_cast<std::uint32_t>(at);
        std::vector<std::uint32_t>().swap(free_);
        entries_.shrink_to_fit();
        positions_.shrink_to_fit();
    }

    std::vector<Entry> entries_;
    std::vector<Item*> items_;               // by number
    std::vector<std::uint32_t> positions_;   // by number
    std::vector<std::uint32_t> free_;        // numbers without an item
};

}  // namespace rsim::handlespace
