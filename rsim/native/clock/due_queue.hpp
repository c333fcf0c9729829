// What is due, in order of time, then priority, then insertion.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <new>
#include <utility>
#include <vector>

namespace rsim {

// What is due, and when. `order` puts priority and insertion into one number.
template <class Item>
struct Due {
    double time;
    std::uint64_t order;
    Item item;
};

// What is due soonest is in a heap of a few, all else in buckets that only the digits of its time tell apart: a level
// of buckets for each digit, of which an entry stands on that where its time first differs from the clock's. When the
// heap has run out, the first bucket's entries become the heap, or, if they are many, go down to the levels below. So
// an entry is moved a few times however many there are, and mostly to the end of an array (multi-level buckets, Denardo
// and Fox, Operations Research 27 (1979)).
template <class Item>
class DueQueue {
public:
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    // Of a queue that isn't empty.
    double next_time() const { return soon_.front().time; }

    // `priority`: smaller first, below 4.
    void push(double time, unsigned priority, Item item) {
        const Entry entry{time, (std::uint64_t{priority} << 62) | inserted_++, item};
        const std::uint64_t key = key_of(time);
        if (size_ == 0) reach_ = base_ = key;
        if (key > reach_) {
            place(entry, key);
        } else {
            soon_.push_back(entry);
            std::push_heap(soon_.begin(), soon_.end(), Later{});
        }
        ++size_;
    }

    Due<Item> pop() {
        std::pop_heap(soon_.begin(), soon_.end(), Later{});
        const Entry first = soon_.back();
        soon_.pop_back();
        if (--size_ > 0 && soon_.empty()) fetch();
        return first;
    }

    // Calls `function` for each item, in no order, until it returns anything but 0, and returns that.
    template <class Function>
    int each(Function function) const {
        const auto all_of = [&](const std::vector<Entry>& entries) {
            for (const Entry& entry : entries)
                if (const int result = function(entry.item)) return result;
            return 0;
        };
        int result = all_of(soon_);
        for (std::size_t at = 0; at < later_.size() && !result; ++at) result = all_of(later_[at]);
        return result;
    }

    // The earliest of what `time(entry)` has for each entry, no earlier than the entry's own; infinity if there is none.
    // Looks at no more entries than those up to that time, and the few beside them.
    template <class Time>
    double earliest(Time time) const {
        double found = std::numeric_limits<double>::infinity();
        // All in a bucket are earlier than all in those that follow.
        const auto ends_in = [&](const std::vector<Entry>& entries) {
            double last = -std::numeric_limits<double>::infinity();
            for (const Entry& entry : entries) {
                found = std::min(found, time(entry));
                last = std::max(last, entry.time);
            }
            return !entries.empty() && found <= last;
        };
        if (ends_in(soon_)) return found;
        for (const auto& entries : later_)
            if (ends_in(entries)) break;
        return found;
    }

    // Takes out all entries for which `dropped(entry)` and adds their items to `items`, where there must be room.
    template <class Dropped>
    void drop(Dropped dropped, std::vector<Item>& items) {
        const auto drop_in = [&](std::vector<Entry>& entries) {
            const std::size_t gone = std::erase_if(entries, [&](const Entry& entry) {
                if (!dropped(entry)) return false;
                items.push_back(entry.item);
                return true;
            });
            size_ -= gone;
            if (entries.size() < entries.capacity() / 4) entries.shrink_to_fit();
            return gone > 0;
        };
        if (drop_in(soon_)) std::make_heap(soon_.begin(), soon_.end(), Later{});
        for (unsigned at = 0; at < later_.size(); ++at) {
            if (later_[at].empty() || !drop_in(later_[at]) || !later_[at].empty()) continue;
            filled_[at >> bits] &= ~(1u << (at & ((1u << bits) - 1)));
            if (!filled_[at >> bits]) filled_levels_ &= ~(1u << (at >> bits));
        }
        if (size_ > 0 && soon_.empty()) fetch();
    }

private:
    using Entry = Due<Item>;
    static constexpr unsigned bits = 5;
    static constexpr unsigned levels = 64 / bits + 1;
    static constexpr std::size_t few = 16;

    struct Later {
        bool operator()(const Entry& a, const Entry& b) const {
            return a.time != b.time ? a.time > b.time : a.order > b.order;
        }
    };

    // Numbers in the order of times.
    static std::uint64_t key_of(double time) {
        constexpr std::uint64_t sign = std::uint64_t{1} << 63;
        // The two zeros are one time.
        const auto number = std::bit_cast<std::uint64_t>(time + 0.0);
        return number & sign ? ~number : number | sign;
    }

    void place(const Entry& entry, std::uint64_t key) {
        const std::uint64_t differs = key ^ base_;
        const unsigned level = differs ? (63 - static_cast<unsigned>(std::countl_zero(differs))) / bits : 0;
        const unsigned digit = key >> bits * level & ((1u << bits) - 1);
        later_[level << bits | digit].push_back(entry);
        filled_[level] |= 1u << digit;
        filled_levels_ |= 1u << level;
    }

    void fetch() {
        for (;;) {
            const unsigned level = static_cast<unsigned>(std::countr_zero(filled_levels_));
            const unsigned digit = static_cast<unsigned>(std::countr_zero(filled_[level]));
            filled_[level] &= filled_[level] - 1;
            if (!filled_[level]) filled_levels_ &= filled_levels_ - 1;
            auto& bucket = later_[level << bits | digit];
            const unsigned shift = bits * level;
            const std::uint64_t below = (std::uint64_t{1} << shift) - 1;
            const std::uint64_t same = shift + bits < 64 ? ~std::uint64_t{0} << (shift + bits) : 0;
            base_ = (base_ & same) | std::uint64_t{digit} << shift;
            if (bucket.size() <= few || level == 0) {
                soon_.swap(bucket);
                std::make_heap(soon_.begin(), soon_.end(), Later{});
                reach_ = base_ | below;
                return;
            }
            // Their room isn't needed here again soon.
            std::vector<Entry> many = std::exchange(bucket, {});
            try {
                for (const Entry& entry : many) place(entry, key_of(entry.time));
            } catch (const std::bad_alloc&) {
                // The levels below were empty. Without memory for them all become the heap.
                for (unsigned at = 0; at < level << bits; ++at) later_[at].clear();
                std::fill_n(filled_.begin(), level, 0);
                filled_levels_ &= ~((1u << level) - 1);
                soon_.swap(many);
                std::make_heap(soon_.begin(), soon_.end(), Later{});
                reach_ = base_ | below;
                return;
            }
        }
    }

    std::vector<Entry> soon_;
    std::array<std::vector<Entry>, levels << bits> later_;
    std::array<std::uint32_t, levels> filled_{};
    std::uint32_t filled_levels_ = 0;
    // `soon_` has all up to the time of this key.
    std::uint64_t reach_ = 0;
    // No later than what is in the buckets, which tell apart digits that differ from its.
    std::uint64_t base_ = 0;
    std::size_t size_ = 0;
    std::uint64_t inserted_ = 0;
};

}  // namespace rsim
