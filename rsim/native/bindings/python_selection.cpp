#include "python_selection.hpp"

#include "draws.hpp"

namespace rsim {

using handlespace::Draws;
using handlespace::Element;

namespace {

[[noreturn]] void raise_policy_error(const std::string& text) {
    PyErr_SetString(error_class("PolicyError").ptr(), text.c_str());
    throw nb::python_error();
}

std::string class_of(nb::handle object) {
    const std::string name = Py_TYPE(object.ptr())->tp_name;
    return name.size() <= 60 ? name : name.substr(0, 60) + "...";
}

// What an answer has raised that isn't of its own code, but the interpreter's complaint about its kind.
bool is_complaint(const nb::python_error& error) { return error.matches(PyExc_TypeError) && !error.traceback().is_valid(); }

}  // namespace

PythonSelection::PythonSelection(nb::object policy) : policy_(std::move(policy)) {
    for (const char* method : {"insert", "remove", "update", "select"})
        if (!nb::hasattr(policy_, method))
            raise_policy_error("a factory of policies gave an object of class " + class_of(policy_) + " without " + method +
                               "; must give one with insert, remove, update and select");
}

void PythonSelection::insert(Element& element) {
    const std::uint32_t identifier = element.content.identifier;
    elements_[identifier].element = &element;
    try {
        policy_.attr("insert")(object_from(element.content));
    } catch (...) {
        elements_.erase(identifier);
        throw;
    }
}

void PythonSelection::remove(Element& element) {
    elements_.erase(element.content.identifier);
    policy_.attr("remove")(element.content.identifier);
}

void PythonSelection::update(Element& element) { policy_.attr("update")(object_from(element.content)); }

void PythonSelection::select(std::size_t count, Draws& draws, std::vector<Element*>& chosen) {
    const nb::object answer = policy_.attr("select")(count, object_of(draws));
    nb::object items;
    try {
        items = nb::steal(PyObject_GetIter(answer.ptr()));
        if (!items.is_valid()) throw nb::python_error();
    } catch (nb::python_error& error) {
        if (!is_complaint(error)) throw;
        refuse(count, "an object of class " + class_of(answer));
    }
    ++selections_;
    for (;;) {
        const nb::object item = nb::steal(PyIter_Next(items.ptr()));
        if (!item.is_valid()) break;
        Known& found = known(item, count);
        if (found.chosen_in == selections_) refuse(count, std::to_string(found.element->content.identifier) + " twice");
        if (chosen.size() == count) refuse(count, "more than that");
        found.chosen_in = selections_;
        chosen.push_back(found.element);
    }
    if (PyErr_Occurred()) throw nb::python_error();
}

void PythonSelection::refuse(std::size_t count, const std::string& given) const {
    raise_policy_error(class_of(policy_) + ": select(" + std::to_string(count) + ") gave " + given +
                       "; right are the identifiers (int) of at most that many distinct elements of the pool");
}

PythonSelection::Known& PythonSelection::known(nb::handle identifier, std::size_t count) {
    if (PyBool_Check(identifier.ptr()) || !PyIndex_Check(identifier.ptr()))
        refuse(count, "an object of class " + class_of(identifier) + " as an identifier");
    nb::object number;
    try {
        number = nb::steal(PyNumber_Index(identifier.ptr()));
        if (!number.is_valid()) throw nb::python_error();
    } catch (nb::python_error& error) {
        if (!is_complaint(error)) throw;
        refuse(count, "an object of class " + class_of(identifier) + " as an identifier");
    }
    int overflow = 0;
    const long long value = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
    if (overflow != 0) refuse(count, "a number beyond 32 bits");
    const auto found = value < 0 || value > 0xffffffff ? elements_.end() : elements_.find(static_cast<std::uint32_t>(value));
    if (found == elements_.end()) refuse(count, std::to_string(value) + ", which is no element's");
    return found->second;
}

}  // namespace rsim
