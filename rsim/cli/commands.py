"""All commands; whoever imports this has them.

Each file of this folder that registers commands is found: a new one needs no entry anywhere.
"""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from rsim.cli.application import app

__all__ = ["app"]

_OTHERS = {"__main__", "commands", "start"}
"""Files that begin the program; they come before all commands."""

for _module in iter_modules([str(Path(__file__).parent)]):
    if _module.name not in _OTHERS:
        import_module(f"rsim.cli.{_module.name}")
