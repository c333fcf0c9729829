// What actors draw from generators of numpy's: numbers in blocks, and words for selections.
//
// Both are types of Python's own making, as every actor has some: they are in no table of instances. A number that is
// drawn touches the stream and one place, where a list of floats is five places in memory.
#include "draws.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

namespace rsim {
namespace {

constexpr std::size_t block_size = 16;

// The layout that numpy documents for users of its bit generators (numpy/random/bitgen.h).
struct NumpyBitGenerator {
    void* state;
    std::uint64_t (*next_uint64)(void*);
    std::uint32_t (*next_uint32)(void*);
    double (*next_double)(void*);
    std::uint64_t (*next_raw)(void*);
};

// A class of numpy's, which lives as long as the process.
nb::handle numpy_class(const char* name) {
    return nb::object(nb::module_::import_("numpy.random").attr(name)).release();
}

// What a bit generator of numpy's draws with, which lives as long as it does; null if it is none of numpy's.
NumpyBitGenerator* functions_of(nb::handle bits) {
    static const nb::handle bits_class = numpy_class("BitGenerator");
    if (!nb::isinstance(bits, bits_class)) return nullptr;
    // By numpy's own attribute: a class that is built on it might give another's, which nobody keeps alive.
    const nb::object capsule = bits_class.attr("capsule").attr("__get__")(bits);
    auto* functions = static_cast<NumpyBitGenerator*>(PyCapsule_GetPointer(capsule.ptr(), "BitGenerator"));
    if (!functions) throw nb::python_error();
    return functions;
}

// Numbers that were drawn ahead, in the order in which they are given out.
using Block = std::array<double, block_size>;

enum Kind { exponentials, uniforms };
constexpr const char* methods[] = {"standard_exponential", "random"};

struct Stream {
    PyObject_HEAD
    PyObject* source;  // the generator; before the first draw what makes it
    const char* doing;
    bool made;
    std::uint8_t left[2];
    Block* blocks[2];              // null before the first draw of that kind
    PyObject* bits;                // of a generator of numpy's own class; null before there is one
    NumpyBitGenerator* functions;  // of `bits`

    nb::handle generator() {
        if (!made) {
            const Doing makes(doing, "Stream", "making of a generator");
            PyObject* found = PyObject_CallNoArgs(nb::borrow(source).ptr());
            if (!found) throw nb::python_error();
            made = true;
            Py_SETREF(source, found);
            look_into(found);
        }
        return source;
    }

    // Another class of generators may draw otherwise than numpy does.
    void look_into(nb::handle generator) {
        static const nb::handle numpy_generator = numpy_class("Generator");
        if (!Py_IS_TYPE(generator.ptr(), reinterpret_cast<PyTypeObject*>(numpy_generator.ptr()))) return;
        nb::object found = generator.attr("bit_generator");
        functions = functions_of(found);
        if (functions) bits = found.release().ptr();
    }

    double draw(Kind kind) {
        if (left[kind] == 0) fill(kind);
        return (*blocks[kind])[block_size - left[kind]--];
    }

    void fill(Kind kind) {
        const nb::object from = nb::borrow(generator());
        if (kind == uniforms && functions) return fill_uniforms();
        const Doing draws(doing, "Stream", "draw");
        const nb::object drawn = from.attr(methods[kind])(block_size);
        Py_buffer buffer;
        if (PyObject_GetBuffer(drawn.ptr(), &buffer, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS)) throw nb::python_error();
        const bool right = buffer.len == sizeof(Block) && buffer.format && std::strcmp(buffer.format, "d") == 0;
        if (right) {
            if (!blocks[kind]) blocks[kind] = static_cast<Block*>(PyMem_Malloc(sizeof(Block)));
            if (blocks[kind]) std::memcpy(blocks[kind], buffer.buf, sizeof(Block));
        }
        PyBuffer_Release(&buffer);
        if (!right) throw std::length_error(std::string("a generator's ") + methods[kind] + " must give as many floats as it is asked for");
        if (!blocks[kind]) throw std::bad_alloc();
        left[kind] = block_size;
    }

