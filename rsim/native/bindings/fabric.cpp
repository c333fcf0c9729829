// Python face of the fabric and its links, and of those who stand on them.
#include "fabric.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "draws.hpp"

namespace rsim {
namespace {

using namespace network;

constexpr double unlimited = std::numeric_limits<double>::infinity();

struct StreamDraw final : Draw {
    explicit StreamDraw(nb::object stream) : stream(std::move(stream)) {
        if (!is_stream(this->stream)) throw nb::type_error("a stream must be a Stream");
    }
    double uniform() override { return draw_uniform(stream); }
    nb::object stream;
};

// Times that a function of Python's draws.
struct PythonTime final : DrawnTime {
    explicit PythonTime(nb::object draw) : function(std::move(draw)) {}
    double draw() override { return nb::cast<double>(function()); }
    nb::object function;
};

// Times of a distribution by name, with the values of rsim.sampling.
struct NamedTime final : DrawnTime {
    enum class Kind { exponential, uniform, pareto };

    NamedTime(const std::string& name, double mean, double variation, nb::object stream)
        : kind(name == "exponential" ? Kind::exponential : name == "uniform" ? Kind::uniform : Kind::pareto), mean(mean),
          variation(variation), stream(std::move(stream)) {
        if (name != "exponential" && name != "uniform" && name != "pareto") throw nb::value_error("an unknown distribution");
        if (!is_stream(this->stream)) throw nb::type_error("a stream must be a Stream");
    }
    double draw() override {
        switch (kind) {
        case Kind::exponential: return mean * draw_exponential(stream);
        case Kind::uniform: return mean * (1.0 + variation * (2.0 * draw_uniform(stream) - 1.0));
        case Kind::pareto: break;
        }
        return mean * ((variation - 1.0) / variation * std::pow(1.0 - draw_uniform(stream), -1.0 / variation));
    }
    Kind kind;
    double mean, variation;
    nb::object stream;
};

std::unique_ptr<DrawnTime> drawn_time(nb::object law) {
    if (law.is_none()) return nullptr;
    if (!nb::isinstance<nb::tuple>(law)) return std::make_unique<PythonTime>(std::move(law));
    return std::make_unique<NamedTime>(nb::cast<std::string>(law[0]), nb::cast<double>(law[1]), nb::cast<double>(law[2]),
                                       nb::object(law[3]));
}

// Taps of Python's. What a tap does not do itself costs it nothing.
struct PythonTaps final : Taps {
    struct Tap {
        nb::object object;
        bool sees_frames, sees_messages, holds;
    };

    explicit PythonTaps(FabricCore& core) : core(core) {}

    void add(nb::object tap) {
        const nb::object base = nb::module_::import_("rsim.network.tap").attr("Tap");
        const nb::handle type = tap.type();
        const auto own = [&](const char* name) { return !nb::getattr(type, name).is(nb::getattr(base, name)); };
        const bool frames = own("frame"), messages = own("message"), holds = own("hold");
        taps.push_back({std::move(tap), frames, messages, holds});
    }

    bool pass(Packet& packet, double& held) override {
        for (std::size_t at = 0; at < taps.size(); ++at) {
            const Tap tap = taps[at];
            nb::object view;
            if (tap.sees_frames || tap.holds) view = frame_of(core, packet);
            if (tap.sees_frames) {
                static PyObject* const name = intern("frame");
                const nb::object passed = call_method(tap.object.ptr(), name, view);
                if (passed.is_none()) return false;
                if (!passed.is(view)) take_frame(core, packet, view, passed);
                view = passed;
            } else if (tap.sees_messages && !show_messages(tap, packet)) {
                return false;
            }
            if (tap.holds) {
                static PyObject* const name = intern("hold");
                held += nb::cast<double>(call_method(tap.object.ptr(), name, view));
            }
        }
        return true;
    }

    bool see_messages_only() const override {
        return std::all_of(taps.begin(), taps.end(), [](const Tap& tap) { return !tap.sees_frames && !tap.holds; });
    }

