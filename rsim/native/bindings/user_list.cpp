// Python face of the pool user's side of selection.
//
// A type of Python's own making, as every pool user has one: it is in no table of instances. It has the elements in
// memory of its own: of a pool of thousands a user looks at a few, and only those are made into objects.
#include "../handlespace/user_list.hpp"
#include "draws.hpp"
#include "element_list.hpp"

#include <new>

namespace rsim {
namespace {

using handlespace::UserRule;

using Answer = handlespace::UserList<Listed>;

struct UserListObject {
    PyObject_HEAD
    const char* doing;
    Answer answer;
};

Doing change(PyObject* self, const char* wanted) {
    return Doing(reinterpret_cast<UserListObject*>(self)->doing, "UserList", wanted);
}

Answer& answer_of(PyObject* self) { return reinterpret_cast<UserListObject*>(self)->answer; }

PyObject* make_list(PyTypeObject* type, PyObject* arguments, PyObject* keywords) {
    static const char* names[] = {"elements", "rule", nullptr};
    PyObject *elements = nullptr, *rule = nullptr;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO", const_cast<char**>(names), &elements, &rule)) return nullptr;
    return guarded([&]() -> PyObject* {
        if (!nb::isinstance<UserRule>(nb::handle(rule))) return PyErr_Format(PyExc_TypeError, "rule: must be a UserRule");
        std::vector<Listed> listed;
        if (const nb::handle given = elements; nb::isinstance<wire::HandleResolutionResponse>(given) && nb::inst_ready(given)) {
            const auto& own = nb::inst_ptr<wire::HandleResolutionResponse>(given)->pool_elements;
            listed = std::vector<Listed>(own.begin(), own.end());
        } else {
            for (nb::handle element : nb::iter(given)) {
                if (!nb::isinstance<wire::PoolElement>(element) || !nb::inst_ready(element))
                    return PyErr_Format(PyExc_TypeError, "elements: must be PoolElement objects");
                listed.emplace_back(*nb::inst_ptr<wire::PoolElement>(element));
            }
        }
        PyObject* self = type->tp_alloc(type, 0);
        if (self) new (&answer_of(self)) Answer(std::move(listed), nb::cast<UserRule>(nb::handle(rule)));
        return self;
    });
}

void end_list(PyObject* self) { answer_of(self).~Answer(); }

PyObject* object_of(const Listed* element) {
    return element ? nb::cast(wire::PoolElement(*element)).release().ptr() : Py_NewRef(Py_None);
}

PyObject* list_choose(PyObject* self, PyObject* given) {
    handlespace::Draws* draws = draws_of(given);
    if (!draws) return wrong_arguments("draws (Draws)");
    return guarded([&] {
        const Doing chooses = change(self, "choose");
        return object_of(answer_of(self).choose(*draws));
    });
}

PyObject* list_forget(PyObject* self, PyObject* given) {
    if (!PyLong_Check(given)) return wrong_arguments("an identifier (int)");
    return guarded([&] {
        const auto identifier = whole<std::uint32_t>("identifier", nb::borrow<nb::int_>(given));
        const Doing forgets = change(self, "forget");
        answer_of(self).forget(identifier);
        return Py_NewRef(Py_None);
    });
}

PyObject* list_find(PyObject* self, PyObject* given) {
    if (!PyLong_Check(given)) return wrong_arguments("an identifier (int)");
    return guarded([&] { return object_of(answer_of(self).find(whole<std::uint32_t>("identifier", nb::borrow<nb::int_>(given)))); });
}

PyObject* list_item(PyObject* self, Py_ssize_t at) {
    const Answer& answer = answer_of(self);
    if (at < 0 || static_cast<std::size_t>(at) >= answer.size())
        return PyErr_Format(PyExc_IndexError, "list of %zd elements", static_cast<Py_ssize_t>(answer.size()));
    return guarded([&] { return object_of(&answer[static_cast<std::size_t>(at)]); });
}

Py_ssize_t list_length(PyObject* self) { return static_cast<Py_ssize_t>(answer_of(self).size()); }

PyMethodDef list_methods[] = {
    method("choose", list_choose, METH_O, 
           "choose($self, draws, /)\n--\n\n"
           "The element to use next, None if none is left.\n\n"
           "Parameters: `draws` for a rule that draws."),
    method("forget", list_forget, METH_O, 
           "forget($self, identifier, /)\n--\n\n"
           "Takes out an element that was found unreachable; a walk goes on behind it.\n\n"
           "Parameters: `identifier` of the element, 32 bits."),
    method("find", list_find, METH_O, 
           "find($self, identifier, /)\n--\n\n"
           "The element with an identifier, None if it is not listed (any more).\n\n"
           "Parameters: `identifier` of the element, 32 bits."),
    {},
};
PyType_Slot list_slots[] = {
    {Py_tp_doc, const_cast<char*>("The elements of an answer, as a pool user works through them (RFC 5356, pool user "
                                  "considerations).\n\n"
                                  "A sequence of those that are left, as an answer lists them: without ASAP transport. Each is "
                                  "made into an object when it is looked at.\n\n"
                                  "Parameters: `elements` in the order of the answer, or the answer itself, whose elements are "
                                  "then not made into objects; `rule` of the pool's policy.")},
    {Py_tp_new, slot(make_list)},
    {Py_tp_dealloc, slot(free_object<end_list>)},
    {Py_tp_methods, list_methods},
    {Py_sq_length, slot(list_length)},
    {Py_sq_item, slot(list_item)},
    {Py_tp_iter, slot(PySeqIter_New)},
    {0, nullptr},
};
PyType_Spec list_spec{"rsim._native.UserList", sizeof(UserListObject), 0, Py_TPFLAGS_DEFAULT, list_slots};

}  // namespace

void bind_user_list(nb::module_& module) {
    nb::enum_<UserRule>(module, "UserRule", "What a pool user does with the elements of an answer (RFC 5356).")
        .value("IN_ORDER", UserRule::in_order, "The first that answers.")
        .value("WALK", UserRule::walk, "One after the other, then from the beginning.")
        .value("UNIFORM", UserRule::uniform, "Any, with equal chances.");
    module.def("policy_user_rule", [](const char* policy) {
        const wire::NativePolicy* native = wire::find_policy(std::string_view(policy));
        if (!native) raise_field_error("policy", "'" + std::string(policy) + "' is no known policy");
        return native->user_rule;
    }, "policy"_a, "What a pool user does with the elements of an answer, by the native policy's name.\n\n"
                   "Parameters: `policy` its name. Raises FieldError for a name that is no native policy's.");
    add_type(module, list_spec);
}

}  // namespace rsim
