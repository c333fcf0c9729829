import json

import pandas as pd
import pytest

from rsim.errors import ResultError
from rsim.sweep import load_study, sweep
from rsim.sweep.report import open_report


@pytest.fixture
def stored(study_file, tmp_path):
    return sweep(study_file, tmp_path / "out", jobs=1)


def test_rows_hold_what_redoes_them(stored):
    runs = stored.runs
    assert len(runs) == 18
    assert runs["seed"].tolist()[:3] == [5, 6, 7]
    assert runs["digest"].nunique() == 18
    assert {"arm", "replication", "pools.pool.policy", "handling_speed_pct"} <= set(runs)


def test_all_cores_give_the_same_rows_as_one_process(study_file, stored):
    progress = []
    parallel = sweep(
        study_file, jobs=2, progress=lambda done, total: progress.append((done, total))
    )
    pd.testing.assert_frame_equal(parallel.runs, stored.runs)
    assert progress == [(n, 18) for n in range(1, 19)]


def test_stored_results_are_read_again(stored):
    report = open_report(stored.directory)
    pd.testing.assert_frame_equal(report.runs, stored.runs)
    pd.testing.assert_frame_equal(report.summary, stored.summary)
    manifest = json.loads((stored.directory / "manifest.json").read_text())
    assert manifest["name"] == "small study"
    assert manifest["rsim"]
    assert manifest["platform"]


def test_comparison_takes_the_points_that_both_have(stored, study_file):
    points = open_report(stored.directory).compare(study_file.parent / "reference.csv")
    assert points["pools.pool.policy"].tolist() == ["random", "least_used"]
    assert points["within"].tolist() == [True, False]


def test_missing_and_damaged_results_are_named(tmp_path, stored, study_file):
    with pytest.raises(ResultError, match="no results here"):
        open_report(tmp_path / "absent")
    with pytest.raises(ResultError, match="names no such reference"):
        other = tmp_path / "other.csv"
        other.write_text("x")
        open_report(stored.directory).compare(other)
    (stored.directory / "runs.parquet").write_bytes(b"not parquet")
    with pytest.raises(ResultError, match="damaged"):
        open_report(stored.directory)


def test_unwritable_folder_is_named(study_file, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    study = load_study(study_file, replications=1, quick=True)
    with pytest.raises(ResultError, match="can't store the results"):
        sweep(study, blocker / "out", jobs=1)
