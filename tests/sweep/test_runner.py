import json
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

import rsim
from rsim.errors import ResultError
from rsim.studies import study_figure
from rsim.sweep import executors, load_study, open_report, runner, sweep


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def stored(study_file, out):
    return sweep(study_file, out, jobs=1)


def test_rows_hold_what_redoes_them(stored):
    runs = stored.runs
    assert len(runs) == 18
    assert runs["seed"].tolist()[:3] == [5, 6, 7]
    assert runs["digest"].nunique() == 18
    redo = {"arm", "replication", "pools.pool.policy", "handling_speed_pct", "scenario", "code"}
    assert redo <= set(runs)
    assert runs["scenario"].nunique() == 6
    assert (runs["measured_from"] == 660).all() and (runs["measured_to"] == 780).all()
    assert runs.attrs["units"]["handling_speed_pct"] == "% of a PE's capacity"


def test_all_cores_give_the_same_rows_as_one_process(study_file, stored):
    progress = []
    parallel = sweep(study_file, jobs=2, progress=lambda *counts: progress.append(counts))
    pd.testing.assert_frame_equal(parallel.runs, stored.runs.drop(columns="code"))
    assert progress == [(n, 18, 0) for n in range(19)]


def test_stored_results_are_read_again(stored, out):
    report = open_report(out)
    pd.testing.assert_frame_equal(report.runs, stored.runs)
    pd.testing.assert_frame_equal(report.summary, stored.summary)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["name"] == "small study"
    assert manifest["rsim"]
    assert manifest["platform"]


def test_a_sweep_in_memory_reports_what_a_stored_one_does(study_file, stored, out):
    report, read_again = sweep(study_file, jobs=1).report, open_report(out)
    assert report.parameters == read_again.parameters
    pd.testing.assert_frame_equal(report.summary, read_again.summary)
    drawn = study_figure(report).axes[0].lines[0].get_ydata().tolist()
    assert drawn == study_figure(read_again).axes[0].lines[0].get_ydata().tolist()


def test_comparison_takes_the_points_that_both_have(stored, out, study_file):
    points = open_report(out).compare(study_file.parent / "reference.csv")
    assert points["pools.pool.policy"].tolist() == ["random", "least_used"]
    assert points["within"].tolist() == [True, False]


def test_missing_and_damaged_results_are_named(tmp_path, stored, out, study_file):
    with pytest.raises(ResultError, match="no results here"):
        open_report(tmp_path / "absent")
    with pytest.raises(ResultError, match="there is no reference of the study"):
        other = tmp_path / "other.csv"
        other.write_text("x")
        open_report(out).compare(other)
    (out / "runs.parquet").write_bytes(b"not parquet")
    with pytest.raises(ResultError, match="damaged"):
        open_report(out)


def test_unwritable_folder_is_named(study_file, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    study = load_study(study_file, replications=1, quick=True)
    with pytest.raises(ResultError, match="can't store the results"):
        sweep(study, blocker / "out", jobs=1)


def test_stopped_sweep_goes_on_where_it_was(study_file, out, monkeypatch):
    def stop(done, total, failed):
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(study_file, out, jobs=1, progress=stop)
    ran = []
    one = executors.run_one
    monkeypatch.setattr(executors, "run_one", lambda *task: ran.append(task) or one(*task))
    resumed = sweep(study_file, out, jobs=1, resume=True)
    assert len(ran) == 11
    undisturbed = sweep(study_file, jobs=1)
    pd.testing.assert_frame_equal(resumed.runs.drop(columns="code"), undisturbed.runs)


def test_extended_grid_runs_only_what_is_new(study_file, out):
    sweep(load_study(study_file, replications=2), out, jobs=1)
    progress = []
    longer = load_study(study_file, replications=3)
    sweep(longer, out, jobs=1, resume=True, progress=lambda *counts: progress.append(counts))
    assert progress[0] == (12, 18, 0)
    assert len(open_report(out).runs) == 18


def test_results_are_never_mixed(study_file, out, stored, monkeypatch):
    with pytest.raises(ResultError, match="holds 18 runs already"):
        sweep(study_file, out, jobs=1)
    with pytest.raises(ResultError, match="other settings"):
        sweep(load_study(study_file, {"duration": "1min"}), out, jobs=1, resume=True)
    monkeypatch.setattr(runner, "code_version", lambda: "9.9.9+0")
    with pytest.raises(ResultError, match=r"this is 9\.9\.9"):
        sweep(study_file, out, jobs=1, resume=True)


def test_failed_run_is_told_and_the_others_go_on(study_file, out, monkeypatch):
    def broken(scenario, seed):
        if seed == 6:
            raise ZeroDivisionError("an invariant")
        return rsim.run(scenario, seed)

    monkeypatch.setattr(executors, "run", broken)
    result = sweep(study_file, out, jobs=1)
    assert len(result.runs) == 12
    assert {failure["seed"] for failure in result.failures} == {6}
    assert "ZeroDivisionError: an invariant" in result.failures[0]["error"]
    assert "broken" in result.failures[0]["traceback"]
    monkeypatch.undo()
    assert len(sweep(study_file, out, jobs=1, resume=True).runs) == 18


def test_one_run_is_done_again(stored, out):
    report = open_report(out)
    for key in report.runs["run"].iloc[[0, 17]]:
        result, digest = report.rerun(key[:12])
        assert result.digest == digest
    with pytest.raises(ResultError, match="0 runs have a key"):
        report.rerun("xyz")


def test_a_failed_run_is_done_again(study_file, out, monkeypatch):
    def broken(scenario, seed):
        raise ZeroDivisionError("an invariant")

    monkeypatch.setattr(executors, "run", broken)
    result = sweep(study_file, out, jobs=1)
    assert result.runs.empty and len(result.failures) == 18
    monkeypatch.undo()
    report = open_report(out)
    again, digest = report.rerun(result.failures[7]["run"])
    assert digest is None
    assert again.seed == result.failures[7]["seed"]
    assert again.digest == sweep(study_file, jobs=1).runs["digest"][7]


def test_any_executor_gives_the_same(study_file, stored):
    with ThreadPoolExecutor(2) as executor:
        runs = sweep(study_file, executor=executor).runs
    pd.testing.assert_frame_equal(runs, stored.runs.drop(columns="code"))