    // What goes on in place of a message; none if nothing does.
    Ref<Message> show(const Tap& tap, const Packet& packet, const Ref<Message>& message) {
        static PyObject* const name = intern("message");
        static const nb::handle seen_class = nb::object(nb::module_::import_("rsim.network.tap").attr("Seen")).release();
        PythonMessage& original = python_message(*message);
        const bool datagram = packet.protocol == Protocol::udp;
        const std::uint32_t shown = packet.group == Packet::no_group ? packet.destination : packet.group;
        const nb::object octets = octets_of(original);
        const nb::object ppid = datagram ? nb::object(nb::none()) : nb::object(nb::int_(message->ppid));
        const nb::object seen = seen_class(core.fabric->now(), core.endpoint(packet.source, packet.source_port),
                                           core.endpoint(shown, packet.destination_port), ppid, octets,
                                           original.sealed || !original.protection.is_none());
        const nb::object passed = call_method(tap.object.ptr(), name, seen);
        if (passed.is_none()) return {};
        if (passed.is(octets) || passed.equal(octets)) return message;
        if (!PyBytes_Check(passed.ptr())) throw nb::type_error("Tap.message must return bytes or None");
        Ref<Message> altered(new PythonMessage(nb::borrow<nb::bytes>(passed), nb::none()));
        altered->ppid = message->ppid;
        altered->stream = message->stream;
        altered->unordered = message->unordered;
        altered->sequence = message->sequence;
        altered->size = static_cast<std::uint32_t>(PyBytes_GET_SIZE(passed.ptr()));
        original.replaced = true;
        return altered;
    }

    bool show_messages(const Tap& tap, Packet& packet) {
        if (packet.protocol == Protocol::udp) {
            packet.datagram = show(tap, packet, packet.datagram);
            return static_cast<bool>(packet.datagram);
        }
        if (packet.data.empty()) return true;
        bool dropped = false;
        for (DataChunk& chunk : packet.data) {
            if (!chunk.message) continue;
            if (!chunk.begins()) {
                // Its message was shown with the first part.
                if (python_message(*chunk.message).replaced) chunk.message = {};
                continue;
            }
            const Ref<Message> original = chunk.message;
            chunk.message = show(tap, packet, original);
            if (!chunk.message) {
                dropped = true;
                chunk.length = lost;
            } else if (chunk.message.get() != original.get()) {
                chunk.length = chunk.message->size;
            }
        }
        if (!dropped) return true;
        std::erase_if(packet.data, [](const DataChunk& chunk) { return chunk.length == lost; });
        return !packet.data.empty() || packet.has_sack || !packet.controls.empty();
    }

