// Weighted round robin: elements of one weight share their turns, so each weight is a class, an array
// that is walked from one turn to the next.
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "element.hpp"
#include "indexed_heap.hpp"
#include "selection.hpp"

namespace rsim::handlespace {

// In a round an element of weight w has w turns, its k-th at (2k + 1) / (2w) of the round. Times hold
// the round in the upper and the place in it in the lower 32 bits. Elements of weight 0 have no turns;
// they come after all others.
//
// Of a class, those from `head` on wait for its turn, those before have had it. Newcomers join the
// end; who comes from another class and has had a turn there is late, and joins when the turn is over.
// Nothing of an element is touched when it is its turn, so that selections stay in the array.
class Turns {
public:
    void insert(Element& element) { enter(element, weight_of(element), true); }
    void remove(Element& element) { leave(element); }

    void update(Element& element) {
        Class& old = class_of(element);
        const std::uint32_t weight = weight_of(element);
        if (old.weight == weight) return;
        const bool waits = old.weight == 0 || rank(old, element) == first(old.weight, now_).time;
        leave(element);
        enter(element, weight, waits);
    }

    // Adds the elements whose turns are next, each once.
    void first_ones(std::size_t count, std::vector<Element*>& chosen) {
        if (heap_.empty() || count == 0) return;
        if (count == 1) {
            const Class& group = heap_.top();
            chosen.push_back(entry(group, start(group)).element);
            return;
        }
        lines_.clear();
        heap_.smallest(count, [&](const Key& key, const Class& group) { lines_.push_back({key, &group, start(group)}); });
        // Lines stand in the order of their keys; the first one gives an element and finds its place
        // again.
        for (std::size_t from = 0; from < lines_.size();) {
            Line line = lines_[from];
            chosen.push_back(entry(*line.group, line.place).element);
            if (chosen.size() == count) return;
            line.place = next(*line.group, line.place);
            if (line.place == none) {
                ++from;
                continue;
            }
            line.key = key_at(*line.group, line.place);
            std::size_t to = from;
            const std::size_t needed = std::min(lines_.size(), from + count - chosen.size() + 1);
            for (; to + 1 < needed && lines_[to + 1].key < line.key; ++to) lines_[to] = lines_[to + 1];
            lines_[to] = line;
        }
    }

    // An element has had its turn. `on_time`: the round has come to it; otherwise it is served in
    // advance, and is late where others of its class would have come before it.
    void serve(Element& element, bool on_time) {
        Class& group = class_of(element);
        if (group.head == group.entries.size()) advance(group);
        if (on_time && group.weight > 0) now_ = group.turn.time;
        if (group.entries[group.head].element != &element) {
            const std::uint32_t weight = group.weight;
            leave(element);
            enter(element, weight, false);
            return;
        }
        group.entries[group.head].sequence = next_++;
        group.head = live(group, group.head + 1);
        heap_.increase(group, key(group));
    }

private:
    static constexpr std::uint32_t none = UINT32_MAX;
    static constexpr std::uint32_t late = 1u << 31;  // in a slot: among the late ones
    static constexpr std::uint64_t never = UINT64_MAX;

    struct Key {
        std::uint64_t rank = 0;
        std::uint64_t sequence = 0;
        bool operator<(const Key& other) const {
            return rank != other.rank ? rank < other.rank : sequence < other.sequence;
        }
    };
    // The k-th turn of a weight, its time, and what was left of the division for it.
    struct Turn {
        std::uint64_t time = 0;
        std::uint64_t rest = 0;
        std::uint64_t k = 0;
    };
    struct Entry {
        Element* element;  // null: has left
        std::uint64_t sequence;
    };
    struct Class {
        std::uint32_t weight = 0;
        std::uint32_t slot = 0;    // the heap's number for it
        std::uint32_t head = 0;    // the first one that waits
        std::uint32_t gone = 0;    // entries without an element
        Turn turn;                 // of those that wait
        Turn after;                // of those that have had it
        std::uint64_t step = 0;    // from turn to turn within a round
        std::uint64_t step_rest = 0;
        std::vector<Entry> entries;
        std::vector<Entry> late;

        bool empty() const { return gone == entries.size() + late.size(); }
    };
    // An element of a class that may be next, and its key.
    struct Line {
        Key key;
        const Class* group;
        std::uint32_t place;
    };
    struct ClassSlot {
        std::uint32_t& operator()(Class& group) const { return group.slot; }
    };

    static std::uint32_t weight_of(const Element& element) { return element.content.policy.word(0); }
    // The selection's word in an element holds its class; nodes of a map stay where they are.
    static Class& class_of(const Element& element) { return *reinterpret_cast<Class*>(element.sequence); }

    // (2k + 1) / (2w) * 2^32, rounded down; 2k + 1 < 2^33, so nothing overflows.
    static std::uint64_t place(std::uint64_t k, std::uint64_t weight) { return ((2 * k + 1) << 31) / weight; }

    static Turn turn_of(std::uint64_t round, std::uint64_t k, std::uint64_t weight) {
        return {(round << 32) + place(k, weight), ((2 * k + 1) << 31) % weight, k};
    }

    static Turn first(std::uint64_t weight, std::uint64_t time) {
        if (weight == 0) return {never, 0, 0};
        const std::uint64_t round = time >> 32;
        const std::uint64_t at = time & UINT32_MAX;
        std::uint64_t k = at * weight >> 32;
        k = k > 0 ? k - 1 : 0;
        while (k < weight && place(k, weight) < at) ++k;
        return k == weight ? turn_of(round + 1, 0, weight) : turn_of(round, k, weight);
    }

