"""Everything public of the native module says what it is, in the stub and at run time."""

import ast
import enum
import inspect
from pathlib import Path

import pytest

import rsim
from rsim import _native

STUB = ast.parse((Path(rsim.__file__).parent / "_native.pyi").read_text(encoding="utf-8"))


def is_public(name):
    return not name.startswith("_")


def functions(body):
    return [node for node in body if isinstance(node, ast.FunctionDef)]


CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}


def is_setter(decorator):
    return isinstance(decorator, ast.Attribute) and decorator.attr == "setter"


METHODS = {
    f"{name}.{node.name}": node
    for name, cls in CLASSES.items()
    for node in functions(cls.body)
    # What sets a property is documented where it is read.
    if is_public(node.name) and not any(map(is_setter, node.decorator_list))
}
FUNCTIONS = {node.name: node for node in functions(STUB.body)}


def parameters(function):
    names = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    names += [a for a in (function.args.vararg, function.args.kwarg) if a is not None]
    return [name.arg for name in names if name.arg != "self"]


def not_named(function, doc):
    return [name for name in parameters(function) if f"`{name}`" not in doc]


def test_the_stub_has_all_that_the_module_has():
    here = {name for name, value in vars(_native).items() if is_public(name) and callable(value)}
    classes = {name for name in here if inspect.isclass(getattr(_native, name))}
    unions = {"Message", "AsapMessage", "EnrpMessage"}
    assert set(CLASSES) == classes
    assert set(FUNCTIONS) == here - classes - unions
    for name, cls in CLASSES.items():
        members = {k for k, v in vars(getattr(_native, name)).items() if is_public(k)}
        stated = {node.name for node in functions(cls.body)}
        stated |= {n.target.id for n in cls.body if isinstance(n, ast.AnnAssign)}
        stated |= {n.targets[0].id for n in cls.body if isinstance(n, ast.Assign)}
        # A sequence has these from Sequence.
        assert members - stated <= {"index", "count"}, name


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_names_each_parameter_of_its_constructor(name):
    doc = ast.get_docstring(CLASSES[name])
    assert doc
    assert inspect.cleandoc(getattr(_native, name).__doc__) == doc
    for constructor in functions(CLASSES[name].body):
        if constructor.name == "__init__":
            assert not_named(constructor, doc) == []


@pytest.mark.parametrize("name", METHODS)
def test_a_method_or_property_says_what_it_is_and_names_each_parameter(name):
    doc = ast.get_docstring(METHODS[name])
    assert doc
    owner, member = name.split(".")
    at_run_time = getattr(getattr(_native, owner), member)
    assert isinstance(at_run_time, enum.Enum) or doc in inspect.cleandoc(at_run_time.__doc__)
    assert not_named(METHODS[name], doc) == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_says_what_it_is_and_names_each_parameter(name):
    doc = ast.get_docstring(FUNCTIONS[name])
    assert doc
    assert doc in inspect.cleandoc(getattr(_native, name).__doc__)
    assert not_named(FUNCTIONS[name], doc) == []
