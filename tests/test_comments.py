"""What docstrings and comments name exists, and parameters are described."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "rsim").rglob("*.py"))
NATIVE = sorted(
    path
    for path in (ROOT / "rsim" / "native").rglob("*")
    if path.suffix in (".cpp", ".hpp", ".pat")
)
QUOTED = re.compile(r"`([A-Za-z_][\w.]*)`")
WORD = re.compile(r"[A-Za-z_]\w*")
FOREIGN = {"tshark", "numpy", "rspsim", "gcd", "inf", "nan"}
"""Names of others that docstrings quote."""


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def docstrings(path):
    """The nodes of all docstrings of a file, those under fields included."""
    return [
        node.value
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]


@cache
def known():
    """All names that occur in code: of anything but docstrings and comments."""
    names = set(FOREIGN)
    for path in FILES:
        names |= {path.stem, path.parent.name}
        quoted = {id(node) for node in docstrings(path)}
        for node in ast.walk(tree(path)):
            for field in ("id", "attr", "name", "arg", "module", "asname"):
                value = getattr(node, field, None)
                if isinstance(value, str):
                    names.update(value.split("."))
            if isinstance(node, ast.Constant) and id(node) not in quoted:
                names.update(WORD.findall(str(node.value)))
    for path in NATIVE:
        code = re.sub(r"//.*|/\*.*?\*/", "", path.read_text(encoding="utf-8"))
        names.update(WORD.findall(code))
        names.add(path.stem)
    return names | {name.lower() for name in names if name.isupper()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_in_backticks_exist(path):
    texts = [node.value for node in docstrings(path)]
    texts += re.findall(r"#(.*)", path.read_text(encoding="utf-8"))
    missing = {
        name
        for text in texts
        for name in QUOTED.findall(text)
        if not set(name.strip(".").removesuffix(".py").split(".")) <= known()
    }
    assert not missing


def test_a_name_that_does_not_exist_would_be_found():
    assert {"Host", "peers", "Handlespace"} <= known()
    assert not {"tap_path", "HELLO_EXCHANGE", "no_such_name"} & known()


def parameters(function):
    """Names of the parameters of a function, without self and private ones."""
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    names += [one.arg for one in (given.vararg, given.kwarg) if one is not None]
    return [name for name in names if name not in ("self", "cls") and not name.startswith("_")]


def is_repeated(function):
    """Whether the description is that of what it overrides, gives or sets."""
    marks = [ast.unparse(mark) for mark in function.decorator_list]
    return any(mark in ("override", "property", "overload") or ".setter" in mark for mark in marks)


@cache
def of_interfaces():
    """Methods that an interface describes: those that implement them need not do so again."""
    names = set()
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef) and says_what_others_do(node):
                names |= {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
    return names - {"__init__"}


def says_what_others_do(node):
    """Whether a class has methods for others to implement."""
    abstract = "abstractmethod" in ast.unparse(node)
    return abstract or is_interface(node) or node.name == "StoreListener"


def is_interface(node):
    """Whether a class says what others implement."""
    bases = {ast.unparse(base).split(".")[-1].split("[")[0] for base in node.bases}
    return bool(bases & {"Protocol", "ABC"})


def is_option(function):
    """Whether Typer tells the parameters of a command, from their help."""
    return any("app.command" in ast.unparse(mark) for mark in function.decorator_list)


def is_record(node):
    """Whether a class takes its fields as parameters."""
    marks = [ast.unparse(mark) for mark in node.decorator_list]
    bases = [ast.unparse(base).split(".")[-1] for base in node.bases]
    return any("dataclass" in mark for mark in marks) or "NamedTuple" in bases


def undescribed(body, place="", described_above=frozenset()):
    """Public functions, methods and classes, with the parameters that their docstring omits."""
    for node in body:
        name = getattr(node, "name", "_")
        if name.startswith("_"):
            continue
        text = ast.get_docstring(node) or ""
        wanted = []
        if isinstance(node, ast.FunctionDef):
            if not (is_repeated(node) or is_option(node) or name in described_above):
                wanted = parameters(node)
        elif isinstance(node, ast.ClassDef):
            above = frozenset() if is_interface(node) else of_interfaces()
            yield from undescribed(node.body, f"{place}{name}.", above)
            makers = [one for one in node.body if getattr(one, "name", "") == "__init__"]
            wanted = [given for maker in makers for given in parameters(maker)]
            if is_record(node):
                for field, after in zip(node.body, [*node.body[1:], None], strict=True):
                    described = isinstance(after, ast.Expr)
                    if isinstance(field, ast.AnnAssign) and not described:
                        wanted.append(field.target.id)
            wanted = [one for one in wanted if not one.startswith("_")]
        omitted = [one for one in wanted if not re.search(rf"`\**{one}`", text)]
        if omitted:
            yield f"{place}{name}: {', '.join(omitted)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_parameter_of_what_is_public_is_described(path):
    assert not list(undescribed(tree(path).body))
