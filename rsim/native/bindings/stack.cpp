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

    bool accept(const Packet& packet, const Cookie& cookie) override {
        static PyObject* const name = intern("take_peer");
        nb::list remote;
        for (const std::uint32_t address : cookie.remote) remote.append(core_.address(address));
        return nb::cast<bool>(call_method(host_.ptr(), name, core_.endpoint(packet.destination, packet.destination_port),
                                          core_.endpoint(packet.source, packet.source_port), nb::tuple(remote),
                                          nb::make_tuple(cookie.own_tag, cookie.peer_tag),
                                          nb::make_tuple(cookie.own_tsn, cookie.peer_tsn),
                                          nb::bool_(packet.protocol == Protocol::tcp)));
    }

    bool has_room(std::uint32_t ppid) override {
        static PyObject* const name = intern("has_room");
        return nb::cast<bool>(call_method(host_.ptr(), name, nb::int_(ppid)));
    }

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
        return 0;
    }
    void close() {
        stack.close();
        const nb::object former_host = std::exchange(host_, nb::none()), former_fabric = std::exchange(fabric_, nb::none());
    }

private:
    std::vector<std::uint32_t> numbers(nb::handle addresses) {
        std::vector<std::uint32_t> result;
        for (const nb::handle address : addresses) result.push_back(core_.number(address));
        return result;
    }

    nb::object fabric_;
    FabricCore& core_;
    nb::object host_;

public:
    Stack stack;
};

class AssociationCore final : public User {
public:
    AssociationCore(nb::object stack, nb::object owner, const Identity& identity)
        : stack_(std::move(stack)), core_(nb::cast<StackCore&>(stack_).core()), owner_(std::move(owner)),
          association(new Association(nb::cast<StackCore&>(stack_).stack, *this, identity)) {}
    AssociationCore(const AssociationCore&) = delete;
    ~AssociationCore() override { close(); }

    void receive(Message& message) override {
        static PyObject* const name = intern("take_message");
        const PythonMessage& told = python_message(message);
        call_method(owner_.ptr(), name, nb::int_(message.ppid), told.data, told.protection);
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
        call_method(owner.ptr(), name, nb::int_(static_cast<int>(notice)));
    }

    void send(std::uint32_t ppid, nb::bytes data) {
        auto* const message = new PythonMessage(std::move(data), nb::none());
        Ref<Message> held(message);
        message->ppid = ppid;
        message->size = static_cast<std::uint32_t>(message->data.size());
        message->counted = true;
        association->send(std::move(held));
    }

