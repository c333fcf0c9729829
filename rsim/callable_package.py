"""Packages that can be called as their main function: `rsim.sweep(...)`, `rsim.scenario(...)`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any


def make_callable(package: str, function: Callable[..., Any]) -> None:
    """Has a package serve as one of its functions, too; it stays the package that it is.

    Parameters: `package` its full name; `function` is what a call of the package calls.
    """

    class CallablePackage(ModuleType):
        """A package that can be called."""

        __wrapped__ = staticmethod(function)

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        @property
        def __signature__(self) -> inspect.Signature:
            return inspect.signature(function)

        def __reduce__(self) -> tuple[Callable[[str], ModuleType], tuple[str]]:
            # Pickled and copied by name, as functions are.
            return import_module, (package,)

    sys.modules[package].__class__ = CallablePackage
