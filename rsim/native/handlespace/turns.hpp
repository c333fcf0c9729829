// Weighted round robin: elements of one weight share their turns, so each weight is a class with one
// queue for its next turn and one for the turn after that.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "element.hpp"
#include "indexed_heap.hpp"

namespace rsim::handlespace {

// In a round an element of weight w has w turns, its k-th at (2k + 1) / (2w) of the round. Times hold
// the round in the upper and the place in it in the lower 32 bits. Elements of weight 0 have no turns;
// they come after all others, in a ring.
class Turns {
public:
    void insert(Element& element) { enter(element, weight_of(element), true); }

    void remove(Element& element) {
        const std::uint32_t number = element.selection_slot;
        Class& group = group_of(number);
        unlink(number);
        release(number);
        leave(group);
    }

    // The weight may have changed: an element that has had its turn waits for the next one in its new
    // class as well.
    void update(Element& element) {
        const std::uint32_t number = element.selection_slot;
        Class& old = group_of(number);
        const std::uint32_t weight = weight_of(element);
        if (old.weight == weight) return;
        const bool waits = old.weight == 0 || rank(old, nodes_[number].queue) == first(old.weight, now_).time;
        unlink(number);
        release(number);
        leave(old);
        enter(element, weight, waits);
    }

    // Adds the elements whose turns are next, each once.
    void first_ones(std::size_t count, std::vector<Element*>& chosen) {
        if (heap_.empty() || count == 0) return;
        if (count == 1) {
            const Class& group = heap_.top();
            chosen.push_back(nodes_[group.head(group.next_queue())].element);
            return;
        }
        groups_.clear();
        heap_.smallest(count, groups_);
        places_.clear();
        for (const Class* group : groups_) places_.push_back({group->next_queue(), group->head(group->next_queue())});
        while (chosen.size() < count) {
            std::size_t best = groups_.size();
            Key least{};
            for (std::size_t i = 0; i < groups_.size(); ++i) {
                if (places_[i].number == none) continue;
                const Key key{rank(*groups_[i], places_[i].queue), nodes_[places_[i].number].sequence};
                if (best == groups_.size() || key < least) best = i, least = key;
            }
            if (best == groups_.size()) return;
            Place& place = places_[best];
            chosen.push_back(nodes_[place.number].element);
            place.number = nodes_[place.number].next;
            const std::uint32_t other = 1 - place.queue;
            if (place.number == none && place.queue == groups_[best]->current && groups_[best]->weight > 0)
                place = {other, groups_[best]->head(other)};
        }
    }

    // An element, the first one of its class, has had its turn. `on_time`: the round has come to it;
    // otherwise it is served in advance.
    void serve(Element& element, bool on_time) {
        const std::uint32_t number = element.selection_slot;
        Class& group = group_of(number);
        if (group.weight > 0) {
            if (nodes_[number].queue != group.current) advance(group);
            if (on_time) now_ = group.turn.time;
        }
        unlink(number);
        const std::uint32_t queue = group.weight > 0 ? 1 - group.current : group.current;
        append(group, queue, number);
        heap_.change(group, key(group));
    }

private:
    static constexpr std::uint32_t none = UINT32_MAX;
    static constexpr std::uint64_t never = UINT64_MAX;

    struct Key {
        std::uint64_t rank = 0;
        std::uint64_t sequence = 0;
        bool operator<(const Key& other) const {
            return rank != other.rank ? rank < other.rank : sequence < other.sequence;
        }
    };
    // The k-th turn of a weight, and its time.
    struct Turn {
        std::uint64_t time = 0;
        std::uint64_t k = 0;
    };
    struct Queue {
        std::uint32_t head = none;
        std::uint32_t tail = none;
    };
    struct Class {
        std::uint32_t weight = 0;
        std::uint32_t number = 0;   // its place among all classes
        std::uint32_t slot = 0;     // the heap's number for it
        std::uint32_t current = 0;  // the queue whose turn is `turn`; the other one's is the next
        Turn turn;
        Turn after;
        Queue queues[2];

        std::uint32_t head(std::uint32_t queue) const { return queues[queue].head; }
        std::uint32_t next_queue() const { return queues[current].head != none ? current : 1 - current; }
        bool empty() const { return queues[0].head == none && queues[1].head == none; }
    };
    struct ClassSlot {
        std::uint32_t& operator()(Class& group) const { return group.slot; }
    };
    struct Node {
        Element* element = nullptr;
        std::uint64_t sequence = 0;
        std::uint32_t next = none;
        std::uint32_t previous = none;
        std::uint32_t group : 31 = 0;  // number of its class
        std::uint32_t queue : 1 = 0;
    };
    struct Place {
        std::uint32_t queue;
        std::uint32_t number;
    };

    Class& group_of(std::uint32_t number) { return storage_[nodes_[number].group]; }

    static std::uint32_t weight_of(const Element& element) { return element.content.policy.word(0); }

    // (2k + 1) / (2w) * 2^32, rounded down; 2k + 1 < 2^33, so nothing overflows.
    static std::uint64_t place(std::uint64_t k, std::uint64_t weight) { return ((2 * k + 1) << 31) / weight; }

