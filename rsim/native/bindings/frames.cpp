// Python's view of packets, for who captures or alters them (rsim/network/frame.py).
#include "fabric.hpp"

#include <algorithm>

namespace rsim {
namespace {

using namespace network;

// The classes of rsim.network.frame, which live as long as the process.
struct Classes {
    nb::object frame, chunk, sack, data, cookie, control, opaque, protection;

    static const Classes& get() {
        static const Classes* const classes = [] {
            const nb::object frames = nb::module_::import_("rsim.network.frame");
            const nb::object records = nb::module_::import_("rsim.network.records");
            return new Classes{frames.attr("Frame"), frames.attr("Chunk"), frames.attr("Sack"), frames.attr("Data"),
                               frames.attr("Cookie"), frames.attr("Control"), records.attr("opaque"), records.attr("Protection")};
        }();
        return *classes;
    }
};

nb::tuple addresses_of(const FabricCore& core, const std::vector<std::uint32_t>& numbers) {
    return to_tuple(numbers, [&](std::uint32_t number) { return nb::borrow(core.address(number)); });
}

nb::object view_of(const FabricCore& core, const Cookie& cookie) {
    return Classes::get().cookie("mac"_a = cookie.mac, "own_tag"_a = cookie.own_tag, "peer_tag"_a = cookie.peer_tag,
                                 "own_tsn"_a = cookie.own_tsn, "peer_tsn"_a = cookie.peer_tsn,
                                 "remote"_a = addresses_of(core, cookie.remote), "created"_a = cookie.created,
                                 "window"_a = cookie.window);
}

nb::object view_of(const FabricCore& core, const ControlChunk& chunk) {
    const Classes& classes = Classes::get();
    const nb::object cookie = chunk.cookie ? view_of(core, *chunk.cookie) : nb::object(nb::none());
    return classes.chunk("kind"_a = classes.control(static_cast<int>(chunk.kind)), "tag"_a = chunk.tag, "tsn"_a = chunk.tsn,
                         "addresses"_a = addresses_of(core, chunk.addresses), "cookie"_a = cookie, "number"_a = chunk.number,
                         "window"_a = chunk.window);
}

nb::object view_of(const Sack& sack) {
    const nb::tuple gaps = to_tuple(sack.gaps, [](const Range& gap) { return nb::object(nb::make_tuple(gap.first, gap.second)); });
    return Classes::get().sack("cumulative"_a = sack.cumulative, "gaps"_a = gaps, "window"_a = sack.window);
}

nb::object protection_of(const PythonMessage& message) {
    const Record& record = message.record;
    return Classes::get().protection(record.session, record.to_server, record.number, message.data);
}

nb::object view_of(const DataChunk& chunk) {
    const Classes& classes = Classes::get();
    if (!chunk.message)
        return classes.data("tsn"_a = chunk.tsn, "stream"_a = 0, "sequence"_a = 0, "ppid"_a = 0, "data"_a = nb::bytes("", 0),
                            "offset"_a = 1, "total"_a = 2);
    const PythonMessage& message = python_message(*chunk.message);
    nb::object protection = message.protection;
    if (message.sealed) protection = protection_of(message);
    nb::object octets = octets_of(message), total = nb::none();
    if (!chunk.whole()) {
        total = nb::int_(message.size);
        octets = octets[nb::slice(nb::int_(chunk.offset), nb::int_(chunk.offset + chunk.length), nb::none())];
    }
    return classes.data("tsn"_a = chunk.tsn, "stream"_a = message.stream, "sequence"_a = message.sequence, "ppid"_a = message.ppid,
                        "data"_a = octets, "unordered"_a = message.unordered, "protection"_a = protection,
                        "offset"_a = chunk.offset, "total"_a = total);
}

std::vector<std::uint32_t> numbers_of(FabricCore& core, nb::handle addresses) {
    std::vector<std::uint32_t> numbers;
    for (const nb::handle address : addresses) numbers.push_back(core.number(address));
    return numbers;
}

ControlChunk control_of(FabricCore& core, nb::handle view) {
    ControlChunk chunk;
    chunk.kind = static_cast<Control>(nb::cast<int>(view.attr("kind").attr("value")));
    chunk.tag = nb::cast<std::uint32_t>(view.attr("tag"));
    chunk.tsn = nb::cast<std::uint64_t>(view.attr("tsn"));
    chunk.number = nb::cast<std::uint64_t>(view.attr("number"));
    chunk.window = nb::cast<std::uint32_t>(view.attr("window"));
    chunk.addresses = numbers_of(core, view.attr("addresses"));
    const nb::object shown = view.attr("cookie");
    if (shown.is_none()) return chunk;
    auto cookie = std::make_shared<Cookie>();
    cookie->mac = nb::cast<std::uint64_t>(shown.attr("mac"));
    cookie->own_tag = nb::cast<std::uint32_t>(shown.attr("own_tag"));
    cookie->peer_tag = nb::cast<std::uint32_t>(shown.attr("peer_tag"));
    cookie->own_tsn = nb::cast<std::uint64_t>(shown.attr("own_tsn"));
    cookie->peer_tsn = nb::cast<std::uint64_t>(shown.attr("peer_tsn"));
    cookie->window = nb::cast<std::uint32_t>(shown.attr("window"));
    cookie->created = nb::cast<double>(shown.attr("created"));
    cookie->remote = numbers_of(core, shown.attr("remote"));
    chunk.cookie = std::move(cookie);
    return chunk;
}

DataChunk data_of(nb::handle view) {
    DataChunk chunk;
    chunk.tsn = nb::cast<std::uint64_t>(view.attr("tsn"));
    // What stands in place of a message comes with the first part of it.
    if (!nb::cast<bool>(view.attr("begins"))) return chunk;
    const nb::object protection = view.attr("protection");
    const bool sealed = nb::isinstance(protection, Classes::get().protection);
    auto* const message = new PythonMessage(nb::borrow<nb::bytes>(sealed ? protection.attr("plain") : view.attr("data")),
                                            sealed ? nb::object(nb::none()) : protection);
    message->sealed = sealed;
    if (sealed)
        message->record = {nb::cast<std::uint32_t>(protection.attr("session")), nb::cast<bool>(protection.attr("to_server")),
                           nb::cast<std::uint64_t>(protection.attr("number"))};
    chunk.message = Ref<Message>(message);
    message->ppid = nb::cast<std::uint32_t>(view.attr("ppid"));
    message->stream = nb::cast<std::uint16_t>(view.attr("stream"));
    message->sequence = nb::cast<std::uint64_t>(view.attr("sequence"));
    message->unordered = nb::cast<bool>(view.attr("unordered"));
    message->size = chunk.length = static_cast<std::uint32_t>(nb::len(nb::object(view.attr("data"))));
    return chunk;
}

Sack sack_of(nb::handle view) {
    Sack sack;
    sack.cumulative = nb::cast<std::uint64_t>(view.attr("cumulative"));
    sack.window = nb::cast<std::uint32_t>(view.attr("window"));
    for (const nb::handle gap : view.attr("gaps"))
        sack.gaps.emplace_back(nb::cast<std::uint64_t>(gap[0]), nb::cast<std::uint64_t>(gap[1]));
    return sack;
}

void take_chunks(FabricCore& core, Packet& packet, nb::handle view, nb::handle frame) {
    const Classes& classes = Classes::get();
    // Of what is in the view still, the packet has the original.
    std::vector<std::pair<nb::object, DataChunk>> originals;
    if (view.is_valid()) {
        std::size_t next = 0;
        for (const nb::handle chunk : view.attr("chunks"))
            if (nb::isinstance(chunk, classes.data)) originals.emplace_back(nb::borrow(chunk), packet.data[next++]);
    }
    packet.controls.clear();
    packet.data.clear();
    packet.has_sack = false;
    for (const nb::handle chunk : frame.attr("chunks")) {
        if (nb::isinstance(chunk, classes.chunk)) {
            packet.controls.push_back(control_of(core, chunk));
        } else if (nb::isinstance(chunk, classes.sack)) {
            packet.has_sack = true;
            packet.sack = sack_of(chunk);
        } else {
            const auto same = std::find_if(originals.begin(), originals.end(), [&](const auto& one) { return one.first.is(chunk); });
            packet.data.push_back(same == originals.end() ? data_of(chunk) : same->second);
        }
    }
}

}  // namespace

nb::object octets_of(const PythonMessage& message) {
    if (!message.sealed) return message.data;
    return Classes::get().opaque(protection_of(message), message.size);
}

nb::object frame_of(const FabricCore& core, const Packet& packet) {
    const nb::object source = core.endpoint(packet.source, packet.source_port);
    const std::uint32_t shown = packet.group == Packet::no_group ? packet.destination : packet.group;
    const nb::object destination = core.endpoint(shown, packet.destination_port);
    if (packet.protocol == Protocol::udp)
        return Classes::get().frame(source, destination, "data"_a = python_message(*packet.datagram).data);
    nb::list chunks;
    for (const ControlChunk& chunk : packet.controls) chunks.append(view_of(core, chunk));
    if (packet.has_sack) chunks.append(view_of(packet.sack));
    for (const DataChunk& chunk : packet.data) chunks.append(view_of(chunk));
    return Classes::get().frame(source, destination, packet.tag, nb::tuple(chunks), "tcp"_a = packet.protocol == Protocol::tcp);
}

PacketPtr packet_of(FabricCore& core, nb::handle frame) {
    PacketPtr packet = Packet::make();
    const nb::object source = frame.attr("source"), destination = frame.attr("destination");
    packet->source = core.number(source[0]);
    packet->source_port = nb::cast<std::uint16_t>(source[1]);
    packet->destination = core.number(destination[0]);
    packet->destination_port = nb::cast<std::uint16_t>(destination[1]);
    packet->tag = nb::cast<std::uint32_t>(frame.attr("tag"));
    packet->protocol = nb::cast<bool>(frame.attr("tcp")) ? Protocol::tcp : Protocol::sctp;
    take_frame(core, *packet, {}, frame);
    return packet;
}

void take_frame(FabricCore& core, Packet& packet, nb::handle view, nb::handle frame) {
    if (nb::len(nb::object(frame.attr("chunks"))) > 0) return take_chunks(core, packet, view, frame);
    packet.protocol = Protocol::udp;
    const nb::bytes data = nb::borrow<nb::bytes>(frame.attr("data"));
    packet.datagram = Ref<Message>(new PythonMessage(data, nb::none()));
    packet.datagram->size = static_cast<std::uint32_t>(data.size());
}

}  // namespace rsim
