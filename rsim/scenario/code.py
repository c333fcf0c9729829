"""Python files that a scenario names: your own attackers, policies, workloads and services.

They run with all rights of the user. So a file runs only if the reader of the scenario allows it.
From then on it is identified by the digest of its content, and a scenario accepts no other content.
Other processes get the digests, and run a file only if its digest is unchanged.
"""

from __future__ import annotations

import linecache
import sys
import traceback
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Any

from rsim.errors import ScenarioError, shown
from rsim.reading import read_regular
from rsim.registrations import CODE_MODULE

_LARGEST_FILE = 1 << 20
"""Bytes."""

_admitted: set[str] = set()
"""Digests of what has run in this process."""


def is_admitted(digest: str) -> bool:
    """Whether the file with this digest has been allowed to run in this process, and has run.

    Parameters: `digest` of the file's content.
    """
    return digest in _admitted


def admit(table: dict[str, Any], source: str | Path, allowed: bool) -> dict[str, Any]:
    """A scenario's table whose `code` is a list of files with their digests, once they have run.

    Parameters: `table` as it is just before it becomes a scenario; `source` its file, which `code`
    is relative to; `allowed` whether Python files may run. Raises ScenarioError where they may not,
    where one has changed since its digest was taken, and where one can't be run.
    """
    if "code" not in table:
        return table
    files = [_named(entry, source) for entry in _entries(table["code"])]
    if not files:
        return {key: value for key, value in table.items() if key != "code"}
    if not allowed:
        raise ScenarioError(
            f"{source}: code: names Python files ({', '.join(file for file, _ in files)}), which "
            "run only with --allow-code (allow_code=True in Python)"
        )
    # Absolute, so that it is the same file wherever the scenario is read again.
    base = Path(source).absolute().parent
    code = [
        {"file": file, "digest": run_code(file, digest)}
        for file, digest in ((str(base / name), digest) for name, digest in files)
    ]
    return {**table, "code": code}


def _entries(code: Any) -> list[Any]:
    return list(code) if isinstance(code, (list, tuple)) else [code]


def _named(entry: Any, source: str | Path) -> tuple[str, str | None]:
    """Name and digest, None if none is given, of a file in `code`."""
    if isinstance(entry, str) and entry:
        return entry, None
    if isinstance(entry, dict) and {"file"} <= entry.keys() <= {"file", "digest"}:
        file, digest = entry["file"], entry.get("digest")
        if isinstance(file, str) and file and isinstance(digest, str | None):
            return file, digest
    raise ScenarioError(
        f"{source}: code: {shown(entry)} does not name a file; must be the name of a Python file, "
        "or a list of names"
    )


def run_code(file: str, digest: str | None) -> str:
    """Runs a Python file once for each content that it has had; gives the content's digest.

    Parameters: `file` its path; `digest` what its content must have, None if any will do. Raises
    ScenarioError if it has another, and with the line where the file fails.
    """
    try:
        content = read_regular(file, _LARGEST_FILE)
    except ValueError as error:
        raise ScenarioError(f"code: {file}: {error}") from None
    found = blake2b(content, digest_size=10).hexdigest()
    if digest is not None and found != digest:
        raise ScenarioError(
            f"code: {file}: is not what was allowed to run (digest {shown(digest)}, now {found})"
        )
    if found not in _admitted:
        _execute(file, content, CODE_MODULE + found)
        _admitted.add(found)
    return found


def _execute(file: str, content: bytes, name: str) -> None:
    """Runs the very bytes that have the digest: no byte code that lies beside the file."""
    if not file.endswith(".py"):
        raise ScenarioError(f"code: {file}: is not a Python file (.py)")
    module = ModuleType(name)
    module.__file__ = file
    # Classes are looked up by the name of their module.
    sys.modules[name] = module
    linecache.checkcache(file)
    try:
        exec(compile(content, file, "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == file
        ]
        line = getattr(error, "lineno", None) or (lines[-1] if lines else "?")
        raise ScenarioError(f"code: {file}, line {line}: {type(error).__name__}: {error}") from None
    except BaseException:
        del sys.modules[name]
        raise
