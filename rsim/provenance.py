"""Which rsim made a result: its version and a fingerprint of its code."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path


@cache
def code_version() -> str:
    """Version and fingerprint, such as `0.1.0+3f2a9c01`; it changes with any line of code."""
    root = Path(__file__).parent
    native = find_spec("rsim._native")
    assert native is not None and native.origin is not None
    files = [*sorted(root.rglob("*.py")), Path(native.origin)]
    state = blake2b(digest_size=4)
    for file in files:
        state.update(file.name.encode() + b"\0" + file.read_bytes())
    return f"{version('rsim')}+{state.hexdigest()}"
