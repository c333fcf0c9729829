"""The command line: thin over the public functions, a file for each kind of command."""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rsim.cli.commands import app

__all__ = ["app", "main"]


def main() -> None:
    """Entry point. Errors are one line each; `rsim.cli.start` has the exit codes."""
    # There is nothing to lose before a command works, so an interrupt may end the process at once.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    try:
        from rsim.cli.start import start
    except (ImportError, MemoryError) as error:
        print(f"rsim: can't be loaded: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(1)
    sys.exit(start())


def _leave(number: int, frame: object) -> None:
    os.write(2, b"rsim: interrupted\n")
    os._exit(128 + number)


def __getattr__(name: str) -> Any:
    if name == "app":
        from rsim.cli.commands import app

        return app
    raise AttributeError(f"module 'rsim.cli' has no attribute '{name}'")