    // As numpy's method `random` does, without an array.
    void fill_uniforms() {
        Block*& block = blocks[uniforms];
        if (!block) block = static_cast<Block*>(PyMem_Malloc(sizeof(Block)));
        if (!block) throw std::bad_alloc();
        for (double& drawn : *block) drawn = functions->next_double(functions->state);
        left[uniforms] = block_size;
    }
};

PyTypeObject* stream_type = nullptr;

Stream& stream_of(PyObject* self) { return *reinterpret_cast<Stream*>(self); }

PyObject* make_stream(PyTypeObject* type, PyObject* arguments, PyObject* keywords) {
    static const char* names[] = {"make", nullptr};
    PyObject* make = nullptr;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O", const_cast<char**>(names), &make)) return nullptr;
    if (!PyCallable_Check(make)) return wrong_arguments("a function that makes a generator");
    PyObject* self = type->tp_alloc(type, 0);
    if (self) stream_of(self).source = Py_NewRef(make);
    return self;
}

void end_stream(PyObject* self) {
    for (Block* block : stream_of(self).blocks) PyMem_Free(block);
    Py_XDECREF(stream_of(self).bits);
    Py_XDECREF(stream_of(self).source);
}

template <Kind kind>
PyObject* stream_draw(PyObject* self, PyObject*) {
    return guarded([&] { return PyFloat_FromDouble(stream_of(self).draw(kind)); });
}

PyObject* stream_identifier(PyObject* self, PyObject*) {
    return guarded([&] {
        const nb::object drawn = stream_of(self).generator().attr("integers")(1, 1ULL << 32);
        return PyNumber_Long(drawn.ptr());
    });
}

PyObject* stream_generator(PyObject* self, void*) {
    return guarded([&] { return Py_NewRef(stream_of(self).generator().ptr()); });
}

PyMethodDef stream_methods[] = {
    method("exponential", stream_draw<exponentials>, METH_NOARGS, 
           "exponential($self, /)\n--\n\nOne draw of the exponential distribution with mean 1."),
    method("uniform", stream_draw<uniforms>, METH_NOARGS, 
           "uniform($self, /)\n--\n\nOne draw of the uniform distribution on [0, 1)."),
    method("identifier", stream_identifier, METH_NOARGS, 
           "identifier($self, /)\n--\n\nOne draw of a 32-bit identifier, never 0."),
    {},
};
PyGetSetDef stream_properties[] = {
    {"generator", stream_generator, nullptr, "The generator itself, for draws of other kinds.", nullptr},
    {},
};
PyType_Slot stream_slots[] = {
    {Py_tp_doc, const_cast<char*>("Draws of one actor for one purpose, from a generator of its own.\n\n"
                                  "Draws come in blocks; the sequence is that of single draws.\n\n"
                                  "Parameters: `make` makes the numpy Generator when it is first needed, as many actors "
                                  "never draw.")},
    {Py_tp_new, slot(make_stream)},
    {Py_tp_dealloc, slot(free_object<end_stream>)},
    {Py_tp_methods, stream_methods},
    {Py_tp_getset, stream_properties},
    {0, nullptr},
};
PyType_Spec stream_spec{"rsim._native.Stream", sizeof(Stream), 0, Py_TPFLAGS_DEFAULT, stream_slots};

// Keeps a numpy bit generator alive beside the pointers into it, or what makes the generator until the first draw asks
// for it: most actors never draw.
struct DrawsObject {
    PyObject_HEAD
    PyObject* owner;
    const char* doing;
    handlespace::Draws draws;

    void use(nb::handle generator) {
        nb::object bits = generator.attr("bit_generator");
        const NumpyBitGenerator* const functions = functions_of(bits);
        if (!functions) {
            PyErr_SetString(PyExc_TypeError, "the generator's bit_generator is none of numpy's");
            throw nb::python_error();
        }
        draws = {functions->state, functions->next_uint64};
        Py_XSETREF(owner, bits.release().ptr());
    }

