"""A study one of whose seeds takes memory without end, and what ends it."""

import threading
from pathlib import Path

import psutil

from rsim import Study
from rsim.sweep import load_study

GREEDY_SEED = 6

CODE = f"""
import resource
from rsim.workload import workload

@workload("greedy")
def greedy(user, settings):
    yield user.clock.timeout(1)
    if user.streams.seed != {GREEDY_SEED}:
        return
    if settings["limit"]:
        with open("/proc/self/statm") as file:
            pages = int(file.read().split()[0])
        limit = pages * resource.getpagesize() + settings["limit"]
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    kept = []
    try:
        while True:
            kept.append(b"x" * (1 << 20))
    finally:
        kept.clear()
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
"""


def greedy_study(study_file: Path, limit: int = 0) -> Study:
    """The study with users that take memory.

    Parameters: `limit` octets that a process may take from then on, 0: all that there are.
    """
    (study_file.parent / "greedy.py").write_text(CODE)
    text = study_file.read_text().replace('name = "small study"', 'code = "greedy.py"')
    users = f'count = 3\nworkload = "greedy"\nworkload_settings = {{ limit = {limit} }}\n'
    study_file.write_text(text.replace("count = 3\n", users))
    return load_study(study_file, allow_code=True)


class Watcher(threading.Thread):
    """Kills each process that this one has begun and that takes too much, as a kernel does.

    Parameters: `most` octets that one may take. Use it as a context manager.
    """

    def __init__(self, most: int) -> None:
        super().__init__(daemon=True)
        self.most = most
        self.killed = 0
        self._over = threading.Event()

    def __enter__(self) -> "Watcher":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        """Looks again and again."""
        while not self._over.wait(0.02):
            for process in psutil.Process().children(recursive=True):
                try:
                    if process.memory_info().rss > self.most:
                        process.kill()
                        self.killed += 1
                except psutil.NoSuchProcess:
                    continue
