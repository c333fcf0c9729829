// Python face of stacks and associations.
#include "fabric.hpp"

#include <nanobind/stl/pair.h>

#include <tuple>
#include <utility>

namespace rsim {
namespace {

using namespace network;

// Attributes of a host's counters, in the order of `Count`.
constexpr const char* counts[] = {"associations_opened",     "associations_lost",      "retransmissions",
                                  "packets_out_of_the_blue", "packets_with_wrong_tag", "path_failures"};

struct TallyCore {
    std::shared_ptr<StackTally> tally = std::make_shared<StackTally>();
};

class StackCore final : public StackHost {
public:
    StackCore(nb::object fabric, nb::object host, nb::object addresses)
        : fabric_(std::move(fabric)), core_(nb::cast<FabricCore&>(fabric_)), host_(std::move(host)),
          stack(core_.fabric, *this, numbers(addresses)) {}
    StackCore(const StackCore&) = delete;

    bool hears(std::uint16_t port, bool tcp) override {
        if (host_.is_none()) return false;
        static PyObject* const name = intern("hears");
        return nb::cast<bool>(call_method(host_.ptr(), name, nb::int_(port), nb::bool_(tcp)));
    }

    Ref<Association> accept(const Packet& packet, const Cookie& cookie) override;

    void take_datagram(const Packet& packet) override {
        static PyObject* const name = intern("take_datagram");
        const std::uint32_t shown = packet.group == Packet::no_group ? packet.destination : packet.group;
        call_method(host_.ptr(), name, core_.endpoint(packet.source, packet.source_port),
                    core_.endpoint(shown, packet.destination_port), python_message(*packet.datagram).data);
    }

    void count(Count what, std::uint64_t number) override {
        const nb::object counters = host_.attr("counters");
        const char* const name = counts[static_cast<std::size_t>(what)];
        counters.attr(name) = counters.attr(name) + nb::int_(number);
    }

    // The fabric, which must not have been let go.
    FabricCore& core() const {
        if (fabric_.is_none()) throw nb::value_error("the network of this host is gone");
        return core_;
    }
    int traverse(visitproc visit, void* arg) {
        Py_VISIT(fabric_.ptr());
        Py_VISIT(host_.ptr());
        Py_VISIT(cpu_.ptr());
        return 0;
    }
    void close() {
        stack.close();
        stack.cpu = {};
        const nb::object former_host = std::exchange(host_, nb::none()), former_fabric = std::exchange(fabric_, nb::none());
        const nb::object former_cpu = std::exchange(cpu_, nb::none());
    }

private:
    std::vector<std::uint32_t> numbers(nb::handle addresses) {
        std::vector<std::uint32_t> result;
        for (const nb::handle address : addresses) result.push_back(core_.number(address));
        return result;
    }

    nb::object fabric_;
    FabricCore& core_;
    nb::object host_, cpu_ = nb::none();
    std::shared_ptr<StackTally> shared_;

public:
    void share(const TallyCore& tally) {
        shared_ = tally.tally;
        stack.share(*shared_);
    }
    nb::object cpu() const { return cpu_; }
    void set_cpu(nb::object cpu) {
        stack.cpu = cpu.is_none() ? Ref<Cpu>() : nb::cast<CpuCore&>(cpu).cpu;
        cpu_ = std::move(cpu);
    }
    // What serves messages; null if work takes no time.
    CpuCore* worker() const { return cpu_.is_none() ? nullptr : nb::inst_ptr<CpuCore>(cpu_); }

    Stack stack;
};

class AssociationCore final : public User {
public:
    AssociationCore(StackCore& host, const Identity& identity)
        : stack_(nb::find(host)), host_(host), core_(host.core()), association(new Association(host.stack, *this, identity)) {}
    AssociationCore(const AssociationCore&) = delete;
    ~AssociationCore() override { close(); }

    void receive(Message& message) override {
        PythonMessage& told = python_message(message);
        if (told.sealed && open_record(told.record)) return hand_on(message, records_.time);
        if (!layered && !told.sealed && told.protection.is_none()) return hand_on(message, 0);
        static PyObject* const name = intern("take_message");
        const nb::object protection = told.sealed ? nb::cast(told.record) : told.protection;
        call_method(owner_.ptr(), name, nb::int_(message.ppid), told.data, protection);
    }

