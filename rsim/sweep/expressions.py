"""Arithmetic on settings: values that follow from others, without running code."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any
from warnings import catch_warnings, simplefilter

from rsim.errors import ScenarioError, shown
from rsim.suggestions import unknown
from rsim.units import seconds

_BINARY: dict[type[ast.operator], Callable[[float, float], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_LONGEST = 1000
"""Characters of an expression."""
_DEEPEST = 50
"""Operations within each other."""
_EXACT = 2**53
"""Whole numbers below are exact as floating-point numbers."""


def _rounded(value: float, digits: float = 0.0) -> float:
    if digits != int(digits) or abs(digits) > 300:
        raise ValueError("round: the number of digits is whole and at most 300")
    return float(round(value, int(digits)))


def _extreme(choose: Callable[[tuple[float, ...]], float]) -> Callable[..., float]:
    def extreme(*values: float) -> float:
        if not values:
            raise ValueError("min and max need values")
        return choose(values)

    return extreme


_FUNCTIONS: dict[str, Callable[..., float]] = {
    "min": _extreme(min),
    "max": _extreme(max),
    "round": _rounded,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "abs": abs,
}


def evaluate(expression: str, lookup: Callable[[str], Any]) -> float:
    """The value of an expression, as a whole number where it is one.

    It is worked out in floating-point numbers, so that nothing takes long or grows large.
    Parameters: `expression` of numbers, dotted paths of settings, + - * / // % **, and the
    functions min, max, round, sqrt, exp, log, abs; `lookup` gives the setting at a path. Raises
    ScenarioError for anything else.
    """
    if len(expression) > _LONGEST:
        raise ScenarioError(f"expression of {len(expression)} characters: at most {_LONGEST}")
    where = f"expression {shown(expression)}"
    try:
        with catch_warnings():
            # Python warns of numbers that run into names.
            simplefilter("ignore")
            tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        raise ScenarioError(f"{where}: can't be read") from None
    try:
        value = _value(tree.body, lookup, _DEEPEST)
    except ScenarioError:
        raise
    except OverflowError:
        raise ScenarioError(f"{where}: a value is too large") from None
    except (ArithmeticError, TypeError, ValueError) as error:
        raise ScenarioError(f"{where}: {error}") from None
    if not math.isfinite(value):
        raise ScenarioError(f"{where}: has no finite value")
    return int(value) if value.is_integer() and abs(value) <= _EXACT else value


def _value(node: ast.expr, lookup: Callable[[str], Any], levels: int) -> float:
    if levels == 0:
        raise ValueError(f"operations are nested more than {_DEEPEST} deep")
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        left, right = _value(node.left, lookup, levels - 1), _value(node.right, lookup, levels - 1)
        result = _BINARY[type(node.op)](left, right)
        if isinstance(result, complex):
            raise ValueError(f"{left:g} ** {right:g} is not a real number")
        return float(result)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _value(node.operand, lookup, levels - 1)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        function = _FUNCTIONS.get(node.func.id)
        if function is None:
            raise ValueError(unknown("function", node.func.id, _FUNCTIONS))
        return function(*(_value(argument, lookup, levels - 1) for argument in node.args))
    path = _path(node)
    if path is None:
        raise ValueError(f"only numbers, paths, + - * / // % ** and {', '.join(_FUNCTIONS)} serve")
    try:
        found = seconds(lookup(path))
    except ScenarioError:
        raise
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ValueError(f"{path}: is {shown(found)}, must be a number")
    return float(found)


def _path(node: ast.expr) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])
