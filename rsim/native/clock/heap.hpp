// The order of events: by time, then priority, then insertion.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace rsim {

// What is due, and when. `order` puts priority and insertion into one number.
template <class Item>
struct Due {
    double time;
    std::uint64_t order;
    Item item;
};

template <class Item>
class EventHeap {
public:
    bool empty() const { return due_.empty(); }
    std::size_t size() const { return due_.size(); }
    double next_time() const { return due_.front().time; }
    const std::vector<Due<Item>>& entries() const { return due_; }

    // `priority`: smaller first, below 4.
    void push(double time, unsigned priority, Item item) {
        due_.push_back({time, (std::uint64_t{priority} << 62) | inserted_++, item});
        std::push_heap(due_.begin(), due_.end(), later);
    }

    Due<Item> pop() {
        std::pop_heap(due_.begin(), due_.end(), later);
        const Due<Item> first = due_.back();
        due_.pop_back();
        return first;
    }

    // Gives up all entries to whoever has to release them.
    std::vector<Due<Item>> take_all() {
        std::vector<Due<Item>> all;
        all.swap(due_);
        return all;
    }

private:
    static bool later(const Due<Item>& a, const Due<Item>& b) {
        return a.time != b.time ? a.time > b.time : a.order > b.order;
    }

    std::vector<Due<Item>> due_;
    std::uint64_t inserted_ = 0;
};

}  // namespace rsim