    // Without a division within a round.
    static Turn following(const Class& group, const Turn& turn) {
        if (group.weight == 0) return turn;
        if (turn.k + 1 == group.weight) return turn_of((turn.time >> 32) + 1, 0, group.weight);
        Turn next{turn.time + group.step, turn.rest + group.step_rest, turn.k + 1};
        if (next.rest >= group.weight) {
            next.rest -= group.weight;
            ++next.time;
        }
        return next;
    }

    // The walk through a class: those that wait, those that have had their turn, the late ones. Places
    // are slots.
    static std::uint32_t live(const Class& group, std::uint32_t at) {
        while (at < group.entries.size() && !group.entries[at].element) ++at;
        return at;
    }
    static std::uint32_t live_late(const Class& group, std::uint32_t at) {
        while (at < group.late.size() && !group.late[at].element) ++at;
        return at < group.late.size() ? late | at : none;
    }
    static std::uint32_t served(const Class& group, std::uint32_t at) {
        while (at < group.head && !group.entries[at].element) ++at;
        return at < group.head ? at : live_late(group, 0);
    }
    static std::uint32_t start(const Class& group) {
        return group.head < group.entries.size() ? group.head : served(group, 0);
    }
    static std::uint32_t next(const Class& group, std::uint32_t at) {
        if (at & late) return live_late(group, (at & ~late) + 1);
        if (at < group.head) return served(group, at + 1);
        at = live(group, at + 1);
        return at < group.entries.size() ? at : served(group, 0);
    }
    static const Entry& entry(const Class& group, std::uint32_t at) {
        return at & late ? group.late[at & ~late] : group.entries[at];
    }
    static bool waits_at(const Class& group, std::uint32_t at) { return !(at & late) && at >= group.head; }

    static std::uint64_t rank(const Class& group, const Element& element) {
        return (waits_at(group, element.selection_slot) ? group.turn : group.after).time;
    }
    static Key key_at(const Class& group, std::uint32_t at) {
        return {(waits_at(group, at) ? group.turn : group.after).time, entry(group, at).sequence};
    }
    static Key key(const Class& group) { return key_at(group, start(group)); }

    // The turn is over for all: the next one is that of the whole class, late ones included.
    void advance(Class& group) {
        group.turn = group.after;
        group.after = following(group, group.turn);
        group.head = 0;
        if (group.gone == 0 && group.late.empty()) return;
        for (const Entry& item : group.late)
            if (item.element) group.entries.push_back({item.element, next_++});
        std::vector<Entry>().swap(group.late);
        close_gaps(group);
    }

    // Takes out the entries without an element.
    void close_gaps(Class& group) {
        std::uint32_t kept = 0;
        std::uint32_t head = 0;
        for (std::uint32_t at = 0; at < group.entries.size(); ++at) {
            if (at == group.head) head = kept;
            if (!group.entries[at].element) continue;
            group.entries[at].element->selection_slot = kept;
            group.entries[kept++] = group.entries[at];
        }
        group.head = group.head >= group.entries.size() ? kept : head;
        group.entries.resize(kept);
        if (kept < group.entries.capacity() / 2) group.entries.shrink_to_fit();
        group.gone = 0;
        for (const Entry& item : group.late) group.gone += !item.element;
    }

    void enter(Element& element, std::uint32_t weight, bool waits) {
        const auto [found, is_new] = classes_.try_emplace(weight);
        Class& group = found->second;
        if (is_new) {
            group.weight = weight;
            group.turn = first(weight, now_);
            if (weight > 0) {
                group.step = (std::uint64_t{1} << 32) / weight;
                group.step_rest = (std::uint64_t{1} << 32) % weight;
            }
            group.after = following(group, group.turn);
        } else if (group.head == group.entries.size() && group.turn.time < now_) {
            advance(group);
        }
        element.sequence = reinterpret_cast<std::uintptr_t>(&group);
        if (waits) {
            element.selection_slot = static_cast<std::uint32_t>(group.entries.size());
            group.entries.push_back({&element, next_++});
        } else {
            element.selection_slot = late | static_cast<std::uint32_t>(group.late.size());
            group.late.push_back({&element, next_++});
        }
        if (is_new)
            heap_.push(key(group), group);
        else
            heap_.change(group, key(group));
    }

    void leave(Element& element) {
        Class& group = class_of(element);
        const std::uint32_t at = element.selection_slot;
        (at & late ? group.late[at & ~late] : group.entries[at]).element = nullptr;
        ++group.gone;
        if (group.empty()) {
            heap_.remove(group);
            classes_.erase(group.weight);
            if (classes_.bucket_count() > 64 && classes_.size() < classes_.bucket_count() / 8) classes_.rehash(0);
            return;
        }
        if (at == group.head) group.head = live(group, at + 1);
        if (group.gone > 8 && group.gone > group.entries.size() / 2) close_gaps(group);
        heap_.change(group, key(group));
    }

    std::unordered_map<std::uint32_t, Class> classes_;
    IndexedHeap<Key, Class, ClassSlot, usual_list> heap_;
    std::vector<Line> lines_;
    std::uint64_t now_ = 0;
    std::uint64_t next_ = 0;
};

}  // namespace rsim::handlespace
