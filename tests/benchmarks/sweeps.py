"""What a sweep costs beside its runs, and what a second core brings.

Run as `python tests/benchmarks/sweeps.py`. Runs of less than a tenth of a second on each executor,
against the same runs called one after the other; then 200 standard runs on one core and on two.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import rsim

SHORT = 200
"""Runs of less than a tenth of a second."""
STANDARD = 200
HERE = Path(__file__)


def study(folder: Path, runs: int, duration: str) -> rsim.Study:
    """A study that is the standard run with so many seeds."""
    text = HERE.with_name("standard.toml").read_text()
    file = folder / "study.toml"
    file.write_text(
        text.replace('profile = "rspsim"', f'profile = "rspsim"\nduration = "{duration}"')
        + f"\n[sweep]\nreplications = {runs}\n"
    )
    return rsim.load_study(file)


def seconds(chosen: rsim.Study, folder: Path, jobs: int, executor: Executor | None = None) -> float:
    """Wall time of a stored sweep."""
    out = folder / f"out-{time.monotonic_ns()}"
    begin = time.perf_counter()
    result = rsim.sweep(chosen, out, jobs=jobs, executor=executor)
    elapsed = time.perf_counter() - begin
    assert not result.failures
    return elapsed


@contextmanager
def dask():
    """A Dask cluster with one worker process."""
    from distributed import Client, LocalCluster

    cluster = LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster) as client:
        yield client.get_executor()


def main() -> None:
    """Prints overheads by executor and the gain of a second core."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        short = study(folder, SHORT, "40min")
        scenario = short.points[0].scenario
        executors = {
            "in process": nullcontext(None),
            "thread": ThreadPoolExecutor(1),
            "process": ProcessPoolExecutor(1),
            "Dask": dask(),
        }
        print(f"{'executor':12} {'a run':>9} {'more than bare':>15}")
        for label, context in executors.items():
            with context as executor:
                seconds(short, folder, 1, executor)  # Workers have started and imported by then.
                begin = time.perf_counter()
                for seed in range(1, SHORT + 1):
                    rsim.run(scenario, seed)
                bare = time.perf_counter() - begin
                took = seconds(short, folder, 1, executor)
            print(f"{label:12} {took / SHORT * 1e3:6.1f} ms {100 * (took / bare - 1):14.1f}%")
        long = study(folder, STANDARD, "120min")
        one, two = seconds(long, folder, 1), seconds(long, folder, 2)
        print(
            f"{STANDARD} standard runs: {one:.1f} s on one core, {two:.1f} s on two, "
            f"{one / two:.2f} times as fast"
        )


if __name__ == "__main__":
    sys.exit(main())
