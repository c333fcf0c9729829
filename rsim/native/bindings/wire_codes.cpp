// Python's enums of the numbers that have names.
#include "common.hpp"

#include "../wire/codes.hpp"

namespace rsim {

using namespace wire;

namespace {

// Made by Python's own enum, so that combinations of flags, names and iteration are its own.
template <class Table>
void bind_codes(nb::module_& module, const char* base, const char* name, const Table& table, const char* doc) {
    nb::list pairs;
    for (const auto& [code, member, meaning] : table)
        pairs.append(nb::make_tuple(member, code));
    const nb::object made =
        nb::module_::import_("enum").attr(base)(name, pairs, "module"_a = module.attr("__name__"), "qualname"_a = name);
    made.attr("__doc__") = doc;
    for (const auto& [code, member, meaning] : table) made.attr(member).attr("__doc__") = meaning;
    module.attr(name) = made;
}

}  // namespace

void bind_wire_codes(nb::module_& module) {
    bind_codes(module, "IntEnum", "Cause", causes, "Error causes (RFC 5354 3.12, table 2).");
    bind_codes(module, "IntFlag", "Dialect", dialects,
               "Ways in which `encode` may leave the letter of the RFCs; `RSPLIB` gives rsplib's bytes.\n\n"
               "The extensions that a message holds (`items`, `takeover_suggested`, ...) are written only in a\n"
               "dialect that has them; decoding reads every dialect.");
}

}  // namespace rsim
