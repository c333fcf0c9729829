// The fabric as Python has it: who has built it, names of addresses, and messages with what Python knows of them.
#pragma once

#include <algorithm>

#include "../network/association.hpp"
#include "../network/fabric.hpp"
#include "common.hpp"
#include "cpu.hpp"
#include "event_queue.hpp"
#include "traffic.hpp"

namespace rsim {

// What the receiver of a TLS record must find: session, direction and number.
struct Record {
    std::uint32_t session = 0;
    bool to_server = false;
    std::uint64_t number = 0;
};

// Octets of a message in TLS records of at most 16,384: each has `fixed` more, and is filled up to a multiple of `block`.
inline std::uint32_t record_octets(std::uint32_t length, std::uint32_t fixed, std::uint32_t block) {
    constexpr std::uint32_t largest = 16'384;  // RFC 8446 5.1
    std::uint32_t octets = 0;
    do {
        const std::uint32_t part = std::min(length, largest);
        // Filling takes an octet at least.
        octets += fixed + (block ? (part / block + 1) * block : part);
        length -= part;
    } while (length > 0);
    return octets;
}

// A message that Python has sent.
struct PythonMessage final : network::Message {
    PythonMessage(nb::bytes data, nb::object protection) : data(std::move(data)), protection(std::move(protection)) {}

    nb::bytes data;         // as it is told: in clear
    nb::object protection;  // a flight of a TLS handshake; None: it is something else
    Record record;          // if it is sealed
    bool sealed = false;
    nb::object sent;        // is called when it leaves; null: nobody is told
    bool counted = false;   // as traffic, when it leaves
    bool replaced = false;  // somebody on the way has put another in its place
};

// Calls `owner.name(arguments...)`; `name` is interned.
template <class... Arguments>
nb::object call_method(PyObject* owner, PyObject* name, const Arguments&... arguments) {
    const nb::object kept = nb::borrow(owner);
    PyObject* const given[] = {nullptr, kept.ptr(), nb::handle(arguments).ptr()...};
    PyObject* const result = PyObject_VectorcallMethod(name, given + 1, (1 + sizeof...(arguments)) | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
    if (!result) throw nb::python_error();
    return nb::steal(result);
}

inline PyObject* intern(const char* text) { return PyUnicode_InternFromString(text); }

class FabricCore final : public network::FabricPlan {
public:
    FabricCore(nb::object queue, nb::object plan, nb::object stream, nb::object traffic, network::SctpSettings settings, bool ipv6);
    FabricCore(const FabricCore&) = delete;
    FabricCore& operator=(const FabricCore&) = delete;
    ~FabricCore() override { close(); }

    std::vector<network::Link*> find_links(std::uint32_t source, std::uint32_t destination) override;
    void note_leaving(network::Message& message) override;
    void capture(const network::Packet& packet, double arrival) override;

    std::uint32_t add_address(nb::str address, std::uint32_t site);
    // The number of an address. One that no host has is at no site.
    std::uint32_t number(nb::handle address);
    nb::handle address(std::uint32_t number) const { return addresses_[number]; }
    nb::object endpoint(std::uint32_t number, std::uint16_t port) const { return nb::make_tuple(addresses_[number], port); }

    int traverse(visitproc visit, void* arg);
    void close();

    Ref<network::Fabric> fabric;
    nb::object queue, plan, traffic_object;
    network::Traffic* traffic;
    std::vector<std::unique_ptr<network::Taps>> taps;

private:
    std::vector<nb::object> addresses_;
    nb::dict numbers_;
};

// Python's view of a packet, and the packet that a view tells of.
nb::object frame_of(const FabricCore& core, const network::Packet& packet);
network::PacketPtr packet_of(FabricCore& core, nb::handle frame);
// The packet that goes on in place of `packet`, of which `frame` was the view: its fragments stay those of their messages.
void take_frame(FabricCore& core, network::Packet& packet, nb::handle view, nb::handle frame);
// Octets of a message as they travel.
nb::object octets_of(const PythonMessage& message);

inline PythonMessage& python_message(network::Message& message) { return static_cast<PythonMessage&>(message); }

}  // namespace rsim
