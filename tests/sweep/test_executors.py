"""Processes, threads, Dask: the same frames."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

import rsim
from rsim.sweep import load_study, sweep


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
    assert unknown.returncode == 2 and "is no metric" in unknown.stderr


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
    done = cli("summary", tmp_path / "out", "--metric", "utilisation_pct")
    assert "seed 6" in done.stdout and "this one fails" in done.stdout
    assert set(rsim.read(tmp_path / "out")["seed"]) == {5, 7}
