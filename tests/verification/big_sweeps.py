"""Sweeps that lose workers to a lack of memory, or their scheduler: nothing that finished is lost.

`tests/verification/big.py` runs them.
"""

import warnings
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from distributed import Client

import rsim
from rsim.errors import ResultError
from rsim.sweep import load_study, sweep
from tests.conftest import STUDY
from tests.sweep.cluster import Cluster
from tests.sweep.greedy import GREEDY_SEED, Watcher, greedy_study

MIB = 1 << 20


def study_in(folder: Path, replications: int = 3) -> Path:
    """The file of a small study."""
    file = folder / "study.toml"
    file.write_text(STUDY.replace("replications = 3", f"replications = {replications}"))
    (folder / "reference.csv").write_text("policy,interval,metric,mean,ci95,runs\n")
    return file


def memory() -> str:
    """A run that takes all memory: it fails by a limit and by a kill; all others are there."""
    told = []
    for name, limit in (("a limit of the address space", 256 * MIB), ("a kill", 0)):
        with TemporaryDirectory() as folder:
            study = greedy_study(study_in(Path(folder), 40), limit)
            with Watcher(1500 * MIB) as watcher:
                result = sweep(study, Path(folder) / "out", jobs=2)
            assert {failure["seed"] for failure in result.failures} == {GREEDY_SEED}
            assert len(result.failures) == 6, result.failures
            assert len(rsim.read(Path(folder) / "out")) == 6 * 39
            assert bool(watcher.killed) is not bool(limit)
            told.append(
                f"{name}: {len(result.failures)} failed ({result.failures[0]['error'][:60]}), "
                f"{len(result.runs)} stored, {watcher.killed} processes killed"
            )
    return "; ".join(told)


def scheduler() -> str:
    """A Dask scheduler that is killed and started again five times, and one that stays away."""
    with TemporaryDirectory() as name, Cluster() as cluster:
        folder = Path(name)
        study = load_study(study_in(folder, 100))
        expected = list(sweep(study, jobs=2).runs["digest"])
        restarts = 0

        def restart(done: int, total: int, failed: int) -> None:
            nonlocal restarts
            if done >= 80 * (restarts + 1) and restarts < 5:
                restarts += 1
                cluster.kill_scheduler()
                cluster.kill_workers()
                cluster.start_scheduler()
                cluster.start_worker()
                cluster.start_worker()

        cluster.start_worker()
        with closing(Client(cluster.address, timeout=30)) as client:
            result = sweep(study, folder / "out", executor=client.get_executor(), progress=restart)
        assert list(result.runs["digest"]) == expected and not result.failures

        def leave(done: int, total: int, failed: int) -> None:
            if done == 200:
                cluster.kill_scheduler()

        line = ""
        with closing(Client(cluster.address, timeout=30)) as client:
            # For how long it looks for a scheduler that it has lost.
            client._timeout = 3
            try:
                sweep(study, folder / "other", executor=client.get_executor(), progress=leave)
            except ResultError as error:
                line = str(error)
        assert "the Dask scheduler is gone" in line and "of 600 runs are stored" in line, line
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            again = sweep(study, folder / "other", jobs=2, resume=True)
        assert list(again.runs["digest"]) == expected
        return (
            f"{restarts} restarts: {len(expected)} runs with the digests of a quiet sweep; one "
            f"that stays away: '{line.replace(name, '')}', and the same digests with --resume"
        )


SWEEPS = {case.__name__: case for case in (memory, scheduler)}
