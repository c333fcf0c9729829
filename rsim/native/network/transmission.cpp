#include "transmission.hpp"

#include <algorithm>

namespace rsim::network {
namespace {

// Reports that miss a chunk before it is sent again at once (RFC 9260 7.2.4).
constexpr unsigned fast_retransmit = 3;

struct Hold {
    explicit Hold(Carrier& carrier) : carrier(carrier) { carrier.hold(); }
    Hold(const Hold&) = delete;
    ~Hold() { carrier.let_go(); }
    Carrier& carrier;
};

}  // namespace

Transmission::Transmission(Carrier& carrier, Schedule& schedule, const SctpSettings& settings, Protocol protocol, bool ipv6,
                           std::uint64_t first_tsn)
    : carrier_(carrier), schedule_(schedule), settings_(settings), first_tsn_(first_tsn), next_tsn_(first_tsn),
      peer_window_(settings.receive_buffer), tcp_(protocol == Protocol::tcp), ipv6_(ipv6) {}

// Paths ---------------------------------------------------------------------------------------------------------------

void Transmission::add_path(std::uint32_t local, std::uint32_t remote, Route& route, Route& back) {
    Path& path = *paths_.emplace_back(std::make_unique<Path>(local, remote, route, back, settings_.rto_initial));
    path.cwnd = initial_window(path);
    path.t3.bind(schedule_, [](void* owner, void* part) {
        auto& self = *static_cast<Transmission*>(owner);
        const Hold held(self.carrier_);
        self.expire_t3(*static_cast<Path*>(part));
    }, this, &path);
    path.beat.bind(schedule_, [](void* owner, void* part) {
        auto& self = *static_cast<Transmission*>(owner);
        const Hold held(self.carrier_);
        self.beat(*static_cast<Path*>(part));
    }, this, &path);
}

Path& Transmission::best() const {
    for (const auto& path : paths_)
        if (path->active) return *path;
    return primary();
}

Path& Transmission::path_to(std::uint32_t address) const {
    for (const auto& path : paths_)
        if (path->remote == address) return *path;
    return primary();
}

// Octets of a packet that chunks, or the data of a segment, may take.
std::uint32_t Transmission::room(const Path& path) const {
    return path.route->mtu - (ipv6_ ? ipv6_header : ipv4_header) - (tcp_ ? tcp_header : sctp_header);
}

// RFC 9260 7.2.1, RFC 5681 3.1.
double Transmission::initial_window(const Path& path) const {
    if (!settings_.congestion_control) return std::numeric_limits<double>::infinity();
    const double segment = room(path);
    const double several = tcp_ ? 4380 : ipv6_ ? 4344 : 4404;
    return std::min(4 * segment, std::max(2 * segment, several));
}

std::uint64_t Transmission::flight() const {
    std::uint64_t octets = 0;
    for (const auto& path : paths_) octets += path->flight;
    return octets;
}

// Sending -------------------------------------------------------------------------------------------------------------

void Transmission::add(Ref<Message> message) {
    message->number = messages_added++;
    ++messages_;
    waiting_.push_back({std::move(message), 0});
}

// Octets of a packet that are taken.
std::uint32_t Transmission::used(const Packet& packet) const {
    std::uint32_t octets = 0;
    for (const DataChunk& chunk : packet.data) octets += size_of(chunk.length);
    if (tcp_) return octets + (packet.has_sack ? packet.sack.gap_options() : 0);
    for (const ControlChunk& chunk : packet.controls) octets += chunk.size();
    return octets + (packet.has_sack ? packet.sack.size() : 0);
}

void Transmission::append(Packet& packet, Path& path, std::uint32_t length) {
    if (waiting_.front().offset == 0) {
        const Ref<Message> leaving = waiting_.front().message;
        carrier_.note_leaving(*leaving);
        if (stopped_) return;
    }
    // Whoever was told may have added a message.
    Waiting& next = waiting_.front();
    if (sent_.empty()) first_tsn_ = next_tsn_;
    const Sent& sent = sent_.push_back(Sent{next.message, next.offset, length, &path, schedule_.now});
    packet.data.push_back({next_tsn_++, next.offset, length, next.message});
    path.flight += length;
    next.offset += length;
    if (next.offset == sent.message->size) waiting_.pop_front();
}

void Transmission::fill(Packet& packet, Path& path) {
    const std::uint32_t whole = room(path);
    std::uint32_t taken = used(packet);
    while (!waiting_.empty() && taken + overhead() < whole) {
        const Waiting& next = waiting_.front();
        const std::uint32_t left = next.message->size - next.offset;
        const std::uint32_t free = (whole - taken - overhead()) / 4 * 4;
        // A message is cut only where it fits into no packet (RFC 9260 6.9); octets of TCP know no messages.
        const bool alone = packet.data.empty() && packet.controls.empty();
        if (left > free && !tcp_ && !(alone && left > largest(path))) break;
        const std::uint32_t length = std::min(left, tcp_ ? whole - taken : free);
        const std::uint64_t out = flight();
        // One packet goes in any case, and asks a window that is shut (RFC 9260 6.1 A).
        if (out + length > peer_window_ && out > 0) break;
        if (!packet.data.empty() && !(static_cast<double>(path.flight) < path.cwnd)) break;
        probing_ = probing_ || length > peer_window_;
        append(packet, path, length);
        if (stopped_) return;
        taken += size_of(length);
    }
    if (packet.data.empty()) return;
    path.data_sent_at = path.used_at = schedule_.now;
    if (!path.timing) {
        path.timing = true;
        path.timed_tsn = packet.data.back().tsn;
        path.timed_at = schedule_.now;
    }
}

void Transmission::refill(Packet& packet, Path& path) {
    unsigned messages = 0;
    for (std::uint64_t tsn = first_tsn_; tsn < next_tsn_; ++tsn) {
        Sent& sent = at(tsn);
        if (sent.arrived || !sent.message) continue;
        sent.path->flight -= sent.length;
        sent.path = &path;
        sent.path->flight += sent.length;
        sent.again = true;
        sent.sent_at = schedule_.now;
        packet.data.push_back({tsn, sent.offset, sent.length, sent.message});
        ++messages;
    }
    for (const auto& one : paths_) one->timing = false;
    if (messages > 0) carrier_.note_retransmission(messages);
}

void Transmission::start_timers() {
    timers_held_ = false;
    for (std::size_t number = 0; number < sent_.size(); ++number) {
        const Sent& sent = sent_[number];
        Path& path = *sent.path;
        if (!sent.arrived && !path.t3.running())
            path.t3.start(std::max(0.0, sent.sent_at + path.rto - schedule_.now));
    }
}

void Transmission::push() {
    if (stopped_ || timers_held_) return;
    if (!marked_.empty()) send_marked();
    if (!waiting_.empty() && marked_.empty()) send_new(best());
}

void Transmission::send_new(Path& path) {
    const double segment = room(path);
    const double now = schedule_.now;
    if (path.flight == 0 && path.data_sent_at > -never && settings_.congestion_control) {
        // A window that was not used says less and less of the path (RFC 9260 7.2.1).
        const double smallest = 4 * segment;
        for (double idle = now - path.data_sent_at; idle > path.rto && path.cwnd > smallest; idle -= path.rto) {
            path.ssthresh = std::max(path.ssthresh == never ? path.cwnd : path.ssthresh, path.cwnd);
            path.cwnd = std::max(path.cwnd / 2, smallest);
        }
    }
    const double burst = static_cast<double>(path.flight) + settings_.max_burst * segment;
    const double limit = settings_.congestion_control ? std::min(path.cwnd, burst) : path.cwnd;
    while (!waiting_.empty() && static_cast<double>(path.flight) < limit) {
        const std::uint64_t out = flight();
        const Waiting& next = waiting_.front();
        const std::uint32_t length = std::min(next.message->size - next.offset, largest(path));
        if (out > 0 && out + length > peer_window_) break;
        PacketPtr packet = carrier_.make_packet(path, size_of(length));
        fill(*packet, path);
        if (stopped_ || packet->data.empty()) break;
        if (!path.t3.running()) path.t3.start(path.rto);
        carrier_.transmit(path, std::move(packet));
        if (stopped_) return;
    }
}

// RFC 9260 6.1 C: what is marked goes first, as far as the window of the path allows.
void Transmission::send_marked() {
    while (!marked_.empty()) {
        Path& last = *at(*marked_.begin()).path;
        Path& path = last.active ? last : best();
        if (!(static_cast<double>(path.flight) < path.cwnd)) return;
        const std::size_t before = marked_.size();
        send_again(path, marked_, false);
        if (stopped_ || marked_.size() == before) return;
    }
}

// As many of the TSNs as one packet holds go out again, and leave the set.
void Transmission::send_again(Path& path, std::set<std::uint64_t>& tsns, bool fast) {
    const std::uint32_t whole = room(path);
    PacketPtr packet = carrier_.make_packet(path, size_of(at(*tsns.begin()).length));
    std::uint32_t taken = used(*packet);
    unsigned messages = 0;
    bool first = false;
    for (auto next = tsns.begin(); next != tsns.end();) {
        const std::uint64_t tsn = *next;
        Sent& sent = at(tsn);
        if (!sent.message) {
            // It went without being watched, and has not told yet that it is lost.
            ++next;
            continue;
        }
        if (taken + size_of(sent.length) > whole && !packet->data.empty()) break;
        // A segment of TCP has no gaps.
        if (tcp_ && !packet->data.empty() && packet->data.back().tsn + 1 != tsn) break;
        taken += size_of(sent.length);
        next = tsns.erase(next);
        if (&tsns != &marked_) marked_.erase(tsn);
        if (sent.path->timing && sent.path->timed_tsn == tsn) sent.path->timing = false;
        sent.path = &path;
        sent.sent_at = schedule_.now;
        sent.again = true;
        sent.marked = false;
        sent.missing = 0;
        path.flight += sent.length;
        first = first || tsn == first_tsn_;
        packet->data.push_back({tsn, sent.offset, sent.length, sent.message});
        ++messages;
    }
    if (packet->data.empty()) return;
    carrier_.note_retransmission(messages);
    path.data_sent_at = path.used_at = schedule_.now;
    // RFC 9260 7.2.4, step 4, and 6.3.2, R1.
    if ((fast && first) || !path.t3.running()) path.t3.start(path.rto);
    carrier_.transmit(path, std::move(packet));
}

void Transmission::mark(std::uint64_t tsn) {
    Sent& sent = at(tsn);
    if (sent.arrived || sent.marked) return;
    sent.marked = true;
    sent.path->flight -= sent.length;
    marked_.insert(tsn);
}

void Transmission::take_back(const DataChunk& chunk, double sent_at) {
    if (stopped_) return;
    Path& path = best();
    if (sent_.empty()) first_tsn_ = chunk.tsn;
    // Those around it may be lost as well, or not yet know it.
    for (; first_tsn_ > chunk.tsn; --first_tsn_) sent_.push_front(Sent{{}, 0, 0, &path, sent_at});
    while (first_tsn_ + sent_.size() < next_tsn_) sent_.push_back(Sent{{}, 0, 0, &path, sent_at});
    Sent& sent = at(chunk.tsn);
    if (sent.message || sent.arrived) return;
    chunk.message->number = messages_added++;
    ++messages_;
    sent.message = chunk.message;
    sent.length = chunk.length;
    sent.sent_at = sent_at;
    sent.path = &path;
    if (!sent.marked) path.flight += sent.length;
    if (!path.t3.running()) path.t3.start(std::max(0.0, sent_at + path.rto - schedule_.now));
}

// Acknowledgements (RFC 9260 6.2.1, 6.3.2, 7.2) -------------------------------------------------------------------------

void Transmission::note_arrival(std::uint64_t tsn, std::vector<Acked>& acked) {
    Sent& sent = at(tsn);
    if (sent.arrived) return;
    sent.arrived = true;
    Path& path = *sent.path;
    auto entry = std::find_if(acked.begin(), acked.end(), [&](const Acked& one) { return one.path == &path; });
    if (entry == acked.end()) entry = acked.insert(acked.end(), {&path, 0, path.flight});
    entry->octets += sent.length;
    if (sent.marked)
        marked_.erase(tsn);
    else
        path.flight -= sent.length;
    sent.marked = false;
    if (path.timing && path.timed_tsn == tsn) {
        path.timing = false;
        if (!sent.again) path.note_round_trip(schedule_.now - path.timed_at, settings_);
    }
    if (sent.message && sent.offset + sent.length == sent.message->size) --messages_;
}

void Transmission::advance(std::uint64_t cumulative, std::vector<Acked>& acked) {
    while (!sent_.empty() && first_tsn_ <= cumulative) {
        note_arrival(first_tsn_, acked);
        sent_.pop_front();
        ++first_tsn_;
    }
    if (sent_.empty()) first_tsn_ = next_tsn_;
}

void Transmission::take_cumulative(std::uint64_t tsn) {
    std::vector<Acked> acked;
    advance(tsn, acked);
}

void Transmission::take(const Sack& sack) {
    if (stopped_ || sack.cumulative + 1 < first_tsn_ || sack.cumulative >= next_tsn_) return;
    std::vector<Acked> acked;
    const bool advanced = sack.cumulative >= first_tsn_;
    const bool recovering = in_recovery_;
    advance(sack.cumulative, acked);
    std::uint64_t newest = 0;
    auto known = gaps_.begin();
    for (const auto& [first, last] : sack.gaps) {
        // The last acknowledgement has told most of it: only what is new is looked at.
        std::uint64_t tsn = std::max(first, first_tsn_);
        const std::uint64_t end = std::min(last, next_tsn_ - 1);
        while (tsn <= end) {
            while (known != gaps_.end() && known->second < tsn) ++known;
            if (known != gaps_.end() && known->first <= tsn) {
                tsn = known->second + 1;
                continue;
            }
            if (!at(tsn).arrived) newest = tsn;
            note_arrival(tsn++, acked);
        }
    }
    gaps_ = sack.gaps;
    if (in_recovery_ && first_tsn_ > recovery_end_) in_recovery_ = false;
    for (const Acked& one : acked) {
        grow(one, advanced, recovering);
        one.path->errors = 0;
        one.path->active = true;
    }
    // A window that is shut but answers is no failure (RFC 9260 6.1).
    if (!acked.empty() || sack.window == 0) errors_ = 0;
    if (sack.window == 0)
        for (const auto& path : paths_) path->errors = 0;
    peer_window_ = sack.window;
    if (probing_ && sack.window > 0) {
        // The window is open again: what has asked it need not wait for its time-out.
        probing_ = false;
        if (!sent_.empty() && sent_.front().message) mark(first_tsn_);
    }
    std::vector<std::uint64_t> lost;
    if (count_missing(sack, newest, advanced, lost)) enter_recovery(lost);
    restart_timers(acked, advanced);
    push();
}

// RFC 9260 7.2.1, 7.2.2.
void Transmission::grow(const Acked& acked, bool advanced, bool recovering) {
    if (!settings_.congestion_control) return;
    Path& path = *acked.path;
    const double segment = room(path);
    const bool full = static_cast<double>(acked.flight) >= path.cwnd;
    if (path.cwnd <= path.ssthresh) {
        if (advanced && full && !recovering) path.cwnd += std::min(static_cast<double>(acked.octets), segment);
    } else if (advanced) {
        path.partial_bytes_acked += acked.octets;
        if (static_cast<double>(path.partial_bytes_acked) >= path.cwnd) {
            if (full) {
                path.partial_bytes_acked -= static_cast<std::uint64_t>(path.cwnd);
                path.cwnd += segment;
            } else {
                path.partial_bytes_acked = static_cast<std::uint64_t>(path.cwnd);
            }
        }
    }
    if (path.flight == 0) path.partial_bytes_acked = 0;
}

// Counts reports that miss chunks below the newest that has arrived; those that are to be sent again at once are `lost`.
bool Transmission::count_missing(const Sack& sack, std::uint64_t newest, bool advanced, std::vector<std::uint64_t>& lost) {
    if (sack.gaps.empty()) return false;
    // In recovery, an acknowledgement that advances counts for all that it misses.
    const std::uint64_t limit = in_recovery_ && advanced ? sack.gaps.back().second : newest;
    std::uint64_t tsn = first_tsn_;
    for (const auto& [first, last] : sack.gaps) {
        for (; tsn < first && tsn < limit && tsn < next_tsn_; ++tsn) {
            Sent& sent = at(tsn);
            if (sent.arrived || sent.marked || sent.fast || !sent.message) continue;
            if (++sent.missing == fast_retransmit) lost.push_back(tsn);
        }
        tsn = std::max(tsn, last + 1);
    }
    return !lost.empty();
}

// RFC 9260 7.2.4: what is missing goes out at once in one packet, whatever the window says.
void Transmission::enter_recovery(const std::vector<std::uint64_t>& lost) {
    std::set<std::uint64_t> again;
    for (const std::uint64_t tsn : lost) {
        Path& path = *at(tsn).path;
        if (!in_recovery_ && settings_.congestion_control) {
            const double segment = room(path);
            const double half = tcp_ ? static_cast<double>(path.flight) / 2 : path.cwnd / 2;
            path.ssthresh = std::max(half, (tcp_ ? 2 : 4) * segment);
            path.cwnd = path.ssthresh;
            path.partial_bytes_acked = 0;
        }
        if (!in_recovery_) {
            in_recovery_ = true;
            recovery_end_ = next_tsn_ - 1;
        }
        mark(tsn);
        // Those that do not fit into the packet do not go out this way a second time, either (7.2.4, step 5).
        at(tsn).fast = true;
        again.insert(tsn);
    }
    send_again(best(), again, true);
}

// RFC 9260 6.3.2, R2 and R3.
void Transmission::restart_timers(const std::vector<Acked>& acked, bool advanced) {
    for (const Acked& one : acked) {
        Path& path = *one.path;
        if (path.flight == 0 && marked_.empty()) {
            path.t3.stop();
            continue;
        }
        // Of one path the first that is acknowledged was the earliest; of several this is looked up.
        bool earliest = advanced;
        if (paths_.size() > 1) {
            const auto older = [&](const Sent& sent) { return sent.path == &path && sent.sent_at < schedule_.now; };
            earliest = advanced || !any_outstanding(older);
        }
        if (earliest || !path.t3.running()) path.t3.start(path.rto);
    }
}

// RFC 9260 6.3.3: back off, mark all that went this way, send the first packet again.
void Transmission::expire_t3(Path& path) {
    path.back_off(settings_);
    if (stopped_ || !any_outstanding([&](const Sent& sent) { return sent.path == &path; })) return;
    note_error(path);
    if (stopped_) return;
    if (settings_.congestion_control) {
        const double segment = room(path);
        path.ssthresh = std::max(path.cwnd / 2, (tcp_ ? 2 : 4) * segment);
        path.cwnd = segment;
        path.partial_bytes_acked = 0;
    }
    path.timing = false;
    in_recovery_ = false;
    for (std::uint64_t tsn = first_tsn_; tsn < first_tsn_ + sent_.size(); ++tsn) {
        Sent& sent = at(tsn);
        if (sent.arrived || sent.path != &path) continue;
        sent.fast = false;
        sent.missing = 0;
        mark(tsn);
    }
    Path* to = &path;
    for (const auto& other : paths_)
        if (other.get() != &path && other->active) {
            to = other.get();
            break;
        }
    send_again(*to, marked_, false);
    if (!stopped_ && !path.t3.running() && !marked_.empty()) path.t3.start(path.rto);
}

std::uint64_t Transmission::undelivered() const {
    for (std::size_t number = 0; number < sent_.size(); ++number) {
        const Sent& sent = sent_[number];
        if (!sent.arrived && sent.message) return messages_added - sent.message->number;
    }
    return waiting_.empty() ? 0 : messages_added - waiting_.front().message->number;
}

// Errors and heartbeats (RFC 9260 8.1 to 8.3) ---------------------------------------------------------------------------

void Transmission::note_error(Path& path) {
    ++errors_;
    ++path.errors;
    if (errors_ > settings_.association_max_retrans) {
        stop();
        carrier_.give_up();
    } else if (path.errors > settings_.path_max_retrans && path.active) {
        if (paths_.size() > 1) carrier_.note_path_failure();
        path.active = false;
    }
}

void Transmission::watch() {
    if (settings_.heartbeat_interval == never || stopped_) return;
    watched_ = true;
    for (const auto& path : paths_) {
        if (path->beat.running()) continue;
        path->next_beat_at = schedule_.now + settings_.heartbeat_interval + path->rto * (0.5 + carrier_.draw());
        path->beat.start(path->next_beat_at - schedule_.now);
    }
}

void Transmission::unwatch() {
    if (!watched_) return;
    watched_ = false;
    for (const auto& path : paths_) {
        path->beat.stop();
        path->beating = false;
    }
}

// A heartbeat is due, or the answer to the last one has not come within the RTO.
void Transmission::beat(Path& path) {
    const double now = schedule_.now, interval = settings_.heartbeat_interval;
    if (path.beating) {
        path.beating = false;
        path.back_off(settings_);
        note_error(path);
        if (stopped_ || path.beat.running()) return;
        if (path.next_beat_at > now) return path.beat.start(path.next_beat_at - now);
    } else if (now - path.used_at < interval && path.active) {
        // It was not idle.
        path.next_beat_at = path.used_at + interval + path.rto * (0.5 + carrier_.draw());
        return path.beat.start(std::max(0.0, path.next_beat_at - now));
    }
    ++path.beat_number;
    path.beating = true;
    path.beat_at = path.used_at = now;
    path.next_beat_at = now + interval + path.rto * (0.5 + carrier_.draw());
    path.beat.start(path.rto);
    PacketPtr packet = carrier_.make_packet(path, 0);
    ControlChunk chunk;
    chunk.kind = Control::heartbeat;
    chunk.number = path.beat_number;
    packet->controls.push_back(std::move(chunk));
    carrier_.transmit(path, std::move(packet));
}

void Transmission::take_heartbeat_answer(Path& path, std::uint64_t number) {
    if (!path.beating || number != path.beat_number) return;
    const double now = schedule_.now;
    path.beating = false;
    path.note_round_trip(now - path.beat_at, settings_);
    path.errors = errors_ = 0;
    path.active = true;
    path.beat.start(std::max(0.0, path.next_beat_at - now));
}

void Transmission::stop() {
    stopped_ = true;
    sent_.clear();
    waiting_.clear();
    marked_.clear();
    gaps_.clear();
    messages_ = 0;
    for (const auto& path : paths_) {
        path->t3.release();
        path->beat.release();
    }
}

}  // namespace rsim::network
