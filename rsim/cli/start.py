"""Runs the command line, and makes one line of whatever goes wrong.

Exit codes: 0 all is well; 1 runs have failed or results differ, as the command says, or nobody
reads the output any more; 2 a user's mistake; 70 a defect of rsim; 130 an interrupt.
"""

from __future__ import annotations

import errno
import os
import shlex
import sys
import traceback
import warnings
from typing import Any

import typer

from rsim.cli.interrupts import INTERRUPTED
from rsim.errors import LONGEST_LINE, RsimError, RsimWarning, cut, one_line

NO_READER, MISTAKE, DEFECT = 1, 2, 70
# What typer raises for a wrong command line: newer ones have a copy of click of their own.
_WrongUsage: Any = typer.BadParameter.__mro__[2]
_NO_MEMORY = "out of memory; take fewer hosts, shorter runs or fewer --jobs"
_TRACEBACK = "RSIM_TRACEBACK"
"""Environment variable that has the traceback of a defect shown."""


def start() -> int:
    """Runs the command in `sys.argv`; returns the exit code."""
    # What the terminal's encoding has no sign for becomes a question mark.
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")

    def show(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
        # Those of libraries, too: of a font that lacks signs, of a mean that overflows.
        _tell(f"warning: {message}")

    warnings.showwarning = show
    warnings.simplefilter("always", RsimWarning)
    try:
        status = _carry_out()
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        _tell("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return NO_READER
    except OSError as error:
        _tell(_of_the_system(error))
        _drop_output()
        return MISTAKE


def _carry_out() -> int:
    from rsim.cli.commands import app

    try:
        result = app(standalone_mode=False)
        if result == INTERRUPTED:
            # That is what typer makes of it.
            raise KeyboardInterrupt
        return result if isinstance(result, int) else 0
    except _WrongUsage as error:
        if error.format_message():
            _tell(f"{error.format_message()} (--help tells more)")
        return MISTAKE
    except typer.Abort:
        raise KeyboardInterrupt from None
    except RsimError as error:
        notes = "; ".join(getattr(error, "__notes__", ()))
        _tell(f"{error}" + (f" ({notes})" if notes else ""))
        return MISTAKE
    except MemoryError:
        _tell(_NO_MEMORY)
        return MISTAKE
    except ImportError as error:
        no_memory = "map segment" in str(error) or "allocate memory" in str(error)
        _tell(_NO_MEMORY if no_memory else f"can't be loaded: {error}")
        return MISTAKE
    except OSError:
        raise
    except Exception as error:
        place = _in_users_file(error)
        if place is None:
            _tell_defect(error)
            return DEFECT
        _tell(f"{place}: {_described(error)}")
        return MISTAKE


def _in_users_file(error: Exception) -> str | None:
    """File and line of your own code that has raised an error, or has called what raised it."""
    from rsim.registrations import CODE_MODULE

    place = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if str(frame.f_globals.get("__name__")).startswith(CODE_MODULE):
            place = f"{frame.f_code.co_filename}, line {line}"
    return place


def _described(error: Exception) -> str:
    notes = "; ".join(getattr(error, "__notes__", ()))
    return f"{type(error).__name__}: {error}" + (f" ({notes})" if notes else "")


def _tell(text: str) -> None:
    print(one_line(f"rsim: {text}"), file=sys.stderr)


def _tell_defect(error: Exception) -> None:
    """What nobody foresaw: what it is, and the command that does it again."""
    if os.environ.get(_TRACEBACK):
        traceback.print_exception(error)
    what = cut(one_line(_described(error)), LONGEST_LINE // 2)
    head = f"this is a defect of rsim: {what}; "
    again = f"{_TRACEBACK}=1 " + shlex.join(["rsim", *sys.argv[1:]])
    room = LONGEST_LINE - len("rsim: please report it with the output of: ") - len(head)
    _tell(f"{head}please report it with the output of: {cut(one_line(again), max(20, room))}")


def _of_the_system(error: OSError) -> str:
    """The operating system's reason, and the file that it concerns."""
    reason = error.strerror or str(error)
    if error.filename is None:
        return f"can't write the output: {reason}" if error.errno == errno.ENOSPC else reason
    return f"{error.filename}: {reason}"


def _drop_output() -> None:
    """So that the interpreter does not try to write what is left when it ends."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)
