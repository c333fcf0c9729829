// Python's class for what is described by its fields (wire/fields.hpp): constructor, properties and docstrings.
#pragma once

#include "passing.hpp"

namespace rsim {

template <class T, std::size_t n>
using FieldType = std::remove_const_t<decltype(wire::field_of<T, n>)>;

template <class T, std::size_t n>
using PassingOf = Passing<typename FieldType<T, n>::Value, typename FieldType<T, n>::Layout>;

template <class T>
using FieldNumbers = std::make_index_sequence<std::tuple_size_v<std::remove_const_t<decltype(wire::record_of<T>)>>>;

template <class T>
FieldNames names_of() {
    FieldNames names;
    wire::each_field<T>([&]<std::size_t n>() { names.push_back(wire::field_of<T, n>.name); });
    return names;
}

// "Meaning, unit and range.", and of a field that not every dialect has, that.
template <class T, std::size_t n>
std::string doc_of() {
    constexpr auto field = wire::field_of<T, n>;
    return std::string(field.doc) + PassingOf<T, n>::range + (field.dialect ? "; written in rsplib's dialect only" : "");
}

// `head` says what the class is.
template <class T>
std::string class_doc(std::string head) {
    head += "\n\nParameters:\n";
    wire::each_field<T>([&]<std::size_t n>() {
        head += "\n- `" + std::string(wire::field_of<T, n>.name) + "`: " + doc_of<T, n>();
    });
    return head + "\n\nRaises FieldError, which names the field, for a value out of its range.";
}

template <class T, std::size_t n>
auto keyword() {
    constexpr auto field = wire::field_of<T, n>;
    if constexpr (field.required) return nb::arg(field.name);
    else if constexpr (std::is_pointer_v<typename PassingOf<T, n>::Given>) return nb::arg(field.name).none() = nb::none();
    else return nb::arg(field.name) = nb::cast(PassingOf<T, n>::shown(T{}.*field.member));
}

// A property that a base of the class has already stays the base's.
template <class T, class... Base, class... Leading>
void add_fields(nb::class_<T, Base...>& cls, Leading... leading) {
    [&]<std::size_t... n>(std::index_sequence<n...>) {
        cls.def("__init__", [](T* self, typename PassingOf<T, n>::Given... given) {
            new (self) T{PassingOf<T, n>::taken(wire::field_of<T, n>.name,
                                                std::forward<typename PassingOf<T, n>::Given>(given))...};
        }, leading..., keyword<T, n>()...);
    }(FieldNumbers<T>{});
    wire::each_field<T>([&]<std::size_t n>() {
        if (nb::hasattr(cls, wire::field_of<T, n>.name)) return;
        std::string doc = doc_of<T, n>() + ".";
        doc[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(doc[0])));
        cls.def_prop_ro(wire::field_of<T, n>.name, [](const T& self) {
            return PassingOf<T, n>::shown(self.*wire::field_of<T, n>.member);
        }, doc.c_str());
    });
}

}  // namespace rsim