    void send_as(std::uint32_t ppid, nb::bytes data, std::uint32_t size, std::uint16_t stream, bool unordered,
                 nb::object protection, bool counted) {
        auto* const message = new PythonMessage(std::move(data), std::move(protection));
        Ref<Message> held(message);
        message->ppid = ppid;
        message->size = size;
        message->stream = stream;
        message->unordered = unordered;
        message->counted = counted;
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
    nb::object owner() const { return owner_; }
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

private:
    nb::object stack_;
    FabricCore& core_;
    nb::object owner_;

public:
    Ref<Association> association;
};

std::pair<std::uint32_t, std::uint16_t> endpoint_of(FabricCore& core, nb::handle endpoint) {
    return {core.number(endpoint[0]), nb::cast<std::uint16_t>(endpoint[1])};
}

void make_association(AssociationCore* self, nb::object stack, nb::object owner, nb::object local, nb::object remote,
                      nb::object addresses, nb::object tags, nb::object tsns, bool tcp) {
    FabricCore& core = nb::cast<StackCore&>(stack).core();
    Identity identity;
    std::tie(identity.local, identity.local_port) = endpoint_of(core, local);
    identity.remote_port = nb::cast<std::uint16_t>(remote[1]);
    for (const nb::handle address : addresses) identity.remote.push_back(core.number(address));
    identity.own_tag = nb::cast<std::uint32_t>(tags[0]);
    identity.peer_tag = nb::cast<std::uint32_t>(tags[1]);
    identity.own_tsn = nb::cast<std::uint64_t>(tsns[0]);
    identity.peer_tsn = nb::cast<std::uint64_t>(tsns[1]);
    identity.protocol = tcp ? Protocol::tcp : Protocol::sctp;
    new (self) AssociationCore(std::move(stack), std::move(owner), identity);
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
    nb::class_<StackCore>(module, "StackCore", nb::type_slots(stack_slots),
        "The stack of a host: which association a packet is for, set-up by cookies, and packets out of the blue.\n\n"
        "Parameters: `fabric` that it is attached to; `host` takes new peers and datagrams, says at which ports it listens and "
        "whether its CPU has room, and has counters; `addresses` of the host, the primary one first.")
        .def("__init__", [](StackCore* self, nb::object fabric, nb::object host, nb::object addresses) {
            new (self) StackCore(std::move(fabric), std::move(host), std::move(addresses));
        }, "fabric"_a, "host"_a, "addresses"_a)
        .def("fail", [](StackCore& self) { self.stack.fail(); }, "The host goes down, and forgets the cookies that it has made.")
        .def("restore", [](StackCore& self) { self.stack.restore(); }, "The host is back.")
        .def_prop_ro("up", [](const StackCore& self) { return self.stack.up(); }, "Whether the host is up.")
        .def_prop_rw("limited", [](const StackCore& self) { return self.stack.limited; },
                     [](StackCore& self, bool limited) { self.stack.limited = limited; },
                     "Whether the host is asked for room before it takes a message.")
        .def_prop_ro("associations", [](const StackCore& self) { return self.stack.associations(); },
                     "Associations that it keeps state for; one of several addresses counts for each.")
        .def("find", [](StackCore& self, std::uint16_t port, nb::object remote) -> nb::object {
            const auto [address, remote_port] = endpoint_of(self.core(), remote);
            Association* const found = self.stack.find(port, address, remote_port);
            return found && found->user() ? static_cast<AssociationCore*>(found->user())->owner() : nb::none();
        }, "port"_a, "remote"_a, "The owner of the association at a local port with that peer, None if there is none.\n\n"
             "Parameters: `port` of this host; `remote` address and port of the peer.")
        .def("arrive", [](StackCore& self, nb::object frame) { self.stack.arrive(packet_of(self.core(), frame)); }, "frame"_a,
             "Takes a packet.\n\nParameters: `frame` the packet.");

    nb::class_<AssociationCore>(module, "AssociationCore", nb::type_slots(association_slots),
        "One end of an SCTP association, or of a TCP connection.\n\n"
        "Parameters: `stack` of the host that it ends on; `owner` takes messages and news; `local` and `remote` address and port "
        "of the two sides; `addresses` of the peer, the primary one first; `tags` of this side and of the peer, `tsns` the first "
        "ones of both; `tcp` for a TCP connection.")
        .def("__init__", make_association, "stack"_a, "owner"_a, nb::kw_only(), "local"_a, "remote"_a, "addresses"_a, "tags"_a,
             "tsns"_a, "tcp"_a)
        .def("open", [](AssociationCore& self) { self.association->open(); }, "Begins to set it up.")
        .def("join", [](AssociationCore& self, AssociationCore& peer) { self.association->join(*peer.association); }, "peer"_a,
             "Sets it up at once.\n\nParameters: `peer` the other end.")
        .def("send", &AssociationCore::send, "ppid"_a, "data"_a,
             "Sends a message.\n\nParameters: `ppid` payload protocol; `data` its octets.")
        .def("send_as", &AssociationCore::send_as, "ppid"_a, "data"_a, "size"_a, "stream"_a, "unordered"_a, "protection"_a.none(),
             "counted"_a,
             "Sends a message in any other way.\n\nParameters: `ppid` payload protocol; `data` its octets in clear; `size` as it "
             "travels; `stream` from 0; `unordered` whether it waits for no other; `protection` what TLS knows of it, or None; "
             "`counted` whether it is a message of ASAP, ENRP or an "
             "application.")
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
        .def("leave_unread", [](AssociationCore& self, std::uint32_t octets) { self.association->leave_unread(octets); }, "octets"_a,
             "Octets wait to be taken by the endpoint.\n\nParameters: `octets` of a message.")
        .def("read", [](AssociationCore& self, std::uint32_t octets) { self.association->read(octets); }, "octets"_a,
             "The endpoint has taken octets that it had left.\n\nParameters: `octets` of a message.")
        .def_prop_ro("state", [](const AssociationCore& self) { return state_names[static_cast<int>(self.association->state())]; },
                     "Name of its state.")
        .def_prop_ro("established", [](const AssociationCore& self) { return self.association->state() == State::established; },
                     "Whether its state is ESTABLISHED.")
        .def_prop_ro("setting_up", [](const AssociationCore& self) { return self.association->setting_up(); },
                     "Whether it is being set up.")
        .def_prop_ro("unacknowledged", [](const AssociationCore& self) { return self.association->unacknowledged(); },
                     "Messages that wait, or are not acknowledged.")
        .def_prop_ro("undelivered", [](const AssociationCore& self) { return self.association->undelivered(); },
                     "Messages from the first one on that was not acknowledged, once it has ended.")
        .def_prop_ro("window", [](const AssociationCore& self) { return self.association->reception().window(); },
                     "Octets that the peer may still send.")
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
