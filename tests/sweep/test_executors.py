"""Processes, threads, Dask: the same frames."""

import multiprocessing
import subprocess
import sys
import textwrap
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import pandas as pd
import pytest

import rsim
from rsim.errors import ResultError, ScenarioError
from rsim.sweep import load_study, sweep
from rsim.sweep.executors import _batch


def cli(*arguments):
    command = [sys.executable, "-m", "rsim.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_all_executors_give_the_same_frame(study_file, tmp_path):
    study = load_study(study_file)
    frames = {
        "in process": sweep(study, jobs=1).runs,
        "all cores": sweep(study, jobs=2).runs,
    }
    with ThreadPoolExecutor(2) as executor:
        frames["threads"] = sweep(study, executor=executor).runs
    done = cli("sweep", study_file, "--out", tmp_path / "dask", "--dask", "local")
    assert done.returncode == 0, done.stderr
    stored = rsim.read(tmp_path / "dask").drop(columns="code")
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(frame, frames["in process"], obj=name)
    pd.testing.assert_frame_equal(stored, frames["in process"][list(stored)], check_like=True)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_every_way_to_start_a_process_gives_the_same_frame(study_file, method):
    """From a script, as users have it."""
    script = textwrap.dedent(
        f"""
        import multiprocessing, warnings
        from concurrent.futures import ProcessPoolExecutor
        import rsim

        if __name__ == "__main__":
            warnings.simplefilter("ignore", DeprecationWarning)
            context = multiprocessing.get_context({method!r})
            with ProcessPoolExecutor(2, mp_context=context) as executor:
                found = rsim.sweep({str(study_file)!r}, executor=executor)
            own = rsim.sweep({str(study_file)!r}, jobs=2)
            assert found.runs.equals(own.runs)
            print(" ".join(found.runs["digest"]))
        """
    )
    file = study_file.parent / "script.py"
    file.write_text(script)
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == sweep(study_file, jobs=1).runs["digest"].tolist()


class Counting(Executor):
    """Does at once what it is given, and counts it."""

    def __init__(self):
        self.runs = []

    def submit(self, function, batch, series):
        self.runs.append(sum(len(seeds) for _, seeds in batch))
        future = Future()
        future.set_result(function(batch, series))
        return future


def test_short_runs_go_out_in_batches(study_file):
    study = load_study(study_file, replications=60)
    executor = Counting()
    sweep(study, executor=executor, jobs=2)
    assert sum(executor.runs) == 6 * 60
    # Until something is known about them one by one, at the end again in small portions.
    assert executor.runs[0] == 1 and max(executor.runs) > 4
    assert executor.runs[-1] <= 2


DEADLY = """
import os
from rsim.workload import workload

@workload("deadly")
def deadly(user, settings):
    yield user.clock.timeout(1)
    if user.streams.seed == 6:
        os._exit(1)
"""


@pytest.mark.filterwarnings("ignore:pool_users. no request")
def test_a_run_that_kills_its_process_does_not_stop_the_others(study_file, tmp_path):
    (tmp_path / "deadly.py").write_text(DEADLY)
    text = study_file.read_text().replace('name = "small study"', 'code = "deadly.py"')
    study_file.write_text(text.replace("count = 3\n", 'count = 3\nworkload = "deadly"\n'))
    result = sweep(load_study(study_file, allow_code=True), tmp_path / "out", jobs=2)
    assert {failure["seed"] for failure in result.failures} == {6}
    assert len(result.failures) == 6
    assert "has died" in result.failures[0]["error"]
    assert set(rsim.read(tmp_path / "out")["seed"]) == {5, 7}


def test_an_executor_that_breaks_fails_its_runs(study_file):
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        executor.submit(int, "1").result()
        for process in executor._processes.values():
            process.kill()
        result = sweep(study_file, executor=executor)
    assert result.runs.empty and len(result.failures) == 18


MEMORY = """
import sys
import rsim

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

scenario = rsim.load(sys.argv[1])
for seed in range(200):
    rsim.run(scenario, seed)
    if seed == 19:
        before = resident()
print(resident() - before)
"""


def test_two_hundred_runs_leave_memory_flat(study_file, tmp_path):
    file = tmp_path / "memory.py"
    file.write_text(MEMORY)
    done = subprocess.run(
        [sys.executable, file, study_file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    # A run allocates some MiB; a page table's worth of scatter is no leak.
    assert int(done.stdout) < 1 << 20


def test_time_series_are_kept(study_file, tmp_path):
    text = study_file.read_text()
    text = text.replace("seed = 5", 'seed = 5\nseries_interval = "30s"')
    study_file.write_text(text.replace("[sweep]\n", '[sweep]\nseries = ["accepts"]\n', 1))
    study = load_study(study_file, replications=1)
    out = tmp_path / "out"
    whole = sweep(study, out, jobs=2)
    series = rsim.read(out, series=True)
    pd.testing.assert_frame_equal(series, whole.series)
    assert list(series)[-3:] == ["begin", "end", "accepts"]
    assert len(series) == 6 * 26
    measured = series[series["begin"] >= 660].groupby("run", sort=False)["accepts"].sum()
    assert measured.tolist() == rsim.read(out)["accepts"].tolist()
    # A sweep that goes on keeps those of the runs that it had.
    sweep(load_study(study_file, replications=2), out, jobs=1, resume=True)
    longer = rsim.read(out, series=True)
    assert len(longer) == 2 * len(series)
    old = longer[longer["run"].isin(series["run"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(old, series)


def test_missing_time_series_are_told(study_file, tmp_path):
    sweep(load_study(study_file, replications=1), tmp_path / "out", jobs=1)
    with pytest.raises(ResultError, match="no time series here"):
        rsim.read(tmp_path / "out", series=True)
    study_file.write_text(study_file.read_text().replace("[sweep]\n", '[sweep]\nseries = ["x"]\n'))
    with pytest.raises(ScenarioError, match=r"sweep\.series.*there is no metric 'x'"):
        load_study(study_file)
    study_file.write_text(study_file.read_text().replace('["x"]', '["accepts"]'))
    with pytest.raises(ScenarioError, match="need series_interval"):
        load_study(study_file)


def test_breaking_points_are_shown(study_file, tmp_path):
    out = tmp_path / "out"
    sweep(study_file, out, jobs=1)
    axis = "attackers.flood.interval"
    options = ("--breaking", axis, "--metric", "rogue_share_pct")
    done = cli("summary", out, *options, "--level", "25")
    assert done.returncode == 0, done.stderr
    assert "random" in done.stdout and "rogue_share_pct breaks" in done.stdout
    for wrong, message in (
        (options, "--against ARM"),
        ((*options, "--against", "nobody"), "there is no arm 'nobody'"),
        (("--breaking", "network.delay", "--level", "1"), "there is no axis of the study"),
    ):
        done = cli("summary", out, *wrong)
        assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr


def test_a_scheduler_that_does_not_answer_is_told(study_file, tmp_path):
    done = cli("sweep", study_file, "--out", tmp_path / "out", "--dask", "tcp://127.0.0.1:9")
    assert done.returncode == 2
    assert "no scheduler answers" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [[], ["--metric", "utilisation_pct"], ["--against", "baseline"]]
)
def test_summary_shows_means_and_differences(study_file, tmp_path, arguments):
    sweep(load_study(study_file), tmp_path / "out", jobs=1)
    done = cli("summary", tmp_path / "out", *arguments)
    assert done.returncode == 0, done.stderr
    assert "attack" in done.stdout
    unknown = cli("summary", tmp_path / "out", "--metric", "nonsense")
    assert unknown.returncode == 2 and "there is no metric" in unknown.stderr


@pytest.mark.filterwarnings("ignore:pool_users. no request")
def test_failures_are_stored_with_seed_and_error(study_file, tmp_path):
    code = tmp_path / "broken.py"
    code.write_text(
        """
from rsim.workload import workload

@workload("broken")
def broken(user, settings):
    yield user.clock.timeout(1)
    if user.streams.seed == 6:
        raise RuntimeError("this one fails")
"""
    )
    text = study_file.read_text().replace('name = "small study"', 'code = "broken.py"')
    text = text.replace("count = 3\n", 'count = 3\nworkload = "broken"\n')
    study_file.write_text(text)
    result = sweep(load_study(study_file, allow_code=True), tmp_path / "out", jobs=1)
    assert {failure["seed"] for failure in result.failures} == {6}
    note = "s of simulated time in user-1, seed 6"
    assert all(note in failure["error"] for failure in result.failures)
    done = cli("summary", tmp_path / "out", "--metric", "utilisation_pct")
    assert "seed 6" in done.stdout and "this one fails" in done.stdout
    assert set(rsim.read(tmp_path / "out")["seed"]) == {5, 7}


@pytest.mark.parametrize("digest", ["", "0" * 20])
def test_workers_refuse_what_has_no_admitted_digest(tmp_path, digest):
    told = tmp_path / "it ran"
    (tmp_path / "evil.py").write_text(f"import pathlib\npathlib.Path({str(told)!r}).touch()\n")
    document = {"code": [{"file": str(tmp_path / "evil.py"), "digest": digest}]}
    with pytest.raises(ScenarioError, match="not what was allowed"):
        _batch([(document, [1])], ())
    assert not told.exists()
