// A queue in one piece of memory, and in none as long as nothing has been in it: there are many, and most stay empty.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace rsim::network {

// References into it hold until something is added.
template <class Type>
class Ring {
public:
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    Type& operator[](std::size_t at) { return slots_[place(at)]; }
    const Type& operator[](std::size_t at) const { return slots_[place(at)]; }
    Type& front() { return (*this)[0]; }
    const Type& front() const { return (*this)[0]; }
    const Type& back() const { return (*this)[size_ - 1]; }

    Type& push_back(Type value) {
        make_room();
        return slots_[place(size_++)] = std::move(value);
    }
    void push_front(Type value) {
        make_room();
        first_ = place(slots_.size() - 1);
        slots_[first_] = std::move(value);
        ++size_;
    }
    void pop_front() {
        // It goes when the queue is whole again: what is let go may look at it.
        const Type former = std::exchange(slots_[first_], Type{});
        first_ = place(1);
        --size_;
    }
    void clear() {
        const auto former = std::exchange(slots_, {});
        first_ = size_ = 0;
    }

private:
    static constexpr std::size_t least = 4;

    // As many slots as a power of two.
    std::size_t place(std::size_t at) const { return (first_ + at) & (slots_.size() - 1); }
    void make_room() {
        if (size_ < slots_.size()) return;
        std::vector<Type> more(slots_.empty() ? least : 2 * slots_.size());
        for (std::size_t at = 0; at < size_; ++at) more[at] = std::move((*this)[at]);
        slots_ = std::move(more);
        first_ = 0;
    }

    std::vector<Type> slots_;
    std::size_t first_ = 0, size_ = 0;
};

}  // namespace rsim::network
