"""Notebooks, pages and tests import what is public, and tests of a room what is in the room.

Public are the names in `__all__` of rsim and of its rooms' packages, and the modules beside them.
"""

import ast
import importlib
import re
from pathlib import Path

import pytest

import rsim

ROOT = Path(__file__).parents[1]
PACKAGE = Path(rsim.__file__).parent
ROOMS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
MODULES = {path.stem for path in PACKAGE.glob("[a-z]*.py")}
HIDDEN = {"callable_package", "explanation"}
"""Modules beside the rooms that only serve other ones."""
EVERYWHERE = ("hostile", "native")
"""Tests that look behind what is public on purpose: the native module, commands in a process."""
TESTS = [
    path
    for path in sorted((ROOT / "tests").rglob("*.py"))
    if path.relative_to(ROOT / "tests").parts[0] not in EVERYWHERE
]


def imports(source):
    """Module and name, None for the module itself, of each import of rsim."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "rsim":
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((a.name, None) for a in node.names if a.name.partition(".")[0] == "rsim")


def is_public(module, name):
    _, *parts = module.split(".")
    if not parts:
        return name is None or name in {*rsim.__all__, *ROOMS, *(MODULES - HIDDEN)}
    if parts[0] in ROOMS and len(parts) == 1:
        return name is None or name in importlib.import_module(module).__all__
    public = len(parts) == 1 and parts[0] in MODULES - HIDDEN
    return public and not (name or "").startswith("_")


def private(source, room=None):
    """What a source imports that is not public, but for what is in a room."""
    return [
        f"{module}: {name}"
        for module, name in imports(source)
        if not is_public(module, name) and module.split(".")[1:2] != [room]
    ]


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda p: p.stem)
def test_notebooks_import_what_is_public(path):
    assert private(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "path", [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"], ids=lambda p: p.stem
)
def test_pages_import_what_is_public(path):
    for block in re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
        assert private(block) == []


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT / "tests")))
def test_tests_import_what_is_public_or_in_their_room(path):
    parts = path.relative_to(ROOT / "tests").parts
    room = parts[0] if len(parts) > 1 else None
    assert private(path.read_text(encoding="utf-8"), room) == []


@pytest.mark.parametrize(
    "source",
    [
        "from rsim.scenario.files import validate",
        "import rsim.sweep.executors",
        "from rsim import explanation",
        "from rsim._native import EventQueue",
        "from rsim.scenario import absent",
        "from rsim.errors import _values",
        "def f():\n    from rsim.results.lock import LOCK",
    ],
)
def test_what_is_not_public_is_found(source):
    assert private(source) != []


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_has_all_that_it_names(room):
    package = importlib.import_module(f"rsim.{room}")
    assert all(hasattr(package, name) for name in package.__all__)
