// A 4-ary heap whose items know their place, so that any of them can be moved or removed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace rsim::handlespace {

// Key is ordered by <; Place(item) gives a reference to the item's std::uint32_t slot.
template <class Key, class Item, class Place>
class IndexedHeap {
public:
    struct Entry {
        Key key;
        Item* item;
    };

    bool empty() const { return entries_.empty(); }
    std::size_t size() const { return entries_.size(); }
    const Entry& top() const { return entries_.front(); }

    void push(Key key, Item& item) {
        entries_.push_back({key, &item});
        rise(entries_.size() - 1);
    }

    void remove(Item& item) {
        const std::size_t at = Place{}(item);
        const Entry last = entries_.back();
        entries_.pop_back();
        if (at < entries_.size()) {
            set(at, last);
            settle(at);
        }
        if (entries_.size() < entries_.capacity() / 4) entries_.shrink_to_fit();
    }

    void change(Item& item, Key key) {
        const std::size_t at = Place{}(item);
        entries_[at].key = key;
        settle(at);
    }

    const Key& key_of(Item& item) const { return entries_[Place{}(item)].key; }

    // The `count` items with the smallest keys, in order; the heap stays as it is.
    void smallest(std::size_t count, std::vector<Item*>& items) const {
        if (entries_.empty() || count == 0) return;
        if (count == 1) {
            items.push_back(entries_.front().item);
            return;
        }
        count = std::min(count, entries_.size());
        thread_local std::vector<std::size_t> candidates;
        candidates.assign(1, 0);
        const auto later = [this](std::size_t a, std::size_t b) { return entries_[b].key < entries_[a].key; };
        while (items.size() < count) {
            std::pop_heap(candidates.begin(), candidates.end(), later);
            const std::size_t at = candidates.back();
            candidates.pop_back();
            items.push_back(entries_[at].item);
            const std::size_t first = 4 * at + 1;
            for (std::size_t child = first; child < std::min(first + 4, entries_.size()); ++child) {
                candidates.push_back(child);
                std::push_heap(candidates.begin(), candidates.end(), later);
            }
        }
    }

private:
    void set(std::size_t at, const Entry& entry) {
        entries_[at] = entry;
        Place{}(*entry.item) = static_cast<std::uint32_t>(at);
    }

    void settle(std::size_t at) {
        if (at > 0 && entries_[at].key < entries_[(at - 1) / 4].key)
            rise(at);
        else
            sink(at);
    }

    void rise(std::size_t at) {
        const Entry entry = entries_[at];
        while (at > 0) {
            const std::size_t parent = (at - 1) / 4;
            if (!(entry.key < entries_[parent].key)) break;
            set(at, entries_[parent]);
            at = parent;
        }
        set(at, entry);
    }

    void sink(std::size_t at) {
        const Entry entry = entries_[at];
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

    std::vector<Entry> entries_;
};

}  // namespace rsim::handlespace
