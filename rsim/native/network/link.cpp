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
        const double waiting = std::max(0.0, free_at_ - time);
        if (waiting * settings.bandwidth / 8 > settings.queue) {
            ++counters.overflowed;
            return;
        }
        free_at_ = time = time + waiting + 8 * packet->size / settings.bandwidth;
    }
    if (settings.loss > 0 && draws_->uniform() < settings.loss) {
        ++counters.lost;
        return;
    }
    if (settings.varying)
        time = there_at_ = std::max(there_at_, time + settings.varying->draw());
    else
        time += settings.delay;
    time += held;
    if (settings.jitter) time += settings.jitter->draw();
    fabric.pass_on(time, std::move(packet));
}

}  // namespace rsim::network
