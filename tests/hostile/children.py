"""Does something in a process of its own, which may not take long, and says how that ended.

The process is a fork of one that has loaded everything, so that thousands can be tried.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass

CPU_SECONDS = 10
WALL_SECONDS = 600
"""Only for what waits without working, such as for the other end of a FIFO."""
MEMORY = 8 << 30
LONGEST_LINE = 300
_CRASH = 250


@dataclass(frozen=True)
class Ended:
    """How a process has ended: its exit code, negative for a signal, and what it has written."""

    code: int
    out: str
    err: str

    @property
    def problem(self) -> str | None:
        """What no command may do, None if all is well."""
        if -self.code in (signal.SIGXCPU, signal.SIGKILL):
            return f"takes more than {CPU_SECONDS} s of a processor"
        if -self.code == signal.SIGALRM:
            return f"waits for more than {WALL_SECONDS} s"
        if self.code < 0:
            return f"ends by signal {-self.code}"
        if "Traceback" in self.err or self.code == _CRASH:
            return "a traceback: " + self.err.strip().rpartition("\n")[2]
        if self.code not in (0, 1, 2):
            return f"exit code {self.code}: {self.err[-300:]}"
        lines = self.err.splitlines()
        odd = [line for line in lines if not line.startswith("rsim: ") or not line.isprintable()]
        if odd:
            return f"a line that is not rsim's: {odd[0][:300]!r}"
        if any(len(line) > LONGEST_LINE for line in lines):
            return f"a line of {max(map(len, lines))} characters"
        told = [line for line in lines if not line.startswith("rsim: warning: ")]
        if self.code == 2 and len(told) != 1:
            return f"{len(told)} lines instead of one: {told[:2]}"
        return None

    @property
    def outcome(self) -> str:
        """`refused` or `accepted`."""
        return "refused" if self.code == 2 else "accepted"


def ended(action: Callable[[], int]) -> Ended:
    """How an action ends that gives an exit code, in a process of its own."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with warnings.catch_warnings():
            # Newer Pythons warn of threads, of which nothing is used here.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            _act(action, out.fileno(), err.fileno())
        _, status = os.waitpid(child, 0)
        for file in (out, err):
            file.seek(0)
        code = os.waitstatus_to_exitcode(status)
        return Ended(code, out.read().decode(errors="replace"), err.read().decode(errors="replace"))


def _act(action: Callable[[], int], out: int, err: int) -> None:
    code = _CRASH
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 2))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(WALL_SECONDS)
        # As an interpreter has it that nobody has told anything.
        warnings.resetwarnings()
        for ignored in (DeprecationWarning, PendingDeprecationWarning, ImportWarning):
            warnings.simplefilter("ignore", ignored)
        warnings.simplefilter("ignore", ResourceWarning)
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
        code = action()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def command(*arguments: object) -> Callable[[], int]:
    """The action of `rsim ARGUMENTS`."""

    def act() -> int:
        from rsim.cli.application import console
        from rsim.cli.start import start

        sys.argv = ["rsim", *map(str, arguments)]
        console.file = sys.stdout
        return start()

    return act
