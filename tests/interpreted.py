"""Calls a function in a process where all of rsim runs from source, so that it can be watched.

Where modules are compiled, attributes of their objects are no attributes of Python's any more:
nobody can put something else in the place of a method or of a class.
"""

from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class SourceFirst(MetaPathFinder):
    """Finds the source of each module of rsim, whatever is beside it."""

    def __init__(self):
        self._root = Path(importlib.util.find_spec("rsim").origin).parent

    def find_spec(self, name, path, target=None):
        first, *rest = name.split(".")
        base = self._root.joinpath(*rest)
        if first != "rsim":
            return None
        if (base / "__init__.py").exists():
            file, inside = base / "__init__.py", [str(base)]
        elif base.with_suffix(".py").exists():
            file, inside = base.with_suffix(".py"), None
        else:
            return None
        return importlib.util.spec_from_file_location(name, file, submodule_search_locations=inside)


def call(function, *arguments):
    """What a function of a module gives there; it and all that it takes and gives is pickled."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.interpreted"],
        input=pickle.dumps((function, arguments)),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        check=True,
    )
    return pickle.loads(done.stdout)


def main():
    sys.meta_path.insert(0, SourceFirst())
    function, arguments = pickle.load(sys.stdin.buffer)
    result = function(*arguments)
    compiled = [
        name
        for name, module in sys.modules.items()
        if name.startswith("rsim.")
        and name != "rsim._native"
        and not str(getattr(module, "__file__", ".py")).endswith(".py")
    ]
    assert not compiled, compiled
    sys.stdout.buffer.write(pickle.dumps(result))


if __name__ == "__main__":
    main()