    // Whether a record is the one that is due; the next one is from then on.
    bool open_record(const Record& record) {
        if (!records_.open || record.session != records_.session || record.to_server == records_.is_client ||
            record.number != records_.next_in)
            return false;
        ++records_.next_in;
        return true;
    }

    // A message that may be read: to the CPU, if there is one, and the endpoint.
    void hand_on(Message& message, double extra) {
        CpuCore* const worker = host_.worker();
        if (!worker) return deliver(message);
        const double time = worker->service_time(message.ppid, python_message(message).data) + extra;
        association->leave_unread(message.size);
        worker->cpu->submit(time, std::make_unique<Delivery>(association, Ref<Message>(&message)), worker->cpu->urgent(message.ppid));
    }

    void deliver(Message& message) {
        static PyObject* const name = intern("deliver");
        if (!owner_.is_none()) call_method(owner_.ptr(), name, nb::int_(message.ppid), python_message(message).data);
    }

    // From now on all that is sent is sealed, and what comes must be.
    void protect(std::uint32_t session, bool is_client, std::pair<std::uint32_t, std::uint32_t> record, double time) {
        records_ = {true, is_client, session, record.first, record.second, time, 0, 0};
    }

    void note_up() override {
        static PyObject* const name = intern("note_up");
        call_method(owner_.ptr(), name);
    }
    void note_init_ack() override {
        static PyObject* const name = intern("note_init_ack");
        if (tells_init_ack) call_method(owner_.ptr(), name);
    }
    void note_end(Notice notice) override {
        static PyObject* const name = intern("note_end");
        // Without the cycle of references they are gone at once: runs go without the garbage collector.
        const nb::object owner = std::exchange(owner_, nb::none());
        association->detach();
        if (!owner.is_none()) call_method(owner.ptr(), name, nb::int_(static_cast<int>(notice)));
    }

    void send(std::uint32_t ppid, nb::bytes data) {
        auto* const message = new PythonMessage(std::move(data), nb::none());
        Ref<Message> held(message);
        message->ppid = ppid;
        message->size = static_cast<std::uint32_t>(message->data.size());
        message->counted = true;
        seal(*message);
        association->send(std::move(held));
    }

    void send_as(std::uint32_t ppid, nb::bytes data, std::uint16_t stream, bool unordered) {
        auto* const message = new PythonMessage(std::move(data), nb::none());
        Ref<Message> held(message);
        message->ppid = ppid;
        message->size = static_cast<std::uint32_t>(message->data.size());
        message->stream = stream;
        message->unordered = unordered;
        message->counted = true;
        seal(*message);
        association->send(std::move(held));
    }

    void send_flight(nb::bytes data, nb::object flight) {
        auto* const message = new PythonMessage(std::move(data), std::move(flight));
        Ref<Message> held(message);
        message->size = static_cast<std::uint32_t>(message->data.size());
        association->send(std::move(held));
    }

    void when_sent(nb::object sent) {
        if (Message* const waiting = association->last_waiting())
            python_message(*waiting).sent = std::move(sent);
        else if (association->setting_up() || association->state() == State::established)
            sent();
    }

    int traverse(visitproc visit, void* arg) {
        Py_VISIT(stack_.ptr());
        Py_VISIT(owner_.ptr());
        return 0;
    }
    // The fabric, which must not have been let go.
    FabricCore& core() const {
        if (stack_.is_none()) throw nb::value_error("the host of this association is gone");
        return core_;
    }
    StackCore& host() const { return host_; }
    nb::object owner() const { return owner_; }
    void set_owner(nb::object owner) { owner_ = std::move(owner); }
    // The owner is told nothing any more.
    void let_go() {
        association->detach();
        const nb::object former = std::exchange(owner_, nb::none());
    }
    void close() {
        let_go();
        const nb::object former = std::exchange(stack_, nb::none());
    }

    bool tells_init_ack = false;
    bool layered = false;  // TLS looks at messages that are no record which is due
    void set_layered(bool is) {
        if (is && !layered) association->add_memory(host_.stack.limits.tls_octets);
        layered = is;
    }

private:
    struct Delivery final : Job {
        Delivery(Ref<Association> association, Ref<Message> message)
            : association(std::move(association)), message(std::move(message)) {}
        void run() override {
            association->read(message->size);
            if (User* const user = association->user()) static_cast<AssociationCore*>(user)->deliver(*message);
        }
        Ref<Association> association;
        Ref<Message> message;
    };

