// The elements of a pool in the order of their turns, for weighted round robin.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "element.hpp"
#include "indexed_heap.hpp"
#include "selection.hpp"
#include "turns.hpp"

namespace rsim::handlespace {

// Elements of one weight that have had their turns at one time have their next ones at one time, too: they form a chain,
// of which only the first stands in the heap. So a turn in a large pool is mostly that the next of a chain takes the
// first one's place, which costs the same among any number. In a small pool, where few have the same turn, all stand in
// the heap.
class TurnQueue {
public:
    void insert(Element& element) {
        const std::uint32_t number = heap_.admit(element);
        if (chained())
            links_.resize(std::max<std::size_t>(links_.size(), number + 1));
        else if (heap_.used() >= worth_chains)
            form_chains();
        go_on(number, {Turns::first(weight(element), now_), {{next_++}, weight(element)}});
    }

    void remove(Element& element) {
        const std::uint32_t number = element.selection_slot;
        leave(number);
        heap_.release(number);
        if (heap_.sparse()) compact();
    }

    // Whoever has had a turn in advance waits for as long under a new weight.
    void update(Element& element) {
        const std::uint32_t number = element.selection_slot;
        const std::uint32_t old = follows(number) ? links_[number].weight : heap_.key_of(number).tie.weight;
        if (old == weight(element)) return;
        const std::uint64_t turn = heap_.key_of(first_before(number)).rank;
        const bool on_time = turn == Turns::first(old, now_);
        const std::uint64_t first = Turns::first(weight(element), now_);
        const Key key{on_time ? first : Turns::following(weight(element), first), {{next_++}, weight(element)}};
        if (!chained()) {
            heap_.change(number, key);
        } else {
            leave(number);
            go_on(number, key);
        }
    }

    // Adds the `count` elements whose turns are next, in order.
    void next(std::size_t count, std::vector<Element*>& chosen) const {
        count = std::min(count, heap_.used());
        if (!chained()) {
            heap_.smallest(count, chosen);
            return;
        }
        if (count == 0) return;
        // They are in one chain, as a rule.
        const std::size_t before = chosen.size();
        const Key least = heap_.top_key();
        const Key others = heap_.size() > 1 ? heap_.key_of(heap_.in_order(1)) : Key{Turns::never, Tie::last()};
        std::uint32_t number = heap_.in_order(0);
        chosen.push_back(&heap_.item(number));
        while (chosen.size() < before + count) {
            number = links_[number].next;
            if (number == none || !(key(number, least.rank) < others)) break;
            chosen.push_back(&heap_.item(number));
        }
        if (chosen.size() < before + count) {
            chosen.resize(before);
            merge(count, chosen);
        }
    }

    // So many elements have had their turns.
    void advance(std::size_t count) {
        if (count == 0) return;
        const Key first = heap_.top_key();
        if (first.tie.weight > 0) now_ = first.rank;
        if (count == 1) {
            const Key renewed = following(first);
            if (!chained()) {
                heap_.change_first(renewed);
                return;
            }
            const std::uint32_t number = heap_.in_order(0);
            leave(number);
            go_on(number, renewed);
            return;
        }
        std::vector<std::pair<std::uint32_t, Key>> served;
        while (served.size() < count) {
            served.emplace_back(heap_.in_order(0), heap_.top_key());
            leave(served.back().first);
        }
        for (const auto& [number, present] : served) go_on(number, following(present));
    }

private:
    // The weight that a turn is of comes along, so that its element is not touched.
    struct Tie : Sequence {
        std::uint32_t weight;

        static constexpr Tie last() { return {Sequence::last(), 0}; }
    };
    using Heap = IndexedHeap<std::uint64_t, Tie, Element, SelectionSlot, usual_list, false>;
    using Key = Heap::Key;

    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
    static constexpr std::size_t worth_chains = 256;
    // Members of a chain; whoever leaves one looks for its first.
    static constexpr std::uint32_t longest = 32;

    // Of an element in a chain. The first one's sequence and weight are in the heap.
    struct Link {
        std::uint64_t sequence = 0;
        std::uint32_t weight = 0;
        std::uint32_t before = none;
        std::uint32_t next = none;
    };

