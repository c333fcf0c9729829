"""A folder of results belongs to one sweep at a time."""

from __future__ import annotations

import json
import os
import platform
import sys
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout

from rsim.errors import ResultError, one_line
from rsim.reading import check_regular

LOCK = "sweep.lock"
HOLDER = "sweep.json"


class FolderLock:
    """Takes a folder for this sweep, for the time of a `with`.

    The lock ends with the process that holds it, however that ends.

    Parameters: `directory` to be locked. Raises ResultError, which says who holds it, where another
    sweep does.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / LOCK
        self._lock = FileLock(self._path)

    def __enter__(self) -> FolderLock:
        while True:
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                raise ResultError(
                    f"{self._directory}: {_told(self._directory / HOLDER)} stores its runs here; "
                    "wait for it, or choose another folder"
                ) from None
            except (OSError, NotImplementedError) as error:
                # The latter where the file system knows no locks.
                reason = getattr(error, "strerror", None) or str(error)
                raise ResultError(f"{self._directory}: can't store the results: {reason}") from None
            if self._is_there():
                break
            # Whoever held it has taken the file away meanwhile: a lock that nobody else will see.
            self._lock.release(force=True)
        holder = {
            "process": os.getpid(),
            "host": platform.node(),
            "since": datetime.now().astimezone().isoformat(timespec="seconds"),
            "command": one_line(" ".join(sys.argv)),
        }
        file = self._directory / HOLDER
        try:
            # Whoever made the folder may have linked it elsewhere.
            file.unlink(missing_ok=True)
            file.write_text(json.dumps(holder), "utf-8")
        except OSError as error:
            self._lock.release(force=True)
            raise ResultError(
                f"{self._directory}: can't store the results: {error.strerror}"
            ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in (HOLDER, LOCK):
            (self._directory / name).unlink(missing_ok=True)
        self._lock.release(force=True)

    def _is_there(self) -> bool:
        """Whether the file that is locked still has its name."""
        descriptor = self._lock._context.lock_file_fd
        assert descriptor is not None
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False


def _told(file: Path) -> str:
    """Who holds the lock, as far as it is known."""
    try:
        check_regular(file)
        holder: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return f"process {holder['process']} on {holder['host']}, since {holder['since']},"
    except (OSError, ValueError, KeyError, TypeError):
        return "another sweep"
