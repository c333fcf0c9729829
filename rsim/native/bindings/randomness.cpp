// Random streams: what one actor draws, from a generator of numpy's and in blocks.
//
// A type of Python's own making, as every actor has some: it is in no table of instances, and a draw touches the
// stream and one number, where a list of floats is five places in memory.
#include "common.hpp"

#include <array>
#include <cstring>
#include <utility>

namespace rsim {
namespace {

constexpr std::size_t block_size = 16;

// Numbers that were drawn ahead, in the order in which they are given out.
using Block = std::array<double, block_size>;

enum Kind { exponentials, uniforms };
constexpr const char* methods[] = {"standard_exponential", "random"};

struct Stream {
    PyObject_HEAD
    PyObject* source;  // the generator; before the first draw what makes it
    bool made;
    std::uint8_t left[2];
    Block* blocks[2];  // null before the first draw of that kind

    nb::handle generator() {
        if (!made) {
            PyObject* found = PyObject_CallNoArgs(source);
            if (!found) throw nb::python_error();
            made = true;
            Py_SETREF(source, found);
        }
        return source;
    }

    double draw(Kind kind) {
        if (left[kind] == 0) fill(kind);
        return (*blocks[kind])[block_size - left[kind]--];
    }

    void fill(Kind kind) {
        const nb::object drawn = generator().attr(methods[kind])(block_size);
        Py_buffer buffer;
        if (PyObject_GetBuffer(drawn.ptr(), &buffer, PyBUF_SIMPLE)) throw nb::python_error();
        const bool right = buffer.len == sizeof(Block);
        if (right) {
            if (!blocks[kind]) blocks[kind] = static_cast<Block*>(PyMem_Malloc(sizeof(Block)));
            if (blocks[kind]) std::memcpy(blocks[kind], buffer.buf, sizeof(Block));
        }
        PyBuffer_Release(&buffer);
        if (!right) throw std::length_error("a generator must draw as many numbers as it is asked for");
        if (!blocks[kind]) throw std::bad_alloc();
        left[kind] = block_size;
    }
};

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

void free_stream(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    for (Block* block : stream_of(self).blocks) PyMem_Free(block);
    Py_XDECREF(stream_of(self).source);
    type->tp_free(self);
    Py_DECREF(type);
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
    method("exponential", stream_draw<exponentials>, METH_NOARGS, "One draw of the exponential distribution with mean 1."),
    method("uniform", stream_draw<uniforms>, METH_NOARGS, "One draw of the uniform distribution on [0, 1)."),
    method("identifier", stream_identifier, METH_NOARGS, "One draw of a 32-bit identifier, never 0."),
    {},
};
PyGetSetDef stream_properties[] = {
    {"generator", stream_generator, nullptr, "The generator itself, for draws of other kinds.", nullptr},
    {},
};
PyType_Slot stream_slots[] = {
    {Py_tp_doc, const_cast<char*>("Draws of one actor for one purpose, from a generator of its own.\n\n"
                                  "Draws come in blocks; the sequence is that of single draws. Parameters: `make` "
                                  "makes the generator when it is first needed, since many actors never draw.")},
    {Py_tp_new, reinterpret_cast<void*>(make_stream)},
    {Py_tp_dealloc, reinterpret_cast<void*>(free_stream)},
    {Py_tp_methods, stream_methods},
    {Py_tp_getset, stream_properties},
    {0, nullptr},
};
PyType_Spec stream_spec{"rsim._native.Stream", sizeof(Stream), 0, Py_TPFLAGS_DEFAULT, stream_slots};

}  // namespace

void bind_randomness(nb::module_& module) { add_type(module, stream_spec); }

}  // namespace rsim
