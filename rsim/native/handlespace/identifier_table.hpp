// Elements of a pool by PE identifier: open addressing, linear probing, no tombstones.
#pragma once

#include <cstdint>
#include <new>
#include <vector>

namespace rsim::handlespace {

template <class Item>
class IdentifierTable {
public:
    std::size_t size() const { return size_; }

    Item* find(std::uint32_t identifier) const {
        if (slots_.empty()) return nullptr;
        for (std::size_t at = home(identifier); slots_[at].item; at = (at + 1) & mask())
            if (slots_[at].identifier == identifier) return slots_[at].item;
        return nullptr;
    }

    void insert(std::uint32_t identifier, Item& item) {
        if ((size_ + 1) * 3 > slots_.size() * 2) resize(slots_.empty() ? 4 : slots_.size() * 2);
        place(identifier, &item);
        ++size_;
    }

    void erase(std::uint32_t identifier) {
        std::size_t hole = home(identifier);
        while (slots_[hole].identifier != identifier || !slots_[hole].item) hole = (hole + 1) & mask();
        // Later members of the same run move up, unless that would put them before their home.
        for (std::size_t at = (hole + 1) & mask(); slots_[at].item; at = (at + 1) & mask()) {
            const std::size_t distance_home = (at - home(slots_[at].identifier)) & mask();
            if (distance_home >= ((at - hole) & mask())) {
                slots_[hole] = slots_[at];
                hole = at;
            }
        }
        slots_[hole] = {};
        --size_;
        if (slots_.size() <= 8 || size_ * 8 >= slots_.size()) return;
        try {
            resize(slots_.size() / 4);
        } catch (const std::bad_alloc&) {
            // It stays as large as it is.
        }
    }

private:
#pragma pack(push, 4)  // 12 in place of 16 octets
    struct Slot {
        std::uint32_t identifier = 0;
        Item* item = nullptr;
    };
#pragma pack(pop)

    std::size_t mask() const { return slots_.size() - 1; }
    std::size_t home(std::uint32_t identifier) const {
        return (identifier * 0x9e3779b97f4a7c15ull >> 32) & mask();
    }
    void place(std::uint32_t identifier, Item* item) {
        std::size_t at = home(identifier);
        while (slots_[at].item) at = (at + 1) & mask();
        slots_[at] = {identifier, item};
    }
    void resize(std::size_t size) {
        std::vector<Slot> old(size);
        old.swap(slots_);
        for (const Slot& slot : old)
            if (slot.item) place(slot.identifier, slot.item);
    }

    std::vector<Slot> slots_;
    std::size_t size_ = 0;
};

}  // namespace rsim::handlespace