    static Turn first(std::uint64_t weight, std::uint64_t time) {
        if (weight == 0) return {never, 0};
        const std::uint64_t round = time >> 32;
        const std::uint64_t at = time & UINT32_MAX;
        std::uint64_t k = at * weight >> 32;
        k = k > 0 ? k - 1 : 0;
        while (k < weight && place(k, weight) < at) ++k;
        if (k == weight) return {((round + 1) << 32) + place(0, weight), 0};
        return {(round << 32) + place(k, weight), k};
    }

    static Turn following(std::uint64_t weight, const Turn& turn) {
        if (weight == 0) return {never, 0};
        const std::uint64_t round = turn.time >> 32;
        if (turn.k + 1 == weight) return {((round + 1) << 32) + place(0, weight), 0};
        return {(round << 32) + place(turn.k + 1, weight), turn.k + 1};
    }

    static std::uint64_t rank(const Class& group, std::uint32_t queue) {
        return queue == group.current ? group.turn.time : group.after.time;
    }

    Key key(const Class& group) const {
        const std::uint32_t queue = group.next_queue();
        return {rank(group, queue), nodes_[group.head(queue)].sequence};
    }

    // The turn of the first queue is over: the second one's is next.
    static void advance(Class& group) {
        group.current = 1 - group.current;
        group.turn = group.after;
        group.after = following(group.weight, group.turn);
    }

    void enter(Element& element, std::uint32_t weight, bool waits) {
        const auto [found, is_new] = classes_.try_emplace(weight, nullptr);
        if (is_new) found->second = make_class(weight);
        Class& group = *found->second;
        if (!is_new && group.weight > 0 && group.head(group.current) == none && group.turn.time < now_) advance(group);
        const std::uint32_t number = acquire();
        nodes_[number].element = &element;
        nodes_[number].group = group.number;
        element.selection_slot = number;
        const bool second = !waits && weight > 0;
        append(group, second ? 1 - group.current : group.current, number);
        if (is_new)
            heap_.push(key(group), group);
        else
            heap_.change(group, key(group));
    }

    void leave(Class& group) {
        if (!group.empty()) {
            heap_.change(group, key(group));
            return;
        }
        heap_.remove(group);
        classes_.erase(group.weight);
        spare_.push_back(&group);
    }

    Class* make_class(std::uint32_t weight) {
        Class* group;
        if (spare_.empty()) {
            group = &storage_.emplace_back();
            group->number = static_cast<std::uint32_t>(storage_.size() - 1);
        } else {
            group = spare_.back();
            spare_.pop_back();
            const std::uint32_t number = group->number;
            *group = Class{};
            group->number = number;
        }
        group->weight = weight;
        group->turn = first(weight, now_);
        group->after = following(weight, group->turn);
        return group;
    }

    void append(Class& group, std::uint32_t queue, std::uint32_t number) {
        Queue& line = group.queues[queue];
        Node& node = nodes_[number];
        node.queue = queue;
        node.sequence = next_++;
        node.next = none;
        node.previous = line.tail;
        (line.tail == none ? line.head : nodes_[line.tail].next) = number;
        line.tail = number;
    }

    void unlink(std::uint32_t number) {
        const Node& node = nodes_[number];
        Queue& line = storage_[node.group].queues[node.queue];
        (node.previous == none ? line.head : nodes_[node.previous].next) = node.next;
        (node.next == none ? line.tail : nodes_[node.next].previous) = node.previous;
    }

    std::uint32_t acquire() {
        if (free_.empty()) {
            nodes_.emplace_back();
            return static_cast<std::uint32_t>(nodes_.size() - 1);
        }
        const std::uint32_t number = free_.back();
        free_.pop_back();
        return number;
    }

    void release(std::uint32_t number) {
        nodes_[number] = Node{};
        free_.push_back(number);
        if (nodes_.size() > 16 && nodes_.size() - free_.size() < nodes_.size() / 4) compact();
    }

    // Numbers the elements anew after most have left, and gives the memory back.
    void compact() {
        std::vector<Node> nodes;
        nodes.reserve(nodes_.size() - free_.size());
        for (auto& [weight, group] : classes_) {
            for (Queue& line : group->queues) {
                std::uint32_t at = line.head;
                line = Queue{};
                for (; at != none; at = nodes_[at].next) {
                    const auto number = static_cast<std::uint32_t>(nodes.size());
                    nodes.push_back(nodes_[at]);
                    nodes.back().previous = line.tail;
                    nodes.back().next = none;
                    (line.tail == none ? line.head : nodes[line.tail].next) = number;
                    line.tail = number;
                    nodes.back().element->selection_slot = number;
                }
            }
        }
        nodes_ = std::move(nodes);
        std::vector<std::uint32_t>().swap(free_);
    }

    std::unordered_map<std::uint32_t, Class*> classes_;
    std::deque<Class> storage_;
    std::vector<Class*> spare_;
    IndexedHeap<Key, Class, ClassSlot> heap_;
    std::vector<Node> nodes_;
    std::vector<std::uint32_t> free_;
    std::vector<Class*> groups_;
    std::vector<Place> places_;
    std::uint64_t now_ = 0;
    std::uint64_t next_ = 0;
};

}  // namespace rsim::handlespace
