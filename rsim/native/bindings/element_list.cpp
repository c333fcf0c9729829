// Python face of what a selection lists.
//
// A type of Python's own making, with the elements in its own memory: a server that only encodes them, as most do,
// needs no object for each.
#include "element_list.hpp"

#include <algorithm>
#include <new>

namespace rsim {
namespace {

PyTypeObject* list_type = nullptr;

struct ElementList {
    PyObject_VAR_HEAD
    Listed elements[1];

    std::span<const Listed> all() const { return {elements, static_cast<std::size_t>(Py_SIZE(this))}; }
};

ElementList& list_of(PyObject* self) { return *reinterpret_cast<ElementList*>(self); }

// `copy(n)` gives the n-th of `count` elements.
template <class Copy>
PyObject* make_list(std::size_t count, Copy copy) {
    nb::object made = nb::steal(list_type->tp_alloc(list_type, static_cast<Py_ssize_t>(count)));
    if (!made.is_valid()) return nullptr;
    ElementList& list = list_of(made.ptr());
    // Those that are there are what it has to end.
    Py_SET_SIZE(&list, 0);
    for (std::size_t at = 0; at < count; ++at) {
        new (&list.elements[at]) Listed(copy(at));
        Py_SET_SIZE(&list, static_cast<Py_ssize_t>(at) + 1);
    }
    return made.release().ptr();
}

void end_list(PyObject* self) {
    for (const Listed& element : list_of(self).all()) element.~Listed();
}

Py_ssize_t list_length(PyObject* self) { return Py_SIZE(self); }

PyObject* list_item(PyObject* self, Py_ssize_t at) {
    if (at < 0 || at >= Py_SIZE(self)) return PyErr_Format(PyExc_IndexError, "list of %zd elements", Py_SIZE(self));
    return guarded([&] { return nb::cast(wire::PoolElement(list_of(self).elements[at])).release().ptr(); });
}

PyObject* list_at(PyObject* self, PyObject* index) {
    if (PyIndex_Check(index)) {
        const Py_ssize_t at = PyNumber_AsSsize_t(index, PyExc_IndexError);
        if (at == -1 && PyErr_Occurred()) return nullptr;
        return list_item(self, at < 0 ? at + Py_SIZE(self) : at);
    }
    if (!PySlice_Check(index)) return PyErr_Format(PyExc_TypeError, "an index or a slice is expected");
    Py_ssize_t begin = 0, end = 0, step = 0;
    if (PySlice_Unpack(index, &begin, &end, &step) < 0) return nullptr;
    const Py_ssize_t count = PySlice_AdjustIndices(Py_SIZE(self), &begin, &end, step);
    return guarded([&] {
        return make_list(static_cast<std::size_t>(count), [&](std::size_t at) -> const Listed& {
            return list_of(self).elements[begin + static_cast<Py_ssize_t>(at) * step];
        });
    });
}

PyObject* list_compare(PyObject* self, PyObject* other, int operation) {
    if (operation != Py_EQ && operation != Py_NE) return Py_NewRef(Py_NotImplemented);
    if (const auto listed = listed_elements(other))
        return PyBool_FromLong(std::ranges::equal(list_of(self).all(), *listed) == (operation == Py_EQ));
    if (!PyTuple_Check(other)) return Py_NewRef(Py_NotImplemented);
    const nb::object own = nb::steal(PySequence_Tuple(self));
    return own.is_valid() ? PyObject_RichCompare(own.ptr(), other, operation) : nullptr;
}

PyObject* list_index(PyObject* self, PyObject* value) {
    const Py_ssize_t at = PySequence_Index(self, value);
    return at < 0 ? nullptr : PyLong_FromSsize_t(at);
}

PyObject* list_count(PyObject* self, PyObject* value) {
    const Py_ssize_t count = PySequence_Count(self, value);
    return count < 0 ? nullptr : PyLong_FromSsize_t(count);
}

PyObject* list_repr(PyObject* self) {
    const nb::object own = nb::steal(PySequence_Tuple(self));
    return own.is_valid() ? PyUnicode_FromFormat("ElementList%R", own.ptr()) : nullptr;
}

PyMethodDef list_methods[] = {
    method("index", list_index, METH_O, 
           "index($self, value, /)\n--\n\n"
           "Where an element stands first.\n\nParameters: `value` the element. Raises ValueError if it is not listed."),
    method("count", list_count, METH_O, 
           "count($self, value, /)\n--\n\n"
           "How often an element is listed.\n\nParameters: `value` the element."),
    {},
};
PyType_Slot list_slots[] = {
    {Py_tp_doc, const_cast<char*>("The elements that a selection lists, in its order, as they were then.\n\n"
                                  "A sequence, equal to a tuple of the same elements; each is made into an object when it is looked at.")},
    {Py_tp_dealloc, slot(free_object<end_list>)},
    {Py_tp_methods, list_methods},
    {Py_sq_length, slot(list_length)},
    {Py_sq_item, slot(list_item)},
    {Py_mp_length, slot(list_length)},
    {Py_mp_subscript, slot(list_at)},
    {Py_tp_richcompare, slot(list_compare)},
    {Py_tp_hash, slot(PyObject_HashNotImplemented)},
    {Py_tp_repr, slot(list_repr)},
    {0, nullptr},
};
PyType_Spec list_spec{"rsim._native.ElementList", offsetof(ElementList, elements), sizeof(Listed),
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_SEQUENCE, list_slots};

}  // namespace

PyObject* make_element_list(std::span<handlespace::Element* const> elements) {
    return make_list(elements.size(), [&](std::size_t at) -> const wire::PoolElement& { return elements[at]->content; });
}

std::optional<std::span<const Listed>> listed_elements(nb::handle object) {
    if (!Py_IS_TYPE(object.ptr(), list_type)) return std::nullopt;
    return list_of(object.ptr()).all();
}

void bind_element_list(nb::module_& module) {
    list_type = add_type(module, list_spec);
    nb::module_::import_("collections.abc").attr("Sequence").attr("register")(nb::handle(list_type));
}

}  // namespace rsim
