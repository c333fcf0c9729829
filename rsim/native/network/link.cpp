#include "link.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "fabric.hpp"

namespace rsim::network {

bool Link::let_through(Packet& packet) {
    ++counters.packets;
    counters.octets += packet.size;
    double held = 0;
    if (taps && !taps->pass(packet, held)) return false;
    if (settings.loss == 0 || draws_->uniform() >= settings.loss) return true;
    ++counters.lost;
    return false;
}

double Link::draw_delay(const Packet& packet, double time) {
    if (packet.protocol == Protocol::udp) return settings.varying->draw();
    if (flows_.size() > most_flows_) {
        std::erase_if(flows_, [&](const auto& flow) { return flow.second.idle(time, settings.delay); });
        most_flows_ = std::max<std::size_t>(64, 2 * flows_.size());
    }
    const FlowKey key{std::uint64_t{packet.source} << 32 | packet.destination,
                      std::uint64_t{packet.source_port} << 16 | packet.destination_port};
    return flows_[key].at(time, settings.delay, [&] { return settings.varying->draw(); }, [&] { return draws_->uniform(); });
}

std::optional<double> Link::queue_up(const Packet& packet, double now) {
    const double bits = settings.seconds(packet.size);
    const double begin = settings.cut_through ? now - bits : now;
    const double waiting = std::max(0.0, free_at_ - begin);
    const bool red = settings.discipline == Discipline::red;
    const bool counts = red || settings.queue_packets < std::numeric_limits<std::size_t>::max();
    if (counts) {
        while (!starts_.empty() && starts_.front() <= begin) starts_.pop_front();
        if (red && red_.drops(settings.red, starts_.size(), idle(begin), [&] { return draws_->uniform(); })) {
            ++counters.dropped_early;
            return std::nullopt;
        }
    }
    if (waiting * settings.bandwidth / 8 > settings.queue || (waiting > 0 && starts_.size() >= settings.queue_packets)) {
        ++counters.overflowed;
        return std::nullopt;
    }
    counters.waited += waiting;
    if (counts && waiting > 0) starts_.push_back(begin + waiting);
    return free_at_ = begin + waiting + bits;
}

bool Link::make_room(LinkQueue::Subqueue& own, const Packet& packet, double now) {
    LinkQueue& queue = room_->queue;
    const double sending = std::max(0.0, free_at_ - now);
    if (!settings.limited() || (queue.empty() && sending == 0)) return true;
    for (;;) {
        const double octets = sending * settings.bandwidth / 8 + static_cast<double>(queue.octets());
        if (octets <= settings.queue && queue.packets() < settings.queue_packets) return true;
        ++counters.overflowed;
        LinkQueue::Subqueue* const longest = queue.longest();
        if (!longest || longest == &own || longest->octets <= own.octets + packet.size) return false;
        counters.waited += now - queue.take_last(*longest).since;
    }
}

void Link::wait(Fabric& fabric, PacketPtr packet, double held) {
    const double now = fabric.now();
    if (!room_) {
        room_ = std::make_unique<Room>();
        room_->turn.bind(fabric.schedule(), [](void* link, void* carrier) {
            static_cast<Link*>(link)->serve(static_cast<Fabric*>(carrier)->now());
        }, this, &fabric);
    }
    LinkQueue& queue = room_->queue;
    LinkQueue::Subqueue& own = queue.of(settings.fair ? packet->source : 0, settings.mtu);
    const bool early = settings.discipline == Discipline::red &&
                       own.red.drops(settings.red, own.packets.size(), 0, [&] { return draws_->uniform(); });
    if (early) ++counters.dropped_early;
    if (early || !make_room(own, *packet, now)) {
        if (settings.fair && own.packets.empty()) queue.forget(own);
        return;
    }
    queue.add(own, {std::move(packet), now, held});
    if (room_->turn.running()) return;
    if (free_at_ <= now)
        serve(now);
    else
        room_->turn.start(free_at_ - now);
}

void Link::serve(double now) {
    LinkQueue& queue = room_->queue;
    const bool codel = settings.discipline == Discipline::codel;
    std::optional<LinkQueue::Waiting> next = queue.take(now, settings.mtu, codel ? &settings.codel : nullptr, [&](const auto& dropped) {
        ++counters.dropped_early;
        counters.waited += now - dropped.since;
    });
    if (!next) return;
    const double bits = settings.seconds(next->packet->size);
    const double came = settings.cut_through ? next->since - bits : next->since;
    const double begin = std::max(free_at_, came);
    counters.waited += begin - came;
    free_at_ = begin + bits;
    if (!queue.empty()) room_->turn.start(std::max(0.0, free_at_ - now));
    const Ref<Fabric> fabric = next->packet->fabric;
    depart(*fabric, std::move(next->packet), free_at_, next->held);
}

void Link::depart(Fabric& fabric, PacketPtr packet, double time, double held) {
    if (settings.loss > 0 && draws_->uniform() < settings.loss) {
        ++counters.lost;
        return;
    }
    time += settings.varying ? draw_delay(*packet, time) : settings.delay;
    time += held;
    if (settings.jitter) time += settings.jitter->draw();
    fabric.pass_on(time, std::move(packet));
}

void Link::carry(Fabric& fabric, PacketPtr packet) {
    ++counters.packets;
    if (!up) {
        ++counters.cut;
        return;
    }
    double held = 0;
    if (taps && !taps->pass(*packet, held)) return;
    counters.octets += packet->size;
    const double now = fabric.now();
    const bool turns = settings.limited() && (settings.fair || settings.discipline == Discipline::codel);
    // What waits in turns goes first, if the link has just changed.
    if (turns || (room_ && !room_->queue.empty())) return wait(fabric, std::move(packet), held);
    if (!settings.limited()) return depart(fabric, std::move(packet), now, held);
    if (const std::optional<double> time = queue_up(*packet, now)) depart(fabric, std::move(packet), *time, held);
}

void Link::cut(double now) {
    up = false;
    cut_at = now;
    free_at_ = std::min(free_at_, now);
    starts_.clear();
    if (!room_) return;
    counters.cut += room_->queue.packets();
    while (LinkQueue::Subqueue* const longest = room_->queue.longest())
        counters.waited += now - room_->queue.take_last(*longest).since;
    room_->turn.stop();
}

void Link::close() { room_.reset(); }

}  // namespace rsim::network
