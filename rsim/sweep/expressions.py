"""Arithmetic on settings: values that follow from others, without running code."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any, cast

from rsim.errors import ScenarioError
from rsim.units import seconds

_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "min": min,
    "max": max,
    "round": round,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "abs": abs,
}
_LONGEST = 1000
_LARGEST_POWER = 1000


def evaluate(expression: str, lookup: Callable[[str], Any]) -> float:
    """The value of an expression.

    Parameters: `expression` of numbers, dotted paths of settings, + - * / // % **, and the
    functions min, max, round, sqrt, exp, log, abs; `lookup` gives the setting at a path. Raises
    ScenarioError for anything else.
    """
    if len(expression) > _LONGEST:
        raise ScenarioError(f"expression of {len(expression)} characters: at most {_LONGEST}")
    try:
        tree = ast.parse(expression.strip(), mode="eval")
        value = _value(tree.body, lookup)
    except (SyntaxError, RecursionError):
        raise ScenarioError(f"expression '{expression}': can't be read") from None
    except (ArithmeticError, TypeError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        raise ScenarioError(f"expression '{expression}': {error}") from None
    if isinstance(value, complex) or not math.isfinite(value):
        raise ScenarioError(f"expression '{expression}': has no finite value")
    return value


def _value(node: ast.expr, lookup: Callable[[str], Any]) -> float:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return cast(float, node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        left, right = _value(node.left, lookup), _value(node.right, lookup)
        if isinstance(node.op, ast.Pow) and abs(right) > _LARGEST_POWER:
            raise ScenarioError(f"a power of {right:g} is too large")
        return _BINARY[type(node.op)](left, right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _value(node.operand, lookup)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        function = _FUNCTIONS.get(node.func.id)
        if function is None:
            known = ", ".join(_FUNCTIONS)
            raise ScenarioError(f"'{node.func.id}' is no function here; they are {known}")
        return function(*(_value(argument, lookup) for argument in node.args))
    path = _path(node)
    if path is None:
        raise ScenarioError(f"'{ast.unparse(node)}' has no place in an expression")
    found = seconds(lookup(path))
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ScenarioError(f"{path}: is {found!r}, no number")
    return found


def _path(node: ast.expr) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])