    struct Records {
        bool open = false, is_client = false;
        std::uint32_t session = 0, fixed = 0, block = 0;
        double time = 0;  // s of CPU time
        std::uint64_t next_in = 0, next_out = 0;
    };

    void seal(PythonMessage& message) {
        if (!records_.open) return;
        message.sealed = true;
        message.record = {records_.session, records_.is_client, records_.next_out++};
        message.size = record_octets(message.size, records_.fixed, records_.block);
    }

    Records records_;
    nb::object stack_;
    StackCore& host_;
    FabricCore& core_;
    nb::object owner_ = nb::none();

public:
    Ref<Association> association;
};

std::uint64_t number_in(nb::handle pair, Py_ssize_t at) {
    const std::uint64_t number = PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(pair.ptr(), at));
    if (number == std::numeric_limits<std::uint64_t>::max() && PyErr_Occurred()) throw nb::python_error();
    return number;
}

std::pair<std::uint32_t, std::uint16_t> endpoint_of(FabricCore& core, const nb::tuple& endpoint) {
    return {core.number(PyTuple_GET_ITEM(endpoint.ptr(), 0)), static_cast<std::uint16_t>(number_in(endpoint, 1))};
}

void check_pairs(std::initializer_list<nb::handle> pairs) {
    for (const nb::handle pair : pairs)
        if (PyTuple_GET_SIZE(pair.ptr()) != 2) throw nb::value_error("local, remote, tags and tsns must be pairs");
}

// Made here, as what takes arguments from Python costs more than all the rest of an association.
nb::object make_association(StackCore& host, const Identity& identity) {
    const nb::object made = nb::inst_alloc(nb::type<AssociationCore>());
    new (nb::inst_ptr<AssociationCore>(made)) AssociationCore(host, identity);
    nb::inst_mark_ready(made);
    return made;
}

// The end that begins.
nb::object connect(StackCore& self, nb::tuple local, nb::tuple remote, nb::tuple further, bool tcp) {
    FabricCore& core = self.core();
    check_pairs({local, remote});
    Identity identity;
    std::tie(identity.local, identity.local_port) = endpoint_of(core, local);
    const auto [address, port] = endpoint_of(core, remote);
    identity.remote_port = port;
    identity.remote.push_back(address);
    if (!tcp)
        for (const nb::handle other : further) identity.remote.push_back(core.number(other));
    identity.protocol = tcp ? Protocol::tcp : Protocol::sctp;
    identity.own_tag = core.fabric->draw_tag();
    identity.own_tsn = core.fabric->draw_tag();
    identity.peer_tsn = 1;
    return make_association(self, identity);
}

// The other end of one that is set up without packets.
nb::object make_other_end(StackCore& self, AssociationCore& peer) {
    const Identity& there = peer.association->identity;
    Identity identity;
    identity.local = there.remote.front();
    identity.local_port = there.remote_port;
    identity.remote_port = there.local_port;
    identity.protocol = there.protocol;
    if (there.protocol == Protocol::tcp)
        identity.remote.push_back(there.local);
    else
        identity.remote = peer.host().stack.addresses;
    identity.own_tag = self.core().fabric->draw_tag();
    identity.own_tsn = identity.peer_tsn = 1;
    return make_association(self, identity);
}

Ref<Association> StackCore::accept(const Packet& packet, const Cookie& cookie) {
    static PyObject* const name = intern("take_peer");
    Identity identity;
    identity.local = packet.destination;
    identity.local_port = packet.destination_port;
    identity.remote_port = packet.source_port;
    identity.remote = cookie.remote;
    identity.own_tag = cookie.own_tag;
    identity.peer_tag = cookie.peer_tag;
    identity.own_tsn = cookie.own_tsn;
    identity.peer_tsn = cookie.peer_tsn;
    identity.protocol = packet.protocol;
    const nb::object made = make_association(*this, identity);
    const Ref<Association> association = nb::inst_ptr<AssociationCore>(made)->association;
    const nb::object taken = call_method(host_.ptr(), name, made, core_.endpoint(packet.destination, packet.destination_port),
                                         core_.endpoint(packet.source, packet.source_port),
                                         nb::bool_(packet.protocol == Protocol::tcp));
    return nb::cast<bool>(taken) ? association : Ref<Association>();
}

template <class Core>
int traverse_core(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    if (!nb::inst_ready(self)) return 0;
    return nb::inst_ptr<Core>(self)->traverse(visit, arg);
}

template <class Core>
int clear_core(PyObject* self) {
    if (nb::inst_ready(self)) nb::inst_ptr<Core>(self)->close();
    return 0;
}

PyType_Slot stack_slots[] = {{Py_tp_traverse, slot(traverse_core<StackCore>)}, {Py_tp_clear, slot(clear_core<StackCore>)}, {0, nullptr}};
PyType_Slot association_slots[] = {{Py_tp_traverse, slot(traverse_core<AssociationCore>)}, {Py_tp_clear, slot(clear_core<AssociationCore>)}, {0, nullptr}};

constexpr const char* state_names[] = {"COOKIE_WAIT",      "COOKIE_ECHOED", "ESTABLISHED",       "SHUTDOWN_PENDING",
                                       "SHUTDOWN_SENT",    "SHUTDOWN_ACK_SENT", "CLOSED"};
constexpr const char* change_names[] = {"INIT_ACK", "COOKIE_ACK", "COOKIE_ECHO", "JOIN", "CLOSE", "DRAIN", "SHUTDOWN", "END"};

nb::list association_transitions() {
    nb::list rows;
    for (const Transition& row : transitions)
        rows.append(nb::make_tuple(state_names[static_cast<int>(row.state)], change_names[static_cast<int>(row.change)],
                                   state_names[static_cast<int>(row.next)], row.section));
    return rows;
}

void set_state_error(const StateProblem& problem) {
    PyErr_Format(error_class("StateError").ptr(), "association: %s is not possible in state %s",
                 change_names[static_cast<int>(problem.change)], state_names[static_cast<int>(problem.state)]);
}

nb::dict path_view(const AssociationCore& self, const Path& path) {
    nb::dict view;
    view["local"] = self.core().address(path.local);
    view["remote"] = self.core().address(path.remote);
    view["active"] = path.active;
    view["rto"] = path.rto;
    view["cwnd"] = path.cwnd;
    view["ssthresh"] = path.ssthresh;
    view["flight"] = path.flight;
    view["errors"] = path.errors;
    return view;
}

}  // namespace

