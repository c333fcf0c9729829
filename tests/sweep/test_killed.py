"""A sweep that is killed again and again loses nothing that was finished."""

import errno
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rsim
from rsim.errors import ResultError
from rsim.sweep import load_study, sweep

STUDY = """
warm_up = "1min"
duration = "1min"
[pool_elements.element]
count = 2
start = "10s"
[pool_users.user]
count = 3
start = "15s"
request_size = { distribution = "exponential", mean = 1e6 }
request_interval = { distribution = "exponential", mean = 5 }
[sweep]
replications = 40
[sweep.axes]
"pools.pool.policy" = ["random", "least_used", "round_robin"]
"""


@pytest.fixture
def study(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(STUDY)
    return load_study(file)


def killed(study, out, after):
    """Runs a sweep in a process of its own, and kills it; whether it had finished by then."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        sweep(study, out, jobs=1, resume=True)
        os._exit(0)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFEXITED(status)


def test_a_hundred_kills_change_nothing(study, tmp_path):
    expected = sweep(study, jobs=1).runs
    out = tmp_path / "out"
    random = np.random.default_rng(1)
    stored = 0
    for number in range(100):
        killed(study, out, random.uniform(0.0, 0.06))
        found = len(list((out / "finished").glob("*.json"))) if (out / "finished").exists() else 0
        if (out / "runs.parquet").exists():
            found = len(pd.read_parquet(out / "runs.parquet"))
        # What was on disk stays there.
        assert found >= stored, number
        stored = found
    # A kill in the middle of a write leaves a half file under another name, which nobody reads.
    (out / "finished").mkdir(exist_ok=True)
    (out / "finished" / "half.json.partial").write_text("{")
    result = sweep(study, out, jobs=1, resume=True)
    columns = list(expected)
    pd.testing.assert_frame_equal(result.runs[columns], expected)
    pd.testing.assert_frame_equal(rsim.read(out)[columns], expected)
    left = {path.name for path in out.iterdir()}
    assert left == {"manifest.json", "runs.parquet", "summary.csv"}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_or_read_only_disk_is_told_and_nothing_is_damaged(
    study, tmp_path, monkeypatch, code
):
    out = tmp_path / "out"
    write, count = Path.write_text, 0

    def fails(self, *arguments, **options):
        nonlocal count
        count += self.name.endswith(".partial")
        if count > 10 and self.name.endswith(".partial"):
            raise OSError(code, os.strerror(code))
        return write(self, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", fails)
    with pytest.raises(ResultError, match=os.strerror(code)):
        sweep(study, out, jobs=1)
    monkeypatch.undo()
    assert len(list((out / "finished").glob("*.json"))) == 10
    result = sweep(study, out, jobs=1, resume=True)
    assert len(result.runs) == 120


def test_results_do_not_depend_on_the_runs_before(study):
    point = study.points[0].scenario
    alone = rsim.run(point, 7).digest
    for seed in range(1, 30):
        rsim.run(study.points[seed % 3].scenario, seed)
    assert rsim.run(point, 7).digest == alone


@pytest.mark.parametrize(("jobs", "finished"), [(1, 5), (2, 0), (2, 5)])
def test_an_interrupt_stops_cleanly_and_says_how_to_go_on(study, tmp_path, jobs, finished):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "rsim.cli", "sweep", study.source, "--out", out]
    command += ["--jobs", str(jobs), "--replications", "400"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Whoever runs the tests may ignore interrupts, which children inherit.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        while process.poll() is None and not (
            out.exists() and len(list((out / "finished").glob("*.json"))) >= finished
        ):
            time.sleep(0.01)
        time.sleep(0.05)
        # As a terminal does: to the whole group, workers included.
        os.killpg(process.pid, signal.SIGINT)
        told, errors = process.communicate(timeout=600)
    # The interpreter ends by the signal itself if it came while a piece of text was executed.
    assert process.returncode in (130, -signal.SIGINT), errors
    assert "go on with --resume" in told and "Traceback" not in errors
    stored = len(list((out / "finished").glob("*.json")))
    assert finished <= stored < 1200
    assert not list((out / "finished").glob("*.partial"))
    counts = []
    result = sweep(
        load_study(study.source, replications=400),
        out,
        resume=True,
        progress=lambda *numbers: counts.append(numbers),
    )
    assert counts[0][0] == stored and len(result.runs) == 1200
