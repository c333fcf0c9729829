"""Finds loops over sets: their order may change with the process, and with it what a run does.

Python mixes a seed into the hashes of text and bytes that differs in each process. So whatever goes
through a set in order (a loop, a comprehension, list(), pop(), unpacking) has to sort it first, or
to keep what it needs in a dict or a tuple instead. Where the order can't matter (sorted, len, in, a
set made of a set), nothing is said.

Run as `python tools/lint_sets.py FOLDER...`; exits with 1 if it finds any.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

SETS = {"set", "frozenset", "Set", "AbstractSet", "MutableSet", "FrozenSet"}
MAKERS = {"set", "frozenset"}
KEEPERS = {
    "union",
    "intersection",
    "difference",
    "symmetric_difference",
    "copy",
}
"""Methods of sets that give sets."""
ORDERLESS = {"sorted", "set", "frozenset", "len", "min", "max"}
"""What takes a set, or a generator over one, whatever its order."""
IN_ORDER = {"list", "tuple", "iter", "enumerate", "zip", "map", "filter", "any", "all", "sum"}
IN_ORDER |= {"reversed", "dict", "deque", "array", "fromkeys", "join", "extend", "chain", "reduce"}


def says_set(annotation: ast.expr | None) -> bool:
    """Whether an annotation is that of a set, or of one or None."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    if isinstance(annotation, ast.Subscript):
        return says_set(annotation.value)
    if isinstance(annotation, ast.BinOp):
        return says_set(annotation.left) or says_set(annotation.right)
    return name_of(annotation) in SETS


def name_of(node: ast.AST | None) -> str:
    """The last part of a name."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def attributes_of(owner: ast.ClassDef) -> dict[str, bool]:
    """Attributes that a class annotates, and whether they are sets."""
    found: dict[str, bool] = {}
    for node in ast.walk(owner):
        if isinstance(node, ast.AnnAssign) and node in owner.body:
            found[name_of(node.target)] = says_set(node.annotation)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Attribute):
            found[node.target.attr] = says_set(node.annotation)
        elif isinstance(node, ast.FunctionDef) and any(
            name_of(one) in ("property", "cached_property") for one in node.decorator_list
        ):
            found[node.name] = says_set(node.returns)
    return found


class Known:
    """Names of attributes and functions of a package that are, or give, sets.

    An attribute counts where everybody who has one of that name has a set.
    """

    def __init__(self, trees: list[ast.Module]) -> None:
        self.functions: set[str] = set()
        sets: set[str] = set()
        others: set[str] = set()
        for tree in trees:
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef) and says_set(node.returns):
                    self.functions.add(node.name)
                elif isinstance(node, ast.ClassDef):
                    for name, is_set in attributes_of(node).items():
                        (sets if is_set else others).add(name)
        self.attributes = sets - others


class Loops(ast.NodeVisitor):
    """Loops over sets in one function or module."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.names: list[dict[str, bool]] = [{}]
        self.own: dict[str, bool] = {}
        self.found: list[ast.AST] = []
        self.orderless: set[int] = set()

    def is_set(self, node: ast.AST) -> bool:
        """Whether an expression is a set, as far as it can be seen."""
        if isinstance(node, ast.Set | ast.SetComp):
            return True
        if isinstance(node, ast.Name):
            return next((s[node.id] for s in reversed(self.names) if node.id in s), False)
        if isinstance(node, ast.Attribute):
            own = name_of(node.value) == "self" and node.attr in self.own
            return self.own[node.attr] if own else node.attr in self.known.attributes
        if isinstance(node, ast.BinOp) and isinstance(
            node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor
        ):
            return any(map(self.is_set_or_keys, (node.left, node.right)))
        if isinstance(node, ast.IfExp):
            return self.is_set(node.body) or self.is_set(node.orelse)
        if isinstance(node, ast.BoolOp):
            return any(map(self.is_set, node.values))
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr in KEEPERS:
                return self.is_set(node.func.value)
            return name_of(node.func) in MAKERS | self.known.functions
        return False

    def is_set_or_keys(self, node: ast.AST) -> bool:
        """Whether an operand makes a set of a difference or an intersection."""
        keys = isinstance(node, ast.Call) and name_of(node.func) in ("keys", "items")
        return keys or self.is_set(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        before, self.own = self.own, attributes_of(node)
        self.generic_visit(node)
        self.own = before

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        scope: dict[str, bool] = {}
        arguments = node.args
        for one in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            scope[one.arg] = says_set(one.annotation)
        for inner in ast.walk(node):
            if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
                scope[inner.target.id] = says_set(inner.annotation)
        self.names.append(scope)
        self.generic_visit(node)
        self.names.pop()

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.names[-1][target.id] = self.is_set(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name):
            self.names[-1][node.target.id] = says_set(node.annotation)

    def loop(self, iterated: ast.expr) -> None:
        """Notes a loop if it goes over a set."""
        if self.is_set(iterated):
            self.found.append(iterated)

    def visit_For(self, node: ast.For) -> None:
        self.loop(node.iter)
        self.generic_visit(node)

    def visit_Starred(self, node: ast.Starred) -> None:
        self.loop(node.value)
        self.generic_visit(node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> None:
        self.loop(node.value)
        self.generic_visit(node)

    def visit_Set(self, node: ast.Set) -> None:
        for element in node.elts:
            inner = element.value if isinstance(element, ast.Starred) else element
            self.visit(inner)

    def visit_Call(self, node: ast.Call) -> None:
        called = name_of(node.func)
        if called in ORDERLESS and not any(word.arg == "key" for word in node.keywords):
            self.orderless.update(id(argument) for argument in node.args)
        elif called in IN_ORDER | {"min", "max"}:
            for argument in node.args:
                self.loop(argument)
        if called == "pop" and not node.args and isinstance(node.func, ast.Attribute):
            self.loop(node.func.value)
        self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> None:
        # Of a comprehension, unless what takes it has no order.
        ordered = isinstance(node, ast.ListComp | ast.GeneratorExp | ast.DictComp)
        if ordered and id(node) not in self.orderless:
            for generator in node.generators:
                self.loop(generator.iter)
        super().generic_visit(node)


def loops(sources: dict[Path, str]) -> Iterator[str]:
    """The loops over sets in the files of a package, stubs included, a line each."""
    trees = {path: ast.parse(text) for path, text in sources.items()}
    known = Known(list(trees.values()))
    for path, tree in trees.items():
        visitor = Loops(known)
        visitor.visit(tree)
        for node in visitor.found:
            yield f"{path}:{node.lineno}: goes through a set in order: {ast.unparse(node)}"


def main() -> None:
    """Prints what it finds."""
    files = sorted(file for folder in sys.argv[1:] for file in Path(folder).rglob("*.py*"))
    files = [file for file in files if file.suffix in (".py", ".pyi")]
    found = list(loops({file: file.read_text(encoding="utf-8") for file in files}))
    print("\n".join(found) if found else f"no loop over a set in {len(files)} files")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
