"""Which tests are marked with which requirement, read from their source."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
_THREATS = "test_the_attack_works_and_the_mitigation_helps"
"""The test whose cases have the marks that `REQUIREMENTS` of their module gives them."""


def _rows(decorator: ast.expr) -> list[str]:
    """Rows that a decorator names, as `requirement("ASAP-001")` does."""
    if not isinstance(decorator, ast.Call):
        return []
    function = ast.unparse(decorator.func)
    if function not in ("requirement", "pytest.mark.conformance"):
        return []
    return [one.value for one in decorator.args if isinstance(one, ast.Constant)]


def _marked(file: str, body: list[ast.stmt], prefix: str = "") -> list[tuple[str, str, int]]:
    """Row, test and line of each mark."""
    found: list[tuple[str, str, int]] = []
    for node in body:
        if isinstance(node, ast.ClassDef):
            found += _marked(file, node.body, f"{node.name}::")
        elif isinstance(node, ast.FunctionDef):
            test = f"{file}::{prefix}{node.name}"
            for decorator in node.decorator_list:
                found += [(row, test, node.lineno) for row in _rows(decorator)]
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "REQUIREMENTS":
            for case, rows in ast.literal_eval(node.value).items():
                line = node.lineno
                found += [(row, f"{file}::{_THREATS}[{case}]", line) for row in rows]
    return found


def marks() -> dict[str, dict[str, int]]:
    """Lines by test, by row: `tests/folder/file.py::test` and where it begins."""
    rows: dict[str, dict[str, int]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "requirement" not in text and "conformance" not in text:
            continue
        file = path.relative_to(ROOT).as_posix()
        for row, test, line in _marked(file, ast.parse(text).body):
            rows.setdefault(row, {})[test] = line
    return rows
