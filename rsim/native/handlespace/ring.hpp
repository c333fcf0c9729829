// A ring of items with a head: round robin walks it, newcomers enter before the head.
#pragma once

#include <cstdint>
#include <vector>

namespace rsim::handlespace {

// Number(item) gives a reference to a std::uint32_t in which the ring keeps the item's number.
template <class Item, class Number>
class Ring {
public:
    std::size_t size() const { return size_; }

    void insert(Item& item) {
        const std::uint32_t number = size_ == nodes_.size() ? grow() : free_.back();
        if (!free_.empty()) free_.pop_back();
        Number{}(item) = number;
        nodes_[number].item = &item;
        if (size_ == 0) {
            head_ = nodes_[number].next = nodes_[number].previous = number;
        } else {
            const std::uint32_t last = nodes_[head_].previous;
            nodes_[number].next = head_;
            nodes_[number].previous = last;
            nodes_[last].next = nodes_[head_].previous = number;
        }
        ++size_;
    }

    void remove(Item& item) {
        const std::uint32_t number = Number{}(item);
        const Node node = nodes_[number];
        nodes_[node.previous].next = node.next;
        nodes_[node.next].previous = node.previous;
        if (head_ == number) head_ = node.next;
        free_.push_back(number);
        --size_;
        if (nodes_.size() > 16 && size_ < nodes_.size() / 4) compact();
    }

    // The first `count` items from the head on, at most all.
    void first(std::size_t count, std::vector<Item*>& items) const {
        std::uint32_t at = head_;
        for (std::size_t i = 0; i < count && i < size_; ++i, at = nodes_[at].next) items.push_back(nodes_[at].item);
    }

    void advance(std::size_t steps) {
        for (std::size_t i = 0; i < steps; ++i) head_ = nodes_[head_].next;
    }

private:
    struct Node {
        Item* item = nullptr;
        std::uint32_t next = 0;
        std::uint32_t previous = 0;
    };

    std::uint32_t grow() {
        nodes_.emplace_back();
        return static_cast<std::uint32_t>(nodes_.size() - 1);
    }

    // Numbers the items anew after most have left, and gives the memory back.
    void compact() {
        std::vector<Item*> items;
        items.reserve(size_);
        first(size_, items);
        std::vector<Node>().swap(nodes_);
        std::vector<std::uint32_t>().swap(free_);
        size_ = 0;
        for (Item* item : items) insert(*item);
    }

    std::vector<Node> nodes_;
    std::vector<std::uint32_t> free_;
    std::uint32_t head_ = 0;
    std::size_t size_ = 0;
};

}  // namespace rsim::handlespace
