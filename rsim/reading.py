"""Reading the files that a user names: regular ones, whole, and of a bounded size."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

_KINDS = (
    (stat.S_ISDIR, "is a folder"),
    (stat.S_ISFIFO, "is a FIFO"),
    (stat.S_ISCHR, "is a device"),
    (stat.S_ISBLK, "is a device"),
    (stat.S_ISSOCK, "is a socket"),
)


def read_regular(path: str | Path, most: int) -> bytes:
    """The content of a regular file of at most so many bytes.

    Parameters: `path` of the file; `most` bytes that it may have. Raises ValueError with the reason
    where there is none; the caller says which file it is. A FIFO or a device is not read, as that
    might never end.
    """
    try:
        # Whoever opens a FIFO would wait for its other end.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise ValueError(f"{_kind(found.st_mode)}, must be a regular file")
            if found.st_size > most:
                raise ValueError(f"has {found.st_size} bytes, at most {most} are read")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                content = file.read(most + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise ValueError("no such file") from None
    except OSError as error:
        raise ValueError(f"can't be read: {error.strerror}") from None
    if len(content) > most:
        raise ValueError(f"has more than {most} bytes")
    return content


def open_to_write(path: str | Path) -> BinaryIO:
    """A file to be written, empty at first. A FIFO that nobody reads is not waited for.

    Parameters: `path` of the file. Raises OSError where it can't be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(error.errno, "is a FIFO that nobody reads", str(path)) from None
        raise
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "wb")


def check_regular(path: str | Path) -> None:
    """Raises ValueError, which says what it is, where a name is that of no regular file. Where
    there is nothing, whoever reads it says so.

    Parameters: `path` of the file.
    """
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return
    if not stat.S_ISREG(mode):
        raise ValueError(f"{_kind(mode)}, must be a regular file")


def _kind(mode: int) -> str:
    return next((text for test, text in _KINDS if test(mode)), "is a special file")
