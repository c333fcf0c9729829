"""A folder of results has one sweep at a time, can be read meanwhile, and heals by itself."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import psutil
import pytest

import rsim
import rsim.sweep.workers
from rsim.errors import ResultError, RsimWarning
from rsim.sweep import executors, load_study, open_report, sweep

LONG = """
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
replications = 400
[sweep.axes]
"pools.pool.policy" = ["random", "least_used", "round_robin"]
"""


@pytest.fixture
def long_study(tmp_path):
    file = tmp_path / "long.toml"
    file.write_text(LONG)
    return file


def start(study, out, *options):
    command = [sys.executable, "-m", "rsim.cli", "sweep", study, "--out", out, *options]
    return subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finished(out):
    folder = out / "finished"
    return len(list(folder.glob("*.json"))) if folder.exists() else 0


def wait_for_runs(process, out, number):
    while process.poll() is None and finished(out) < number:
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()


def end(process):
    process.kill()
    process.communicate()


def test_a_second_sweep_is_told_who_holds_the_folder(long_study, tmp_path):
    out = tmp_path / "out"
    first = start(long_study, out, "--jobs", "1")
    try:
        wait_for_runs(first, out, 1)
        second = start(long_study, out, "--resume")
        _, told = second.communicate(timeout=600)
        assert second.returncode == 2
        assert f"process {first.pid} on" in told and told.count("\n") == 1
        with pytest.raises(ResultError, match=f"process {first.pid} on"):
            sweep(load_study(long_study, replications=1), out, jobs=1)
    finally:
        end(first)
    # The lock ends with the process, however that has ended.
    assert (out / "sweep.lock").exists()
    stored = finished(out)
    counts = []

    def count(*numbers):
        counts.append(numbers)

    result = sweep(long_study, out, jobs=2, resume=True, progress=count)
    assert counts[0] == (stored, 1200, 0) and len(result.runs) == 1200
    assert {path.name for path in out.iterdir()} == {"manifest.json", "runs.parquet", "summary.csv"}


def test_four_sweeps_at_once_lose_nothing(study_file, tmp_path):
    """Two equal ones and two others, again and again until all have had their turn."""
    out = tmp_path / "out"
    other = tmp_path / "other.toml"
    other.write_text(study_file.read_text().replace('duration = "2min"', 'duration = "1min"'))
    processes = [start(file, out, "--resume", "--jobs", "1") for file in (study_file, other) * 2]
    results = [process.communicate(timeout=600) for process in processes]
    codes = sorted(process.returncode for process in processes)
    assert codes[0] == 0 and set(codes) == {0, 2}, results
    for process, (_, told) in zip(processes, results, strict=True):
        if process.returncode == 2:
            assert told.count("\n") == 1
            assert "stores its runs here" in told or "other settings" in told
    runs = rsim.read(out)
    assert len(runs) == 18 and runs["run"].is_unique
    alone = [sweep(file, jobs=1).runs for file in (study_file, other)]
    assert any(list(runs["digest"]) == list(frame["digest"]) for frame in alone)


def test_what_is_in_the_folder_and_not_in_the_table_stays(study_file, tmp_path):
    out = tmp_path / "out"
    sweep(load_study(study_file, replications=1), out, jobs=1)
    pieces = out / "finished"
    pieces.mkdir()
    kept = pieces / "notes.txt"
    kept.write_text("mine")
    sweep(load_study(study_file, replications=2), out, jobs=1, resume=True)
    assert kept.read_text() == "mine"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "5",
        "null",
        '{"run": 5}',
        "{",
        '{"run": "x"}',
        "\x00\x00",
        '{"run": ["x"]}',
        "[" * 9999,
    ],
)
def test_a_piece_that_is_none_is_told_and_its_run_is_done_again(study_file, tmp_path, content):
    out = tmp_path / "out"

    def stop(done, total, failed):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(study_file, out, jobs=1, progress=stop)
    piece = sorted((out / "finished").glob("*.json"))[2]
    piece.write_text(content)
    with pytest.warns(RsimWarning, match="the run is done again") as told:
        result = sweep(study_file, out, jobs=1, resume=True)
    assert len(told) == 1 and piece.name in str(told[0].message)
    pd.testing.assert_frame_equal(result.runs.drop(columns="code"), sweep(study_file, jobs=1).runs)


def stopped(study, out, runs):
    """A sweep that is stopped after so many runs."""

    def stop(done, total, failed):
        if done == runs:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(study, out, jobs=1, progress=stop)
    return sorted((out / "finished").glob("*.json"))


def same(one, other):
    columns = [name for name in other if name != "code"]
    pd.testing.assert_frame_equal(one[columns], other[columns])


@pytest.mark.parametrize(
    ("name", "value"), [("seed", 999), ("handling_speed_pct", 1.0), ("digest", "0"), ("x", 1)]
)
def test_a_piece_with_other_values_is_told_and_its_run_is_done_again(
    study_file, tmp_path, name, value
):
    out = tmp_path / "out"
    piece = stopped(study_file, out, 5)[2]
    piece.write_text(json.dumps({**json.loads(piece.read_text()), name: value}))
    with pytest.warns(RsimWarning, match="other content than was written"):
        result = sweep(study_file, out, jobs=1, resume=True)
    same(result.runs, sweep(study_file, jobs=1).runs)


@pytest.mark.parametrize(
    "change",
    [
        lambda runs: runs.assign(seed=runs["seed"].replace(6, 60)),
        lambda runs: runs.assign(**{"pools.pool.policy": "random"}),
        lambda runs: runs.assign(arm="baseline"),
        lambda runs: runs.drop(columns="scenario"),
        lambda runs: runs.drop(columns="handling_speed_pct"),
    ],
)
def test_a_table_with_rows_that_are_not_the_studys_is_told_and_they_are_done_again(
    study_file, tmp_path, change
):
    out = tmp_path / "out"
    before = sweep(study_file, out, jobs=1).runs
    change(before).to_parquet(out / "runs.parquet", index=False)
    with pytest.warns(RsimWarning, match="it is done again"):
        result = sweep(study_file, out, jobs=1, resume=True)
    same(result.runs, before)


def test_a_key_that_is_in_the_table_twice_is_told(study_file, tmp_path):
    out = tmp_path / "out"
    runs = sweep(load_study(study_file, replications=1), out, jobs=1).runs
    pd.concat([runs, runs[:1]]).to_parquet(out / "runs.parquet", index=False)
    with pytest.raises(ResultError, match="column 'run' has a key twice"):
        rsim.read(out)


def test_time_series_that_are_gone_are_made_again(study_file, tmp_path):
    text = study_file.read_text().replace("seed = 5", 'seed = 5\nseries_interval = "1min"')
    study_file.write_text(text.replace("[sweep]\n", '[sweep]\nseries = ["accepts"]\n', 1))
    out, study = tmp_path / "out", load_study(study_file, replications=1)
    before = sweep(study, out, jobs=1).series
    (out / "series.parquet").unlink()
    with pytest.warns(RsimWarning, match="has no time series; it is done again"):
        sweep(study, out, jobs=1, resume=True)
    pd.testing.assert_frame_equal(rsim.read(out, series=True), before, check_like=True)


@pytest.mark.parametrize("content", ["", "[]", '{"warnings": 5}', None])
def test_a_damaged_manifest_does_not_stop_a_sweep_from_going_on(study_file, tmp_path, content):
    out, study = tmp_path / "out", load_study(study_file, replications=1)
    sweep(study, out, jobs=1)
    manifest = out / "manifest.json"
    manifest.unlink()
    if content is not None:
        manifest.write_text(content)
    with pytest.warns(RsimWarning, match="written anew"):
        sweep(load_study(study_file, replications=2), out, jobs=1, resume=True)
    assert len(open_report(out).runs) == 12


@pytest.mark.parametrize("resume", [True, False])
def test_files_of_others_among_the_pieces_are_left_alone(study_file, tmp_path, resume):
    pieces = tmp_path / "out" / "finished"
    pieces.mkdir(parents=True)
    mine = [pieces / "mine.json", pieces / "mine.partial"]
    for file in mine:
        file.write_text("{}")
    with pytest.warns(RsimWarning, match=r"mine\.json"):
        sweep(load_study(study_file, replications=1), tmp_path / "out", jobs=1, resume=resume)
    assert [file.read_text() for file in mine] == ["{}", "{}"]


def test_no_link_in_a_folder_of_results_leads_a_sweep_elsewhere(study_file, tmp_path):
    out, mine = tmp_path / "out", tmp_path / "mine.txt"
    stopped(study_file, out, 5)
    mine.write_text("mine")
    for name in ("sweep.json", "manifest.json.partial", "runs.parquet.partial", "summary.csv"):
        (out / name).symlink_to(mine)
    sweep(study_file, out, jobs=1, resume=True)
    assert mine.read_text() == "mine"
    other = tmp_path / "other"
    other.mkdir()
    (other / "finished").symlink_to(tmp_path)
    with pytest.raises(ResultError, match="finished: is a link"):
        sweep(study_file, other, jobs=1)


@pytest.mark.parametrize(
    "name", ["manifest.json", "runs.parquet", "series.parquet", "failures.json", "finished/x.json"]
)
def test_a_fifo_among_the_results_is_told_and_not_waited_for(study_file, tmp_path, name):
    out = tmp_path / "out"
    sweep(load_study(study_file, replications=1), out, jobs=1)
    file = out / name
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    os.mkfifo(file)
    if name.startswith("finished"):
        with pytest.warns(RsimWarning, match="is a FIFO"):
            sweep(load_study(study_file, replications=1), out, jobs=1, resume=True)
        return
    with pytest.raises(ResultError, match="is a FIFO, must be a regular file"):
        open_report(out)
        rsim.read(out, series=True)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("parameters", []),
        ("parameters", {}),
        ("parameters", [["arm"]]),
        ("parameters", "arm"),
        ("parameters", ["arm", 5]),
        ("parameters", ["arm", "arm"]),
        ("parameters", ["arm", "seed"]),
        ("parameters", ["arm", "accepts"]),
        # What the figure shows is none of them.
        ("parameters", ["arm"]),
        ("warnings", []),
        ("sweep", []),
        ("sweep", {"arms": 5}),
        ("scenario", 5),
        ("study", 5),
        ("units", 5),
    ],
)
def test_a_manifest_of_the_wrong_kind_is_told(study_file, tmp_path, key, value):
    out = tmp_path / "out"
    sweep(load_study(study_file, replications=1), out, jobs=1)
    manifest = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps({**manifest, key: value}))
    with pytest.raises(ResultError, match="damaged manifest") as error:
        open_report(out)
        rsim.read(out)
    assert "\n" not in str(error.value)


def test_a_sweep_at_work_can_be_read(long_study, tmp_path):
    out = tmp_path / "out"
    process = start(long_study, out, "--jobs", "1")
    try:
        wait_for_runs(process, out, 5)
        with pytest.warns(RsimWarning, match="of 1200 runs so far; the sweep may be at work"):
            runs = rsim.read(out)
        assert len(runs) >= 5 and runs.attrs["unfinished"].endswith("of 1200 runs so far")
        assert runs["handling_speed_pct"].notna().all()
        command = [sys.executable, "-m", "rsim.cli", "summary", str(out)]
        told = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "of 1200 runs so far" in told.stderr and "random" in told.stdout
    finally:
        end(process)
    with pytest.warns(RsimWarning, match="of 1200 runs so far"):
        report = open_report(out)
    assert report.unfinished.endswith("of 1200 runs so far")
    run = report.runs.iloc[0]
    result, digest = report.rerun(run["run"])
    assert result.digest == digest == run["digest"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_workers_end_with_their_parent_however_it_ends(long_study, tmp_path, number):
    out = tmp_path / "out"
    process = start(long_study, out, "--jobs", "2")
    wait_for_runs(process, out, 5)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 2
    process.send_signal(number)
    process.communicate()
    _, alive = psutil.wait_procs(family, timeout=300)
    assert alive == []


def test_workers_of_another_version_are_refused(study_file, tmp_path, monkeypatch):
    monkeypatch.setattr(executors, "code_version", lambda: "9.9.9+0")
    with pytest.raises(ResultError, match=r"runs rsim .*, the sweep 9\.9\.9\+0; .* 0 of 18 runs"):
        sweep(study_file, tmp_path / "out", jobs=2)


def test_a_cluster_whose_workers_all_die_ends_the_sweep(long_study, tmp_path, monkeypatch):
    from distributed import Client, LocalCluster

    monkeypatch.setattr(rsim.sweep.workers, "_GRACE", 1.0)
    monkeypatch.setattr(executors, "_LOOK_TIME", 0.5)
    out = tmp_path / "out"

    def kill(done, total, failed):
        if done == 5:
            for worker in workers:
                worker.kill()

    # Workers without a nanny, each a process of its own.
    with (
        LocalCluster(n_workers=0, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        command = [sys.executable, "-m", "distributed.cli.dask_worker", cluster.scheduler_address]
        command += ["--no-nanny", "--nthreads", "1", "--no-dashboard"]
        workers = [
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(2)
        ]
        client.wait_for_workers(2)
        with pytest.raises(ResultError, match=r"no worker any more; .* of 1200 runs are stored"):
            sweep(long_study, out, executor=client.get_executor(), progress=kill)
    for worker in workers:
        worker.wait()
    assert finished(out) >= 5
