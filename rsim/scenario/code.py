"""Python files that a scenario names: attackers, policies, workloads, services of one's own.

They run with all rights of the user, so reading a scenario runs them only if that is asked for.
"""

from __future__ import annotations

import sys
import traceback
from hashlib import blake2b
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from rsim.errors import ScenarioError


def digest_of(file: str | Path) -> str:
    """Digest of a file's content. Raises ScenarioError if it can't be read."""
    try:
        return blake2b(Path(file).read_bytes(), digest_size=10).hexdigest()
    except OSError as error:
        raise ScenarioError(f"code: {file}: can't be read: {error.strerror}") from None


def run_code(file: str | Path) -> str:
    """Runs a Python file once for each content that it has had; gives the content's digest.

    Raises ScenarioError with the line where it fails.
    """
    digest = digest_of(file)
    name = f"rsim_code_{digest}"
    if name in sys.modules:
        return digest
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ScenarioError(f"code: {file}: is no Python file (.py)")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == str(file)
        ]
        line = getattr(error, "lineno", None) or (lines[-1] if lines else "?")
        raise ScenarioError(f"code: {file}, line {line}: {type(error).__name__}: {error}") from None
    return digest


def admit_code(table: dict[str, Any], source: str | Path, allowed: bool) -> None:
    """Runs what a scenario's table names under `code`, relative to its file, if that is allowed.

    Raises ScenarioError where it is not.
    """
    named = table.get("code")
    if not named:
        return
    files = [named] if isinstance(named, str) else list(named)
    if not allowed:
        raise ScenarioError(
            f"{source}: code: names Python files ({', '.join(map(str, files))}), which run only "
            "with --allow-code (allow_code=True in Python)"
        )
    base = Path(source).parent
    table["code"] = [
        {"file": str(base / str(file)), "digest": run_code(base / str(file))} for file in files
    ]