    // Stands for the generator's function until there is one.
    static std::uint64_t first(void* self) {
        auto& made = *static_cast<DrawsObject*>(self);
        const Doing makes(made.doing, "Draws", "making of a generator");
        const nb::object maker = nb::borrow(made.owner);
        const nb::object generator = nb::steal(PyObject_CallNoArgs(maker.ptr()));
        if (!generator.is_valid()) throw nb::python_error();
        made.use(generator);
        return made.draws.next(made.draws.state);
    }
};

DrawsObject& draws_object(PyObject* self) { return *reinterpret_cast<DrawsObject*>(self); }

PyTypeObject* draws_type = nullptr;

PyObject* make_draws(PyTypeObject* type, PyObject* arguments, PyObject* keywords) {
    static const char* names[] = {"generator", nullptr};
    PyObject* generator = nullptr;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O", const_cast<char**>(names), &generator)) return nullptr;
    return guarded([&] {
        nb::object self = nb::steal(type->tp_alloc(type, 0));
        if (!self.is_valid()) throw nb::python_error();
        DrawsObject& made = draws_object(self.ptr());
        if (PyCallable_Check(generator)) {
            made.owner = Py_NewRef(generator);
            made.draws = {&made, DrawsObject::first};
        } else {
            made.use(generator);
        }
        return self.release().ptr();
    });
}

void end_draws(PyObject* self) { Py_XDECREF(draws_object(self).owner); }

PyObject* draws_below(PyObject* self, PyObject* given) {
    return guarded([&] {
        const std::uint64_t bound = PyLong_AsUnsignedLongLong(given);
        if (bound == std::numeric_limits<std::uint64_t>::max() && PyErr_Occurred()) throw nb::python_error();
        if (bound == 0) raise_field_error("bound", "is 0, must be at least 1");
        return PyLong_FromUnsignedLongLong(draws_object(self).draws.below(bound));
    });
}

PyMethodDef draws_methods[] = {
    method("below", draws_below, METH_O, 
           "below($self, bound, /)\n--\n\n"
           "One draw of the whole numbers below a bound, all equally likely.\n\n"
           "Parameters: `bound` 1 to 2^64 - 1. Raises FieldError for another one."),
    {},
};
PyType_Slot draws_slots[] = {
    {Py_tp_doc, const_cast<char*>("Random draws for selections.\n\n"
                                  "Parameters: `generator` a numpy Generator, or a function that makes one when it is "
                                  "first needed.")},
    {Py_tp_new, slot(make_draws)},
    {Py_tp_dealloc, slot(free_object<end_draws>)},
    {Py_tp_methods, draws_methods},
    {0, nullptr},
};
PyType_Spec draws_spec{"rsim._native.Draws", sizeof(DrawsObject), 0, Py_TPFLAGS_DEFAULT, draws_slots};

}  // namespace

handlespace::Draws* draws_of(nb::handle object) {
    return Py_IS_TYPE(object.ptr(), draws_type) ? &draws_object(object.ptr()).draws : nullptr;
}

nb::object object_of(handlespace::Draws& draws) {
    return nb::borrow(reinterpret_cast<PyObject*>(reinterpret_cast<char*>(&draws) - offsetof(DrawsObject, draws)));
}

bool is_stream(nb::handle object) { return Py_IS_TYPE(object.ptr(), stream_type); }
double draw_uniform(nb::handle stream) { return stream_of(stream.ptr()).draw(uniforms); }
double draw_exponential(nb::handle stream) { return stream_of(stream.ptr()).draw(exponentials); }

void bind_randomness(nb::module_& module) {
    stream_type = add_type(module, stream_spec);
    draws_type = add_type(module, draws_spec);
}

}  // namespace rsim