void bind_stack(nb::module_& module) {
    nb::class_<Record>(module, "Record", "What the receiver of a TLS record must find.")
        .def_ro("session", &Record::session, "Number of the session.")
        .def_ro("to_server", &Record::to_server, "Its direction.")
        .def_ro("number", &Record::number, "Number of the record, from 0.");
    module.def("record_octets", record_octets, "length"_a, "fixed"_a, "block"_a,
               "Octets of a message in TLS records of at most 16,384 (RFC 8446 5.1).\n\nParameters: `length` of the message; "
               "`fixed` octets that a record adds; `block` to whose multiple it is filled up, 0: it is not.");

    nb::class_<TallyCore>(module, "TallyCore", "State that the hosts of a role keep for their peers, and what they have refused.")
        .def(nb::init<>())
        .def_prop_ro("levels", [](const TallyCore& self) {
            const StackTally& tally = *self.tally;
            return nb::make_tuple(tally.half_open.value(), tally.associations.value(), tally.memory.value());
        }, nb::sig("def levels(self) -> tuple[int, int, int]"), "Half-open and open associations, and octets, at present.")
        .def("read", [](TallyCore& self, double now) {
            StackTally& tally = *self.tally;
            return nb::make_tuple(tally.inits, tally.inits_refused, tally.associations_refused, tally.packets_refused,
                                  tally.half_open.integral(now), tally.associations.integral(now), tally.memory.integral(now));
        }, "now"_a, nb::sig("def read(self, now: float) -> tuple[int, int, int, int, float, float, float]"),
             "INITs that reached listeners, those refused, associations refused, packets refused for want of memory, and the "
             "integrals over time of half-open and open associations and of octets.\n\nParameters: `now` in s.");

    nb::class_<StackCore>(module, "StackCore", nb::type_slots(stack_slots),
        "The stack of a host: which association a packet is for, set-up by cookies, and packets out of the blue.\n\n"
        "Parameters: `fabric` that it is attached to; `host` takes new peers and datagrams, says at which ports it listens and "
        "whether its CPU has room, and has counters; `addresses` of the host, the primary one first.")
        .def("__init__", [](StackCore* self, nb::object fabric, nb::object host, nb::object addresses) {
            new (self) StackCore(std::move(fabric), std::move(host), std::move(addresses));
        }, "fabric"_a, "host"_a, "addresses"_a)
        .def("fail", [](StackCore& self) { self.stack.fail(); }, "The host goes down, and loses all associations and cookies without a word.")
        .def("limit", [](StackCore& self, nb::object settings, double init_time, double cookie_time) {
            StackLimits& limits = self.stack.limits;
            const auto most = [&](const char* name) {
                const nb::object value = settings.attr(name);
                return value.is_none() ? StackLimits::unlimited : nb::cast<std::uint64_t>(value);
            };
            limits.cookies = nb::cast<bool>(settings.attr("cookies"));
            limits.half_open = most("half_open");
            limits.associations = most("associations");
            limits.memory = most("memory");
            limits.half_open_octets = most("half_open_octets");
            limits.association_octets = most("association_octets");
            limits.tls_octets = most("tls_octets");
            self.stack.init_time = init_time;
            self.stack.cookie_time = cookie_time;
        }, "settings"_a, nb::kw_only(), "init_time"_a, "cookie_time"_a,
             "Says what state it may keep; before it keeps any.\n\nParameters: `settings` StackSettings; `init_time` and "
             "`cookie_time` in s of the CPU for an INIT and a COOKIE ECHO.")
        .def("share", &StackCore::share, "tally"_a,
             "What it keeps counts with that of other hosts from now on.\n\nParameters: `tally` that they share.")
        .def("connect", connect, "local"_a, "remote"_a, "further"_a, "tcp"_a,
             nb::sig("def connect(self, local: tuple[str, int], remote: tuple[str, int], further: tuple[str, ...], tcp: bool) -> AssociationCore"),
             "The end of an association that begins, with a tag and a first TSN drawn; nothing is sent yet.\n\n"
             "Parameters: `local` and `remote` address and port of the two sides; `further` addresses of the peer; `tcp` for a TCP "
             "connection, which has none.")
        .def("make_other_end", make_other_end, "peer"_a, nb::sig("def make_other_end(self, peer: AssociationCore) -> AssociationCore"),
             "The other end of an association that is set up without packets.\n\nParameters: `peer` the end that begins.")
        .def("restore", [](StackCore& self) { self.stack.restore(); }, "The host is back.")
        .def_prop_rw("cpu", &StackCore::cpu, &StackCore::set_cpu, nb::for_setter(nb::arg("cpu").none()),
                     nb::for_getter(nb::sig("def cpu(self) -> CpuCore | None")),
                     nb::for_setter(nb::sig("def cpu(self, cpu: CpuCore | None, /) -> None")),
                     "What serves messages; None: they take no time.")
        .def("find", [](StackCore& self, std::uint16_t port, nb::tuple remote) -> nb::object {
            check_pairs({remote});
            const auto [address, remote_port] = endpoint_of(self.core(), remote);
            Association* const found = self.stack.find(port, address, remote_port);
            return found && found->user() ? static_cast<AssociationCore*>(found->user())->owner() : nb::none();
        }, "port"_a, "remote"_a, "The owner of the association at a local port with that peer, None if there is none.\n\n"
             "Parameters: `port` of this host; `remote` address and port of the peer.")
        .def("arrive", [](StackCore& self, nb::object frame) { self.stack.arrive(packet_of(self.core(), frame)); }, "frame"_a,
             "Takes a packet.\n\nParameters: `frame` the packet.");

    nb::class_<AssociationCore>(module, "AssociationCore", nb::type_slots(association_slots),
        "One end of an SCTP association, or of a TCP connection, as the stack of a host makes it.")
        .def_prop_rw("owner", &AssociationCore::owner, &AssociationCore::set_owner,
                     nb::for_getter(nb::sig("def owner(self) -> object")),
                     nb::for_setter(nb::sig("def owner(self, owner: object, /) -> None")), "Who takes messages and news.")
        .def("open", [](AssociationCore& self) { self.association->open(); }, "Begins to set it up.")
        .def("join", [](AssociationCore& self, AssociationCore& peer) { self.association->join(*peer.association); }, "peer"_a,
             "Sets it up at once.\n\nParameters: `peer` the other end.")
        .def("send", &AssociationCore::send, "ppid"_a, "data"_a,
             "Sends a message.\n\nParameters: `ppid` payload protocol; `data` its octets.")
        .def("send_as", &AssociationCore::send_as, "ppid"_a, "data"_a, nb::kw_only(), "stream"_a, "unordered"_a,
             "Sends a message in any other way.\n\nParameters: `ppid` payload protocol; `data` its octets; `stream` from 0; "
             "`unordered` whether it waits for no other.")
        .def("send_flight", &AssociationCore::send_flight, "data"_a, "flight"_a,
             "Sends a flight of a TLS handshake.\n\nParameters: `data` its octets; `flight` what it tells.")
        .def("protect", &AssociationCore::protect, "session"_a, "is_client"_a, "record"_a, "time"_a,
             "From now on all messages are TLS records.\n\nParameters: `session` its number; `is_client` which side this is; "
             "`record` octets that a record adds, and to whose multiple it is filled up, 0: it is not; `time` in s of the CPU for "
             "a record.")
        .def("open_record", &AssociationCore::open_record, "record"_a,
             "Whether a record is the one that is due; the next one is from then on.\n\nParameters: `record` that has come.")
        .def("hand_on", [](AssociationCore& self, std::uint32_t ppid, nb::bytes data, double extra) {
            const Ref<Message> message(new PythonMessage(data, nb::none()));
            message->ppid = ppid;
            message->size = static_cast<std::uint32_t>(data.size());
            self.hand_on(*message, extra);
        }, "ppid"_a, "data"_a, "extra"_a,
             "Hands a message on to the CPU, if there is one, and the owner.\n\nParameters: `ppid` payload protocol; `data` in "
             "clear; `extra` CPU time in s beside that of the message.")
        .def_prop_rw("layered", [](const AssociationCore& self) { return self.layered; }, &AssociationCore::set_layered, "Whether the owner looks at what is no TLS record that is due.")
        .def("when_sent", &AssociationCore::when_sent, "sent"_a,
             "Tells when the message that was sent last leaves: at once, or when its turn comes.\n\n"
             "Parameters: `sent` is called then, and never if the message comes to nothing.")
        .def_rw("tells_init_ack", &AssociationCore::tells_init_ack, "Whether the owner is told when the peer answers the INIT.")
        .def("close", [](AssociationCore& self) {
            self.association->close();
            self.let_go();
        }, "Ends it in order, without its owner.")
        .def("abort", [](AssociationCore& self) { self.association->abort(); }, "Tells the peer that it is over.")
        .def("discard", [](AssociationCore& self) { self.association->end(Notice::none); }, "Ends it without a word.")
        .def_prop_ro("established", [](const AssociationCore& self) { return self.association->state() == State::established; },
                     "Whether its state is ESTABLISHED.")
        .def_prop_ro("unacknowledged", [](const AssociationCore& self) { return self.association->unacknowledged(); },
                     "Messages that wait, or are not acknowledged.")
        .def_prop_ro("undelivered", [](const AssociationCore& self) { return self.association->undelivered(); },
                     "Messages from the first one on that was not acknowledged, once it has ended.")
        .def_prop_ro("addresses", [](const AssociationCore& self) {
            return to_tuple(self.association->identity.remote, [&](std::uint32_t number) { return nb::borrow(self.core().address(number)); });
        }, nb::sig("def addresses(self) -> tuple[str, ...]"), "All addresses of the peer, the primary one first.")
        .def_prop_ro("tags", [](const AssociationCore& self) {
            return std::pair(self.association->identity.own_tag, self.association->identity.peer_tag);
        }, nb::sig("def tags(self) -> tuple[int, int]"), "Tags of this side and of the peer.")
        .def_prop_ro("paths", [](const AssociationCore& self) {
            nb::list views;
            for (const auto& path : self.association->transmission().paths()) views.append(path_view(self, *path));
            return views;
        }, nb::sig("def paths(self) -> list[dict[str, typing.Any]]"),
           "Paths: addresses, whether active, RTO in s, cwnd, ssthresh and octets in flight, and errors.");

    nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
        try {
            std::rethrow_exception(thrown);
        } catch (const StateProblem& problem) {
            set_state_error(problem);
        }
    });
    module.def("association_transitions_taken", [] {
        return to_tuple(transitions_taken, [](std::uint64_t count) { return nb::object(nb::int_(count)); });
    }, nb::sig("def association_transitions_taken() -> tuple[int, ...]"),
               "How often each row of the table was taken, by all associations of the process.");
    module.def("association_transitions", association_transitions,
               nb::sig("def association_transitions() -> list[tuple[str, str, str, str]]"),
               "The table of states of associations: state, event, next state, section of the RFC.");
}

}  // namespace rsim