    static constexpr std::uint32_t lost = 0xFFFFFFFF;
    FabricCore& core;
    std::vector<Tap> taps;
};

struct LinkCore {
    Ref<Fabric> fabric;
    Link* link;
};

nb::object none_or(double value) { return value == unlimited ? nb::object(nb::none()) : nb::object(nb::float_(value)); }

double limit_of(nb::handle value) { return value.is_none() ? unlimited : nb::cast<double>(value); }

Discipline discipline_of(nb::handle value) {
    const auto name = nb::cast<std::string>(value);
    if (name == "red") return Discipline::red;
    if (name == "codel") return Discipline::codel;
    return Discipline::drop_tail;
}

LinkSettings link_settings(nb::handle settings, nb::object varying, nb::object jitter, bool cut_through) {
    LinkSettings result;
    const auto number = [&](const char* name) { return nb::cast<double>(settings.attr(name)); };
    result.cut_through = cut_through;
    result.delay = nb::cast<double>(settings.attr("delay").attr("mean"));
    result.varying = drawn_time(std::move(varying));
    result.jitter = drawn_time(std::move(jitter));
    result.loss = number("loss");
    result.bandwidth = limit_of(settings.attr("bandwidth"));
    result.queue = limit_of(settings.attr("queue"));
    result.mtu = nb::cast<std::uint32_t>(settings.attr("mtu"));
    result.discipline = discipline_of(settings.attr("discipline"));
    result.fair = nb::cast<bool>(settings.attr("fair"));
    const nb::object most = settings.attr("queue_packets"), red = settings.attr("red"), codel = settings.attr("codel");
    if (!most.is_none()) {
        result.queue_packets = nb::cast<std::size_t>(most);
        const auto packets = static_cast<double>(result.queue_packets);
        result.red.minimum = nb::cast<double>(red.attr("minimum")) * packets;
        result.red.maximum = nb::cast<double>(red.attr("maximum")) * packets;
    }
    result.red.most = nb::cast<double>(red.attr("dropped"));
    result.red.weight = nb::cast<double>(red.attr("weight"));
    result.codel.target = nb::cast<double>(codel.attr("target"));
    result.codel.interval = nb::cast<double>(codel.attr("interval"));
    return result;
}

LinkCore add_link(FabricCore& core, nb::object stream) {
    auto link = std::make_unique<Link>(LinkSettings{}, std::make_unique<StreamDraw>(std::move(stream)));
    return {core.fabric, &core.fabric->add_link(std::move(link))};
}

void add_tap(FabricCore& core, LinkCore& link, nb::object tap) {
    if (!link.link->taps) {
        core.taps.push_back(std::make_unique<PythonTaps>(core));
        link.link->taps = core.taps.back().get();
    }
    static_cast<PythonTaps*>(link.link->taps)->add(std::move(tap));
}

void remove_tap(LinkCore& link, nb::object tap) {
    if (!link.link->taps) return;
    auto& taps = static_cast<PythonTaps*>(link.link->taps)->taps;
    std::erase_if(taps, [&](const PythonTaps::Tap& one) { return one.object.is(tap); });
    if (taps.empty()) link.link->taps = nullptr;
}

SctpSettings settings_of(nb::handle settings) {
    SctpSettings result;
    const auto take = [&](const char* name, auto& value) {
        value = nb::cast<std::remove_reference_t<decltype(value)>>(settings.attr(name));
    };
    take("rto_initial", result.rto_initial);
    take("rto_min", result.rto_min);
    take("rto_max", result.rto_max);
    take("association_max_retrans", result.association_max_retrans);
    take("path_max_retrans", result.path_max_retrans);
    take("max_init_retransmits", result.max_init_retransmits);
    take("sack_delay", result.sack_delay);
    take("cookie_life", result.cookie_life);
    take("max_burst", result.max_burst);
    take("receive_buffer", result.receive_buffer);
    result.heartbeat_interval = limit_of(settings.attr("heartbeat_interval"));
    result.congestion_control = nb::cast<std::string>(settings.attr("congestion_control")) != "none";
    return result;
}

void send_datagram(FabricCore& core, nb::handle via, nb::handle member, nb::handle source, nb::handle destination, nb::bytes data) {
    PacketPtr packet = Packet::make();
    packet->protocol = Protocol::udp;
    packet->source = core.number(source[0]);
    packet->source_port = nb::cast<std::uint16_t>(source[1]);
    packet->destination = core.number(member);
    packet->destination_port = nb::cast<std::uint16_t>(destination[1]);
    const std::uint32_t shown = core.number(destination[0]);
    if (shown != packet->destination) packet->group = shown;
    packet->datagram = Ref<Message>(new PythonMessage(data, nb::none()));
    packet->datagram->size = static_cast<std::uint32_t>(data.size());
    Route& route = core.fabric->route(core.number(via), packet->destination);
    core.fabric->transmit(std::move(packet), route);
}

nb::list packets_by_route(const FabricCore& core) {
    nb::list result;
    for (const auto& route : core.fabric->routes())
        if (route->packets > 0) {
            nb::list links;
            for (Link* link : route->links) links.append(nb::cast(LinkCore{core.fabric, link}));
            result.append(nb::make_tuple(links, route->packets, route->packets_cut));
        }
    return result;
}

int traverse_fabric(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    if (!nb::inst_ready(self)) return 0;
    return nb::inst_ptr<FabricCore>(self)->traverse(visit, arg);
}

int clear_fabric(PyObject* self) {
    if (nb::inst_ready(self)) nb::inst_ptr<FabricCore>(self)->close();
    return 0;
}

PyType_Slot fabric_slots[] = {{Py_tp_traverse, slot(traverse_fabric)}, {Py_tp_clear, slot(clear_fabric)}, {0, nullptr}};

}  // namespace

FabricCore::FabricCore(nb::object queue, nb::object plan, nb::object stream, nb::object traffic, SctpSettings settings, bool ipv6)
    : queue(std::move(queue)), plan(std::move(plan)), traffic_object(std::move(traffic)), traffic(traffic_in(traffic_object)) {
    if (!is_queue(this->queue)) throw nb::type_error("the queue must be an EventQueue");
    auto draws = std::make_unique<StreamDraw>(std::move(stream));
    fabric = Ref<Fabric>(new Fabric(queue_of(this->queue.ptr()), *this, settings, std::move(draws), ipv6));
}

std::vector<Link*> FabricCore::find_links(std::uint32_t source, std::uint32_t destination) {
    static PyObject* const name = intern("find_links");
    std::vector<Link*> links;
    for (const nb::handle link : call_method(plan.ptr(), name, address(source), address(destination)))
        links.push_back(nb::cast<LinkCore&>(link).link);
    return links;
}

void FabricCore::note_leaving(Message& message) {
    PythonMessage& told = python_message(message);
    static PyObject* const name = intern("count");
    if (told.counted && traffic)
        traffic->count(message.ppid, reinterpret_cast<const unsigned char*>(told.data.c_str()), told.data.size());
    else if (told.counted)
        call_method(traffic_object.ptr(), name, nb::int_(message.ppid), told.data);
    if (told.sent.is_valid() && !told.sent.is_none()) std::exchange(told.sent, nb::object())();
}

void FabricCore::capture(const Packet& packet, double arrival) {
    static PyObject* const name = intern("write");
    call_method(plan.ptr(), name, frame_of(*this, packet), none_or(arrival));
}

std::uint32_t FabricCore::add_address(nb::str address, std::uint32_t site) {
    const std::uint32_t number = fabric->add_address(site);
    addresses_.push_back(address);
    numbers_[address] = number;
    return number;
}

std::uint32_t FabricCore::number(nb::handle address) {
    PyObject* const found = PyDict_GetItemWithError(numbers_.ptr(), address.ptr());
    if (found) return nb::cast<std::uint32_t>(nb::handle(found));
    if (PyErr_Occurred()) throw nb::python_error();
    constexpr std::uint32_t nowhere = 0x7FFFFFFF;
    return add_address(nb::cast<nb::str>(address), nowhere);
}

int FabricCore::traverse(visitproc visit, void* arg) {
    Py_VISIT(queue.ptr());
    Py_VISIT(plan.ptr());
    Py_VISIT(traffic_object.ptr());
    for (const auto& one : taps)
        for (const PythonTaps::Tap& tap : static_cast<PythonTaps&>(*one).taps) Py_VISIT(tap.object.ptr());
    return 0;
}

void FabricCore::close() {
    if (!fabric || fabric->closed()) return;
    fabric->close();
    const nb::object former_queue = std::move(queue), former_plan = std::move(plan);
    for (const auto& one : taps) static_cast<PythonTaps&>(*one).taps.clear();
}

void bind_fabric(nb::module_& module) {
    nb::class_<LinkCore>(module, "LinkCore", "One direction of a path, as packets see it; `FabricCore.add_link` makes it.")
        .def_prop_rw("up", [](const LinkCore& self) { return self.link->up; },
                     [](LinkCore& self, bool up) {
                         if (up) {
                             self.link->up = true;
                             return;
                         }
                         self.link->cut(self.fabric->now());
                         self.fabric->note_cut(*self.link);
                     }, "Whether it carries packets; a link that goes down loses what is on it.")
        .def("change", [](LinkCore& self, nb::handle settings, nb::object varying, nb::object jitter, bool cut_through) {
            self.link->settings = link_settings(settings, std::move(varying), std::move(jitter), cut_through);
        }, "settings"_a, nb::kw_only(), "varying"_a.none(), "jitter"_a.none(), "cut_through"_a,
             "Says what it does to packets from now on.\n\nParameters: `settings` LinkSettings; `varying` draws the delay, None: "
             "it is fixed; `jitter` draws further delay, None: there is none (either is a function, or name, mean, variation and "
             "stream); `cut_through` whether a packet goes on while it still comes in.")
        .def_prop_ro("sources", [](const LinkCore& self) { return self.link->sources(); },
                     "Sources that it keeps a queue of packets for.")
        .def_prop_ro("plain", [](const LinkCore& self) { return self.link->plain(); }, "Whether it does nothing but delay.")
        .def_prop_ro("counters", [](const LinkCore& self) {
            const LinkCounters& counters = self.link->counters;
            return nb::make_tuple(counters.packets, counters.octets, counters.lost, counters.overflowed, counters.cut,
                                  counters.dropped_early, counters.fragmented, counters.waited);
        }, nb::sig("def counters(self) -> tuple[int, int, int, int, int, int, int, float]"),
           "Packets that entered it, their octets, and those lost at random, for want of room in its queue, and by cuts; those "
           "that RED or CoDel dropped; those larger than its MTU; and s that packets have waited.")
        .def("__eq__", [](const LinkCore& self, nb::handle other) {
            return nb::isinstance<LinkCore>(other) && nb::cast<const LinkCore&>(other).link == self.link;
        }, nb::arg("other").none(), nb::sig("def __eq__(self, other: object, /) -> bool"))
        .def("__hash__", [](const LinkCore& self) { return reinterpret_cast<std::size_t>(self.link) >> 4; });

    nb::class_<FabricCore>(module, "FabricCore", nb::type_slots(fabric_slots),
        "What carries packets: addresses, links, and the way of each packet.\n\n"
        "Parameters: `queue` of the clock's events; `plan` finds the links between two addresses, and writes captured packets; "
        "`stream` of random numbers; `traffic` counts messages; `sctp` settings of associations; `ipv6` whether addresses are "
        "those of IPv6.")
        .def("__init__", [](FabricCore* self, nb::object queue, nb::object plan, nb::object stream, nb::object traffic, nb::object sctp, bool ipv6) {
            new (self) FabricCore(std::move(queue), std::move(plan), std::move(stream), std::move(traffic), settings_of(sctp), ipv6);
        }, "queue"_a, "plan"_a, "stream"_a, "traffic"_a, "sctp"_a, "ipv6"_a)
        .def_prop_rw("capturing", [](const FabricCore& self) { return self.fabric->capturing; },
                     [](FabricCore& self, bool capturing) { self.fabric->capturing = capturing; },
                     "Whether the plan is told of each packet.")
        .def_prop_rw("traffic", [](const FabricCore& self) { return self.traffic_object; },
                     [](FabricCore& self, nb::object traffic) {
                         self.traffic = traffic_in(traffic);
                         self.traffic_object = std::move(traffic);
                     }, "What counts messages that leave: a Traffic, or what has its method `count`.")
        .def("add_address", &FabricCore::add_address, "address"_a, "site"_a,
             "Gives an address a number, which it returns.\n\nParameters: `address` as text; `site` its number.")
        .def("add_access", [](FabricCore& self, nb::str address) { self.fabric->add_access(self.number(address)); }, "address"_a,
             "From now on the address has links of its own to its site.\n\nParameters: `address` of a host.")
        .def("add_link", add_link, "stream"_a,
             "Makes a link, which does nothing to packets yet.\n\nParameters: `stream` of its draws.")
        .def("add_tap", add_tap, "link"_a, "tap"_a,
             "Has a tap see all that a link carries.\n\nParameters: `link` that it stands on; `tap` a Tap.")
        .def_static("remove_tap", remove_tap, "link"_a, "tap"_a,
             "Has a tap see no more of what a link carries.\n\nParameters: `link` that it stands on; `tap` a Tap.")
        .def("refresh", [](FabricCore& self) { self.fabric->refresh(); }, "Looks at the links of all routes again.")
        .def("reroute", [](FabricCore& self) { self.fabric->reroute(); }, "Looks for all routes anew.")
        .def("watch_peers", [](FabricCore& self) { self.fabric->watch_peers(); },
             "Has all associations watch their peers, as the network has changed.")
        .def("plain_delay", [](FabricCore& self, nb::str source, nb::str destination) -> std::optional<double> {
            const std::uint32_t here = self.number(source), there = self.number(destination);
            const Route& route = self.fabric->route(here, there);
            return route.plain ? std::optional(route.delay) : std::nullopt;
        }, "source"_a, "destination"_a,
             "The delay in s between two addresses, None if links between them do more than delay.\n\n"
             "Parameters: `source` and `destination` addresses.")
        .def("send_datagram", send_datagram, nb::kw_only(), "via"_a, "member"_a, "source"_a, "destination"_a, "data"_a,
             "Sends a datagram.\n\nParameters: `via` the address that it leaves from; `member` the address that it goes to; "
             "`source` and `destination` address and port that it shows; `data` its octets.")
        .def("transmit", [](FabricCore& self, nb::object frame, nb::str via) {
            PacketPtr packet = packet_of(self, frame);
            const std::uint32_t from = self.number(via);
            const Stack* const sender = self.fabric->stack_at(from);
            if (sender && !sender->up()) return;
            Route& route = self.fabric->route(from, packet->destination);
            self.fabric->transmit(std::move(packet), route);
        }, "frame"_a, "via"_a,
             "Sends a packet on its way.\n\nParameters: `frame` the packet, whose source may be forged; `via` the address that "
             "it leaves from.")
        .def("deliver", [](FabricCore& self, nb::object frame) { self.fabric->deliver(packet_of(self, frame)); }, "frame"_a,
             "Hands a packet to the host that it is for, if there is one.\n\nParameters: `frame` the packet.")
        .def("packets_by_route", packets_by_route,
             nb::sig("def packets_by_route(self) -> list[tuple[list[LinkCore], int, int]]"),
             "Packets that went a whole route as one event: its links, how many, and how many a cut has lost.");
}

}  // namespace rsim
