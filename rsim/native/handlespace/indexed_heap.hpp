// A 4-ary heap whose items know their place, so that any of them can be moved or removed.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace rsim::handlespace {

// Key is ordered by <; Number(item) gives a reference to a std::uint32_t in which the heap keeps the
// item's number. Positions stand in an array by number: moving an entry touches no item.
template <class Key, class Item, class Number>
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
        const std::size_t at = positions_[number];
        free_.push_back(number);
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

    const Key& key_of(Item& item) const { return entries_[positions_[Number{}(item)]].key; }

    // The `count` items with the smallest keys, in order; the heap stays as it is.
    void smallest(std::size_t count, std::vector<Item*>& items) const {
        if (entries_.empty() || count == 0) return;
        count = std::min(count, entries_.size());
        items.push_back(items_[entries_.front().number]);
        if (count == 1) return;
        if (count <= few)
            pick_few(count, items);
        else
            pick_many(count, items);
    }

private:
    struct Entry {
        Key key;
        std::uint32_t number;
    };

    static constexpr std::size_t few = 6;

    // Candidates for the next smallest are the children of those already picked. A short list of
    // them is best kept unordered.
    void pick_few(std::size_t count, std::vector<Item*>& items) const {
        std::array<std::uint32_t, 3 * few + 4> candidates;
        std::size_t waiting = 0;
        std::size_t picked = 0;
        while (items.size() < count) {
            const std::size_t first = 4 * picked + 1;
            for (std::size_t child = first; child < std::min(first + 4, entries_.size()); ++child)
                candidates[waiting++] = static_cast<std::uint32_t>(child);
            std::size_t least = 0;
            for (std::size_t i = 1; i < waiting; ++i)
                if (entries_[candidates[i]].key < entries_[candidates[least]].key) least = i;
            picked = candidates[least];
            candidates[least] = candidates[--waiting];
            items.push_back(items_[entries_[picked].number]);
        }
    }

    void pick_many(std::size_t count, std::vector<Item*>& items) const {
        std::vector<std::size_t> candidates;
        const auto later = [this](std::size_t a, std::size_t b) { return entries_[b].key < entries_[a].key; };
        std::size_t picked = 0;
        while (items.size() < count) {
            const std::size_t first = 4 * picked + 1;
            for (std::size_t child = first; child < std::min(first + 4, entries_.size()); ++child) {
                candidates.push_back(child);
                std::push_heap(candidates.begin(), candidates.end(), later);
            }
            std::pop_heap(candidates.begin(), candidates.end(), later);
            picked = candidates.back();
            candidates.pop_back();
            items.push_back(items_[entries_[picked].number]);
        }
    }

    void set(std::size_t at, const Entry& entry) {
        entries_[at] = entry;
        positions_[entry.number] = static_cast<std::uint32_t>(at);
    }

    void settle(std::size_t at, const Entry& entry) {
        if (at > 0 && entry.key < entries_[(at - 1) / 4].key)
            rise(at, entry);
        else
            sink(at, entry);
    }

    void rise(std::size_t at, const Entry entry) {
        while (at > 0) {
            const std::size_t parent = (at - 1) / 4;
            if (!(entry.key < entries_[parent].key)) break;
            set(at, entries_[parent]);
            at = parent;
        }
        set(at, entry);
    }

    void sink(std::size_t at, const Entry entry) {
        const std::size_t size = entries_.size();
        for (;;) {
            const std::size_t first = 4 * at + 1;
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
