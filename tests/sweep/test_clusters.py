"""Dask clusters that lose their scheduler or workers, or whose workers can't do the runs."""

import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from itertools import chain, repeat

import pytest

import rsim
from rsim.errors import ResultError, RsimWarning
from rsim.sweep import executors, load_study, sweep, workers
from tests.sweep.cluster import Cluster
from tests.sweep.test_executors import DEADLY


@pytest.fixture
def cluster():
    with Cluster() as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def looks(monkeypatch):
    """Looks after workers more often than every few seconds."""
    monkeypatch.setattr(executors, "_LOOK_TIME", 0.2)


@contextmanager
def client_of(cluster, timeout=30):
    from distributed import Client

    with Client(cluster.address, timeout=30) as client:
        # For how long it looks for a scheduler that it has lost.
        client._timeout = timeout
        yield client


def once(count, act):
    """Progress that acts when so many runs are done, the first time."""
    done = []

    def progress(finished, total, failed):
        if finished >= count and not done:
            done.append(finished)
            act()

    return progress


def test_a_sweep_goes_on_with_a_scheduler_that_is_started_again(study_file, cluster, tmp_path):
    study = load_study(study_file, replications=20)

    def restart():
        cluster.kill_scheduler()
        cluster.kill_workers()
        cluster.start_scheduler()
        cluster.start_worker()

    cluster.start_worker()
    with client_of(cluster) as client:
        executor = client.get_executor()
        result = sweep(study, tmp_path / "out", executor=executor, progress=once(10, restart))
    assert not result.failures
    assert list(result.runs["digest"]) == list(sweep(study, jobs=1).runs["digest"])


def test_what_a_former_scheduler_never_tells_of_is_done_again(study_file, cluster, monkeypatch):
    """Some futures have no outcome, ever, when their scheduler goes in the wrong moment."""

    class Forgetful(Executor):
        def __init__(self, client):
            self._executor = client.get_executor()
            self._client = client
            self._left = 1

        def submit(self, *work):
            future = self._executor.submit(*work)
            self._left -= 1
            return future if self._left else Future()

    Forgetful.__module__ = "distributed.forgetful"
    cluster.start_worker()
    with client_of(cluster) as client:
        client.wait_for_workers(1)
        names = chain(["first"], repeat("second"))
        monkeypatch.setattr(workers, "scheduler_of", lambda client: next(names))
        result = sweep(study_file, executor=Forgetful(client))
    assert len(result.runs) == 18 and not result.failures


def test_a_scheduler_that_stays_away_ends_the_sweep_with_one_line(study_file, cluster, tmp_path):
    study = load_study(study_file, replications=20)
    out = tmp_path / "out"
    cluster.start_worker()
    told = r"the Dask scheduler is gone; \d+ of 120 runs are stored in .*, go on with --resume"
    with client_of(cluster, timeout=1) as client, pytest.raises(ResultError, match=told):
        stop = once(10, cluster.kill_scheduler)
        sweep(study, out, executor=client.get_executor(), progress=stop)
    again = sweep(study, out, jobs=1, resume=True)
    assert list(again.runs["digest"]) == list(sweep(study, jobs=1).runs["digest"])


def test_the_command_line_tells_a_lost_scheduler_in_one_line(study_file, cluster, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "rsim.cli", "sweep", study_file, "--out", out]
    command += ["--dask", cluster.address, "--replications", "40"]
    cluster.start_worker()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while process.poll() is None and not list(out.glob("finished/*.json")):
            time.sleep(0.02)
        cluster.kill_scheduler()
        told = process.communicate()[1].decode()
    assert process.returncode == 2
    assert "the Dask scheduler is gone; " in told and told.count("\n") == 1, told


def test_a_cluster_without_workers_is_told_and_takes_those_that_join_late(
    study_file, cluster, monkeypatch
):
    monkeypatch.setattr(workers, "_PATIENCE", 0.4)
    count, looks = workers.count_workers, []

    def look(client):
        looks.append(client)
        if len(looks) == 5:
            cluster.start_worker()
        return count(client)

    monkeypatch.setattr(workers, "count_workers", look)
    told = "the Dask cluster has no worker yet; the sweep waits for one"
    with client_of(cluster) as client, pytest.warns(RsimWarning, match=told) as warnings:
        result = sweep(study_file, executor=client.get_executor())
    assert len(warnings) == 1 and len(result.runs) == 18


@pytest.mark.filterwarnings("ignore:pool_users. no request")
def test_a_run_that_kills_its_dask_workers_costs_no_other_run(study_file, cluster, tmp_path):
    (tmp_path / "deadly.py").write_text(DEADLY)
    text = study_file.read_text().replace('name = "small study"', 'code = "deadly.py"')
    study_file.write_text(text.replace("count = 3\n", 'count = 3\nworkload = "deadly"\n'))
    study = load_study(study_file, allow_code=True)
    cluster.start_worker(nanny=True)
    with client_of(cluster) as client:
        result = sweep(study, tmp_path / "out", executor=client.get_executor())
    assert [failure["seed"] for failure in result.failures] == [6] * 6
    assert all("has died" in failure["error"] for failure in result.failures)
    assert set(rsim.read(tmp_path / "out")["seed"]) == {5, 7}


OTHER_VERSION = """
from rsim.sweep import executors
executors.code_version = lambda: "9.9.9+0"
"""
NO_RSIM = """
import importlib.metadata

def version(name):
    raise importlib.metadata.PackageNotFoundError(name)

importlib.metadata.version = version
"""


@pytest.mark.parametrize(
    ("preload", "told"),
    [
        (OTHER_VERSION, r"a worker on .* runs rsim 9\.9\.9\+0, the sweep .*; install the same"),
        (NO_RSIM, r"the Dask worker tcp://.* has no rsim; install .* on all"),
    ],
)
def test_dask_workers_with_another_rsim_or_none_are_refused(
    study_file, cluster, tmp_path, preload, told
):
    file = tmp_path / "preload.py"
    file.write_text(preload)
    cluster.start_worker("--preload", file)
    with client_of(cluster) as client, pytest.raises(ResultError, match=told) as error:
        client.wait_for_workers(1)
        sweep(study_file, tmp_path / "out", executor=client.get_executor())
    assert "0 of 18 runs are stored" in str(error.value)


def test_runs_on_a_worker_without_the_file_of_ones_own_code_fail_and_say_so(
    study_file, cluster, tmp_path
):
    (tmp_path / "own.py").write_text("")
    study_file.write_text(study_file.read_text().replace('name = "small study"', 'code = "own.py"'))
    study = load_study(study_file, allow_code=True)
    (tmp_path / "own.py").unlink()
    cluster.start_worker()
    with client_of(cluster) as client:
        result = sweep(study, executor=client.get_executor())
    assert len(result.failures) == 18
    for failure in result.failures:
        assert "own.py" in failure["error"] and "(on " in failure["error"]
