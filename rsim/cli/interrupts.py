"""Interrupts (Ctrl-C) while a command works that has to tidy up when it is stopped.

Elsewhere an interrupt ends the process at once (`rsim.cli`): there is nothing to lose, and code
that is called back from C may swallow an exception.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

INTERRUPTED = 130
"""Exit code, as shells have it."""

_pending = False


def _interrupt(number: int, frame: object) -> None:
    global _pending
    if _pending:
        # Whoever asks twice does not want to wait for anything.
        os._exit(INTERRUPTED)
    _pending = True
    raise KeyboardInterrupt


def _unraisable(problem: Any) -> None:
    if not isinstance(problem.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(problem)


@contextmanager
def heeded() -> Iterator[None]:
    """An interrupt becomes KeyboardInterrupt, for the time of a `with`.

    One that is ignored, as nohup has it, stays so. `check` raises one again that was swallowed.
    """
    global _pending
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        yield
        return
    _pending = False
    sys.unraisablehook = _unraisable
    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def check() -> None:
    """Raises KeyboardInterrupt if there was an interrupt that nobody has heeded."""
    if _pending:
        raise KeyboardInterrupt