    // The chain that has grown last.
    struct Chain {
        std::uint64_t turn = 0;
        std::uint32_t end = none;
        std::uint32_t length = 0;
    };

    static std::uint32_t weight(const Element& element) { return element.content.policy.word(0); }

    bool chained() const { return !links_.empty(); }
    bool follows(std::uint32_t number) const { return chained() && links_[number].before != none; }
    Key key(std::uint32_t number, std::uint64_t turn) const {
        return {turn, {{links_[number].sequence}, links_[number].weight}};
    }
    Key following(const Key& key) { return {Turns::following(key.tie.weight, key.rank), {{next_++}, key.tie.weight}}; }

    std::uint32_t first_before(std::uint32_t number) const {
        while (follows(number)) number = links_[number].before;
        return number;
    }

    // One that waits has its next turn: at the end of the last chain, or first of a new one.
    void go_on(std::uint32_t number, const Key& key) {
        if (last_.end != none && last_.turn == key.rank && last_.length < longest) {
            links_[number] = {key.tie.number, key.tie.weight, last_.end, none};
            links_[last_.end].next = number;
            last_.end = number;
            ++last_.length;
            return;
        }
        heap_.resume(number, key);
        if (chained()) {
            links_[number] = {};
            last_ = {key.rank, number, 1};
        }
    }

    // Takes one out of its chain and the heap.
    void leave(std::uint32_t number) {
        if (last_.end == number) last_ = {};
        if (!chained()) {
            heap_.hold(number);
            return;
        }
        const auto [sequence, weight, before, next] = links_[number];
        if (next != none) links_[next].before = before;
        if (before != none)
            links_[before].next = next;
        else if (next != none)
            heap_.exchange(number, next, key(next, heap_.key_of(number).rank));
        else
            heap_.hold(number);
    }

    void merge(std::size_t count, std::vector<Element*>& chosen) const {
        struct Seen {
            Key key;
            std::uint32_t number;
            bool operator<(const Seen& other) const { return other.key < key; }
        };
        std::vector<std::uint32_t> more;
        if (count > usual_list) heap_.each_smallest(count, [&](std::uint32_t number) { more.push_back(number); });
        const std::size_t chains = std::min(count, heap_.size());
        std::size_t chain = 0;
        std::vector<Seen> seen;
        for (seen.reserve(std::min(count, usual_list)); count > 0; --count) {
            if (chain < chains) {
                const std::uint32_t first = more.empty() ? heap_.in_order(chain) : more[chain];
                const Key key = heap_.key_of(first);
                if (seen.empty() || key < seen.front().key) {
                    seen.push_back({key, first});
                    std::push_heap(seen.begin(), seen.end());
                    ++chain;
                }
            }
            std::pop_heap(seen.begin(), seen.end());
            const Seen least = seen.back();
            seen.pop_back();
            chosen.push_back(&heap_.item(least.number));
            if (const std::uint32_t next = links_[least.number].next; next != none) {
                seen.push_back({key(next, least.key.rank), next});
                std::push_heap(seen.begin(), seen.end());
            }
        }
    }

    // From now on there are chains, so far of one each.
    void form_chains() { links_.resize(heap_.numbers()); }

    // Numbers all anew. Those in chains stand in the heap again for that.
    void compact() {
        std::vector<std::pair<std::uint32_t, Key>> members;
        heap_.each_smallest(heap_.size(), [&](std::uint32_t first) {
            const std::uint64_t turn = heap_.key_of(first).rank;
            if (!chained()) return;
            for (std::uint32_t number = links_[first].next; number != none; number = links_[number].next)
                members.emplace_back(number, key(number, turn));
        });
        for (const auto& [number, key] : members) heap_.resume(number, key);
        heap_.compact();
        std::vector<Link>().swap(links_);
        last_ = {};
        if (heap_.used() >= worth_chains) form_chains();
    }

    Heap heap_;
    std::vector<Link> links_;  // by number; none in a small pool
    Chain last_;
    std::uint64_t now_ = 0;
    std::uint64_t next_ = 0;
};

}  // namespace rsim::handlespace
