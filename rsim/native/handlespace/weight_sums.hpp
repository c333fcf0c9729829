// Items with weights, drawn in proportion to them: a Fenwick tree of partial sums.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace rsim::handlespace {

// Place(item) gives a reference to the item's std::uint32_t slot.
template <class Item, class Place>
class WeightSums {
public:
    std::size_t size() const { return items_.size(); }
    std::uint64_t total() const { return total_; }
    bool contains(Item& item) const { return Place{}(item) < items_.size() && items_[Place{}(item)] == &item; }
    std::uint64_t weight(Item& item) const { return weights_[Place{}(item)]; }

    void insert(Item& item, std::uint64_t weight) {
        Place{}(item) = static_cast<std::uint32_t>(items_.size());
        items_.push_back(&item);
        weights_.push_back(0);
        // The new node covers the lowbit(n) weights that end with it; all but its own are known.
        const std::size_t n = items_.size();
        std::uint64_t sum = 0;
        for (std::size_t step = 1; step < (n & (0 - n)); step <<= 1) sum += sums_[n - 1 - step];
        sums_.push_back(sum);
        change(item, weight);
    }

    void remove(Item& item) {
        Item& last = *items_.back();
        const std::uint64_t last_weight = weight(last);
        change(last, 0);
        if (&last != &item) {
            change(item, last_weight);
            const std::uint32_t at = Place{}(item);
            items_[at] = &last;
            Place{}(last) = at;
        }
        items_.pop_back();
        weights_.pop_back();
        sums_.pop_back();
        if (items_.size() < items_.capacity() / 4) {
            items_.shrink_to_fit();
            weights_.shrink_to_fit();
            sums_.shrink_to_fit();
        }
    }

    void change(Item& item, std::uint64_t weight) {
        const std::size_t at = Place{}(item);
        const std::uint64_t difference = weight - weights_[at];  // modulo 2^64
        if (difference == 0) return;
        weights_[at] = weight;
        total_ += difference;
        for (std::size_t i = at + 1; i <= sums_.size(); i += i & (0 - i)) sums_[i - 1] += difference;
    }

    // The item in whose share of the total `point` lies (0 <= point < total).
    Item& at(std::uint64_t point) const {
        std::size_t position = 0;
        for (std::size_t step = std::bit_floor(sums_.size()); step > 0; step >>= 1) {
            if (position + step <= sums_.size() && sums_[position + step - 1] <= point) {
                position += step;
                point -= sums_[position - 1];
            }
        }
        return *items_[position];
    }

private:
    std::vector<Item*> items_;
    std::vector<std::uint64_t> weights_;
    std::vector<std::uint64_t> sums_;
    std::uint64_t total_ = 0;
};

}  // namespace rsim::handlespace
