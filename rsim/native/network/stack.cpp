#include "stack.hpp"

#include <algorithm>
#include <bit>

#include "../fingerprint.hpp"
#include "association.hpp"

namespace rsim::network {
namespace {

// A packet that the CPU works on.
struct Service final : Job {
    explicit Service(PacketPtr packet) : packet(std::move(packet)) {}
    void run() override {
        const Ref<Fabric> fabric = packet->fabric;
        if (fabric->closed()) return;
        if (Stack* const stack = fabric->stack_at(packet->destination)) stack->take(std::move(packet));
    }
    PacketPtr packet;
};

// The MAC of a cookie that comes in a packet, or is made for one, whose ports it holds (RFC 9260 5.1.3).
std::uint64_t mac_of(const Cookie& cookie, const Packet& packet, std::uint64_t secret) {
    Fingerprint mac;
    mac.add(secret);
    mac.add(std::uint64_t{packet.source_port} << 16 | packet.destination_port);
    mac.add(std::uint64_t{cookie.own_tag} << 32 | cookie.peer_tag);
    mac.add(cookie.own_tsn);
    mac.add(cookie.peer_tsn);
    mac.add(cookie.window);
    for (const std::uint32_t address : cookie.remote) mac.add(address);
    mac.add(std::bit_cast<std::uint64_t>(cookie.created));
    return mac.value();
}

}  // namespace

Stack::Stack(Ref<Fabric> fabric, StackHost& host, std::vector<std::uint32_t> given)
    : addresses(std::move(given)), fabric_(std::move(fabric)), host_(host), secret_(addresses.empty() ? 0 : std::uint64_t{addresses.front()} << 32) {
    for (const std::uint32_t address : addresses) fabric_->attach(address, this);
    half_open_timer_.bind(fabric_->schedule(), [](void* owner, void*) { static_cast<Stack*>(owner)->expire_half_open(); }, this);
}

Stack::~Stack() {
    close();
    for (const std::uint32_t address : addresses)
        if (fabric_->stack_at(address) == this) fabric_->attach(address, nullptr);
}

template <class Function>
void Stack::each(Function function) {
    for (Association *one = first_, *next = nullptr; one; one = next) {
        next = one->after;
        function(*one);
    }
}

void Stack::close() {
    up_ = false;
    half_open_timer_.release();
    while (first_) {
        const Ref<Association> last(first_);
        last->user_ = nullptr;
        last->end(Notice::none);
        last->stack_ = nullptr;
    }
}

void Stack::fail() {
    up_ = false;
    ++secret_;
    while (first_) Ref<Association>(first_)->end(Notice::none);
    half_open_ends_.clear();
    while (!half_open_.empty()) end_half_open(half_open_.begin()->first);
}

// What is kept -----------------------------------------------------------------------------------------------------------

void Stack::change(Level StackTally::*level, std::int64_t by) {
    if (fabric_->closed()) return;
    const double now = fabric_->now();
    (own_.*level).change(now, by);
    if (tally_ != &own_) (tally_->*level).change(now, by);
}

void Stack::change_memory(std::int64_t octets) { change(&StackTally::memory, octets); }

bool Stack::has_room(const Level& kept, std::uint64_t most, std::uint64_t octets) const {
    return kept.value() < most && own_.memory.value() + octets <= limits.memory;
}

bool Stack::keep_half_open(const Packet& packet) {
    const std::uint64_t entry = key(packet.destination_port, packet.source, packet.source_port);
    if (!half_open_.contains(entry)) {
        if (!has_room(own_.half_open, limits.half_open, limits.half_open_octets)) return false;
        change(&StackTally::half_open, 1);
        change_memory(static_cast<std::int64_t>(limits.half_open_octets));
    }
    const double end = fabric_->now() + fabric_->sctp.cookie_life;
    half_open_[entry] = end;
    half_open_ends_.emplace_back(end, entry);
    if (!half_open_timer_.running()) half_open_timer_.start(fabric_->sctp.cookie_life);
    return true;
}

bool Stack::end_half_open(std::uint64_t entry) {
    if (half_open_.erase(entry) == 0) return false;
    change(&StackTally::half_open, -1);
    change_memory(-static_cast<std::int64_t>(limits.half_open_octets));
    return true;
}

void Stack::expire_half_open() {
    const double now = fabric_->now();
    while (!half_open_ends_.empty()) {
        const auto [end, entry] = half_open_ends_.front();
        const auto found = half_open_.find(entry);
        const bool kept = found != half_open_.end() && found->second == end;
        if (kept && end > now) return half_open_timer_.start(end - now);
        half_open_ends_.pop_front();
        if (kept) end_half_open(entry);
    }
}

// Associations --------------------------------------------------------------------------------------------------------

Association* Stack::find(std::uint16_t port, std::uint32_t remote, std::uint16_t remote_port) const {
    const auto found = table_.find(key(port, remote, remote_port));
    return found == table_.end() ? nullptr : found->second;
}

void Stack::add(Association& association, std::uint32_t remote) {
    const Identity& identity = association.identity;
    table_[key(identity.local_port, remote, identity.remote_port)] = &association;
    if (association.before || first_ == &association) return;
    // The stack keeps it until its end, whoever used it may be gone before.
    ++association.references;
    change(&StackTally::associations, 1);
    change_memory(static_cast<std::int64_t>(limits.association_octets));
    association.before = last_;
    (last_ ? last_->after : first_) = &association;
    last_ = &association;
}

void Stack::remove(Association& association) {
    const Identity& identity = association.identity;
    for (const std::uint32_t remote : identity.remote) {
        const auto found = table_.find(key(identity.local_port, remote, identity.remote_port));
        if (found != table_.end() && found->second == &association) table_.erase(found);
    }
    if (!association.before && first_ != &association) return;
    (association.before ? association.before->after : first_) = association.after;
    (association.after ? association.after->before : last_) = association.before;
    association.before = association.after = nullptr;
    change(&StackTally::associations, -1);
    change_memory(-static_cast<std::int64_t>(limits.association_octets + association.further_memory()));
    if (--association.references == 0) delete &association;
}

void Stack::reroute() {
    each([](Association& one) { one.reroute(); });
}

void Stack::watch_peers() {
    each([](Association& one) { one.watch_peer(); });
}

// Packets -------------------------------------------------------------------------------------------------------------

void Stack::arrive(PacketPtr packet) {
    if (!up_) {
        if (packet->short_way)
            if (Stack* const sender = fabric_->stack_at(packet->source)) sender->take_back(*packet);
        return;
    }
    if (packet->protocol == Protocol::udp) return host_.take_datagram(*packet);
    if (cpu && !packet->controls.empty()) {
        const Control kind = packet->controls.front().kind;
        const double time = kind == Control::init ? init_time : kind == Control::cookie_echo ? cookie_time : 0;
        if (time > 0) {
            if (cpu->admit(Cpu::none)) cpu->submit(time, std::make_unique<Service>(std::move(packet)));
            return;
        }
    }
    take(std::move(packet));
}

void Stack::take(PacketPtr packet) {
    Association* const association = find(packet->destination_port, packet->source, packet->source_port);
    if (packet->short_way) {
        if (association && association->identity.own_tag == packet->tag && association->take_short(*packet)) return;
        if (packet->data.empty()) return;
        // A gap before it, or nobody there: as any packet.
        if (Stack* const sender = fabric_->stack_at(packet->source)) sender->take_back(*packet);
        packet->short_way = false;
    }
    const ControlChunk* const first = packet->controls.empty() ? nullptr : &packet->controls.front();
    const bool ends = first && (first->kind == Control::abort || first->kind == Control::shutdown_complete);
    if (first && first->kind == Control::init) {
        answer_init(*packet, *first);
    } else if (first && first->kind == Control::cookie_echo && first->cookie &&
               (!association || first->cookie->own_tag != association->identity.own_tag)) {
        take_cookie(std::move(packet), association);
    } else if (!association) {
        take_out_of_the_blue(*packet);
    } else if (packet->tag == association->identity.own_tag || (ends && packet->tag == association->identity.peer_tag)) {
        association->take(*packet);
    } else {
        host_.count(Count::packets_with_wrong_tag, 1);
    }
}

void Stack::take_back(const Packet& packet) {
    Association* const association = find(packet.source_port, packet.destination, packet.destination_port);
    // Another one may have taken its place between the same ports: the message is none of its own.
    if (association && association->identity.peer_tag == packet.tag) association->take_back(packet);
}

void Stack::reply(const Packet& packet, std::uint32_t tag, ControlChunk chunk) {
    PacketPtr answer = Packet::make();
    answer->source = packet.destination;
    answer->destination = packet.source;
    answer->source_port = packet.destination_port;
    answer->destination_port = packet.source_port;
    answer->tag = tag;
    answer->protocol = packet.protocol;
    answer->controls.push_back(std::move(chunk));
    fabric_->transmit(std::move(answer), fabric_->route(packet.destination, packet.source));
}

void Stack::abort(const Packet& packet, std::uint32_t tag) {
    ControlChunk chunk;
    chunk.kind = Control::abort;
    reply(packet, tag, std::move(chunk));
}

// RFC 9260 5.1, 5.2.2: everything goes into the cookie, no state is kept.
void Stack::answer_init(const Packet& packet, const ControlChunk& chunk) {
    if (!host_.hears(packet.destination_port, packet.protocol == Protocol::tcp)) return abort(packet, chunk.tag);
    ++tally_->inits;
    if (!limits.cookies && !keep_half_open(packet)) {
        ++tally_->inits_refused;
        return;
    }
    auto cookie = std::make_shared<Cookie>();
    cookie->own_tag = fabric_->draw_tag();
    cookie->peer_tag = chunk.tag;
    cookie->own_tsn = fabric_->draw_tag();
    cookie->peer_tsn = chunk.tsn;
    cookie->window = chunk.window;
    cookie->remote.push_back(packet.source);
    for (const std::uint32_t address : chunk.addresses)
        if (address != packet.source) cookie->remote.push_back(address);
    cookie->created = fabric_->now();
    cookie->mac = mac_of(*cookie, packet, secret_);
    ControlChunk answer;
    answer.kind = Control::init_ack;
    answer.tag = cookie->own_tag;
    answer.tsn = cookie->own_tsn;
    answer.window = fabric_->sctp.receive_buffer;
    if (packet.protocol == Protocol::sctp)
        for (const std::uint32_t address : addresses)
            if (address != packet.destination) answer.addresses.push_back(address);
    answer.cookie = std::move(cookie);
    reply(packet, chunk.tag, std::move(answer));
}

// RFC 9260 5.1.5; for a peer that is known already: it has started anew (5.2.4.1). A cookie that is not from here, or
// not for this packet, is passed over in silence; TCP answers what belongs to nothing (RFC 9293 3.10.7.1).
void Stack::take_cookie(PacketPtr packet, Association* present) {
    const std::shared_ptr<const Cookie> cookie = packet->controls.front().cookie;
    const double age = fabric_->now() - cookie->created;
    const bool own = cookie->mac == mac_of(*cookie, *packet, secret_) && packet->tag == cookie->own_tag;
    if (!own && packet->protocol == Protocol::sctp) return;
    if (!own || age > fabric_->sctp.cookie_life || !host_.hears(packet->destination_port, packet->protocol == Protocol::tcp))
        return abort(*packet, cookie->peer_tag);
    const std::uint64_t entry = key(packet->destination_port, packet->source, packet->source_port);
    if (!limits.cookies && !end_half_open(entry)) return abort(*packet, cookie->peer_tag);
    if (present) present->end(Notice::restarted);
    if (!has_room(own_.associations, limits.associations, limits.association_octets)) {
        ++tally_->associations_refused;
        return abort(*packet, cookie->peer_tag);
    }
    const Ref<Association> made = host_.accept(*packet, *cookie);
    // Whoever takes it may have ended it at once.
    if (!made || made->state() == State::closed) return abort(*packet, cookie->peer_tag);
    made->accept(*cookie);
    if ((packet->has_sack || !packet->data.empty()) && made->state() == State::established) {
        packet->controls.clear();
        made->take(*packet);
    }
}

// RFC 9260 8.4: answered by ABORT, unless it ends something itself.
void Stack::take_out_of_the_blue(const Packet& packet) {
    host_.count(Count::packets_out_of_the_blue, 1);
    const ControlChunk* const first = packet.controls.empty() ? nullptr : &packet.controls.front();
    if (first && first->kind == Control::shutdown_ack) {
        ControlChunk chunk;
        chunk.kind = Control::shutdown_complete;
        return reply(packet, packet.tag, std::move(chunk));
    }
    if (first && (first->kind == Control::abort || first->kind == Control::shutdown_complete ||
                  first->kind == Control::cookie_ack))
        return;
    abort(packet, packet.tag);
}

}  // namespace rsim::network
