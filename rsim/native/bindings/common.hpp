// What the binding files share: conversions, and the methods every immutable value has.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "../reentry.hpp"
#include "../wire/encode.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace rsim {

inline nb::object error_class(const char* name) {
    return nb::module_::import_("rsim.errors").attr(name);
}

[[noreturn]] inline void raise_field_error(const char* field, const std::string& reason) {
    const nb::object cls = error_class("FieldError");
    const nb::object error = cls(field, reason);
    PyErr_SetObject(cls.ptr(), error.ptr());
    throw nb::python_error();
}

inline void set_reentry_error(const ReentryProblem& problem) {
    PyErr_SetString(error_class("ReentryError").ptr(), problem.what());
}

// For methods that are called so often that they take their arguments where the interpreter has put them: what goes
// wrong becomes Python's error.
template <class Action>
PyObject* guarded(Action&& action) {
    try {
        return action();
    } catch (nb::python_error& error) {
        error.restore();
    } catch (const std::bad_alloc&) {
        PyErr_NoMemory();
    } catch (const ReentryProblem& problem) {
        set_reentry_error(problem);
    } catch (const std::exception& error) {
        PyErr_SetString(PyExc_RuntimeError, error.what());
    }
    return nullptr;
}

inline std::string to_string(nb::bytes value) { return {value.c_str(), value.size()}; }
inline nb::bytes to_bytes(const std::string& value) { return nb::bytes(value.data(), value.size()); }

// A parameter's own bytes by the letter of the RFCs, without filler.
template <class Write>
nb::bytes encode_parameter(Write&& write) {
    wire::Encoder encoder(wire::rfc);
    try {
        return to_bytes(encoder.parameter(write));
    } catch (const wire::FieldProblem& problem) {
        raise_field_error(problem.field.c_str(), problem.what());
    }
}

inline PyObject* wrong_arguments(const char* expected) { return PyErr_Format(PyExc_TypeError, "expected %s", expected); }

template <class Function>
PyMethodDef method(const char* name, Function* function, int flags, const char* doc) {
    return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)), flags, doc};
}

// For types of Python's own making: their entries, what ends an object with `end` first, and their place in the module.
template <class Function>
void* slot(Function* function) { return reinterpret_cast<void*>(function); }

template <auto end>
void free_object(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    if (PyType_IS_GC(type)) PyObject_GC_UnTrack(self);
    end(self);
    type->tp_free(self);
    Py_DECREF(type);
}

inline PyTypeObject* add_type(nb::module_& module, PyType_Spec& spec) {
    auto* type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
    if (!type || PyModule_AddType(module.ptr(), type) < 0) throw nb::python_error();
    // The stub generator imports the module by another name.
    nb::handle(reinterpret_cast<PyObject*>(type)).attr("__module__") = module.attr("__name__");
    return type;
}

// An unsigned integer of at most `largest`, or a FieldError that names the field.
template <class T>
T whole(const char* field, nb::int_ value, T largest = std::numeric_limits<T>::max()) {
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
    if (overflow != 0 || number < 0 || static_cast<unsigned long long>(number) > largest)
        raise_field_error(field, "is " + std::string(nb::str(value).c_str()) + ", must be 0 to " + std::to_string(largest));
    return static_cast<T>(number);
}

// An object of its own. The copy is made here, as nanobind takes lack of memory in its own for a wrong type.
template <class T>
nb::object object_from(const T& value) {
    T copied = value;
    return nb::cast(std::move(copied));
}

template <class Container, class Convert>
nb::tuple to_tuple(const Container& values, Convert&& convert) {
    nb::object result = nb::steal(PyTuple_New(static_cast<Py_ssize_t>(values.size())));
    Py_ssize_t at = 0;
    for (const auto& value : values) PyTuple_SET_ITEM(result.ptr(), at++, convert(value).release().ptr());
    return nb::borrow<nb::tuple>(result);
}

// JSON-ready form: bytes in hex, addresses as text, parameters as dictionaries.
nb::object plain(nb::handle value);

// Values that Python hands over as any sequence but text or bytes. nanobind's own conversion ends the process when it
// runs out of memory, and hides what the sequence raises.
template <class T>
struct Given {
    std::vector<T> values;
};

using FieldNames = std::vector<const char*>;

