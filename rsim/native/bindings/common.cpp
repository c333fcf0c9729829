#include "common.hpp"

namespace rsim {

nb::object plain(nb::handle value) {
    if (nb::isinstance<nb::bytes>(value)) return value.attr("hex")();
    // The type is asked, as an address works its attribute out in Python, where an interrupt may come.
    if (nb::hasattr(value.type(), "to_dict")) return value.attr("to_dict")();
    if (nb::hasattr(value.type(), "packed")) return nb::str(value);
    if (nb::isinstance<nb::tuple>(value)) {
        nb::list result;
        for (nb::handle item : value) result.append(plain(item));
        return result;
    }
    return nb::borrow(value);
}

nb::dict fields_of(nb::handle self, const FieldNames& names) {
    nb::dict result;
    for (const char* name : names) result[name] = self.attr(name);
    return result;
}

std::string repr_of(nb::handle self, const FieldNames& names) {
    std::string text = nb::cast<std::string>(self.type().attr("__name__")) + "(";
    bool first = true;
    for (const char* name : names) {
        const nb::object value = self.attr(name);
        if (value.is_none()) continue;
        if (!first) text += ", ";
        first = false;
        text += std::string(name) + "=" + nb::repr(value).c_str();
    }
    return text + ")";
}

}  // namespace rsim
