"""A Dask cluster of processes on this machine, which can be ended and started again one by one."""

import os
import socket
import subprocess
import sys
from types import TracebackType


class Cluster:
    """A scheduler at a port of its own, and workers; ended with the `with`."""

    def __init__(self) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Cluster":
        self.start_scheduler()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill_scheduler()
        self.kill_workers()

    def start_scheduler(self) -> None:
        """Starts it, at the same port each time."""
        # A task that ends its worker is not tried thrice more.
        environment = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
        place = ("--host", "127.0.0.1", "--port", self.port)
        self.scheduler = _process("dask_scheduler", *place, environment=environment)

    def kill_scheduler(self) -> None:
        """Ends it without a word."""
        assert self.scheduler is not None
        _end(self.scheduler)

    def start_worker(self, *options: object, nanny: bool = False) -> None:
        """Starts one, which waits for the scheduler; a nanny starts it again when it dies."""
        fixed = ("--nanny" if nanny else "--no-nanny", "--nthreads", "1")
        self.workers.append(_process("dask_worker", self.address, *fixed, *options))

    def kill_workers(self) -> None:
        """Ends all of them without a word."""
        while self.workers:
            _end(self.workers.pop())


def _process(
    module: str, *options: object, environment: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.{module}", "--no-dashboard"]
    return subprocess.Popen(
        [*command, *map(str, options)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