nb::dict fields_of(nb::handle self, const FieldNames& names);
std::string repr_of(nb::handle self, const FieldNames& names);

// What a class says of itself beside its fields: an entry at the head of `to_dict`.
struct Label {
    const char* key = nullptr;
    const char* value = nullptr;
};

// Names of the fields that a value has: the same for all values of most classes.
template <class T>
using FieldsOf = std::function<FieldNames(const T&)>;

// Equality, hash, replace and pickling for a class whose constructor takes its fields as keywords.
// `identity` maps a value to bytes that are equal where values are equal.
template <class T, class Class>
void identity_methods(Class& cls, FieldsOf<T> names, std::function<std::string(const T&)> identity) {
    cls.def("__eq__", [](const T& self, nb::handle other) {
        return nb::isinstance<T>(other) && self == nb::cast<const T&>(other);
    }, nb::arg("other").none(), nb::sig("def __eq__(self, other: object, /) -> bool"));
    cls.def("__hash__", [identity](const T& self) {
        return static_cast<Py_ssize_t>(std::hash<std::string>{}(identity(self)) >> 1);
    });
    cls.def("replace", [names](nb::handle_t<T> self, nb::kwargs changes) {
        nb::dict fields = fields_of(self, names(nb::cast<const T&>(self)));
        fields.update(changes);
        return self.type()(**fields);
    }, nb::sig("def replace(self, **changes: typing.Any) -> typing.Self"),
       "A copy with some fields changed.\n\nParameters: `changes` new values, as the constructor takes them.");
    cls.def("__reduce__", [names](nb::handle_t<T> self) {
        const nb::object partial = nb::module_::import_("functools").attr("partial");
        return nb::make_tuple(partial(self.type(), **fields_of(self, names(nb::cast<const T&>(self)))), nb::tuple());
    }, nb::sig("def __reduce__(self) -> tuple[typing.Any, ...]"));
}

// The same, and repr and to_dict.
template <class T, class Class>
void value_methods(Class& cls, FieldNames names, std::function<std::string(const T&)> identity, Label label = {}) {
    identity_methods<T>(cls, FieldsOf<T>([names](const T&) { return names; }), std::move(identity));
    cls.def("__repr__", [names](nb::handle_t<T> self) { return repr_of(self, names); });
    cls.def("to_dict", [names, label](nb::handle_t<T> self) {
        nb::dict result;
        if (label.key) result[label.key] = label.value;
        for (auto [name, value] : fields_of(self, names)) result[name] = plain(value);
        return result;
    }, nb::sig("def to_dict(self) -> dict[str, typing.Any]"),
       "Fields by name, JSON-ready: bytes in hex, addresses as text, parameters as dictionaries.");
}

void bind_wire_codes(nb::module_& module);
void bind_wire_parameters(nb::module_& module);
void bind_wire_policy(nb::module_& module);
void bind_wire_messages(nb::module_& module);
void bind_handlespace(nb::module_& module);
void bind_user_list(nb::module_& module);
void bind_element_list(nb::module_& module);
void bind_clock(nb::module_& module);
void bind_randomness(nb::module_& module);
void bind_traffic(nb::module_& module);
void bind_cpu(nb::module_& module);
void bind_fabric(nb::module_& module);
void bind_stack(nb::module_& module);

}  // namespace rsim

namespace nanobind::detail {

template <class T>
struct type_caster<rsim::Given<T>> {
    NB_TYPE_CASTER(rsim::Given<T>, const_name("collections.abc.Sequence[") + make_caster<T>::Name + const_name("]"))

    template <class Flags>
    bool from_python(handle source, Flags flags, cleanup_list* cleanup) {
        if (PyUnicode_Check(source.ptr()) || PyBytes_Check(source.ptr()) || !PySequence_Check(source.ptr())) return false;
        const object items = steal(PySequence_Tuple(source.ptr()));
        if (!items.is_valid()) throw python_error();
        value.values.reserve(static_cast<std::size_t>(PyTuple_GET_SIZE(items.ptr())));
        for (handle item : borrow<nanobind::tuple>(items)) {
            make_caster<T> caster;
            if (!caster.from_python(item, flags_for_local_caster<T>(flags), cleanup) || !caster.template can_cast<T&>())
                return false;
            value.values.push_back(caster.operator cast_t<T&>());
        }
        return true;
    }
};

}  // namespace nanobind::detail
