// Python face of the handlespace.
#include <nanobind/stl/pair.h>

#include <algorithm>

#include "../handlespace/handlespace.hpp"
#include "draws.hpp"
#include "element_list.hpp"
#include "python_selection.hpp"

namespace rsim {

using namespace handlespace;

namespace {

std::string_view view(nb::bytes handle) { return {handle.c_str(), handle.size()}; }

using Removed = std::pair<std::string, wire::PoolElement>;

nb::tuple removed_tuple(const Removed& removed) { return nb::make_tuple(to_bytes(removed.first), object_from(removed.second)); }

// Factories by type code; kept until the process ends.
std::unordered_map<std::uint32_t, nb::object>& python_selections() {
    static auto* factories = new std::unordered_map<std::uint32_t, nb::object>;
    return *factories;
}

std::unique_ptr<Selection> python_selection(std::uint32_t policy_type) {
    const auto found = python_selections().find(policy_type);
    if (found == python_selections().end()) return nullptr;
    // The factory may register another in its place.
    const nb::object factory = found->second;
    return std::make_unique<PythonSelection>(factory());
}

// Handlespace.select: a simulation's most frequent question.
PyObject* select(PyObject* self, PyObject* const* given, Py_ssize_t count) {
    const bool right = count == 3 && PyBytes_Check(given[0]) && PyLong_Check(given[1]) && nb::inst_ready(self);
    Draws* const draws = right ? draws_of(given[2]) : nullptr;
    if (!draws) return wrong_arguments("a pool handle (bytes), a count (int) and draws (Draws)");
    return guarded([&] {
        const auto wanted = whole<std::uint32_t>("count", nb::borrow<nb::int_>(given[1]));
        Handlespace& handlespace = *nb::inst_ptr<Handlespace>(self);
        const auto& chosen = handlespace.select(view(nb::borrow<nb::bytes>(given[0])), wanted, *draws);
        // The second is on its way while the first is copied.
        for (const Element* element : chosen) fetch(*element);
        return make_element_list(chosen);
    });
}

PyMethodDef handlespace_methods[] = {
    method("select", select, METH_FASTCALL,
           "select($self, pool_handle, count, draws, /)\n--\n\n"
           "Distinct elements by the pool's policy, as a resolution lists them (without ASAP transport).\n\n"
           "Parameters: `pool_handle` of the pool, which may be unknown; `count` most elements, 32 bits; `draws` for policies "
           "that draw. What a policy in Python raises comes through."),
    {},
};
PyType_Slot handlespace_slots[] = {{Py_tp_methods, handlespace_methods}, {0, nullptr}};

void bind_outcome(nb::module_& module) {
    nb::enum_<Outcome>(module, "Outcome", "What became of a registration.")
        .value("ADDED", Outcome::added, "A new element.")
        .value("RENEWED", Outcome::renewed, "A known element; its attributes were replaced.")
        .value("INCONSISTENT_POLICY", Outcome::inconsistent_policy, "Refused: the pool has another policy type.")
        .value("INCONSISTENT_TRANSPORT", Outcome::inconsistent_transport, "Refused: the pool has another kind of user transport.")
        .value("INCONSISTENT_USE", Outcome::inconsistent_use, "Refused: the pool has another data/control mode.")
        .value("UNKNOWN_POLICY", Outcome::unknown_policy, "Refused: no such policy is known here.");
}

}  // namespace

void bind_handlespace(nb::module_& module) {
    bind_outcome(module);

    nb::class_<Handlespace>(module, "Handlespace", nb::type_slots(handlespace_slots),
        "Pools by handle, their elements by identifier, and the server that owns each element.\n\n"
        "Parameters: `increment` elements that a selection moves on in round-robin order; `degradations_per_selection` and "
        "`degradations_at_registration` steps of load degradation for each listing and right after a registration (RFC 5356: 1 "
        "and 0); `saturate` whether degraded loads end at 100%.")
        .def("__init__", [](Handlespace* self, std::uint32_t increment, std::uint32_t per_selection, std::uint32_t at_registration, bool saturate) {
            new (self) Handlespace(SelectionSettings{increment, per_selection, at_registration, saturate}, &python_selection);
        }, nb::kw_only(), "increment"_a = 1u, "degradations_per_selection"_a = 1u, "degradations_at_registration"_a = 0u, "saturate"_a = false)
        .def("add", [](Handlespace& self, nb::bytes handle, const wire::PoolElement& element, double expires,
                       std::optional<std::uint32_t> home_server, const wire::Transport* asap_transport) {
            if (expires != expires) raise_field_error("expires", "is nan, must be a time in s");
            if (!home_server && !asap_transport) return self.add(view(handle), element, expires);
            wire::PoolElement own = element;
            if (home_server) own.home_server = *home_server;
            if (asap_transport) own.asap_transport = *asap_transport;
            return self.add(view(handle), own, expires);
        }, "pool_handle"_a, "element"_a, "expires"_a = std::numeric_limits<double>::infinity(), nb::kw_only(),
           "home_server"_a = nb::none(), "asap_transport"_a.none() = nb::none(),
           nb::sig("def add(self, pool_handle: bytes, element: PoolElement, expires: float = ..., *, "
                   "home_server: int | None = None, asap_transport: SctpTransport | None = None) -> Outcome"),
           "Registers an element of the owner that it names, or renews it (RFC 5352 3.1).\n\n"
           "Parameters: `pool_handle` of the pool, which begins with its first element; `element` that registers; `expires` end "
           "of its life in s of simulated time, for ever if left out; `home_server`, 32 bits, and `asap_transport` in place of "
           "the element's own, as its home server sees them. Raises FieldError if `expires` is not a number.\n\n"
           "What a policy in Python raises comes through: a new element is then not there, a known one has its new\n"
           "attributes. Such a policy must not change the handlespace that calls it (ReentryError).")
        .def("remove", [](Handlespace& self, nb::bytes handle, std::uint32_t identifier) { return self.remove(view(handle), identifier); },
             "pool_handle"_a, "identifier"_a, 
             "Takes an element out; False if it wasn't there. It is gone, too, if a policy in Python raises.\n\n"
             "Parameters: `pool_handle` of its pool; `identifier` of the element, 32 bits.")
        .def("find", [](Handlespace& self, nb::bytes handle, std::uint32_t identifier) -> std::optional<wire::PoolElement> {
            const Element* element = self.find(view(handle), identifier);
            if (!element) return std::nullopt;
            return element->content;
        }, "pool_handle"_a, "identifier"_a, "The element as registered, or None.\n\nParameters: `pool_handle` of its pool; `identifier` of the element, 32 bits.")
        .def("any_element", [](Handlespace& self, nb::bytes handle) -> std::optional<wire::PoolElement> {
            const Element* element = self.any_element(view(handle));
            if (!element) return std::nullopt;
            return element->content;
        }, "pool_handle"_a, "An element of a pool, which shows the pool's policy and transport, or None.\n\nParameters: `pool_handle` of the pool.")
        .def("pool_size", [](Handlespace& self, nb::bytes handle) -> std::size_t {
            const Pool* pool = self.find_pool(view(handle));
            return pool ? pool->size() : 0;
        }, "pool_handle"_a, "Number of elements in a pool, 0 if there is no such pool.\n\nParameters: `pool_handle` of the pool.")
        .def("pool_policy_type", [](Handlespace& self, nb::bytes handle) -> std::optional<std::uint32_t> {
            const Pool* pool = self.find_pool(view(handle));
            if (!pool) return std::nullopt;
            return pool->policy_type();
        }, "pool_handle"_a, "Type code of a pool's policy, or None.\n\nParameters: `pool_handle` of the pool.")
        .def("report", [](Handlespace& self, nb::bytes handle, std::uint32_t identifier, std::uint64_t reporter, bool distinct) {
            return self.report(view(handle), identifier, reporter, distinct);
        }, "pool_handle"_a, "identifier"_a, "reporter"_a, "distinct"_a = false,
           "Counts a report that an element is unreachable; returns the number so far, or of reporters (RFC 5352 3.5).\n\n"
           "Parameters: `pool_handle` of its pool; `identifier` of the element, 32 bits; `reporter` a number for who reports, 64 "
           "bits; `distinct` whether each reporter counts once.")
        .def("clear_reports", [](Handlespace& self, nb::bytes handle, std::uint32_t identifier) { self.clear_reports(view(handle), identifier); },
             "pool_handle"_a, "identifier"_a, "Forgets the reports about an element.\n\nParameters: `pool_handle` of its pool; `identifier` of the element, 32 bits.")
        .def("next_expiry", &Handlespace::next_expiry, "Earliest end of a registration life in s, infinity if there is none.")
        .def("expire", [](Handlespace& self, double now) {
            nb::list result;
            std::optional<nb::python_error> raised;
            for (;;) {
                try {
                    const auto expired = self.expire(now);
                    if (!expired) break;
                    result.append(removed_tuple(*expired));
                } catch (nb::python_error& error) {
                    // A policy's: the element is gone all the same.
                    if (!raised) raised.emplace(std::move(error));
                }
            }
            if (raised) throw std::move(*raised);
            return result;
        }, "now"_a, nb::sig("def expire(self, now: float) -> list[tuple[bytes, PoolElement]]"),
           "Removes and returns the elements whose life has ended, with their handles.\n\n"
           "Parameters: `now` time in s up to which lives have ended, itself included.\n\n"
           "What a policy in Python raises first is raised when all of them are gone.")
        .def("checksum", &Handlespace::checksum, "owner"_a, "PE checksum of what a server owns, 16 bits (RFC 5353 3.6.2).\n\nParameters: `owner` identifier of the server, 32 bits.")
        .def("owned", &Handlespace::owned, "owner"_a, "Number of elements that a server owns.\n\nParameters: `owner` identifier of the server, 32 bits.")
        .def("table", [](Handlespace& self, std::optional<std::pair<nb::bytes, std::uint32_t>> after, std::size_t limit, std::size_t octets,
                         std::optional<std::uint32_t> owner) {
            std::optional<Cursor> cursor;
            if (after) cursor = Cursor{to_string(after->first), after->second};
            const TablePiece piece = self.table(cursor, limit, octets, owner);
            nb::object next = nb::none();
            if (piece.next) next = nb::make_tuple(to_bytes(piece.next->pool_handle), piece.next->identifier);
            return nb::make_tuple(to_tuple(piece.entries, &object_from<wire::PoolEntry>), next);
        }, nb::kw_only(), "after"_a = nb::none(), "limit"_a = 128, "octets"_a = 1400, "owner"_a = nb::none(),
           nb::sig("def table(self, *, after: tuple[bytes, int] | None = None, limit: int = 128, octets: int = 1400, "
                   "owner: int | None = None) -> tuple[tuple[PoolEntry, ...], tuple[bytes, int] | None]"),
           "A piece of the table in order of handle and identifier, and where to go on or None (RFC 5353 3.2.3).\n\n"
           "Parameters: `after` where the last piece ended, None for the first; `limit` most elements; `octets` most bytes of "
           "all entries, but there is always one; `owner` identifier of a server whose elements alone are listed, None for all.")
        .def("mark", &Handlespace::mark, "owner"_a, "Marks all elements of a server; a renewal takes the mark away (RFC 5353 3.6.3).\n\nParameters: `owner` identifier of the server, 32 bits.")
        .def("unmark", &Handlespace::unmark, "owner"_a, "Takes the marks of all elements of a server away.\n\nParameters: `owner` identifier of the server, 32 bits.")
        .def("sweep", [](Handlespace& self, std::uint32_t owner) {
            nb::list result;
            for (const Removed& swept : self.sweep(owner)) result.append(removed_tuple(swept));
            return result;
        }, "owner"_a, nb::sig("def sweep(self, owner: int) -> list[tuple[bytes, PoolElement]]"),
           "Removes and returns the marked elements of a server (RFC 5353 3.6.3).\n\n"
           "Parameters: `owner` identifier of the server, 32 bits.\n\n"
           "What a policy in Python raises first is raised when all of them are gone.")
        .def_prop_ro("pools", &Handlespace::pools, "Number of pools.")
        .def("__len__", &Handlespace::elements);

    module.def("register_selection", [](std::uint32_t policy_type, nb::callable factory) {
        python_selections()[policy_type] = std::move(factory);
    }, "policy_type"_a, "factory"_a, nb::sig("def register_selection(policy_type: int, factory: collections.abc.Callable[[], typing.Any]) -> None"),
       "Makes a selection in Python that of new pools of a policy.\n\n"
       "Parameters: `policy_type` type code of the policy, 32 bits; `factory` makes a selection for each pool, an object with "
       "the methods of rsim.handlespace.SelectionPolicy.");
}

}  // namespace rsim
