#include "association.hpp"

#include <algorithm>

namespace rsim::network {

Association::Association(Stack& stack, User& user, const Identity& given)
    : identity(given), stack_(&stack), user_(&user),
      settings_(given.protocol == Protocol::tcp ? stack.fabric().tcp : stack.fabric().sctp),
      reception_(given.peer_tsn - 1, settings_.receive_buffer),
      transmission_(*this, stack.fabric().schedule(), settings_, given.protocol, stack.fabric().ipv6, given.own_tsn) {
    const auto bind = [&](Alarm& alarm, Alarm::Function function) { alarm.bind(fabric().schedule(), function, this); };
    bind(timer_, [](void* owner, void*) { static_cast<Association*>(owner)->expire(); });
    bind(sack_timer_, [](void* owner, void*) {
        const Ref<Association> self(static_cast<Association*>(owner));
        self->acknowledge();
    });
    reception_.told_window = reception_.window();
    // The paths to the peer's further addresses begin at those of this host that follow.
    const auto& own = stack.addresses;
    const auto start = static_cast<std::size_t>(std::find(own.begin(), own.end(), identity.local) - own.begin());
    std::size_t number = 0;
    for (const std::uint32_t remote : identity.remote) {
        const std::uint32_t local = start < own.size() ? own[(start + number++) % own.size()] : identity.local;
        transmission_.add_path(local, remote, fabric().route(local, remote), fabric().route(remote, local));
        stack.add(*this, remote);
    }
}

void Association::enter(Change change) { state_ = state_after(state_, change); }

// Set-up (RFC 9260 5) -------------------------------------------------------------------------------------------------

void Association::open() { send_init(); }

void Association::send_init() {
    ControlChunk chunk;
    chunk.kind = Control::init;
    chunk.tag = identity.own_tag;
    chunk.tsn = identity.own_tsn;
    chunk.window = reception_.buffer();
    if (stack_->addresses.size() > 1 && identity.protocol == Protocol::sctp) chunk.addresses = stack_->addresses;
    const auto& paths = transmission_.paths();
    Path& path = *paths[retries_ % paths.size()];
    start_timer(path);
    send_control(path, std::move(chunk));
}

void Association::start_timer(Path& path) {
    path.rto = std::min(settings_.rto_initial * static_cast<double>(std::uint64_t{1} << std::min(retries_, 60u)),
                        settings_.rto_max);
    timer_.start(path.rto);
}

// T1 or T2 has expired: once more, or the peer is given up.
void Association::expire() {
    const Ref<Association> kept(this);
    ++retries_;
    if (retries_ > (setting_up() ? settings_.max_init_retransmits : settings_.association_max_retrans)) return give_up();
    switch (state_) {
    case State::cookie_wait: return send_init();
    case State::cookie_echoed: return send_cookie_echo();
    case State::shutdown_sent: return send_closing(Control::shutdown);
    case State::shutdown_ack_sent: return send_closing(Control::shutdown_ack);
    default: return;
    }
}

void Association::take_init_ack(const ControlChunk& chunk) {
    if (state_ != State::cookie_wait || !chunk.cookie) return;
    identity.peer_tag = chunk.tag;
    reception_.cumulative = chunk.tsn - 1;
    transmission_.set_window(chunk.window);
    cookie_ = chunk.cookie;
    retries_ = 0;
    enter(Change::init_ack);
    const auto& own = stack_->addresses;
    const auto start = static_cast<std::size_t>(std::find(own.begin(), own.end(), identity.local) - own.begin());
    for (const std::uint32_t address : chunk.addresses) {
        auto& remote = identity.remote;
        if (std::find(remote.begin(), remote.end(), address) != remote.end()) continue;
        const std::uint32_t local = own[(start + remote.size()) % own.size()];
        remote.push_back(address);
        stack_->add(*this, address);
        transmission_.add_path(local, address, fabric().route(local, address), fabric().route(address, local));
    }
    user_->note_init_ack();
    if (state_ == State::cookie_echoed) send_cookie_echo();
}

// COOKIE ECHO, with as much data as fits beside it (RFC 9260 5.1).
void Association::send_cookie_echo() {
    const auto& paths = transmission_.paths();
    std::size_t number = 0;
    while (number + 1 < paths.size() && paths[number].get() != &answering()) ++number;
    Path& path = *paths[(number + retries_) % paths.size()];
    start_timer(path);
    PacketPtr packet = make_packet(path, 0);
    ControlChunk chunk;
    chunk.kind = Control::cookie_echo;
    chunk.cookie = cookie_;
    packet->controls.push_back(std::move(chunk));
    transmission_.refill(*packet, path);
    if (retries_ == 0) transmission_.fill(*packet, path);
    transmit(path, std::move(packet));
}

void Association::take_cookie_ack() {
    if (state_ != State::cookie_echoed) return;
    timer_.stop();
    retries_ = 0;
    cookie_.reset();
    enter(Change::cookie_ack);
    for (const auto& path : transmission_.paths())
        if (path->srtt < 0) path->rto = settings_.rto_initial;
    establish();
}

void Association::accept(const Cookie& cookie) {
    transmission_.set_window(cookie.window);
    enter(Change::cookie_echo);
    ControlChunk chunk;
    chunk.kind = Control::cookie_ack;
    send_control(transmission_.primary(), std::move(chunk));
    establish();
}

void Association::establish() {
    if (!transmission_.primary().route->plain) transmission_.watch();
    transmission_.start_timers();
    review();
    transmission_.push();
    if (state_ == State::established) user_->note_up();
}

void Association::join(Association& other) {
    for (Association* const end : {this, &other}) {
        Association& there = end == this ? other : *this;
        end->identity.peer_tag = there.identity.own_tag;
        end->reception_.cumulative = there.identity.own_tsn - 1;
        end->enter(Change::join);
        end->transmission_.start_timers();
        end->calm_ = true;
    }
}

// The end -------------------------------------------------------------------------------------------------------------

void Association::close() {
    if (state_ == State::established) {
        Path& path = transmission_.primary();
        if (calm_ && path.route->plain && peer()) {
            PacketPtr packet = make_packet(path, 0);
            ControlChunk chunk;
            chunk.kind = Control::shutdown;
            packet->controls.push_back(std::move(chunk));
            packet->short_way = true;
            fabric().transmit_short(packet, *path.route);
            return end(Notice::none);
        }
        enter(Change::close);
        calm_ = false;
        shut_down_when_idle();
    } else if (setting_up()) {
        abort();
    }
}

void Association::abort() {
    if (state_ != State::cookie_wait && state_ != State::closed) {
        ControlChunk chunk;
        chunk.kind = Control::abort;
        send_control(transmission_.best(), std::move(chunk));
    }
    end(Notice::none);
}

void Association::end(Notice notice) {
    if (state_ == State::closed) return;
    const Ref<Association> kept(this);
    if (state_ != State::shutdown_ack_sent) undelivered_ = transmission_.undelivered();
    enter(Change::end);
    calm_ = false;
    timer_.release();
    sack_timer_.release();
    transmission_.stop();
    if (stack_) stack_->remove(*this);
    if (user_) user_->note_end(notice);
}

void Association::detach() {
    user_ = nullptr;
    if (setting_up() || state_ == State::established) end(Notice::none);
}

void Association::give_up() {
    stack_->host().count(Count::associations_lost, 1);
    end(Notice::lost);
}

void Association::shut_down_when_idle() {
    if (state_ != State::shutdown_pending || !transmission_.idle()) return;
    enter(Change::drain);
    retries_ = 0;
    send_closing(Control::shutdown);
}

void Association::send_closing(Control kind) {
    Path& path = transmission_.best();
    start_timer(path);
    ControlChunk chunk;
    chunk.kind = kind;
    chunk.tsn = reception_.cumulative;
    send_control(path, std::move(chunk));
}

// The peer has sent all its messages and accepts no further ones.
void Association::take_shutdown(const ControlChunk& chunk) {
    // While the association is set up, this is discarded (RFC 9260 9.2).
    if (setting_up() || state_ == State::closed) return;
    transmission_.take_cumulative(chunk.tsn);
    const bool first = state_ != State::shutdown_ack_sent;
    if (first) {
        enter(Change::shutdown);
        retries_ = 0;
        calm_ = false;
        undelivered_ = transmission_.undelivered();
        transmission_.stop();
    }
    send_closing(Control::shutdown_ack);
    if (!first) return;
    // Its user has no use for it any more; what is left is done without one.
    if (User* const user = std::exchange(user_, nullptr)) user->note_end(Notice::shut_down);
}

// Sending -------------------------------------------------------------------------------------------------------------

void Association::send(Ref<Message> message) {
    if (state_ != State::established && !setting_up()) return;
    const std::uint16_t stream = message->stream;
    if (!message->unordered) {
        if (stream >= sequences_.size()) sequences_.resize(stream + 1u);
        message->sequence = sequences_[stream]++;
    }
    Path& path = transmission_.primary();
    if (goes_short(*message, path)) return send_short(std::move(message), path);
    leave_short_way();
    transmission_.add(std::move(message));
    if (state_ != State::established) return;
    if (!path.route->plain) transmission_.watch();
    transmission_.push();
}

bool Association::goes_short(const Message& message, const Path& path) {
    if (!calm_ || !path.route->simple || message.stream != 0 || message.unordered) return false;
    const std::uint32_t header = identity.protocol == Protocol::tcp ? 0 : data_header;
    if (message.size + header > transmission_.room(path)) return false;
    // As long as no more is under way than the initial window, congestion control has no say.
    const double now = fabric().now(), length = 2 * path.route->delay + settings_.sack_delay;
    if (now - epoch_ > length) {
        octets_before_ = now - epoch_ > 2 * length ? 0 : octets_;
        octets_ = 0;
        epoch_ = now;
    }
    return static_cast<double>(octets_ + octets_before_ + message.size) <= path.cwnd;
}

void Association::leave_short_way() {
    calm_ = false;
    Path& path = transmission_.primary();
    if (!path.passed_short) return;
    path.passed_short = false;
    path.note_round_trip(2 * path.route->delay + settings_.sack_delay, settings_);
}

void Association::send_short(Ref<Message> message, Path& path) {
    octets_ += message->size;
    fabric().note_leaving(*message);
    if (state_ != State::established) return;
    PacketPtr packet = begin_packet(path);
    packet->short_way = true;
    const std::uint32_t size = message->size;
    packet->data.push_back({transmission_.take_tsn(), 0, size, message});
    path.used_at = fabric().now();
    const std::uint64_t tsn = transmission_.next_tsn() - 1;
    if (fabric().transmit_short(packet, *path.route)) {
        if (path.back->plain || acknowledgement_passes(path)) {
            path.passed_short = true;
            return;
        }
        packet = Packet::make();
        packet->sent_at = fabric().now();
    }
    // It is lost, or its acknowledgement will be: its sender finds that out as usual.
    packet->data.assign(1, {tsn, 0, size, std::move(message)});
    take_back(*packet);
}

// Whether the acknowledgement of a message that goes short gets through: it is as likely to be lost as any packet.
bool Association::acknowledgement_passes(const Path& path) {
    if (!path.back->simple) return true;
    const PacketPtr packet = Packet::make();
    packet->source = path.remote;
    packet->destination = path.local;
    packet->protocol = identity.protocol;
    packet->has_sack = true;
    packet->size = packet->count_octets(fabric().ipv6);
    return path.back->let_through(*packet);
}

PacketPtr Association::begin_packet(const Path& path) const {
    PacketPtr packet = Packet::make();
    packet->source = path.local;
    packet->destination = path.remote;
    packet->source_port = identity.local_port;
    packet->destination_port = identity.remote_port;
    packet->tag = identity.peer_tag;
    packet->protocol = identity.protocol;
    return packet;
}

PacketPtr Association::make_packet(const Path& path, std::uint32_t chunk) {
    PacketPtr packet = begin_packet(path);
    if (reception_.packets > 0) {
        const std::uint32_t room = transmission_.room(path);
        const std::uint32_t fewest = 16;
        const bool tcp = identity.protocol == Protocol::tcp;
        if (!tcp && chunk + fewest > room) {
            acknowledge();
        } else {
            reception_.fill(packet->sack, tcp ? 4 : (room - chunk - fewest) / 4);
            packet->has_sack = true;
            sack_timer_.stop();
        }
    }
    return packet;
}

void Association::transmit(Path& path, PacketPtr packet) { fabric().transmit(std::move(packet), *path.route); }

void Association::send_control(Path& path, ControlChunk chunk) {
    PacketPtr packet = make_packet(path, chunk.size());
    packet->controls.push_back(std::move(chunk));
    transmit(path, std::move(packet));
}

void Association::note_leaving(Message& message) { fabric().note_leaving(message); }
void Association::note_retransmission(unsigned messages) { stack_->host().count(Count::retransmissions, messages); }
void Association::note_path_failure() { stack_->host().count(Count::path_failures, 1); }

// Acknowledgements go to where the data came from: that way works (RFC 9260 6.4).
Path& Association::answering() const {
    return answering_ == none ? transmission_.best() : transmission_.path_to(answering_);
}

void Association::acknowledge() {
    sack_timer_.stop();
    Path& path = answering();
    PacketPtr packet = begin_packet(path);
    packet->has_sack = true;
    reception_.fill(packet->sack, identity.protocol == Protocol::tcp ? 4 : (transmission_.room(path) - 16) / 4);
    transmit(path, std::move(packet));
    review();
}

void Association::settle_memory() {
    if (state_ == State::closed) return;
    const std::uint64_t now = extra_memory_ + reception_.kept();
    if (now == further_memory_) return;
    stack_->change_memory(static_cast<std::int64_t>(now - further_memory_));
    further_memory_ = now;
}

void Association::read(std::uint32_t octets) {
    reception_.unread -= std::min<std::uint64_t>(reception_.unread, octets);
    settle_memory();
    if (state_ != State::established && state_ != State::shutdown_pending && state_ != State::shutdown_sent) return;
    // A window that opens is told when it has grown by a packet or by half (RFC 9260 6.2, RFC 1122 4.2.3.3).
    const std::uint32_t grown = reception_.window() - std::min(reception_.window(), reception_.told_window);
    const std::uint32_t packet = transmission_.room(transmission_.primary());
    if (reception_.told_window < packet && grown >= std::min(packet, reception_.buffer() / 2)) acknowledge();
}

// Arrivals ------------------------------------------------------------------------------------------------------------

void Association::take(Packet& packet) {
    const Ref<Association> kept(this);
    if (identity.remote.size() > 1) answering_ = packet.source;
    for (const ControlChunk& chunk : packet.controls) {
        take_control(chunk, packet);
        if (state_ == State::closed) return;
    }
    if (packet.has_sack) take_sack(packet.sack);
    if (!packet.data.empty() && state_ != State::closed) take_data(packet);
}

void Association::take_control(const ControlChunk& chunk, const Packet& packet) {
    switch (chunk.kind) {
    case Control::init_ack: return take_init_ack(chunk);
    case Control::cookie_ack: return take_cookie_ack();
    case Control::cookie_echo: {
        // A COOKIE ACK that got lost (RFC 9260 5.2.4, action D).
        ControlChunk answer;
        answer.kind = Control::cookie_ack;
        return send_control(answering(), std::move(answer));
    }
    case Control::abort: return end(Notice::aborted);
    case Control::heartbeat: {
        ControlChunk answer;
        answer.kind = Control::heartbeat_ack;
        answer.number = chunk.number;
        return send_control(transmission_.path_to(packet.source), std::move(answer));
    }
    case Control::heartbeat_ack:
        transmission_.take_heartbeat_answer(transmission_.path_to(packet.source), chunk.number);
        return review();
    case Control::shutdown:
        if (packet.short_way) return end(Notice::shut_down);
        return take_shutdown(chunk);
    case Control::shutdown_ack: {
        ControlChunk answer;
        answer.kind = Control::shutdown_complete;
        send_control(transmission_.best(), std::move(answer));
        return end(Notice::none);
    }
    case Control::shutdown_complete: return end(Notice::none);
    case Control::init: return;
    }
}

void Association::take_sack(const Sack& sack) {
    transmission_.take(sack);
    if (state_ == State::closed) return;
    review();
    shut_down_when_idle();
}

void Association::take_data(Packet& packet) {
    // RFC 9260 6, 9.2.
    if (state_ != State::established && state_ != State::shutdown_pending && state_ != State::shutdown_sent) return;
    const Ref<Message>& first = packet.data.front().message;
    if (stack_->cpu && first && !stack_->cpu->admit(first->ppid)) return;
    if (stack_->out_of_memory()) {
        ++stack_->tally().packets_refused;
        return;
    }
    if (!transmission_.primary().route->plain) transmission_.watch();
    calm_ = false;
    std::vector<Ref<Message>> ready;
    // What fills a gap is told at once, too: the sender waits for it to end its recovery (RFC 5681 4.2).
    bool at_once = state_ == State::shutdown_sent || reception_.has_gaps();
    for (const DataChunk& chunk : packet.data) {
        const auto arrival = reception_.take(chunk, ready);
        at_once = at_once || arrival != Reception::Arrival::fresh;
    }
    settle_memory();
    if (state_ == State::shutdown_sent) send_closing(Control::shutdown);
    at_once = at_once || reception_.has_gaps() || settings_.sack_delay == 0;
    ++reception_.packets;
    if (at_once || reception_.packets >= 2)
        acknowledge();
    else if (!sack_timer_.running())
        sack_timer_.start(settings_.sack_delay);
    if (reception_.packets > 0 && transmission_.primary().route->simple && transmission_.idle()) {
        // Nothing else is under way: what is sent next goes as one event on both sides, if this need not wait.
        const Association* const other = peer();
        if (other && other->transmission_.done_by(reception_.cumulative)) acknowledge();
    }
    review();
    for (const Ref<Message>& message : ready) {
        if (!user_) return;
        user_->receive(*message);
    }
}

bool Association::take_short(Packet& packet) {
    if (packet.data.empty()) {
        end(Notice::shut_down);
        return true;
    }
    const DataChunk& chunk = packet.data.front();
    if (state_ != State::established || !user_) return false;
    if (stack_->cpu && !stack_->cpu->admit(chunk.message->ppid)) return false;
    if (!reception_.take_next(chunk)) return false;
    const Ref<Association> kept(this);
    user_->receive(*chunk.message);
    return true;
}

void Association::take_back(const Packet& packet) {
    if (state_ == State::closed || packet.data.empty()) return;
    leave_short_way();
    transmission_.take_back(packet.data.front(), packet.sent_at);
    transmission_.watch();
}

// The network around it -----------------------------------------------------------------------------------------------

void Association::reroute() {
    for (const auto& path : transmission_.paths()) {
        path->route = &fabric().route(path->local, path->remote);
        path->back = &fabric().route(path->remote, path->local);
    }
}

void Association::watch_peer() {
    if (state_ == State::established) transmission_.watch();
}

Association* Association::peer() const {
    const Path& path = transmission_.primary();
    const Stack* const there = fabric().stack_at(path.remote);
    return there ? there->find(identity.remote_port, path.local, identity.local_port) : nullptr;
}

void Association::review() {
    if (state_ != State::established || calm_ || !transmission_.idle() || reception_.packets > 0) return;
    const Path& path = transmission_.primary();
    if (!path.active || !path.route->simple || !peer()) return;
    calm_ = true;
    if (path.route->plain) transmission_.unwatch();
}

}  // namespace rsim::network
