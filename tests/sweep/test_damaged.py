"""Stored results that are damaged anywhere: a clear error, never a wrong frame or a traceback."""

import json

import numpy as np
import pandas as pd
import pytest

import rsim
from rsim.errors import ResultError
from rsim.sweep import load_study, open_report, sweep


@pytest.fixture
def folder(study_file, tmp_path):
    text = study_file.read_text().replace("seed = 5", 'seed = 5\nseries_interval = "1min"')
    study_file.write_text(text.replace("[sweep]\n", '[sweep]\nseries = ["accepts"]\n', 1))
    sweep(load_study(study_file, replications=1), tmp_path / "out", jobs=1)
    return tmp_path / "out"


@pytest.mark.parametrize("name", ["runs.parquet", "manifest.json", "series.parquet"])
def test_files_cut_anywhere_are_named(folder, name):
    file = folder / name
    whole = file.read_bytes()
    random = np.random.default_rng(1)
    for size in [0, 1, *random.integers(2, len(whole) - 1, 20).tolist()]:
        file.write_bytes(whole[:size])
        with pytest.raises(ResultError, match=str(folder)):
            open_report(folder)
            rsim.read(folder, series=True)


@pytest.mark.parametrize("name", ["runs.parquet", "manifest.json"])
def test_files_with_other_bytes_never_cause_anything_else(folder, name):
    file = folder / name
    whole = file.read_bytes()
    random = np.random.default_rng(2)
    for _ in range(60):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), 8):
            damaged[place] = random.integers(0, 256)
        file.write_bytes(bytes(damaged))
        try:
            open_report(folder)
        except ResultError as error:
            assert str(folder) in str(error)


def test_a_manifest_of_another_kind_is_named(folder):
    (folder / "manifest.json").write_text(json.dumps(["no", "table"]))
    with pytest.raises(ResultError, match="damaged manifest"):
        open_report(folder)


def test_runs_that_lack_columns_are_named(folder):
    pd.DataFrame({"run": ["x"]}).to_parquet(folder / "runs.parquet")
    with pytest.raises(ResultError, match="damaged"):
        open_report(folder)
