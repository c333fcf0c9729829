// The queue of packets before a link whose order or drops depend on who waits: fair queueing, and CoDel.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "codel.hpp"
#include "packet.hpp"
#include "red.hpp"

namespace rsim::network {

class LinkQueue {
public:
    struct Waiting {
        PacketPtr packet;
        double since = 0;  // when it came
        double held = 0;   // s for which taps hold it back
        bool few = false;  // at most an MTU is left behind it
    };

    // Packets of one source; of all, where they aren't queued fairly.
    struct Subqueue {
        std::uint32_t source = 0;
        std::deque<Waiting> packets;
        std::uint64_t octets = 0;
        std::int64_t credit = 0;  // octets that may leave in this round
        Red red;
        Codel codel;
    };

    bool empty() const { return packets_ == 0; }
    std::size_t packets() const { return packets_; }
    std::uint64_t octets() const { return octets_; }
    // Subqueues there are.
    std::size_t sources() const { return turns_.size(); }

    // That of a source, which may be empty.
    Subqueue& of(std::uint32_t source, std::uint32_t quantum) {
        const auto found = by_source_.find(source);
        if (found != by_source_.end()) return *found->second;
        Subqueue& made = turns_.emplace_back();
        by_source_.emplace(source, std::prev(turns_.end()));
        made.source = source;
        made.credit = quantum;
        return made;
    }

    void add(Subqueue& queue, Waiting waiting) {
        resize(queue, waiting.packet->size, 1);
        queue.packets.push_back(std::move(waiting));
    }

    // The one with the most octets; null if nothing waits.
    Subqueue* longest() { return lengths_.empty() ? nullptr : &*by_source_.at(lengths_.rbegin()->second); }

    // Takes the last packet of a subqueue.
    Waiting take_last(Subqueue& queue) {
        Waiting last = std::move(queue.packets.back());
        queue.packets.pop_back();
        resize(queue, last.packet->size, -1);
        return last;
    }

    // Takes the packet that leaves next, if there is one, by deficit round robin: each source may send a quantum of octets in
    // a round. `drop(waiting)` is told of those that CoDel drops, where it has settings.
    template <class Drop>
    std::optional<Waiting> take(double now, std::uint32_t quantum, const CodelSettings* codel, Drop&& drop) {
        while (!empty()) {
            Subqueue& queue = turns_.front();
            if (queue.packets.empty()) {
                forget(queue);
                continue;
            }
            if (queue.credit <= 0) {
                queue.credit += quantum;
                turns_.splice(turns_.end(), turns_, turns_.begin());
                continue;
            }
            const auto head = [&] { return take_first(queue, quantum); };
            std::optional<Waiting> first = codel ? queue.codel.leave(*codel, now, head, drop) : head();
            if (!first) continue;
            queue.credit -= first->packet->size;
            return first;
        }
        return std::nullopt;
    }

    // Forgets a source of which nothing waits.
    void forget(Subqueue& queue) {
        const auto found = by_source_.find(queue.source);
        const auto place = found->second;
        by_source_.erase(found);
        turns_.erase(place);
    }

private:
    std::optional<Waiting> take_first(Subqueue& queue, std::uint32_t quantum) {
        if (queue.packets.empty()) return std::nullopt;
        std::optional<Waiting> first(std::move(queue.packets.front()));
        queue.packets.pop_front();
        resize(queue, first->packet->size, -1);
        first->few = queue.octets <= quantum;
        return first;
    }

    // A packet of that size has come (1) or gone (-1).
    void resize(Subqueue& queue, std::uint32_t size, int sign) {
        lengths_.erase({queue.octets, queue.source});
        queue.octets += sign * std::int64_t{size};
        octets_ += sign * std::int64_t{size};
        packets_ += sign;
        if (queue.octets > 0) lengths_.insert({queue.octets, queue.source});
    }

    std::list<Subqueue> turns_;  // the next one first
    std::unordered_map<std::uint32_t, std::list<Subqueue>::iterator> by_source_;
    std::set<std::pair<std::uint64_t, std::uint32_t>> lengths_;  // octets and source of those that aren't empty
    std::size_t packets_ = 0;
    std::uint64_t octets_ = 0;
};

}  // namespace rsim::network
