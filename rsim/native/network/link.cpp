#include "link.hpp"

#include <algorithm>

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
    return flows_[key].at(time, settings.delay, [&] { return settings.varying->draw(); });
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
    double time = fabric.now();
    if (settings.bandwidth < std::numeric_limits<double>::infinity()) {
        const double bits = 8 * packet->size / settings.bandwidth;
        const double begin = settings.cut_through ? time - bits : time;
        const double waiting = std::max(0.0, free_at_ - begin);
        if (waiting * settings.bandwidth / 8 > settings.queue) {
            ++counters.overflowed;
            return;
        }
        free_at_ = time = begin + waiting + bits;
    }
    if (settings.loss > 0 && draws_->uniform() < settings.loss) {
        ++counters.lost;
        return;
    }
    time += settings.varying ? draw_delay(*packet, time) : settings.delay;
    time += held;
    if (settings.jitter) time += settings.jitter->draw();
    fabric.pass_on(time, std::move(packet));
}

}  // namespace rsim::network
