#include "reception.hpp"

#include <algorithm>

namespace rsim::network {

std::uint64_t& Reception::expected(std::uint16_t stream) {
    if (stream >= expected_.size()) expected_.resize(stream + 1u);
    return expected_[stream];
}

bool Reception::note(std::uint64_t tsn) {
    if (tsn <= cumulative) return false;
    if (tsn == cumulative + 1) {
        ++cumulative;
        if (!beyond_.empty() && beyond_.front().first == cumulative + 1) {
            cumulative = beyond_.front().second;
            beyond_.erase(beyond_.begin());
        }
        return true;
    }
    // Mostly it belongs to the last one, or behind it.
    auto after = beyond_.end();
    while (after != beyond_.begin() && std::prev(after)->first > tsn) --after;
    if (after != beyond_.begin()) {
        Range& before = *std::prev(after);
        if (tsn <= before.second) return false;
        if (tsn == before.second + 1) {
            before.second = tsn;
            if (after != beyond_.end() && after->first == tsn + 1) {
                before.second = after->second;
                beyond_.erase(after);
            }
            return true;
        }
    }
    if (after != beyond_.end() && after->first == tsn + 1)
        after->first = tsn;
    else
        beyond_.insert(after, {tsn, tsn});
    return true;
}

Reception::Arrival Reception::take(const DataChunk& chunk, std::vector<Ref<Message>>& ready) {
    const bool next = chunk.tsn == cumulative + 1;
    // What fills a gap frees room, and is taken in any case (RFC 9260 6.2).
    if (!next && chunk.tsn > cumulative && chunk.length > window()) return Arrival::refused;
    if (next && window() == 0 && beyond_.empty()) return Arrival::refused;
    if (!note(chunk.tsn)) return Arrival::duplicate;
    if (!chunk.message) return Arrival::fresh;
    if (chunk.whole()) {
        hand_on(chunk.message, ready);
        return Arrival::fresh;
    }
    Partial& partial = partial_[chunk.message.get()];
    partial.message = chunk.message;
    partial.octets += chunk.length;
    if (!partial.passed) {
        partial.kept += chunk.length;
        held_octets_ += chunk.length;
    }
    if (partial.octets == chunk.message->size) {
        held_octets_ -= partial.kept;
        partial_.erase(chunk.message.get());
        hand_on(chunk.message, ready);
    } else if (next && beyond_.empty() && held_octets_ + chunk.length > buffer_) {
        // It is the next one, and there is no room for the rest of it.
        partial.passed = true;
        held_octets_ -= partial.kept;
        partial.kept = 0;
    }
    return Arrival::fresh;
}

bool Reception::take_next(const DataChunk& chunk) {
    if (chunk.tsn != cumulative + 1 || !beyond_.empty()) return false;
    std::uint64_t& due = expected(chunk.message->stream);
    if (due != chunk.message->sequence) return false;
    ++due;
    ++cumulative;
    return true;
}

void Reception::hand_on(Ref<Message> message, std::vector<Ref<Message>>& ready) {
    if (message->unordered) {
        ready.push_back(std::move(message));
        return;
    }
    const std::uint16_t stream = message->stream;
    std::uint64_t& due = expected(stream);
    if (message->sequence != due) {
        held_octets_ += message->size;
        const std::uint64_t sequence = message->sequence;
        held_[{stream, sequence}] = std::move(message);
        return;
    }
    ready.push_back(std::move(message));
    ++due;
    for (auto found = held_.find({stream, due}); found != held_.end(); found = held_.find({stream, due})) {
        held_octets_ -= found->second->size;
        ready.push_back(std::move(found->second));
        held_.erase(found);
        ++due;
    }
}

void Reception::fill(Sack& sack, std::size_t most_gaps) {
    packets = 0;
    sack.cumulative = cumulative;
    sack.window = told_window = window();
    const std::size_t count = std::min(most_gaps, beyond_.size());
    sack.gaps.assign(beyond_.begin(), beyond_.begin() + static_cast<std::ptrdiff_t>(count));
}

}  // namespace rsim::network
